//! The thin binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    pwspec::cli::main()
}
