//! Which binary is found first.

use crate::case::{Profile, load_profile};
use crate::host::find::{find, version_of};

fn profile() -> Profile {
    let text = "version: 1
name: box
driver: stdio
binary:
  name: pwspec-no-such-host
  version: {args: [-c, 'echo a/1.2.3/b'], match: '/([0-9.]+)/'}
abi: [0.2.1]
";
    load_profile("box.yaml", text).unwrap()
}

#[test]
fn the_newest_version_comes_first() {
    let target = tempfile::tempdir().unwrap();
    for version in ["1.9.0", "1.10.0", "1.9.12", "nightly"] {
        let dir = target.path().join("hosts/box").join(version);
        std::fs::create_dir_all(&dir).unwrap();
        if version != "1.9.0" {
            std::fs::write(dir.join("pwspec-no-such-host"), "").unwrap();
        }
    }
    let found = find(&profile(), target.path());
    let versions: Vec<_> = found.iter().map(|f| f.version.as_str()).collect();
    assert_eq!(versions, ["1.10.0", "1.9.12", "nightly"]);
}

#[test]
fn nothing_is_found_where_nothing_is() {
    let target = tempfile::tempdir().unwrap();
    assert_eq!(find(&profile(), target.path()), []);
}

#[test]
fn a_binary_is_asked_for_its_version() {
    let shell = std::path::Path::new("/bin/sh");
    assert_eq!(version_of(&profile(), shell).as_deref(), Some("1.2.3"));
    let mut other = profile();
    let command = other.binary.as_mut().and_then(|b| b.version.as_mut());
    command.unwrap().args = vec!["-c".to_owned(), "exit 1".to_owned()];
    assert_eq!(version_of(&other, shell), None);
}
