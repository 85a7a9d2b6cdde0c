//! `probe`: what a host has: each hostcall and callback once, in a module of its own.

use std::collections::BTreeSet;

use crate::case::{Filter, Nothing, Profile, Suite};
use crate::cli::args::{Global, ProbeArgs, ProbeFormat};
use crate::cli::exit::Exit;
use crate::cli::out::print;
use crate::cli::verbs;
use crate::cli::verbs::play::{Selection, play};
use crate::record::Record;
use crate::report::json::{self, ProbeRow};
use crate::report::{Cell, Paint, Table, safe_short};
use crate::runner::{self, Isolate, Probed, State, Wanted, lacking};

pub(crate) fn run(args: &ProbeArgs, global: &Global) -> anyhow::Result<Exit> {
    let specs = verbs::specs(global)?;
    let suite = verbs::suite(&specs)?;
    for abi in &args.abis {
        verbs::abi(&suite, abi)?;
    }
    let profiles = verbs::profiles(&specs)?;
    let wanted = verbs::wanted(&args.host, &profiles)?;
    let probes = runner::probe_suite(&suite.abis).map_err(|p| verbs::bad(p, &specs))?;
    let every = Filter::parse(&[], &probes, &Nothing).map_err(anyhow::Error::msg)?;
    let mut out = String::new();
    let mut rows = Vec::new();
    for one in &wanted {
        let hosts = std::slice::from_ref(one);
        let record = play(&specs, &probes, hosts, &selection(&every, args))?;
        let mut probed = runner::probed_hostcalls(&suite.abis, &record);
        probed.extend(callbacks(&suite, one, &record, &|texts| {
            let filter = verbs::filter(texts, &suite, &Nothing)?;
            play(&specs, &suite, hosts, &selection(&filter, args))
        })?);
        match args.format {
            ProbeFormat::Json => rows.extend(probed.iter().map(row)),
            ProbeFormat::Yaml => out.push_str(&fragment(&one.profile, &record, &probed)),
            ProbeFormat::Pretty => {
                out.push_str(&table(&record, &probed));
                out.push_str(&format!("\n{}", fragment(&one.profile, &record, &probed)));
            }
        }
    }
    match args.format {
        ProbeFormat::Json => print!("{}", json::text(&rows)),
        ProbeFormat::Yaml | ProbeFormat::Pretty => print!("{out}"),
    }
    Ok(Exit::Fine)
}

fn selection<'a>(filter: &'a Filter, args: &'a ProbeArgs) -> Selection<'a> {
    Selection {
        filter,
        abis: &args.abis,
        isolate: Isolate::Shared,
    }
}

/// Plays the cases that show callbacks, and says what came of each.
fn callbacks(
    suite: &Suite,
    wanted: &Wanted,
    record: &Record,
    play: &dyn Fn(&[String]) -> anyhow::Result<Record>,
) -> anyhow::Result<Vec<Probed>> {
    let mut cases = BTreeSet::new();
    let mut asked = Vec::new();
    for column in &record.header.columns {
        let Some(abi) = suite.abi(&column.abi) else {
            continue;
        };
        for (callback, case) in runner::callback_cases(suite, abi, &wanted.profile) {
            cases.extend(case.clone().ok().map(|id| format!("id:{id}")));
            asked.push((column.name.clone(), callback, case));
        }
    }
    let texts: Vec<String> = cases.into_iter().collect();
    let played = match texts.is_empty() {
        true => None,
        false => Some(play(&texts)?),
    };
    let all = asked.into_iter().map(|(column, function, case)| {
        let (state, what) = match (case, &played) {
            (Ok(case), Some(record)) => runner::probed_callback(record, &column, &function, &case),
            (Err(why), _) => (State::OutOfScope, why),
            (Ok(_), None) => (State::Unknown, String::new()),
        };
        Probed {
            column,
            function,
            callback: true,
            state,
            what,
        }
    });
    Ok(all.collect())
}

fn row(p: &Probed) -> ProbeRow {
    ProbeRow {
        column: p.column.clone(),
        function: p.function.clone(),
        kind: if p.callback { "callback" } else { "hostcall" }.to_owned(),
        state: p.state.word().to_owned(),
        what: p.what.clone(),
    }
}

fn cell(p: Option<&Probed>) -> Cell {
    let Some(p) = p else {
        return Cell::new("");
    };
    let (text, paint) = match p.state {
        State::Answers if p.what.is_empty() => ("✓".to_owned(), Paint::Green),
        State::Answers => (format!("✓ {}", p.what), Paint::Green),
        State::Called => ("✓ called".to_owned(), Paint::Green),
        State::OutOfScope => ("–".to_owned(), Paint::Dim),
        State::Unknown => ("? unknown".to_owned(), Paint::Yellow),
        State::Unimplemented => ("✗ unimplemented".to_owned(), Paint::Red),
        other => (format!("✗ {}", other.word()), Paint::Red),
    };
    Cell::new(text).paint(paint)
}

/// Functions down, columns across, and below it why some could not be asked.
fn table(record: &Record, probed: &[Probed]) -> String {
    let columns: Vec<&str> = record
        .header
        .columns
        .iter()
        .map(|c| c.name.as_str())
        .collect();
    let mut table = Table::new();
    let head = std::iter::once("").chain(record.header.columns.iter().map(|c| c.abi.as_str()));
    table.row(head.map(|h| Cell::new(h).paint(Paint::Dim)));
    let mut names: Vec<(&str, bool)> = Vec::new();
    for p in probed {
        if !names.contains(&(p.function.as_str(), p.callback)) {
            names.push((&p.function, p.callback));
        }
    }
    for (name, callback) in names {
        let of = |column: &str| {
            let mut own = probed.iter();
            own.find(|p| p.column == column && p.function == name && p.callback == callback)
        };
        let cells = columns.iter().map(|c| cell(of(c)));
        table.row(std::iter::once(Cell::new(name)).chain(cells));
    }
    let mut out = table.text(0);
    let mut reasons: Vec<(String, Vec<&str>)> = Vec::new();
    for p in probed.iter().filter(|p| !p.what.is_empty()) {
        let told = matches!(
            p.state,
            State::Answers | State::Unimplemented | State::Called
        );
        if told {
            continue;
        }
        let why = format!("{}: {}", p.state.word(), safe_short(&p.what, 120));
        match reasons.iter_mut().find(|(w, _)| *w == why) {
            Some((_, all)) if !all.contains(&p.function.as_str()) => all.push(&p.function),
            Some(_) => {}
            None => reasons.push((why, vec![&p.function])),
        }
    }
    for (why, functions) in reasons {
        out.push_str(&format!(
            "{}\n    {why}\n",
            Paint::Dim.text(functions.join(", "))
        ));
    }
    out
}

/// The keys of a profile that follow from it.
fn fragment(profile: &Profile, record: &Record, probed: &[Probed]) -> String {
    let abi_of = |column: &str| {
        let mut all = record.header.columns.iter();
        all.find(|c| c.name == column).map(|c| c.abi.as_str())
    };
    let (hostcalls, callbacks) = lacking(probed, &abi_of);
    let works = |column: &str| {
        let mut own = probed.iter().filter(|p| p.column == column);
        own.any(|p| {
            matches!(
                p.state,
                State::Answers | State::Unimplemented | State::Called
            )
        })
    };
    let abis = record.header.columns.iter().filter(|c| works(&c.name));
    let abis: Vec<&str> = abis.map(|c| c.abi.as_str()).collect();
    let version = record
        .header
        .columns
        .first()
        .map_or("", |c| c.host_version.as_str());
    let list = |key: &str, all: &[String]| match all {
        [] => format!("  {key}: []\n"),
        all => {
            let items: String = all.iter().map(|f| format!("    - {f}\n")).collect();
            format!("  {key}:\n{items}")
        }
    };
    format!(
        "# {} {version}, as `pwspec probe` found it: the versions in which it loads a module, and the\n\
         # functions that it lacks: in all of them, or with the version in which it does.\n\
         abi: [{}]\nlacks:\n{}{}",
        profile.name,
        abis.join(", "),
        list("hostcalls", &hostcalls),
        list("callbacks", &callbacks)
    )
}
