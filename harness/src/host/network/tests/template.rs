//! The committed profile's files with hostile values, and templates that are none.

use crate::host::network::template::{
    CaseVars, FenceVars, PluginVars, Templates, UpstreamVars, Vars,
};
use crate::host::network::tests::lines::envoy;

fn vars(cases: Vec<CaseVars>) -> Vars {
    let upstream = |name: &str| UpstreamVars {
        name: name.to_owned(),
        socket: format!("{name}.sock"),
        port: 0,
    };
    Vars {
        dir: "/tmp/x".to_owned(),
        version: 7,
        fence: FenceVars {
            socket: "fence.sock".to_owned(),
            vm_id: "fence".to_owned(),
            module: "fence.wasm".to_owned(),
        },
        upstreams: vec![upstream("main"), upstream("a")],
        grpc: vec![upstream("grpc_a")],
        nowhere: vec![upstream("nowhere")],
        backend: upstream("backend"),
        cases,
    }
}

fn case(name: &str, root_id: &str, config: &str) -> CaseVars {
    CaseVars {
        name: name.to_owned(),
        id: format!("test/{name}"),
        socket: format!("{name}.sock"),
        plugin_type: "http".to_owned(),
        upstream: "main".to_owned(),
        plugins: vec![PluginVars {
            name: "main".to_owned(),
            root_id: root_id.to_owned(),
            vm_id: format!("vm-{name}"),
            module: format!("{name}.wasm"),
            vm_config: String::new(),
            environment: std::collections::BTreeMap::new(),
            config: config.to_owned(),
        }],
    }
}

fn render(file: &str, cases: Vec<CaseVars>) -> serde_yaml::Value {
    let profile = envoy();
    let templates = Templates::new(profile.start.as_ref().unwrap()).unwrap();
    let text = templates.render(file, &vars(cases)).unwrap();
    serde_yaml::from_str(&text).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

#[test]
fn the_boot_file_has_every_upstream() {
    let boot = render("boot.yaml", vec![]);
    let clusters = boot["static_resources"]["clusters"].as_sequence().unwrap();
    let names: Vec<_> = clusters
        .iter()
        .map(|c| c["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["main", "a", "nowhere", "backend", "grpc_a"]);
}

#[test]
fn the_listener_file_may_be_empty() {
    let file = render("lds.yaml", vec![]);
    assert_eq!(file["resources"].as_sequence().map(Vec::len), Some(0));
    assert_eq!(file["version_info"].as_str(), Some("7"));
}

#[test]
fn a_tcp_plugin_sits_before_the_tcp_proxy_and_a_background_plugin_on_no_listener() {
    let mut tcp = case("c1", "r", "aGk=");
    tcp.plugin_type = "tcp".to_owned();
    tcp.upstream = "backend".to_owned();
    let mut service = case("c2", "background", "");
    service.plugin_type = "service".to_owned();
    let both = vec![tcp, service];
    let file = render("lds.yaml", both.clone());
    assert_eq!(file["resources"].as_sequence().map(Vec::len), Some(1));
    let filters = &file["resources"][0]["filter_chains"][0]["filters"];
    let config = &filters[0]["typed_config"]["config"];
    assert_eq!(config["configuration"]["value"].as_str(), Some("aGk="));
    assert_eq!(
        filters[1]["typed_config"]["cluster"].as_str(),
        Some("backend")
    );
    assert!(filters[2].is_null());
    let boot = render("boot.yaml", both);
    let extensions = boot["bootstrap_extensions"].as_sequence().unwrap();
    assert_eq!(extensions.len(), 1);
    let config = &extensions[0]["typed_config"]["config"];
    assert_eq!(config["root_id"].as_str(), Some("background"));
}

#[test]
fn values_are_written_as_data_whatever_is_in_them() {
    let hostile = "a\"b: {c}\n- d '%' {{ e }}";
    let file = render(
        "lds.yaml",
        vec![case("c1", hostile, "aGk="), case("c2", "r", "")],
    );
    let plugin = |n: usize| {
        let filters = &file["resources"][n]["filter_chains"][0]["filters"][0];
        filters["typed_config"]["http_filters"][0]["typed_config"]["config"].clone()
    };
    assert_eq!(plugin(0)["root_id"].as_str(), Some(hostile));
    assert_eq!(plugin(0)["configuration"]["value"].as_str(), Some("aGk="));
    assert!(plugin(1)["configuration"].is_null());
    assert_eq!(plugin(1)["vm_config"]["vm_id"].as_str(), Some("vm-c2"));
}

#[test]
fn an_unknown_variable_is_named_with_its_place() {
    let mut start = envoy().start.unwrap();
    start
        .files
        .insert("boot.yaml".to_owned(), "a: 1\nb: {{ nope.x }}".to_owned());
    let templates = Templates::new(&start).unwrap();
    let trouble = templates.render("boot.yaml", &vars(vec![])).unwrap_err();
    assert!(trouble.what.contains("boot.yaml, line 2"), "{trouble}");
    start.args.push("{{ ".to_owned());
    assert!(
        Templates::new(&start)
            .unwrap_err()
            .what
            .contains("argument")
    );
}

#[test]
fn a_file_is_replaced_whole() {
    let dir = tempfile::tempdir().unwrap();
    let templates = Templates::new(envoy().start.as_ref().unwrap()).unwrap();
    templates.write_all(dir.path(), &vars(vec![])).unwrap();
    let mut names: Vec<_> = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["boot.yaml", "lds.yaml"]);
}
