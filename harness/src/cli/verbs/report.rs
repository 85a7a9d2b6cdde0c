//! `report`: views of records that are there already. No host is started.

use anstream::println;

use crate::cli::Failed;
use crate::cli::args::{Global, ReportArgs};
use crate::cli::exit::Exit;
use crate::cli::verbs::{self, outputs};
use crate::record::Record;

pub(crate) fn run(args: &ReportArgs, global: &Global) -> anyhow::Result<Exit> {
    let suite = verbs::suite(&verbs::specs(global)?)?;
    let records: Vec<Record> = args
        .records
        .iter()
        .map(|p| verbs::open(p))
        .collect::<anyhow::Result<_>>()?;
    match (&args.format[..], &args.out) {
        ([one], None) => {
            use std::io::Write as _;
            // Not through the colour filter: the bytes are somebody else's format. A reader that goes
            // away early is no error.
            let text = outputs::render(*one, &records, &suite);
            let _ = std::io::stdout().write_all(text.as_bytes());
        }
        ([one], Some(path)) => {
            let text = outputs::render(*one, &records, &suite);
            outputs::write_one(path, text.as_bytes())?;
            println!("{}", path.display());
        }
        (many, Some(folder)) => {
            for path in outputs::write(many, folder, &records, &suite)? {
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
