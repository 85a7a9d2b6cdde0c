//! `judge`: new verdicts from a record that is there already. No host is started.

use crate::cli::Failed;
use crate::cli::args::{Global, JudgeArgs};
use crate::cli::exit::Exit;
use crate::cli::out::{eprintln, print};
use crate::cli::verbs;
use crate::record::Writer;
use crate::report::terminal::{EndOptions, end, failures};
use crate::runner;

pub(crate) fn run(args: &JudgeArgs, global: &Global) -> anyhow::Result<Exit> {
    let specs = verbs::specs(global)?;
    let suite = verbs::suite(&specs)?;
    let profiles = verbs::profiles(&specs)?;
    let mut record = verbs::open(&args.record)?;
    let outcome =
        runner::rejudge(&suite, &profiles, &mut record).map_err(|e| Failed::new(Exit::Usage, e))?;
    if let Some(out) = &args.out {
        Writer::create(out).and_then(|mut w| w.record(&record))?;
    }
    print!("{}", failures(&record, "", false));
    print!("{}", end(&record, &EndOptions::default()));
    for entry in &outcome.entries {
        eprintln!("pwspec: {entry}");
    }
    Ok(Exit::worst([
        if outcome.unmatched.is_empty() {
            Exit::Fine
        } else {
            Exit::Usage
        },
        if outcome.unexpected {
            Exit::Unexpected
        } else {
            Exit::Fine
        },
        if outcome.incomplete {
            Exit::Incomplete
        } else {
            Exit::Fine
        },
    ]))
}
