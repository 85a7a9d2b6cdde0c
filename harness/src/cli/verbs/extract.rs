//! `extract`: the cases, tables, profiles and guests inside the binary as files.

use crate::cli::Failed;
use crate::cli::args::ExtractArgs;
use crate::cli::exit::Exit;
use crate::cli::out::println;
use crate::guest::guest_files;
use crate::runner::{self, Specs};

pub(crate) fn run(args: &ExtractArgs) -> anyhow::Result<Exit> {
    let dir = &args.dir;
    let filled = std::fs::read_dir(dir).is_ok_and(|mut d| d.next().is_some());
    if filled {
        let failed = Failed::new(Exit::Usage, format!("{} is not empty", dir.display()));
        return Err(failed.help("nothing is written over").into());
    }
    let specs = Specs::whole();
    let write = |path: &str, bytes: &[u8]| {
        runner::write_atomically(&dir.join(path), bytes).map_err(|e| Failed::new(Exit::Usage, e))
    };
    for (path, bytes) in &specs {
        write(&format!("specs/{path}"), bytes)?;
    }
    let mut guests = 0;
    for (path, bytes) in guest_files() {
        write(&format!("guests/{path}"), bytes)?;
        guests += 1;
    }
    let shown = dir.display();
    println!(
        "{} files in {shown}/specs, {guests} guests in {shown}/guests",
        specs.len()
    );
    println!(
        "use them: pwspec run --specs {}",
        runner::quoted(&dir.join("specs").display().to_string())
    );
    Ok(Exit::Fine)
}
