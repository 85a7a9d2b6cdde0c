//! Modules from outside: validity, imports, exports, sameness, errors.

use wasmparser::{Validator, WasmFeatures};

use crate::abi::PluginType;
use crate::case::{Act, ArgValue, Call, Exports, ModuleSpec, Operand};
use crate::guest::tests::table::{abi, call, data, get, number, on, spec};
use crate::guest::{GuestErrorKind, build, build_with_line, inspect, split_data};

const HEADERS: &str = "proxy_on_request_headers";

fn exported(spec: &ModuleSpec) -> Vec<String> {
    let module = build(spec, &abi()).unwrap();
    let seen = inspect(&module.wasm).unwrap();
    seen.exports.into_iter().map(|(name, _)| name).collect()
}

fn refused(spec: &ModuleSpec) -> (GuestErrorKind, String) {
    let error = build(spec, &abi()).unwrap_err();
    (error.kind(), error.to_string())
}

#[test]
fn modules_are_valid_mvp_without_mutable_globals_outside() {
    let module = build(&spec(vec![on(HEADERS, vec![get("k")])]), &abi()).unwrap();
    let features = WasmFeatures::WASM1 - WasmFeatures::MUTABLE_GLOBAL;
    Validator::new_with_features(features)
        .validate_all(&module.wasm)
        .unwrap();
}

#[test]
fn imports_are_proxy_log_and_what_the_program_uses() {
    let random = call("random_get", vec![ArgValue::Buffer(1)]);
    let module = build(&spec(vec![on(HEADERS, vec![random, get("k")])]), &abi()).unwrap();
    let seen = inspect(&module.wasm).unwrap();
    let imports: Vec<String> = seen
        .imports
        .iter()
        .map(|i| format!("{}.{}{}", i.module, i.name, i.signature))
        .collect();
    assert_eq!(
        imports,
        [
            "env.proxy_log(i32, i32, i32) -> i32",
            "env.proxy_get_header_map_value(i32, i32, i32, i32, i32) -> i32",
            "wasi_snapshot_preview1.random_get(i32, i32) -> i32",
        ]
    );
    let named: Vec<(String, String)> = seen
        .imports
        .into_iter()
        .map(|i| (i.module, i.name))
        .collect();
    assert_eq!(module.imports, named);
    assert_eq!(seen.markers, ["proxy_abi_version_0_2_1"]);
    assert!(seen.memory);
    assert_eq!(seen.custom, Vec::<String>::new());
}

#[test]
fn exports_are_those_of_the_plugins_type_and_what_the_case_changes() {
    let http = spec(Vec::new());
    assert_eq!(
        exported(&http),
        [
            "_initialize",
            "proxy_on_memory_allocate",
            "malloc",
            "proxy_on_context_create",
            "proxy_on_vm_start",
            "proxy_on_request_headers",
            "proxy_on_http_call_response",
        ]
    );
    let tcp = ModuleSpec {
        plugin_type: PluginType::Tcp,
        ..http.clone()
    };
    assert!(exported(&tcp).contains(&"proxy_on_new_connection".to_owned()));
    assert!(!exported(&tcp).contains(&HEADERS.to_owned()));
    let with = |exports| ModuleSpec {
        exports,
        ..http.clone()
    };
    let only = with(Exports {
        only: vec!["malloc".to_owned()],
        also: vec!["_start".to_owned()],
        ..Exports::default()
    });
    assert_eq!(exported(&only), ["_start", "malloc"]);
    let without = with(Exports {
        without: vec!["malloc".to_owned()],
        ..Exports::default()
    });
    assert!(!exported(&without).contains(&"malloc".to_owned()));
    let markers = |exports| {
        let module = build(&with(exports), &abi()).unwrap();
        inspect(&module.wasm).unwrap().markers
    };
    let other = Exports {
        markers: vec!["proxy_abi_version_9_9_9".to_owned()],
        ..Exports::default()
    };
    assert_eq!(markers(other), ["proxy_abi_version_9_9_9"]);
    let none = Exports {
        no_marker: true,
        ..Exports::default()
    };
    assert_eq!(markers(none), Vec::<String>::new());
}

#[test]
fn exports_have_the_types_of_the_table() {
    let module = build(&spec(Vec::new()), &abi()).unwrap();
    let seen = inspect(&module.wasm).unwrap();
    let ty = |name: &str| {
        let found = seen.exports.iter().find(|(n, _)| n == name);
        found.unwrap().1.as_str()
    };
    assert_eq!(ty(HEADERS), "(i32, i32, i32) -> i32");
    assert_eq!(ty("proxy_on_context_create"), "(i32, i32)");
    assert_eq!(ty("_initialize"), "()");
}

#[test]
fn programs_differ_in_data_only() {
    let one = build(&spec(vec![on(HEADERS, vec![get("k")])]), &abi()).unwrap();
    let end = Act::Return(Operand::Const(0));
    let mut longer = spec(vec![on(HEADERS, vec![get("key"), get("other"), end])]);
    longer.token = "another".to_owned();
    let other = build(&longer, &abi()).unwrap();
    assert_eq!(one.code_digest, other.code_digest);
    assert_ne!(one.wasm, other.wasm);
    let (code, data) = split_data(&one.wasm).unwrap();
    assert_eq!(code, split_data(&other.wasm).unwrap().0);
    assert!(inspect(&code).is_ok());
    assert!(data.iter().any(|(_, bytes)| {
        let lead: &[u8] = b"PWF107case7a1";
        bytes.windows(lead.len()).any(|w| w == lead)
    }));
    let again = build(&spec(vec![on(HEADERS, vec![get("k")])]), &abi()).unwrap();
    assert_eq!(one.wasm, again.wasm);
    let more = vec![get("k"), call("proc_exit", vec![number(1)])];
    let more = build(&spec(vec![on(HEADERS, more)]), &abi()).unwrap();
    assert_ne!(one.code_digest, more.code_digest);
}

#[test]
fn what_does_not_fit_is_refused() {
    let acts = |acts| spec(vec![on(HEADERS, acts)]);
    let (kind, text) = refused(&acts(vec![call("proxy_missing", vec![])]));
    assert_eq!(kind, GuestErrorKind::Absent);
    assert!(text.contains("it was never there"), "{text}");
    let (kind, _) = refused(&acts(vec![call("proxy_none", vec![])]));
    assert_eq!(kind, GuestErrorKind::Unknown);
    let (kind, text) = refused(&acts(vec![call("proxy_log", vec![number(1)])]));
    assert_eq!(kind, GuestErrorKind::Argument);
    assert!(text.contains("2 arguments wanted, 1 given"), "{text}");
    let (kind, _) = refused(&acts(vec![call("proxy_log", vec![data("x"), data("x")])]));
    assert_eq!(kind, GuestErrorKind::Argument);
    let slot = Act::Return(Operand::Saved(4));
    assert_eq!(refused(&acts(vec![slot])).0, GuestErrorKind::Argument);
    let argument = Act::Return(Operand::CallbackArg(3));
    assert_eq!(refused(&acts(vec![argument])).0, GuestErrorKind::Argument);
    let mut no_end = on("proxy_on_vm_start", vec![]);
    no_end.select.end_of_stream = Some(true);
    assert_eq!(refused(&spec(vec![no_end])).0, GuestErrorKind::Argument);
    let saves_input = Act::Call(Call {
        hostcall: "proxy_log".to_owned(),
        args: vec![number(1), data("x")],
        saves: vec![(1, 0)],
        repeat: 1,
    });
    assert_eq!(
        refused(&acts(vec![saves_input])).0,
        GuestErrorKind::Argument
    );
    let elsewhere = spec(vec![on("proxy_on_new_connection", vec![])]);
    assert_eq!(refused(&elsewhere).0, GuestErrorKind::NotExported);
    let nowhere = spec(vec![on("proxy_on_nothing", vec![])]);
    assert_eq!(refused(&nowhere).0, GuestErrorKind::Unknown);
    let mut token = spec(Vec::new());
    token.token = "no spaces".to_owned();
    assert_eq!(refused(&token).0, GuestErrorKind::Frame);
    let short = build_with_line(&spec(Vec::new()), &abi(), 50).unwrap_err();
    assert_eq!(short.kind(), GuestErrorKind::Frame);
    assert_eq!(
        inspect(b"nonsense").unwrap_err().kind(),
        GuestErrorKind::Module
    );
}
