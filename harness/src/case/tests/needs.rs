//! What a case needs of a host, and what of it a dialect can be asked.

use std::sync::Arc;

use crate::abi::load;
use crate::case::{Env, Need, Resolved, Suite, Unavailable};

fn suite(yaml: &str) -> Suite {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../specs/abi");
    let names = [
        "v0_1_0.yaml",
        "v0_2_0.yaml",
        "v0_2_1.yaml",
        "dialects/mosn-v1.yaml",
        "dialects/mosn-v2.yaml",
    ];
    let tables = names.map(|name| {
        let text = std::fs::read_to_string(format!("{dir}/{name}")).expect("a table");
        (format!("abi/{name}"), text)
    });
    let abis = load(&tables).expect("tables").into_iter().map(Arc::new);
    let text = format!(
        "version: 1\nsuite: needs/try\nabout: a\nsince: 0.1.0\ncases:\n  - id: a\n    about: b\n{yaml}"
    );
    let files = [("cases/needs/try.yaml".to_owned(), text)];
    let loaded = Suite::load(&files, abis.collect(), Arc::new([]));
    loaded.unwrap_or_else(|all| panic!("{all:?}"))
}

fn needs(exchange: &str) -> Vec<Need> {
    let observe = "    observe: [{req: proxy_on_request_headers/silent.end_of_stream, what: callbacks stream 1}]\n";
    let suite = suite(&format!(
        "    program: {{}}\n    exchange: {exchange}\n{observe}"
    ));
    suite.cases[0].needs.iter().copied().collect()
}

#[test]
fn a_request_that_must_be_seen_before_it_is_whole_needs_its_parts() {
    let parts = [Need::ChunkedDelivery];
    let body = "request: {body: [one, two]}";
    assert_eq!(
        needs(&format!("{{{body}, play: [head: 1, chunk: 1, abort: 1]}}")),
        parts
    );
    assert_eq!(
        needs(&format!("{{{body}, play: [head: 1, rest: 1, abort: 1]}}")),
        []
    );
    // Without a body a request is whole with its head.
    assert_eq!(needs("{play: [head: 1, abort: 1]}"), []);
    let two = format!("streams: [{{{body}}}, {{{body}}}]");
    let play = |order: &str| needs(&format!("{{{two}, play: [head: 1, head: 2, {order}]}}"));
    assert_eq!(play("rest: 1, rest: 2, finish: 2, finish: 1"), []);
    assert_eq!(play("rest: 2, rest: 1, finish: 1, finish: 2"), parts);
}

#[test]
fn configuration_is_seen() {
    let observe = "    observe: [{req: proxy_on_request_headers/silent.end_of_stream, what: callbacks stream 1}]\n";
    let with = |line: &str| {
        let suite = suite(&format!("    program: {{}}\n    {line}\n{observe}"));
        suite.cases[0].needs.iter().copied().collect::<Vec<_>>()
    };
    assert_eq!(with("config: own"), [Need::PluginConfiguration]);
    assert_eq!(with("vm_config: own"), [Need::VmConfiguration]);
}

fn in_dialect(suite: &Suite, id: &str) -> Result<Resolved, Unavailable> {
    let env = Env {
        token: "0",
        upstream: &|name| name.to_owned(),
        function: &|name| name.to_owned(),
    };
    let abi = suite.abis.iter().find(|a| a.id == id).expect("the dialect");
    suite.resolve(&suite.cases[0], abi, &env)
}

#[test]
fn what_a_dialects_call_does_not_take_is_not_asked_of_it() {
    let call = |with: &str, check: &str| {
        suite(&format!(
            "    program:\n      request_headers:\n        - call: proxy_resolve_shared_queue\n          {with}\n          {check}\n"
        ))
    };
    // The requirement is about that parameter.
    let of_the_vm = call(
        "with: {vm_id: other, name: q}",
        "expect: {status: NOT_FOUND}\n          req: proxy_resolve_shared_queue/vm_id",
    );
    let told = in_dialect(&of_the_vm, "mosn-v1").expect_err("no counterpart");
    let Unavailable::NoCounterpart(words) = told else {
        panic!("{told:?}")
    };
    assert!(words.ends_with("proxy_resolve_shared_queue/vm_id (its call takes no VM id)"));
    // It cannot lie outside memory, the name can.
    let outside = call(
        "each: [{vm_id: {ptr: out_of_bounds, len: 16}, name: q}, {vm_id: \"\", name: {ptr: out_of_bounds, len: 16}}]",
        "expect: {status: INVALID_MEMORY_ACCESS}",
    );
    let names = |id: &str| -> Vec<String> {
        let checks = in_dialect(&outside, id).expect("a case").checks;
        checks.into_iter().map(|c| c.name).collect()
    };
    assert_eq!(names("mosn-v1"), ["call 2 status"]);
    assert_eq!(names("0.2.0"), ["call 1 status", "call 2 status"]);
}
