//! Profiles: the committed ones load; each wrong one is told with its place.

use crate::case::{Known, Offer, load_profile, load_profile_over, version_matches};

const SMALL: &str = "version: 1\nname: small\ndriver: stdio\nabi: [0.2.1]\n";

fn problems(text: &str) -> Vec<String> {
    let found = load_profile("p.yaml", text).expect_err("problems");
    let lines = found.iter();
    lines
        .map(|p| format!("{}:{}:{}: {}", p.file, p.line, p.column, p.message))
        .collect()
}

#[test]
fn the_committed_profiles_load() {
    for text in [
        include_str!("../../../../specs/hosts/envoy.yaml"),
        include_str!("../../../../specs/hosts/reference.yaml"),
    ] {
        load_profile("specs/hosts", text).unwrap();
    }
}

#[test]
fn a_small_profile_is_enough() {
    let profile = load_profile("p.yaml", SMALL).unwrap();
    assert_eq!(profile.name, "small");
    assert_eq!(profile.upstream("a"), "a");
    assert!(profile.offers("tcp").unwrap_err().contains("tcp"));
    assert_eq!(profile.offers("plugin_configuration"), Ok(()));
}

#[test]
fn what_is_not_offered_has_a_reason() {
    let text = format!("{SMALL}offers: {{tcp: true, grpc: not built in}}\n");
    let profile = load_profile("p.yaml", &text).unwrap();
    assert_eq!(profile.offers["tcp"], Offer::Yes);
    assert_eq!(profile.offers("grpc"), Err("not built in".to_owned()));
    assert_eq!(
        problems(&format!("{SMALL}offers: {{tcp: false}}\n")),
        ["p.yaml:5:15: offers.tcp: expected a sentence that says why not"]
    );
}

#[test]
fn yaml_problems_have_their_place() {
    for (line, begins) in [
        ("nope: 1", "p.yaml:5:1: unknown field `nope`"),
        (
            "offers: {tcp: true, tcp: true}",
            "p.yaml:5:9: offers: duplicate key `tcp`",
        ),
        ("name: again", "p.yaml:5:1: duplicate field `name`"),
        ("over: never", "p.yaml:5:7: over: unknown variant `never`"),
        ("known: [", "p.yaml:6:1: "),
    ] {
        let found = problems(&format!("{SMALL}{line}\n"));
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with(begins), "{found:?}");
    }
}

#[test]
fn every_problem_comes_at_once() {
    let text = "version: 2
name: a b
driver: stdio
abi: []
offers:
  tcp: true
  tpc: true
says:
  unlinked: ['no group']
  trap: ['(']
known:
  # the first one is whole
  - cases: [a/b/c]
    seen: NOT_FOUND
    why: it looks elsewhere
    source: not read
  - cases: []
    seen: ' '
    source: f.cc
    verdicts: [fail, bad]
    versions: '>=x'
    abi: [9.9.9]
";
    assert_eq!(
        problems(text),
        [
            "p.yaml:1:1: version 2 of the profile format is not known, only 1 is",
            "p.yaml:2:1: a name is letters, digits and `-`",
            "p.yaml:4:1: no ABI version or dialect is named",
            "p.yaml:7:3: nothing is called `tpc`; a case may need tcp, service, grpc, http2, \
             request_trailers, response_trailers, chunked_delivery, several_plugins, several_vms, \
             reload, remove, foreign_function, foreign_callback, environment, vm_configuration, \
             plugin_configuration, trigger",
            "p.yaml:9:15: this expression needs a group `import`",
            "p.yaml:10:11: not a regular expression: error: unclosed group",
            "p.yaml:17:3: a known failure must name its `cases`",
            "p.yaml:17:3: a known failure must have `seen`",
            "p.yaml:17:3: a known failure must have `why`",
            "p.yaml:17:3: `bad` is no verdict of a failure; these are fail, warn, unlinked, \
             refused, trap, crash, timeout, blocked, survey",
            "p.yaml:17:3: `>=x` is no range of versions such as `>=1.36 <1.40`",
            "p.yaml:17:3: `9.9.9` is not among the profile's `abi`",
        ]
    );
}

#[test]
fn a_network_host_says_how_it_is_reached() {
    let text = SMALL.replace("stdio", "network");
    let found = problems(&text);
    assert_eq!(found.len(), 5, "{found:?}");
    assert!(found[0].starts_with("p.yaml:3:1: a network host must have `binary`"));
    let text = format!(
        "{text}listeners: {{change: rename, batch: 0}}\nover: fence\nbinary: {{name: x}}\n"
    );
    let found = problems(&text);
    assert!(
        found.iter().any(|p| p.contains("`listeners.added`")),
        "{found:?}"
    );
    assert!(
        found.iter().any(|p| p.starts_with("p.yaml:5:29: ")),
        "{found:?}"
    );
}

#[test]
fn versions_are_compared_as_numbers() {
    for (range, version, matches) in [
        (">=1.36 <1.40", "1.36.0", true),
        (">=1.36 <1.40", "1.39.12", true),
        (">=1.36 <1.40", "1.40", false),
        (">=1.36 <1.40", "1.4.0", false),
        ("1.2", "1.2.0", true),
        ("=1.2.0", "1.2", true),
        (">1.2", "1.2.0", false),
        ("<=1.2", "1.2.1", false),
        (">=1", "local", false),
    ] {
        assert_eq!(
            version_matches(range, version),
            Some(matches),
            "{version} in {range}"
        );
    }
    assert_eq!(version_matches("new", "1"), None);
    assert_eq!(version_matches("", "1"), None);
}

#[test]
fn a_known_failure_speaks_of_its_columns() {
    let known = Known {
        cases: vec!["a".to_owned()],
        abi: vec!["0.2.1".to_owned()],
        versions: Some("<2".to_owned()),
        verdicts: vec![],
        checks: vec![],
        class: None,
        seen: String::new(),
        why: String::new(),
        source: String::new(),
        link: None,
        since: None,
        expires: None,
    };
    assert!(known.applies("0.2.1", "1.9"));
    assert!(!known.applies("0.2.0", "1.9"));
    assert!(!known.applies("0.2.1", "2.0"));
}

#[test]
fn a_profile_extends_another() {
    let base = "version: 1\nname: base\ndriver: stdio\nabi: [0.2.0, 0.2.1]\nbinary: {name: b, get: make b}\noffers: {tcp: true, grpc: not built in}\nsnapshots: 1.0.0\nknown:\n  - {cases: [a], seen: s, why: w, source: s}\n";
    let base = load_profile("base.yaml", base).unwrap();
    let read = |text: &str| load_profile_over("own.yaml", text, std::slice::from_ref(&base));
    let own = "version: 1\nname: own\nextends: base\nbinary: {path: ../b}\noffers: {tcp: not in this build}\nknown: []\n";
    let own = read(own).unwrap();
    assert_eq!((own.name.as_str(), own.abi.len()), ("own", 2));
    let binary = own.binary.clone().unwrap();
    assert_eq!(
        (binary.name.as_str(), binary.path.as_deref()),
        ("b", Some("../b"))
    );
    assert_eq!(binary.get.as_deref(), Some("make b"));
    assert_eq!(own.offers("tcp"), Err("not in this build".to_owned()));
    assert_eq!(own.offers("grpc"), Err("not built in".to_owned()));
    assert_eq!(own.known, []);
    // What is not said is as there.
    let plain = read("version: 1\nname: own\nextends: base\n").unwrap();
    assert_eq!(
        (plain.known.len(), plain.snapshots.as_deref()),
        (1, Some("1.0.0"))
    );
    // Problems stand where they are written.
    let bad = |text: &str| {
        let found = read(text).unwrap_err();
        let all = found
            .iter()
            .map(|p| format!("{}:{}: {}", p.line, p.column, p.message));
        all.collect::<Vec<_>>()
    };
    assert_eq!(
        bad("version: 1\nname: own\nextends: bas\n"),
        ["3:10: there is no profile `bas` to extend, only base"]
    );
    let found = bad("version: 1\nname: own\nextends: base\nwrong: 1\n");
    assert!(found[0].starts_with("4:1: unknown"), "{found:?}");
    let found = bad("version: 1\nname: own\nextends: base\noffers: {tpc: true}\n");
    assert!(
        found[0].starts_with("4:10: nothing is called `tpc`"),
        "{found:?}"
    );
}

#[test]
fn what_is_lacking_may_be_lacking_in_one_column() {
    let text = SMALL.replace("[0.2.1]", "[0.2.0, 0.2.1]")
        + "lacks: {hostcalls: [proxy_a, proxy_b@0.2.0], callbacks: [proxy_on_c@0.2.1]}\n";
    let lacks = load_profile("p.yaml", &text).unwrap().lacks;
    let (old, new) = (lacks.within("0.2.0"), lacks.within("0.2.1"));
    assert_eq!(old.hostcalls, ["proxy_a", "proxy_b"]);
    assert!(old.callbacks.is_empty());
    assert_eq!(new.hostcalls, ["proxy_a"]);
    assert_eq!(new.callbacks, ["proxy_on_c"]);
    assert_eq!(
        problems(&format!("{SMALL}lacks: {{hostcalls: [proxy_a@0.1.0]}}\n")),
        ["p.yaml:5:21: `0.1.0` is not among the profile's `abi`"]
    );
}

#[test]
fn cases_that_are_set_apart_are_named_and_have_a_reason() {
    let with = |entry: &str| format!("{SMALL}apart:\n  - {entry}\n");
    let text = with("{cases: [bodies/, fields/*/large], why: it keeps the connection}");
    let profile = load_profile("p.yaml", &text).unwrap();
    let apart = |case: &str| profile.apart.iter().any(|a| a.names(case));
    assert!(apart("bodies/request/huge") && apart("fields/access/large"));
    assert!(!apart("fields/access/small") && !apart("pairs/large"));
    assert_eq!(
        problems(&with("{cases: [], why: x}")),
        ["p.yaml:6:3: an entry of `apart` must name its `cases` and say `why`"]
    );
}
