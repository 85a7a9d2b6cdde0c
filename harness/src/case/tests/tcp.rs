//! TCP streams in a case file.

use std::sync::Arc;

use crate::abi::load;
use crate::case::{Env, Exchange, Peer, Play, Suite};

fn suite(more: &str) -> Result<Suite, Vec<String>> {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../specs/abi");
    let tables = ["v0_1_0.yaml", "v0_2_0.yaml", "v0_2_1.yaml"].map(|name| {
        let text = std::fs::read_to_string(format!("{dir}/{name}")).expect("a table");
        (format!("abi/{name}"), text)
    });
    let abis = load(&tables).expect("tables").into_iter().map(Arc::new);
    let text = format!(
        "version: 1\nsuite: tcp/try\nabout: a\nsince: 0.1.0\ncases:\n  - id: a\n    about: b\n    \
         observe: [{{req: proxy_on_downstream_data/silent.end_of_stream, what: upstream main closed}}]\n{more}"
    );
    let files = [("cases/tcp/try.yaml".to_owned(), text)];
    let loaded = Suite::load(&files, abis.collect(), Arc::new([]));
    loaded.map_err(|all| all.into_iter().map(|p| p.message).collect())
}

fn exchange(more: &str) -> Arc<Exchange> {
    let suite = suite(more).expect("no problems");
    let env = Env {
        token: "0",
        upstream: &|name| name.to_owned(),
        function: &|name| name.to_owned(),
    };
    let abi = suite.abi("0.2.1").expect("a version");
    let case = suite.case("tcp/try/a").expect("a case");
    let resolved = suite.resolve(case, abi, &env);
    resolved.expect("a case of this version").exchange
}

#[test]
fn a_tcp_plugin_has_one_silent_connection_unless_the_case_says_otherwise() {
    let silent = exchange("    plugin_type: tcp\n");
    assert!(silent.streams.is_empty());
    assert_eq!(silent.connections, [Default::default()]);
    let end = |peer| Play::End(1, peer);
    let whole = [
        Play::Open(1),
        end(Peer::Downstream),
        Play::Ended(1, Peer::Upstream),
        end(Peer::Upstream),
        Play::Finish(1),
    ];
    assert_eq!(silent.play, whole);
    let none = exchange("    plugin_type: tcp\n    exchange: {connections: []}\n");
    assert!(none.connections.is_empty() && none.play.is_empty());
}

#[test]
fn chunks_and_the_words_of_play() {
    let play = "[open: 1, open: 2, downstream: 1, upstream: 2, end_downstream: 1, \
                close_upstream: 2, ended_upstream: 1, ended_downstream: 2, finish: 1]";
    let got = exchange(&format!(
        "    plugin_type: tcp\n    exchange:\n      connections: [{{downstream: [a, b]}}, \
         {{upstream: {{hex: ff}}}}]\n      play: {play}\n"
    ));
    let (down, up) = (Peer::Downstream, Peer::Upstream);
    assert_eq!(
        got.connections[0].downstream,
        [(*b"a").into(), (*b"b").into()]
    );
    assert_eq!(got.connections[1].upstream, [[0xff].into()]);
    assert_eq!(
        got.play,
        [
            Play::Open(1),
            Play::Open(2),
            Play::Send(1, down),
            Play::Send(2, up),
            Play::End(1, down),
            Play::Close(2, up),
            Play::Ended(1, up),
            Play::Ended(2, down),
            Play::Finish(1),
        ]
    );
}

#[test]
fn what_is_of_another_kind_of_stream_is_a_problem() {
    let problem = |more: &str| suite(more).expect_err("a problem").join("; ");
    let tcp = "    plugin_type: tcp\n    exchange: ";
    for (more, says) in [
        ("{request: {}}", "HTTP streams do not pass this plugin"),
        ("{play: [head: 1]}", "unknown play `head`"),
        ("{play: [open: 2]}", "there is no stream 2: there are 1"),
        (
            "{connections: [{refused: true}, {}]}",
            "either all connections",
        ),
        (
            "{connections: [{refused: true, upstream: a}]}",
            "nobody listens there",
        ),
    ] {
        let found = problem(&format!("{tcp}{more}\n"));
        assert!(found.contains(says), "{more}: {found}");
    }
    let found = problem("    exchange: {connections: []}\n");
    assert!(found.contains("TCP streams do not pass this plugin"));
    let status = "    plugin_type: tcp\n    expect: {client: [{req: proxy_on_upstream_data/CONTINUE, status: 200}]}\n";
    assert!(problem(status).contains("not of this kind of stream"));
    let closed = "    expect: {client: [{req: proxy_on_upstream_data/CONTINUE, closed: true}]}\n";
    assert!(problem(closed).contains("not of this kind of stream"));
}

#[test]
fn a_service_has_no_streams() {
    let none = exchange("    plugin_type: service\n");
    assert_eq!(*none, Exchange::default());
    let one = suite("    plugin_type: service\n    exchange: {request: {}}\n");
    let found = one.expect_err("a stream").join("; ");
    assert!(found.contains("HTTP streams do not pass this plugin"));
}

#[test]
fn tcp_streams_are_resumed_by_the_call_that_0_1_0_lacks() {
    let suite = suite(
        "    plugin_type: tcp\n    program: {downstream_data: [{resume: downstream}, {resume: upstream}]}\n",
    );
    let suite = suite.expect("no problems");
    assert_eq!(suite.cases[0].abi, ["0.2.0", "0.2.1"]);
}
