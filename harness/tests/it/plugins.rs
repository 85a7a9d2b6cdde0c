//! Plugins that are written with the official SDK do the same on the reference host and on a real Envoy,
//! for all that a client and an upstream can see. Without an Envoy this test says so and passes.
//!
//! Does not know what the cases ask for: both hosts are to show the same, whatever it is.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use pwspec::record::Record;
use pwspec::trace::{Blob, GrpcSaw, Message, Seen};

use crate::cli::envoy::envoy;
use crate::kit::root;

/// Fields that are not compared, and why.
const LEFT_OUT: [(&str, &str); 7] = [
    ("date", "the time of the answer"),
    ("server", "the proxy's name"),
    ("x-request-id", "another one for each request"),
    ("x-forwarded-proto", "Envoy's note on the connection"),
    (
        "content-length",
        "framing, which HTTP/1.1 chooses; what it says is held against the body",
    ),
    (
        "transfer-encoding",
        "framing; the body is compared as it is when that is undone",
    ),
    (
        "x-envoy-*",
        "Envoy's notes for other Envoys: times, timeouts, where a request comes from",
    ),
];

fn left_out(name: &str) -> bool {
    let is = |of: &str| match of.strip_suffix('*') {
        Some(front) => name.starts_with(front),
        None => name == of,
    };
    LEFT_OUT.iter().any(|(of, _)| is(of))
}

fn text(blob: &Blob) -> String {
    blob.display()
}

/// Names in lower case with their values in order. The order of fields of different names says nothing
/// (RFC 9110, 5.3), nor does the case of a name.
fn fields(of: &[(Blob, Blob)]) -> BTreeMap<String, Vec<String>> {
    let mut out = BTreeMap::<String, Vec<String>>::new();
    for (name, value) in of {
        let name = String::from_utf8_lossy(name.whole().unwrap()).to_ascii_lowercase();
        if !left_out(&name) {
            out.entry(name).or_default().push(text(value));
        }
    }
    out
}

/// All that the receiver of a message can tell.
fn shown(message: &Message, case: &str) -> String {
    for length in Message::values(&message.headers, "content-length") {
        let length = String::from_utf8_lossy(length.whole().unwrap()).into_owned();
        assert_eq!(length, message.body.len().to_string(), "{case}: its length");
    }
    format!(
        "{} {} {} headers {:?} body {} trailers {:?} whole {}",
        message.method.as_deref().unwrap_or("-"),
        message.path.as_deref().unwrap_or("-"),
        message.status.unwrap_or_default(),
        fields(&message.headers),
        text(&message.body),
        fields(&message.trailers),
        message.complete,
    )
}

/// What a client saw of each stream, and what came to each upstream. In which order the requests of
/// streams that overlap come to an upstream is nobody's promise: they are sorted.
fn both_ends(seen: &Seen, case: &str) -> Vec<String> {
    let clients = seen.client.iter().map(|saw| {
        let response = saw.response.as_ref().map(|m| shown(m, case));
        format!(
            "client {}: {} {}",
            saw.stream,
            response.unwrap_or_default(),
            saw.trouble.as_deref().unwrap_or_default(),
        )
    });
    let mut upstreams: Vec<String> = seen
        .upstream
        .iter()
        .map(|saw| format!("upstream {}: {}", saw.upstream, shown(&saw.request, case)))
        .collect();
    upstreams.sort();
    assert_eq!(seen.grpc, Vec::<GrpcSaw>::new(), "{case} calls by gRPC");
    clients.chain(upstreams).collect()
}

#[test]
fn clients_and_upstreams_cannot_tell_the_reference_host_from_envoy() {
    let Some(host) = envoy() else { return };
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let mut command = Command::new(env!("CARGO_BIN_EXE_pwspec"));
    command.args(["run", "--exit-zero", "--snapshots", "off"]);
    command.args(["--format", "terse", "--host", "reference", "--host", &host]);
    command.arg("--specs").arg(root().join("specs"));
    command.arg("--out").arg(&out).current_dir(root());
    let ran = command.arg("plugins/").output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let record = Record::read(&out.join("record.jsonl")).unwrap();

    let guest = |yaml: &str| yaml.contains("guest: sdk/");
    let with_plugins = record.cases.iter().filter(|c| guest(&c.yaml));
    let with_plugins: BTreeSet<&str> = with_plugins.map(|c| c.id.as_str()).collect();
    let mut seen: BTreeMap<(&str, &str), BTreeMap<&str, Vec<String>>> = BTreeMap::new();
    for result in &record.results {
        if !with_plugins.contains(result.case.as_str()) {
            continue;
        }
        let mut columns = record.header.columns.iter();
        let column = columns.find(|c| c.name == result.column).unwrap();
        let Some(last) = result.attempts.last() else {
            continue;
        };
        assert_eq!(last.faults, [], "{} on {}", result.case, result.column);
        let of = seen.entry((&result.case, &column.abi)).or_default();
        of.insert(&column.host, both_ends(&last.seen, &result.case));
    }
    let mut compared = 0;
    for ((case, abi), hosts) in &seen {
        if let (Some(reference), Some(envoy)) = (hosts.get("reference"), hosts.get("envoy")) {
            assert_eq!(reference, envoy, "{case}, {abi}: reference host and Envoy");
            compared += 1;
        }
    }
    // Each case that there is was compared, once at least.
    assert!(compared >= with_plugins.len(), "{compared} compared");
    assert!(with_plugins.len() >= 20, "{with_plugins:?}");
}
