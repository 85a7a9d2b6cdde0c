//! What the two façades for test runners share: the suite of the repository and the reference host.
//!
//! Does not know trials.

use std::path::Path;

use pwspec::case::{Filter, Nothing, Profile, Suite};
use pwspec::host::reference::{Options, Reference};
use pwspec::runner::Specs;

/// The suite and the profile of the reference host.
pub struct Setup {
    pub suite: Suite,
    pub profile: Profile,
}

/// Reads `specs/`; ends the process where it cannot be read, as `pwspec run` does.
pub fn setup() -> &'static Setup {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../specs");
    let specs = Specs::folder(&folder).unwrap_or_else(|e| give_up(&e));
    let problems = |all: Vec<pwspec::case::Problem>| -> ! {
        let lines: Vec<String> = all.iter().map(ToString::to_string).collect();
        give_up(&lines.join("\n"))
    };
    let suite = specs.suite().unwrap_or_else(|p| problems(p));
    let profiles = specs.profiles().unwrap_or_else(|p| problems(p));
    let profile = profiles.into_iter().find(Profile::is_reference);
    let profile = profile.unwrap_or_else(|| give_up("there is no profile of the reference host"));
    Box::leak(Box::new(Setup { suite, profile }))
}

fn give_up(why: &str) -> ! {
    eprintln!("{why}");
    std::process::exit(2)
}

/// One host for all trials; compiled code is kept between runs of the tests.
pub fn host() -> Reference {
    Reference::new(Options {
        workers: 1,
        cache_dir: Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache/pwspec")),
        ..Options::default()
    })
}

/// The filter that lets everything through.
pub fn every_case(suite: &Suite) -> Filter {
    Filter::parse(&[], suite, &Nothing).expect("no filter is a filter")
}
