//! The command line: arguments in two stages, one file a verb, exit codes.
//!
//! The only room that names clap and anyhow. Does not judge.

mod args;
mod exit;
mod out;
mod problems;
mod progress;
mod verbs;

use std::process::ExitCode;

use anstream::ColorChoice;
use clap::Parser as _;

use crate::cli::args::{Cli, Colour};
use crate::cli::exit::Exit;
use crate::cli::out::{eprint, eprintln};
use crate::runner::Specs;

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            let code = if e.use_stderr() {
                Exit::Usage
            } else {
                Exit::Fine
            };
            // A closed pipe is no reason to complain about help that nobody reads.
            let _ = e.print();
            return ExitCode::from(code.code());
        }
    };
    match cli.global.color {
        Colour::Auto => {}
        Colour::Always => ColorChoice::Always.write_global(),
        Colour::Never => ColorChoice::Never.write_global(),
    }
    let exit = match std::panic::catch_unwind(|| verbs::run(cli)) {
        Ok(Ok(exit)) => exit,
        Ok(Err(e)) => {
            report(&e);
            e.downcast_ref::<Failed>().map_or(Exit::Usage, |f| f.exit)
        }
        Err(_) => {
            eprintln!("pwspec: a bug in the harness itself; please report it with the lines above");
            Exit::Bug
        }
    };
    ExitCode::from(exit.code())
}

/// An error that has its own exit code.
#[derive(Debug)]
pub(crate) struct Failed {
    exit: Exit,
    message: String,
    help: Option<String>,
}

impl Failed {
    /// An error with its exit code.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Failed {
        Failed {
            exit,
            message: message.into(),
            help: None,
        }
    }

    /// The same with what to do about it.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Failed {
        self.help = Some(help.into());
        self
    }
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failed {}

/// Problems of files.
#[derive(Debug)]
pub(crate) struct BadFiles {
    problems: Vec<crate::case::Problem>,
    specs: Specs,
}

impl std::fmt::Display for BadFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} problems", self.problems.len())
    }
}

impl std::error::Error for BadFiles {}

fn report(e: &anyhow::Error) {
    if let Some(bad) = e.downcast_ref::<BadFiles>() {
        let colour = anstream::AutoStream::choice(&std::io::stderr()) != ColorChoice::Never;
        eprint!("{}", problems::render(&bad.problems, &bad.specs, colour));
        return;
    }
    eprintln!("pwspec: {e:#}");
    if let Some(help) = e.downcast_ref::<Failed>().and_then(|f| f.help.as_ref()) {
        eprintln!("  help: {help}");
    }
}
