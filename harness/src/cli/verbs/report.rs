//! `report`: views of records that are there already. No host is started.

use std::path::Path;

use crate::case::Suite;
use crate::cli::Failed;
use crate::cli::args::{Global, Output, ReportArgs, View};
use crate::cli::exit::Exit;
use crate::cli::out::{eprintln, print, println};
use crate::cli::verbs::outputs::With;
use crate::cli::verbs::{self, diff, outputs};
use crate::record::{Record, Writer, published};
use crate::report::json::Prove;
use crate::report::{adaptation, machine, plain};

pub(crate) fn run(args: &ReportArgs, global: &Global) -> anyhow::Result<Exit> {
    let specs = verbs::specs(global)?;
    let suite = verbs::suite(&specs)?;
    let profiles = specs.profiles().map_err(|p| verbs::bad(p, &specs))?;
    let records: Vec<Record> = args
        .records
        .iter()
        .map(|p| verbs::open(p))
        .collect::<anyhow::Result<_>>()?;
    if args.view == View::Adaptation {
        return work_list(args, &records, &suite);
    }
    let formats = match &args.format[..] {
        [] => &[Output::Html],
        some => some,
    };
    if let Some(folder) = &args.publish {
        return publish(&records, folder);
    }
    let (mut with, without) = With::reasons(&records, &profiles);
    if let Some(old) = &args.against {
        let old = verbs::open(old)?;
        let each = records
            .iter()
            .map(|new| diff::between(&old, new, &profiles));
        with.diffs = each.collect();
    }
    for (abi, file) in &args.prove {
        verbs::abi(&suite, abi)?;
        with.prove.push((abi.clone(), prove(file)?));
    }
    if formats.contains(&Output::Html) && !without.is_empty() {
        let first: Vec<&str> = without.iter().take(5).map(String::as_str).collect();
        let cases = match without.len() - first.len() {
            0 => first.join(", "),
            more => format!("{} and {more} more", first.join(", ")),
        };
        eprintln!(
            "pwspec: no reason is written for must cases that only the reference host passes: {cases}"
        );
        eprintln!("  help: say why they stand under `alone:` in specs/hosts/reference.yaml");
    }
    match (formats, &args.out) {
        ([one], None) => {
            use std::io::Write as _;
            // Not through the colour filter: the bytes are somebody else's format. A reader that goes
            // away early is no error.
            let text = outputs::render(*one, &records, &suite, &with);
            let _ = std::io::stdout().write_all(text.as_bytes());
        }
        ([one], Some(path)) => {
            let text = outputs::render(*one, &records, &suite, &with);
            outputs::write_one(path, text.as_bytes())?;
            println!("{}", path.display());
        }
        (many, Some(folder)) => {
            for path in outputs::write(many, folder, &records, &suite, &with)? {
                println!("{}", path.display());
            }
        }
        (_, None) => {
            let message = "several formats need a folder";
            return Err(Failed::new(Exit::Usage, message)
                .help("name it with -o")
                .into());
        }
    }
    Ok(Exit::Fine)
}

/// The work list of a developer who adapts a host.
fn work_list(args: &ReportArgs, records: &[Record], suite: &Suite) -> anyhow::Result<Exit> {
    let abis: Vec<&crate::abi::Abi> = suite.abis.iter().map(AsRef::as_ref).collect();
    let works = adaptation::adaptation(records, &abis);
    let text = match args.format[..] {
        [] => {
            let text = adaptation::text(&works);
            match &args.out {
                // The bytes of a file are for no terminal.
                Some(_) => plain(&text),
                None => {
                    print!("{text}");
                    return Ok(Exit::Fine);
                }
            }
        }
        [Output::Html] => adaptation::html(&works),
        [Output::Md] => adaptation::markdown(&works),
        _ => {
            let message = "the work list is made for the terminal, or as `html` or `md`";
            return Err(Failed::new(Exit::Usage, message).into());
        }
    };
    match &args.out {
        Some(path) => {
            outputs::write_one(path, text.as_bytes())?;
            println!("{}", path.display());
        }
        None => {
            use std::io::Write as _;
            let _ = std::io::stdout().write_all(text.as_bytes());
        }
    }
    Ok(Exit::Fine)
}

/// What `prove --format json` wrote.
fn prove(file: &Path) -> anyhow::Result<Prove> {
    let failed = |why: String| {
        Failed::new(
            Exit::Usage,
            format!("failed to read {}: {why}", file.display()),
        )
    };
    let text = std::fs::read_to_string(file).map_err(|e| failed(e.to_string()))?;
    serde_json::from_str(&text).map_err(|e| failed(e.to_string()).into())
}

/// Writes the published form of every column; an old one is replaced whole.
fn publish(records: &[Record], folder: &Path) -> anyhow::Result<Exit> {
    for record in records {
        for column in &record.header.columns {
            let own = published(record, column);
            let to = folder.join(&column.name);
            std::fs::create_dir_all(&to)?;
            let file = to.join("record.jsonl");
            // Written beside and put in place by rename, so that a reader never sees half of it.
            let new = to.join(format!(".record.jsonl.{}", std::process::id()));
            Writer::create(&new)?.packed(&own)?;
            std::fs::rename(&new, &file)?;
            outputs::write_one(&to.join("README.md"), machine::column_page(&own).as_bytes())?;
            println!("{}", to.display());
        }
    }
    Ok(Exit::Fine)
}
