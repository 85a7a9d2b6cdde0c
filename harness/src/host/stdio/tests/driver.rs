//! Case after case in several processes: each case once, none left behind, no more after an adapter that
//! spoils them all.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;

use crate::case::{Profile, load_profile};
use crate::host::stdio::driver::Stdio;
use crate::host::stdio::link::Program;
use crate::host::stdio::tests::engine::job;
use crate::host::{Driver, Job, Stop, Trouble, TroubleKind};
use crate::trace::{Attempt, Load};

const PROFILE: &str = "version: 1\nname: x\nabout: x\ndriver: stdio\nabi: [0.2.1]\nover: reply\nbinary: {name: x, path: x}\n";

/// An adapter that writes down the number of its process, and does this when it is to load a module.
fn adapter(pids: &Path, load: &str) -> Stdio {
    let script = format!(
        r#"echo $$ >> '{}'
while read -r line; do
    id=${{line#*:}} id=${{id%%,*}}
    case $line in
    *'"hello"'*) answer='"hello":{{"protocol":1,"library":{{"name":"x","version":"1"}},"abi":[],"callbacks":[]}}' ;;
    *'"reset"'*) answer='"done":{{}}' ;;
    *) {load} ;;
    esac
    echo "{{\"id\":$id,\"answer\":{{$answer}}}}"
done"#,
        pids.display()
    );
    let profile: Profile = load_profile("x.yaml", PROFILE).unwrap();
    let program = Program {
        path: "/bin/sh".into(),
        args: vec!["-c".to_owned(), script],
    };
    Stdio::new(&profile, program, "1".to_owned()).unwrap()
}

/// The attempts by job, the processes that there were, and the trouble.
type Played = (Vec<(usize, Attempt)>, BTreeSet<String>, Result<(), Trouble>);

/// Plays so many jobs, and ends.
fn play(count: usize, load: &str) -> Played {
    let dir = tempfile::tempdir().unwrap();
    let pids = dir.path().join("pids");
    let mut driver = adapter(&pids, load);
    let jobs = (0..count).map(|index| Job { index, ..job() });
    let all = Mutex::new(Vec::new());
    let done = |index, attempt| all.lock().unwrap().push((index, attempt));
    let trouble = driver.play(jobs.collect(), &Stop::default(), &done);
    driver.close().unwrap();
    let pids = std::fs::read_to_string(pids).unwrap();
    let pids = pids.lines().map(str::to_owned).collect();
    (all.into_inner().unwrap(), pids, trouble)
}

fn runs(pid: &str) -> bool {
    Path::new("/proc").join(pid).exists()
}

const REFUSES: &str = r#"answer='"refused":{"words":"no"}'"#;

#[test]
fn each_case_is_played_once_however_many_processes_there_are() {
    let (mut all, pids, trouble) = play(40, REFUSES);
    assert_eq!(trouble.map_err(|t| t.what), Ok(()));
    all.sort_by_key(|(index, _)| *index);
    let indices: Vec<usize> = all.iter().map(|(index, _)| *index).collect();
    assert_eq!(indices, (0..40).collect::<Vec<_>>());
    for (_, attempt) in &all {
        assert!(
            matches!(attempt.load, Load::Refused { .. }),
            "{:?}",
            attempt.load
        );
        assert_eq!(attempt.faults, []);
    }
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
    assert!((1..=cores.min(3)).contains(&pids.len()), "{pids:?}");
    assert!(!pids.iter().any(|pid| runs(pid)), "{pids:?}");
}

#[test]
fn a_case_alone_needs_one_process() {
    let (all, pids, _) = play(1, REFUSES);
    assert_eq!((all.len(), pids.len()), (1, 1));
}

#[test]
fn an_adapter_that_spoils_every_case_is_not_tried_for_ever() {
    let (all, pids, trouble) = play(40, "exit 3");
    let trouble = trouble.unwrap_err();
    assert_eq!(trouble.kind, TroubleKind::Protocol);
    assert!(
        trouble.what.contains("5 cases in a row"),
        "{}",
        trouble.what
    );
    assert!((5..20).contains(&all.len()), "{}", all.len());
    assert!(!pids.iter().any(|pid| runs(pid)), "{pids:?}");
}
