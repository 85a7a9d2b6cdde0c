//! Lines of Envoy's log as the committed profile reads them, and of a host that marks nothing.

use crate::case::{Profile, load_profile};
use crate::host::network::lines::{Grammar, unescape};

pub(super) fn envoy() -> Profile {
    let text = include_str!("../../../../../specs/hosts/envoy.yaml");
    load_profile("envoy.yaml", text).unwrap()
}

fn grammar() -> Grammar {
    Grammar::new(&envoy()).unwrap()
}

#[test]
fn a_root_contexts_line_names_its_vm() {
    let line = grammar().read(b"77|info|wasm|wasm log r0 vm0: a: b");
    assert_eq!(line.thread, "77");
    let guest = line.guest.unwrap();
    assert_eq!(guest.level.as_deref(), Some("INFO"));
    assert_eq!(guest.vm.as_deref(), Some("vm0"));
    assert_eq!(guest.text, b"a: b");
}

#[test]
fn a_stream_contexts_line_names_its_plugin_too() {
    let guest = grammar()
        .read(b"7|warning|wasm|wasm log p0 r0 vm0: x")
        .guest
        .unwrap();
    assert_eq!(guest.level.as_deref(), Some("WARN"));
    assert_eq!(guest.vm.as_deref(), Some("vm0"));
}

#[test]
fn a_line_may_carry_no_name() {
    let guest = grammar()
        .read(b"7|critical|wasm|wasm log: x")
        .guest
        .unwrap();
    assert_eq!((guest.vm, guest.text.as_slice()), (None, b"x".as_slice()));
}

#[test]
fn escapes_are_undone_before_the_line_is_read() {
    let guest = grammar()
        .read(br"7|info|wasm|wasm log v: it\'s\n\000\377\\n")
        .guest
        .unwrap();
    assert_eq!(guest.text, b"it's\n\0\xff\\n");
}

#[test]
fn the_hosts_own_lines_are_no_guests() {
    let line = grammar().read(br"7|warning|upstream|lds: listener \'c1\' config rejected: no");
    assert_eq!(line.guest, None);
    assert_eq!(
        line.whole,
        b"7|warning|upstream|lds: listener 'c1' config rejected: no"
    );
    assert_eq!(grammar().read(b"no form at all").guest, None);
}

#[test]
fn where_a_host_marks_nothing_any_line_may_be_a_guests() {
    let mut profile = envoy();
    let log = profile.log.as_mut().unwrap();
    log.line = r"^\S+ \S+ \[(?P<level>\w+)\] (?P<text>.*)$".to_owned();
    log.guest = None;
    let line = Grammar::new(&profile)
        .unwrap()
        .read(b"2026-11-22 16:08:11,9 [INFO] hello");
    let guest = line.guest.unwrap();
    assert!(!guest.certain);
    assert_eq!(guest.text, b"hello");
}

#[test]
fn unescaping_leaves_what_is_no_escape() {
    for (raw, plain) in [
        (r"a\tb\r\n", "a\tb\r\n"),
        (r"\x41\101\0", "AA\0"),
        (r"\q \", r"\q \"),
        (r"\x", r"\x"),
        (r"\777", "\\777"),
        ("", ""),
    ] {
        assert_eq!(unescape(raw.as_bytes()), plain.as_bytes(), "{raw}");
    }
}
