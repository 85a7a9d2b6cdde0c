//! `completions`: what a shell needs to complete verbs and flags.

use std::io::Write as _;

use clap::CommandFactory as _;

use crate::cli::args::{Cli, CompletionsArgs};
use crate::cli::exit::Exit;

pub(crate) fn run(args: &CompletionsArgs) -> anyhow::Result<Exit> {
    let mut out = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "pwspec", &mut out);
    // A closed pipe is no error of ours.
    let _ = std::io::stdout().write_all(&out);
    Ok(Exit::Fine)
}
