//! `prove`: can every check fail?

use crate::case::Nothing;
use crate::cli::Failed;
use crate::cli::args::{Format, Global, ProveArgs};
use crate::cli::exit::Exit;
use crate::cli::out::print;
use crate::cli::verbs;
use crate::host::reference::{Options, Reference};
use crate::report::json::{self, CheckRef, Killed, KilledBy, Prove};
use crate::report::{Cell, Paint, Table};
use crate::runner::{self, Noticed, Proof};

pub(crate) fn run(args: &ProveArgs, global: &Global) -> anyhow::Result<Exit> {
    let specs = verbs::specs(global)?;
    let suite = verbs::suite(&specs)?;
    let profiles = verbs::profiles(&specs)?;
    let filter = verbs::filter(&args.filters, &suite, &Nothing)?;
    verbs::abi(&suite, &args.abi)?;
    let Some(profile) = profiles.iter().find(|p| p.is_reference()) else {
        return Err(Failed::new(Exit::Usage, "there is no profile of the reference host").into());
    };
    let workers = args
        .jobs
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let host = Reference::new(Options {
        workers,
        cache_dir: runner::cache_folder(),
        ..Options::default()
    });
    if !args.faults.is_empty() {
        let of = (args.faults.as_slice(), workers);
        let planted = runner::plant(&suite, profile, &filter, &args.abi, &host, of)
            .map_err(verbs::host_trouble)?;
        let Some(planted) = planted else {
            let text = "one of these faults breaks nothing that a selected case tests: \
                        see `pwspec list --what faults`";
            return Err(Failed::new(Exit::Usage, text).into());
        };
        return Ok(named(args, planted));
    }
    let proof = runner::prove(&suite, profile, &filter, &args.abi, &host, workers)
        .map_err(verbs::host_trouble)?;
    let shown = as_json(&proof);
    match args.format {
        Format::Json => print!("{}", json::text(&shown)),
        Format::Pretty => print!("{}", pretty(&proof, &shown)),
    }
    let clean = shown.coarse.is_empty()
        && shown.survived.is_empty()
        && shown.unproved_checks.is_empty()
        && shown.idle_cases.is_empty()
        && shown.idle_surveys.is_empty()
        && shown.without_fault.is_empty()
        && proof.broken.is_empty();
    Ok(if clean { Exit::Fine } else { Exit::Unexpected })
}

/// The faults that were asked for, with all that noticed them.
fn named(args: &ProveArgs, planted: Vec<runner::Planted>) -> Exit {
    let proof = Proof {
        planted,
        ..Proof::default()
    };
    match args.format {
        Format::Json => print!("{}", json::text(&as_json(&proof))),
        Format::Pretty => {
            let mut table = Table::new();
            for p in &proof.planted {
                let (word, paint) = word(p);
                table.row([
                    Cell::new(word).paint(paint),
                    Cell::new(&p.fault.fault),
                    Cell::new(&p.fault.req),
                ]);
                let own = p.own.iter().map(|n| ("  by", n));
                for (word, n) in own.chain(p.others.iter().map(|n| ("  also by", n))) {
                    let check = format!("{} · {}", n.case, n.check);
                    table.row([Cell::new(word), Cell::new(check), Cell::new(&n.req)]);
                }
            }
            print!("{}", table.text(0));
        }
    }
    match proof.planted.iter().all(runner::Planted::killed) {
        true => Exit::Fine,
        false => Exit::Unexpected,
    }
}

/// What became of one fault.
fn word(p: &runner::Planted) -> (&'static str, Paint) {
    match (p.own.is_empty(), p.others.is_empty()) {
        (false, true) => ("killed", Paint::Green),
        (true, true) => ("survived", Paint::Red),
        (_, false) => ("coarse", Paint::Red),
    }
}

fn as_json(proof: &Proof) -> Prove {
    let by = |n: &Noticed| KilledBy {
        case: n.case.clone(),
        check: n.check.clone(),
        req: n.req.clone(),
    };
    let names = |which: &dyn Fn(&runner::Planted) -> bool| -> Vec<String> {
        proof
            .planted
            .iter()
            .filter(|p| which(p))
            .map(|p| p.fault.fault.clone())
            .collect()
    };
    Prove {
        version: json::JSON_VERSION,
        faults: proof.planted.len() as u32,
        killed: proof
            .planted
            .iter()
            .filter(|p| p.killed())
            .map(|p| Killed {
                fault: p.fault.fault.clone(),
                by: p.own.iter().map(by).collect(),
            })
            .collect(),
        coarse: names(&|p| !p.others.is_empty()),
        survived: names(&|p| p.own.is_empty() && p.others.is_empty()),
        unproved_checks: proof
            .unproved
            .iter()
            .map(|(case, check)| CheckRef {
                case: case.clone(),
                check: check.clone(),
            })
            .collect(),
        idle_cases: proof.idle_cases.clone(),
        idle_surveys: proof.idle_surveys.clone(),
        without_fault: proof.without_fault.clone(),
    }
}

fn pretty(proof: &Proof, shown: &Prove) -> String {
    let mut table = Table::new();
    for p in &proof.planted {
        let (word, paint) = word(p);
        let shown = if p.others.is_empty() {
            &p.own
        } else {
            &p.others
        };
        let by = shown.first().map_or(String::new(), |n| {
            format!("{} · {} · {}", n.case, n.check, n.req)
        });
        let more = shown.len().saturating_sub(1);
        let by = if more > 0 {
            format!("{by} and {more} more")
        } else {
            by
        };
        if word != "killed" || proof.planted.len() <= 60 {
            table.row([
                Cell::new(word).paint(paint),
                Cell::new(&p.fault.fault),
                Cell::new(by),
            ]);
        }
    }
    let mut out = table.text(0);
    let lists = [
        ("does not pass as it is", &proof.broken),
        ("idle case", &shown.idle_cases),
        ("idle survey", &shown.idle_surveys),
        ("no fault breaks", &shown.without_fault),
    ];
    for (word, list) in lists {
        for item in list {
            out.push_str(&format!("{}  {item}\n", Paint::Red.text(word)));
        }
    }
    for check in &shown.unproved_checks {
        let word = Paint::Red.text("unproved check");
        out.push_str(&format!("{word}  {} · {}\n", check.case, check.check));
    }
    out.push_str(&format!(
        "{} faults: {} killed, {} survived, {} coarse; {} unproved checks, {} idle cases, {} idle surveys\n",
        shown.faults,
        shown.killed.len(),
        shown.survived.len(),
        shown.coarse.len(),
        shown.unproved_checks.len(),
        shown.idle_cases.len(),
        shown.idle_surveys.len(),
    ));
    if !proof.waiting.is_empty() {
        let n = proof.waiting.len();
        out.push_str(&format!(
            "{n} more faults are a matter of cases that are not selected\n"
        ));
    }
    out
}
