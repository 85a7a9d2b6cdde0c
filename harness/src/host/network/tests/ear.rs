//! Whose a line is: by token, by the VM's id, by thread and by time.

use std::sync::Arc;
use std::time::Duration;

use crate::abi::{Abi, PluginType};
use crate::host::network::ear::{Answer, Ear, Phrases};
use crate::host::network::tests::lines::envoy;
use crate::host::{Job, PluginJob, VmJob};
use crate::trace::Blob;

pub(super) fn job(vm_id: &str) -> Job {
    let abi = Abi {
        id: "0.2.1".to_owned(),
        dialect_of: None,
        marker: String::new(),
        hostcalls: vec![],
        callbacks: vec![],
        enums: vec![],
        requirements: vec![],
        absent: vec![],
        faults: vec![],
        index: crate::abi::Index::default(),
    };
    Job {
        index: 0,
        case_id: "test/x".to_owned(),
        token: "t".to_owned(),
        abi: Arc::new(abi),
        vms: vec![VmJob {
            vm_id: vm_id.to_owned(),
            wasm: Arc::default(),
            code_key: None,
            legend: None,
            config: vec![],
            environment: Vec::new(),
            plugins: vec![PluginJob {
                name: "p".to_owned(),
                root_id: "r".to_owned(),
                config: vec![],
            }],
        }],
        plugin_type: PluginType::Http,
        exchange: Arc::default(),
        deadline: Duration::from_secs(1),
        alone: false,
    }
}

/// An ear that waits for two cases, `c1` with `vm1` and `c2` with `vm2`, and has heard these lines.
fn heard(lines: &[&str]) -> Ear {
    let ear = Ear::new(Arc::new(Phrases::new(&envoy()).unwrap()));
    ear.expect("c1", &job("vm1"));
    ear.expect("c2", &job("vm2"));
    for line in lines {
        ear.line(Some(line.as_bytes()));
    }
    ear
}

#[test]
fn a_guests_line_is_its_vms_even_while_another_case_is_played() {
    let ear = heard(&[]);
    ear.attend(Some("c1"));
    ear.line(Some(b"9|info|wasm|wasm log r vm2: late start"));
    ear.line(Some(b"9|error|wasm|wasm log: nameless"));
    ear.line(Some(b"9|error|wasm|wasm log r vm9: a stranger's"));
    let heard = ear.heard();
    let texts = |name: &str| -> Vec<Blob> {
        heard.cases[name]
            .logs
            .iter()
            .map(|l| l.text.clone())
            .collect()
    };
    assert_eq!(texts("c2"), [Blob::new(b"late start")]);
    assert_eq!(texts("c1"), [Blob::new(b"nameless")]);
    assert_eq!(heard.late, 1);
}

#[test]
fn a_refusal_is_what_the_same_thread_said_before_it() {
    let ear = heard(&[
        "1|error|wasm|Failed to load Wasm module due to a missing import: env.proxy_nope",
        "2|error|wasm|Function: proxy_on_vm_start failed: a worker's",
        "1|warning|upstream|lds: listener 'c1' config rejected: Unable to create Wasm plugin p",
        "1|info|upstream|lds: add/update listener 'c2'",
    ]);
    let heard = ear.heard();
    let answer = |name: &str| heard.cases[name].answer.clone();
    assert!(matches!(answer("c1"), Some(Answer::Unlinked(import, _)) if import == "proxy_nope"));
    assert_eq!(heard.cases["c1"].trap, None);
    assert_eq!(answer("c2"), Some(Answer::Added));
}

#[test]
fn of_listeners_that_are_refused_in_one_line_only_one_alone_is_told_why() {
    let import = "1|error|wasm|Failed to load Wasm module due to a missing import: env.proxy_nope";
    let both = "1|warning|config|Filesystem config update rejected: Error adding/updating listener(s) c1: Unable to create Wasm plugin p\\nc2: the same: again\\n";
    let ear = heard(&[import, both]);
    for name in ["c1", "c2"] {
        let answer = ear.heard().cases[name].answer.clone();
        assert_eq!(answer, Some(Answer::Unclear), "{name}");
    }
    // What was said of a listener on a line of its own stays.
    let ear = heard(&[
        "1|info|upstream|lds: add/update listener 'c2'",
        import,
        both,
    ]);
    let answer = |name: &str| ear.heard().cases[name].answer.clone();
    assert_eq!(answer("c1"), Some(Answer::Unclear));
    assert_eq!(answer("c2"), Some(Answer::Added));
    let ear = heard(&[]);
    ear.forget("c2");
    ear.line(Some(import.as_bytes()));
    ear.line(Some(both.as_bytes()));
    let answer = ear.heard().cases["c1"].answer.clone();
    assert!(matches!(answer, Some(Answer::Unlinked(import, _)) if import == "proxy_nope"));
}

#[test]
fn a_line_that_overtakes_another_takes_no_reason_away() {
    let mut profile = envoy();
    let listeners = profile.listeners.as_mut().unwrap();
    listeners.loaded = Some("wasm: loaded '(?P<name>[^']+)'".to_owned());
    let ear = Ear::new(Arc::new(Phrases::new(&profile).unwrap()));
    ear.expect("c1", &job("vm1"));
    ear.expect("c2", &job("vm2"));
    for line in [
        "1|error|wasm|Failed to load Wasm module due to a missing import: env.proxy_nope",
        "1|info|upstream|lds: add/update listener 'c2'",
        "1|info|wasm|wasm: loaded 'c2'",
    ] {
        ear.line(Some(line.as_bytes()));
    }
    assert!(!ear.heard().cases["c1"].dealt_with());
    ear.line(Some(
        b"1|warning|upstream|lds: listener 'c1' config rejected: Unable to create Wasm plugin p",
    ));
    // Both are dealt with, so nobody waits.
    ear.hear_all();
    let heard = ear.heard();
    assert!(heard.cases.values().all(|c| c.dealt_with()));
    let answer = |name: &str| heard.cases[name].answer.clone();
    assert!(matches!(answer("c1"), Some(Answer::Unlinked(import, _)) if import == "proxy_nope"));
    assert_eq!(answer("c2"), Some(Answer::Added));
}

#[test]
fn a_trap_while_loading_is_that_of_the_guest_that_spoke_last_on_its_thread() {
    let ear = heard(&[
        "2|info|wasm|wasm log r vm2: starting",
        "1|info|wasm|wasm log r vm1: starting",
        "2|error|wasm|Function: proxy_on_tick failed: Uncaught RuntimeError: unreachable",
    ]);
    let heard = ear.heard();
    assert_eq!(heard.cases["c1"].trap, None);
    assert!(heard.cases["c2"].trap.is_some());
}

#[test]
fn the_fences_lines_are_no_cases() {
    let ear = heard(&["2|info|wasm|wasm log fence fence pwspec-fence: pwspec-fence 17"]);
    assert_eq!(ear.heard().fence, 17);
    assert_eq!(ear.heard().late, 0);
}

#[test]
fn who_waits_is_told_the_end_of_the_log() {
    let ear = Arc::new(heard(&[]));
    let other = ear.clone();
    let thread = std::thread::spawn(move || other.wait(Duration::from_secs(20), |h| h.ended));
    ear.line(None);
    assert!(thread.join().unwrap());
    assert!(!ear.wait(Duration::from_millis(1), |_| false));
}
