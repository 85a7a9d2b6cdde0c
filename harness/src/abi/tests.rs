//! Tests of this room: the tables as they are committed, the loader on bad ones, the map encoding.

mod changes;
mod loading;
mod pairs;
mod tables;

use crate::abi::{Abi, Problem, load};

/// The committed files, as the loader takes them.
fn committed() -> Vec<(String, String)> {
    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    vec![
        file(
            "abi/dialects/mosn-v1.yaml",
            include_str!("../../../specs/abi/dialects/mosn-v1.yaml"),
        ),
        file(
            "abi/dialects/mosn-v2.yaml",
            include_str!("../../../specs/abi/dialects/mosn-v2.yaml"),
        ),
        file(
            "abi/v0_1_0.yaml",
            include_str!("../../../specs/abi/v0_1_0.yaml"),
        ),
        file(
            "abi/v0_2_0.yaml",
            include_str!("../../../specs/abi/v0_2_0.yaml"),
        ),
        file(
            "abi/v0_2_1.yaml",
            include_str!("../../../specs/abi/v0_2_1.yaml"),
        ),
    ]
}

pub(super) fn version(id: &str) -> Abi {
    let all = load(&committed()).unwrap_or_else(|problems| panic!("{}", lines(&problems)));
    all.into_iter()
        .find(|abi| abi.id == id)
        .expect("a committed version")
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(|p| format!("{p}\n")).collect()
}
