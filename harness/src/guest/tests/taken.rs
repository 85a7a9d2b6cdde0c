//! Plugins from outside, and what hosts would do with them.

use std::sync::Arc;

use crate::abi::{Abi, Word};
use crate::case::{Exports, ModuleSpec, OddImport, Oddities, Profile, Signature, load_profile};
use crate::guest::tests::table::{call, number, on};
use crate::guest::{HostSeen, Loads, Looked, build, fixed_guests, look, taken};

fn abis() -> Vec<Arc<Abi>> {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../specs/abi/");
    let names = ["v0_1_0", "v0_2_0", "v0_2_1", "dialects/mosn-v2"];
    let files = names.map(|name| {
        let text = std::fs::read_to_string(format!("{dir}{name}.yaml")).expect("a table");
        (format!("abi/{name}.yaml"), text)
    });
    let all = crate::abi::load(&files).expect("the tables of the repository");
    all.into_iter().map(Arc::new).collect()
}

fn refs(abis: &[Arc<Abi>]) -> Vec<&Abi> {
    abis.iter().map(AsRef::as_ref).collect()
}

fn module(version: &str, spec: ModuleSpec) -> Vec<u8> {
    let abis = abis();
    let abi = abis.iter().find(|a| a.id == version).unwrap();
    let spec = ModuleSpec {
        token: "t".to_owned(),
        ..spec
    };
    build(&spec, abi).unwrap().wasm
}

fn looked(wasm: &[u8]) -> Looked {
    look(wasm, &refs(&abis()))
}

fn profile(more: &str) -> Profile {
    let text = format!("version: 1\nname: some\ndriver: reference\n{more}");
    load_profile("some.yaml", &text).unwrap()
}

fn asked(wasm: &[u8], more: &str) -> HostSeen {
    taken(&looked(wasm), &profile(more), "1.0.0", &refs(&abis()))
}

fn foreign(name: &str) -> Oddities {
    Oddities {
        imports: vec![OddImport {
            module: "env".to_owned(),
            name: name.to_owned(),
            signature: Signature::default(),
        }],
        ..Oddities::default()
    }
}

#[test]
fn a_plugin_of_the_text_is_taken_by_who_speaks_its_version() {
    let wasm = module("0.2.0", ModuleSpec::default());
    let seen = looked(&wasm);
    assert_eq!(seen.abi.as_deref(), Some("0.2.0"));
    assert_eq!(seen.findings, Vec::<String>::new());
    assert!(
        seen.not_exported
            .contains(&"proxy_on_new_connection".to_owned())
    );
    let host = asked(&wasm, "abi: [0.2.0, 0.2.1]\n");
    assert_eq!(
        (host.loads, host.abi.as_deref()),
        (Loads::Yes, Some("0.2.0"))
    );
    let host = asked(&wasm, "abi: [0.1.0, 0.2.1]\n");
    assert_eq!(host.loads, Loads::No);
    assert_eq!(
        host.reasons,
        ["it takes proxy_abi_version_0_1_0, proxy_abi_version_0_2_1, not proxy_abi_version_0_2_0"]
    );
}

#[test]
fn what_a_host_lacks_keeps_a_plugin_out() {
    let step = call("proxy_set_tick_period_milliseconds", vec![number(1)]);
    let handlers = vec![on("proxy_on_vm_start", vec![step])];
    let spec = ModuleSpec {
        handlers,
        ..ModuleSpec::default()
    };
    let wasm = module("0.2.1", spec);
    let plain = "abi: [0.2.1]\n";
    assert_eq!(asked(&wasm, plain).loads, Loads::Yes);
    let lacks =
        "lacks: {hostcalls: [proxy_set_tick_period_milliseconds], callbacks: [proxy_on_log]}\n";
    let host = asked(&wasm, &format!("{plain}{lacks}"));
    assert_eq!(host.loads, Loads::No);
    assert_eq!(
        host.reasons,
        ["it lacks env.proxy_set_tick_period_milliseconds"]
    );
    assert_eq!(host.never_calls, ["proxy_on_log"]);
    let known = "known:
  - cases: [timers/one]
    verdicts: [unlinked]
    checks: [proxy_set_tick_period_milliseconds/OK]
    class: missing
    seen: not linked
    why: Nobody has written it.
    source: not read
";
    let host = asked(&wasm, &format!("{plain}{known}"));
    assert_eq!(
        host.reasons,
        ["it lacks env.proxy_set_tick_period_milliseconds: Nobody has written it."]
    );
}

#[test]
fn a_version_whose_marker_is_known_to_fail_is_not_taken() {
    let wasm = module("0.2.1", ModuleSpec::default());
    let host = asked(
        &wasm,
        "abi: [0.2.0, 0.2.1]
known:
  - cases: [lifecycle/entry_points/marker]
    abi: [0.2.1]
    verdicts: [refused]
    checks: [abi_version/marker]
    class: missing
    seen: refused
    why: Only two versions are known.
    source: not read
",
    );
    assert_eq!(host.loads, Loads::No);
    assert_eq!(
        host.reasons,
        ["it takes no module with proxy_abi_version_0_2_1: Only two versions are known."]
    );
}

#[test]
fn a_function_beyond_the_text_is_a_question_of_the_profile() {
    let spec = ModuleSpec {
        oddities: foreign("emscripten_notify_memory_growth"),
        ..ModuleSpec::default()
    };
    let wasm = module("0.2.1", spec);
    let name = "env.emscripten_notify_memory_growth";
    assert_eq!(
        looked(&wasm).findings,
        [format!("0.2.1 has no function {name}")]
    );
    let of = |more: &str| asked(&wasm, &format!("abi: [0.2.1]\n{more}")).loads;
    assert_eq!(of(""), Loads::Unknown);
    assert_eq!(of("links: []\n"), Loads::No);
    let with = |what: &str| of(&format!("links: [{{functions: [{what}]}}]\n"));
    assert_eq!(with(name), Loads::Yes);
    assert_eq!(with("env.emscripten_*"), Loads::Yes);
    assert_eq!(with("wasi_unstable.*"), Loads::No);
    let other = format!("links: [{{functions: [{name}], abi: [0.1.0]}}]\n");
    assert_eq!(of(&other), Loads::No);
}

#[test]
fn signatures_are_held_against_the_text() {
    let oddities = Oddities {
        imports: vec![OddImport {
            module: "env".to_owned(),
            name: "proxy_done".to_owned(),
            signature: Signature {
                params: vec![Word::I64],
                results: Vec::new(),
            },
        }],
        signatures: vec![("proxy_on_log".to_owned(), Signature::default())],
        ..Oddities::default()
    };
    let spec = ModuleSpec {
        oddities,
        ..ModuleSpec::default()
    };
    let wasm = module("0.2.1", spec);
    assert_eq!(
        looked(&wasm).findings,
        [
            "env.proxy_done is imported as (i64), 0.2.1 has () -> i32",
            "proxy_on_log is exported as (), 0.2.1 has (i32)",
        ]
    );
    let host = asked(&wasm, "abi: [0.2.1]\n");
    assert_eq!(
        host.reasons,
        [
            "it links env.proxy_done as () -> i32, not (i64)",
            "proxy_on_log is exported as (), it calls (i32)",
        ]
    );
}

#[test]
fn markers_that_are_none_unknown_or_several() {
    let with = |names: &[&str]| {
        let exports = Exports {
            no_marker: names.is_empty(),
            markers: names.iter().map(|n| (*n).to_owned()).collect(),
            ..Exports::default()
        };
        let spec = ModuleSpec {
            exports,
            ..ModuleSpec::default()
        };
        module("0.2.1", spec)
    };
    let abi = "abi: [0.2.0, 0.2.1]\n";
    let none = with(&[]);
    assert!(looked(&none).findings[0].contains("no ABI marker"));
    assert_eq!(asked(&none, abi).loads, Loads::No);
    let unknown = with(&["proxy_abi_version_9_9_9"]);
    assert!(looked(&unknown).findings[0].contains("no version of the text"));
    assert_eq!(asked(&unknown, abi).loads, Loads::No);
    let two = with(&["proxy_abi_version_0_2_0", "proxy_abi_version_0_2_1"]);
    assert!(looked(&two).findings[0].contains("several markers"));
    assert_eq!(asked(&two, abi).loads, Loads::Unknown);
}

#[test]
fn a_dialect_says_what_its_host_links() {
    let step = call("proxy_set_tick_period_milliseconds", vec![number(1)]);
    let spec = ModuleSpec {
        handlers: vec![on("proxy_on_vm_start", vec![step])],
        ..ModuleSpec::default()
    };
    let both = "abi: [0.2.0, mosn-v2]\n";
    let host = asked(&module("0.2.0", spec.clone()), both);
    assert_eq!(
        (host.loads, host.abi.as_deref()),
        (Loads::No, Some("mosn-v2"))
    );
    let own = asked(&module("mosn-v2", ModuleSpec::default()), both);
    assert_eq!((own.loads, own.reasons.len()), (Loads::Yes, 0));
}

#[test]
fn files_that_are_no_module_are_refused_by_all() {
    let all = fixed_guests();
    let broken = [
        "empty",
        "not_wasm",
        "truncated",
        "future_version",
        "invalid_body",
    ];
    for name in broken {
        let name = format!("handmade/{name}.wasm");
        assert!(all.iter().any(|g| g.name == name));
        let wasm = crate::guest::fixed(&crate::case::FixedRef {
            name: name.clone(),
            digest: String::new(),
            marker: None,
        });
        let wasm = wasm.unwrap();
        assert!(looked(&wasm).invalid.is_some(), "{name}");
        assert_eq!(asked(&wasm, "abi: [0.2.1]\n").loads, Loads::No, "{name}");
    }
    let component = b"\0asm\x0d\0\x01\0";
    assert!(looked(component).invalid.unwrap().contains("component"));
    // Counts that the file does not hold.
    let many = b"\0asm\x01\0\0\0\x02\x06\xff\xff\xff\xff\x0f\x00";
    assert!(looked(many).invalid.is_some());
}
