//! `report`: views of records that are there already. No host is started.

use std::path::Path;

use anstream::{eprintln, println};

use crate::cli::Failed;
use crate::cli::args::{Global, Output, ReportArgs};
use crate::cli::exit::Exit;
use crate::cli::verbs::outputs::With;
use crate::cli::verbs::{self, diff, outputs};
use crate::record::Record;
use crate::report::json::Prove;

pub(crate) fn run(args: &ReportArgs, global: &Global) -> anyhow::Result<Exit> {
    let specs = verbs::specs(global)?;
    let suite = verbs::suite(&specs)?;
    let profiles = specs.profiles().map_err(|p| verbs::bad(p, &specs))?;
    let records: Vec<Record> = args
        .records
        .iter()
        .map(|p| verbs::open(p))
        .collect::<anyhow::Result<_>>()?;
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
    if args.format.contains(&Output::Html) && !without.is_empty() {
        let cases = without.join(", ");
        eprintln!(
            "pwspec: no reason is written for must cases that only the reference host passes: {cases}"
        );
        eprintln!("  help: say why they stand under `alone:` in specs/hosts/reference.yaml");
    }
    match (&args.format[..], &args.out) {
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
