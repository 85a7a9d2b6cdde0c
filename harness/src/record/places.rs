//! Keeps folders of the machine on which a host ran out of what is published of it.
//!
//! Does not know hosts: it knows the working folders that the harness makes, and where hosts lie.

use std::sync::LazyLock;

use crate::record::ResultLine;
use crate::record::redact::{Rewrite, rewritten};

/// A working folder of a host, or the folder of the hosts, with all folders above it.
const PLACE: &str = r"(?:/[\w.+@~-]+)*/(?:(pwspec-[A-Za-z0-9]{6})\b|target/hosts\b)";
/// What stands where a working folder was.
const FOLDER: &str = "‹folder›";
/// What stands where the folder of the hosts was.
const HOSTS: &str = "target/hosts";

/// A result that does not tell where on the machine things were.
pub(super) fn unplaced(result: &ResultLine) -> ResultLine {
    static TEXT: LazyLock<Option<regex::Regex>> = LazyLock::new(|| regex::Regex::new(PLACE).ok());
    static BYTES: LazyLock<Option<regex::bytes::Regex>> =
        LazyLock::new(|| regex::bytes::Regex::new(PLACE).ok());
    let (Some(in_text), Some(in_bytes)) = (&*TEXT, &*BYTES) else {
        return result.clone();
    };
    let word = |working: bool| if working { FOLDER } else { HOSTS };
    rewritten(
        result,
        &Rewrite {
            text: &|text| {
                let place = |found: &regex::Captures<'_>| word(found.get(1).is_some());
                in_text.replace_all(text, place).into_owned()
            },
            bytes: &|all| {
                let place =
                    |found: &regex::bytes::Captures<'_>| word(found.get(1).is_some()).as_bytes();
                in_bytes.replace_all(&all, place).into_owned()
            },
        },
    )
}
