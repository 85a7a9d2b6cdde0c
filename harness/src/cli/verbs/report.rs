//! `report`: views of records that are there already. No host is started.

use anstream::{print, println};

use crate::cli::Failed;
use crate::cli::args::{Global, ReportArgs, ReportKind};
use crate::cli::exit::Exit;
use crate::cli::verbs;
use crate::record::Record;
use crate::report::html::HtmlOptions;
use crate::runner;

pub(crate) fn run(args: &ReportArgs, global: &Global) -> anyhow::Result<Exit> {
    let records: Vec<Record> = args
        .records
        .iter()
        .map(|p| verbs::open(p))
        .collect::<anyhow::Result<_>>()?;
    let text = match args.format {
        ReportKind::Html => {
            let suite = verbs::suite(&verbs::specs(global)?)?;
            let abis: Vec<&crate::abi::Abi> = suite.abis.iter().map(AsRef::as_ref).collect();
            let options = HtmlOptions {
                abis: &abis,
                prove: None,
            };
            crate::report::html::render_with(&records, &options)
        }
        ReportKind::Json => {
            let all: Vec<_> = records.iter().map(crate::record::summary).collect();
            match &all[..] {
                [one] => crate::report::json::text(one),
                many => crate::report::json::text(&many),
            }
        }
    };
    match &args.out {
        None => print!("{text}"),
        Some(path) => {
            runner::write_atomically(path, text.as_bytes())
                .map_err(|e| Failed::new(Exit::Usage, e))?;
            println!("{}", path.display());
        }
    }
    Ok(Exit::Fine)
}
