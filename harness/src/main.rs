//! The thin binary.

use std::process::ExitCode;

/// Reading YAML and keeping traces is many small allocations, on several threads at once.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    pwspec::cli::main()
}
