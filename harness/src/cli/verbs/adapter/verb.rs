//! What `adapter new` writes. Does not build anything.

use std::path::Path;

use crate::cli::Failed;
use crate::cli::args::{AdapterArgs, AdapterWhat, NewArgs};
use crate::cli::exit::Exit;
use crate::cli::out::println;
use crate::cli::verbs::adapter::skeleton::{README, Skeleton, skeleton};
use crate::runner::{quoted, write_atomically};

pub(crate) fn run(args: &AdapterArgs) -> anyhow::Result<Exit> {
    let AdapterWhat::New(args) = &args.what;
    new(args)
}

fn new(args: &NewArgs) -> anyhow::Result<Exit> {
    let dir = &args.out;
    let taken = match std::fs::read_dir(dir) {
        Ok(mut inside) => inside.next().is_some(),
        Err(_) => dir.exists(),
    };
    if taken {
        let failed = Failed::new(Exit::Usage, format!("{} is not empty", dir.display()));
        let help = "nothing is written over; `-o DIR` takes another folder";
        return Err(failed.help(help).into());
    }
    let skeleton = skeleton(args.language);
    let write = |path: &Path, text: &str| {
        write_atomically(&dir.join(path), text.as_bytes()).map_err(|e| Failed::new(Exit::Usage, e))
    };
    for (path, text) in skeleton.files {
        write(Path::new(path), text)?;
    }
    write(Path::new("README.md"), &readme(&skeleton))?;
    let shown = dir.display();
    println!("{} files in {shown}", skeleton.files.len() + 1);
    println!("\nnext ({})", skeleton.needs);
    println!("  cd {}", quoted(&shown.to_string()));
    for command in skeleton.build {
        println!("  {command}");
    }
    println!("  pwspec doctor -- {}", skeleton.start);
    println!("\nREADME.md there says where a host of your own goes");
    Ok(Exit::Fine)
}

fn readme(skeleton: &Skeleton) -> String {
    let places = [
        ("{adapter}", skeleton.adapter.to_owned()),
        ("{toy}", skeleton.toy.to_owned()),
        ("{protocol}", skeleton.protocol.to_owned()),
        ("{needs}", skeleton.needs.to_owned()),
        ("{build}", skeleton.build.join("\n")),
        ("{start}", skeleton.start.to_owned()),
    ];
    let mut text = README.to_owned();
    for (place, words) in places {
        text = text.replace(place, &words);
    }
    text
}
