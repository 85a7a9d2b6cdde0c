//! `inspect`: plugins and files that are none, by their exit codes and outputs.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::cli::Bench;

fn guest(name: &str) -> String {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest-fixtures/prebuilt");
    let path: PathBuf = all.join(name);
    path.to_string_lossy().into_owned()
}

fn json(bench: &Bench, file: &str, more: &[&str], code: i32) -> serde_json::Value {
    let args = [&["inspect", file, "--format", "json"], more].concat();
    let ran = bench.run(&args).code(code);
    let seen: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let schema = bench.run(&["schema", "inspect"]).code(0).out;
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    let wanted = schema["required"].as_array().unwrap();
    for key in wanted {
        assert!(
            seen.get(key.as_str().unwrap()).is_some(),
            "{key} is missing"
        );
    }
    seen
}

#[test]
fn a_real_plugin() {
    let bench = Bench::new(&[]);
    let seen = json(&bench, &guest("sdk/headers.wasm"), &[], 0);
    assert_eq!(seen["abi"], "0.2.1");
    assert_eq!(seen["findings"], serde_json::json!([]));
    let wasi: Vec<&str> = seen["imports"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|i| i["kind"] == "wasi")
        .map(|i| i["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        wasi,
        ["environ_get", "environ_sizes_get", "fd_write", "proc_exit"]
    );
    let named = json(
        &bench,
        &guest("sdk/headers.wasm"),
        &["--host", "reference"],
        0,
    );
    assert_eq!(named["hosts"][0]["loads"], "yes");
    assert_eq!(named["hosts"].as_array().unwrap().len(), 1);
    let ran = bench.run(&["inspect", &guest("sdk/tcp.wasm")]).code(0);
    assert!(ran.out.contains("proxy_on_downstream_data"), "{}", ran.out);
}

#[test]
fn every_plugin_of_the_fixtures_keeps_to_the_text() {
    let bench = Bench::new(&[]);
    for name in ["auth", "body", "headers", "metrics", "tcp"] {
        let seen = json(&bench, &guest(&format!("sdk/{name}.wasm")), &[], 0);
        assert_eq!(seen["findings"], serde_json::json!([]), "{name}");
    }
}

#[test]
fn a_host_that_cannot_load_it() {
    let bench = Bench::new(&[]);
    bench.write(
        "old.yaml",
        "version: 1\nname: old\ndriver: reference\nabi: [0.1.0]\n",
    );
    let file = guest("sdk/headers.wasm");
    let ran = bench.run(&["inspect", &file, "--host", "old.yaml"]).code(1);
    assert!(
        ran.out
            .contains("it takes proxy_abi_version_0_1_0, not proxy_abi_version_0_2_1"),
        "{}",
        ran.out
    );
    let ran = bench.run(&["inspect", &file, "--host", "refrence"]).code(2);
    assert!(ran.err.contains("did you mean `reference`?"), "{}", ran.err);
}

#[test]
fn hostile_files() {
    let bench = Bench::new(&[]);
    for name in [
        "empty",
        "not_wasm",
        "truncated",
        "future_version",
        "invalid_body",
    ] {
        let seen = json(&bench, &guest(&format!("handmade/{name}.wasm")), &[], 1);
        assert!(seen["invalid"].is_string(), "{name}");
        assert!(
            seen["hosts"]
                .as_array()
                .unwrap()
                .iter()
                .all(|h| h["loads"] == "no"),
            "{name}"
        );
    }
    // A file that is larger than any plugin is not read; it takes no room here.
    let huge = bench.path("huge.wasm");
    File::create(&huge).unwrap().set_len(1 << 40).unwrap();
    let ran = bench.run(&["inspect", "huge.wasm"]).code(2);
    assert!(ran.err.contains("more than 64 MiB"), "{}", ran.err);
    let ran = bench.run(&["inspect", "/dev/zero"]).code(2);
    assert!(ran.err.contains("more than 64 MiB"), "{}", ran.err);
    let ran = bench.run(&["inspect", "nowhere.wasm"]).code(2);
    assert!(
        ran.err.contains("failed to read nowhere.wasm"),
        "{}",
        ran.err
    );
    let ran = bench.run(&["inspect", "specs"]).code(2);
    assert!(ran.err.contains("failed to read specs"), "{}", ran.err);
}

#[test]
fn names_in_a_module_are_harmless() {
    let bench = Bench::new(&[]);
    // The custom section's name holds an escape sequence and a command of a CI log.
    let name = b"\x1b[31m::error::x";
    let mut wasm = b"\0asm\x01\0\0\0\0".to_vec();
    wasm.push(name.len() as u8 + 1);
    wasm.push(name.len() as u8);
    wasm.extend_from_slice(name);
    fs::write(bench.path("odd.wasm"), wasm).unwrap();
    let ran = bench.run(&["inspect", "odd.wasm"]).code(0);
    assert!(ran.out.contains("\\u{1b}[31m"), "{}", ran.out);
    assert!(!ran.out.contains('\x1b'), "{}", ran.out);
    assert!(
        !ran.out.lines().any(|l| l.trim_start().starts_with("::")),
        "{}",
        ran.out
    );
    let seen = json(&bench, "odd.wasm", &[], 0);
    assert_eq!(seen["custom_sections"][0], "\u{1b}[31m::error::x");
}
