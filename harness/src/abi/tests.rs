//! Tests of the tables as they are committed, and of the loader on bad ones.

use crate::abi::{Abi, ExportKind, Problem, Returns, load};

/// The committed files, as the loader takes them.
fn committed() -> Vec<(String, String)> {
    let text = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    vec![
        text(
            "abi/v0_1_0.yaml",
            include_str!("../../../specs/abi/v0_1_0.yaml"),
        ),
        text(
            "abi/v0_2_0.yaml",
            include_str!("../../../specs/abi/v0_2_0.yaml"),
        ),
        text(
            "abi/v0_2_1.yaml",
            include_str!("../../../specs/abi/v0_2_1.yaml"),
        ),
    ]
}

fn version(id: &str) -> Abi {
    let all = load(&committed()).unwrap_or_else(|problems| panic!("{}", lines(&problems)));
    all.into_iter()
        .find(|abi| abi.id == id)
        .expect("a committed version")
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(|p| format!("{p}\n")).collect()
}

#[test]
fn functions_are_as_many_as_in_the_texts() {
    for (id, proxy, wasi, exports) in [
        ("0.2.1", 39, 8, 31),
        ("0.2.0", 38, 8, 31),
        ("0.1.0", 40, 8, 30),
    ] {
        let abi = version(id);
        let (env, other): (Vec<_>, Vec<_>) =
            abi.hostcalls.iter().partition(|h| h.import.0 == "env");
        assert_eq!((env.len(), other.len()), (proxy, wasi), "hostcalls of {id}");
        assert_eq!(abi.callbacks.len(), exports, "exports of {id}");
        assert_eq!(abi.callbacks[0].kind, ExportKind::Marker);
        let _ = Returns::Nothing;
    }
}
