//! `pwspec fuzz`: nothing is found where there is nothing, a planted fault is found, cut down and written
//! as a case that shows it, and a host that dies leaves only the seed.

use std::path::Path;
use std::sync::Arc;

use pwspec::case::Suite;
use pwspec::host::reference::{Options, Reference};
use pwspec::host::{Driver, Identity, Job, Stop, Trouble};
use pwspec::judge::Verdict;
use pwspec::report::json::Fuzz;
use pwspec::runner::{
    Deadlines, Duel, Opponent, Planned, Search, Specs, campaign, judge_attempt, prepare, scope,
};
use pwspec::trace::{Attempt, End, Isolation};

use crate::cli::Bench;
use crate::kit::{abi, profile};

fn fuzz(bench: &Bench, hosts: &str, more: &[&str]) -> (i32, Fuzz) {
    let mut args = vec!["fuzz", "--hosts", hosts, "--format", "json"];
    args.extend(more);
    let ran = bench.run(&args);
    let found = serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {ran:?}"));
    (ran.code, found)
}

#[test]
fn a_host_does_not_differ_from_itself() {
    let bench = Bench::new(&[]);
    for version in ["0.1.0", "0.2.1"] {
        let more = ["--seed", "3", "--cases", "150", "--abi", version];
        let (code, found) = fuzz(&bench, "reference,reference", &more);
        assert_eq!(code, 0, "{found:#?}");
        assert_eq!((found.programs, found.seed), (150, 3));
        assert_eq!(found.abi, version);
        assert_eq!(found.found, []);
        let others = (found.known, found.free, found.unsteady, found.unfit);
        assert_eq!(others, (0, 0, 0, 0), "each attempt could be compared");
        assert_eq!(found.died, []);
    }
    assert!(!bench.path("pwspec-fuzz").exists(), "nothing was found");
}

/// What a case of a file observes on the reference host, with and without a fault.
fn observed(file: &Path, fault: Option<&str>) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap();
    let mut lines = text.lines();
    let suite = lines.find_map(|l| l.strip_prefix("suite: ")).unwrap();
    let files = vec![(format!("cases/{suite}.yaml"), text.clone())];
    let abis = Specs::embedded().abis().unwrap();
    let suite = Suite::load(&files, abis, Arc::new([])).unwrap_or_else(|p| panic!("{p:#?}"));
    let [case] = &suite.cases[..] else {
        panic!("one case: {text}")
    };
    let abi = suite.abi(&case.abi[0]).unwrap();
    let profile = profile("reference");
    let planned = Planned {
        case: Arc::new(case.clone()),
        program: scope(&suite, case, abi, &profile).unwrap(),
    };
    let deadlines = Deadlines {
        shared: std::time::Duration::from_secs(2),
        alone: std::time::Duration::from_secs(1),
    };
    let prepared = prepare(&suite, &planned, abi, &profile, "token", 0, &deadlines).unwrap();
    let host = Reference::new(Options::default());
    let attempt = host.with_fault(fault).play_one(&prepared.job).unwrap();
    let judgement = judge_attempt(abi, &prepared, &attempt, case);
    assert_eq!(judgement.verdict, Verdict::Survey, "{text}");
    let all = judgement.observed.iter();
    all.map(|o| format!("{o:?}")).collect()
}

#[test]
fn a_planted_fault_is_found_cut_down_and_written_as_a_case_that_shows_it() {
    let planted = [
        (
            "get_shared_data_value_is_cut",
            "proxy_get_shared_data/OK",
            2,
        ),
        (
            "set_buffer_inject_has_no_effect",
            "proxy_set_buffer_bytes/inject",
            2,
        ),
        ("log_unknown_level_is_ok", "proxy_log/BAD_ARGUMENT", 1),
        (
            "remove_header_removes_one_value",
            "proxy_remove_header_map_value/all_values",
            1,
        ),
    ];
    for (fault, requirement, steps) in planted {
        let bench = Bench::new(&[]);
        let hosts = format!("reference,reference+{fault}");
        let (code, all) = fuzz(&bench, &hosts, &["--seed", "1", "--cases", "400"]);
        assert_eq!(code, 1, "{fault}: {all:#?}");
        assert_eq!(all.hosts[1], format!("{}+{fault}", all.hosts[0]));
        let found = all.found.iter().find(|f| f.requirement == requirement);
        let found = found.unwrap_or_else(|| panic!("{fault}: {all:#?}"));
        assert!(found.steps <= steps, "{fault}: {found:#?}");
        assert_ne!(found.answers[0], found.answers[1]);
        let file = bench.path(&found.file);
        assert_ne!(
            observed(&file, None),
            observed(&file, Some(fault)),
            "{fault}"
        );
        let ran = bench.run(&["run", &found.file, "--host", "reference"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(ran.out.contains("survey"), "{ran:?}");
    }
}

#[test]
fn people_see_the_text_both_answers_and_how_to_see_it_again() {
    let bench = Bench::new(&[]);
    let hosts = "reference,reference+log_unknown_level_is_ok";
    let args = [
        "fuzz", "--hosts", hosts, "--seed", "1", "--cases", "60", "-o", "found",
    ];
    let one = bench.run(&args);
    assert_eq!(one.code, 1, "{one:?}");
    for part in [
        "DIFFERS  found/log_1.yaml · must · proxy_log/BAD_ARGUMENT",
        "the text   when the log level is unknown, the host answers BAD_ARGUMENT",
        "BAD_ARGUMENT\n",
        "again      pwspec run found/log_1.yaml --host reference",
        "seed 1: 1 difference",
    ] {
        assert!(one.out.contains(part), "{part:?} in {}", one.out);
    }
    let text = bench.read("found/log_1.yaml");
    assert!(text.contains("--seed 1"), "{text}");
    // The same seed finds the same; the file that is there stays.
    let two = bench.run(&args);
    assert_eq!(two.out, one.out.replace("log_1.yaml", "log_2.yaml"));
    let second = bench.read("found/log_2.yaml");
    assert_eq!(second, text.replace("fuzz/log_1", "fuzz/log_2"));
}

#[test]
fn what_cannot_be_compared_is_a_usage_error_or_host_trouble() {
    let bench = Bench::new(&[]);
    let wrong = [
        ("reference", 2, "two hosts"),
        ("reference,reference,reference", 2, "two hosts"),
        ("reference,nobody", 2, "unknown host `nobody`"),
        ("reference,reference+no_such_fault", 3, "no_such_fault"),
    ];
    for (hosts, code, words) in wrong {
        let ran = bench.run(&["fuzz", "--hosts", hosts, "--cases", "1"]);
        assert_eq!(ran.code, code, "{hosts}: {ran:?}");
        assert!(ran.err.contains(words), "{hosts}: {ran:?}");
    }
    let hosts = "reference,reference";
    let ran = bench.run(&["fuzz", "--hosts", hosts, "--abi", "9.9.9"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("9.9.9"), "{ran:?}");
    let ran = bench.run(&[
        "fuzz",
        "--hosts",
        hosts,
        "--max-time",
        "0s",
        "--format",
        "json",
    ]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("\"programs\": 0"), "{ran:?}");
}

#[test]
fn the_help_says_what_there_is() {
    let bench = Bench::new(&[]);
    let ran = bench.run(&["fuzz", "--help"]);
    assert_eq!(ran.code, 0);
    insta::assert_snapshot!(ran.out);
}

/// A host that dies of every program that logs at an unknown level.
struct Mortal(Reference);

impl Driver for Mortal {
    fn identity(&self) -> Identity {
        self.0.identity()
    }

    fn play(
        &mut self,
        jobs: Vec<Job>,
        stop: &Stop,
        done: &(dyn Fn(usize, Attempt) + Sync),
    ) -> Result<(), Trouble> {
        self.0.play(jobs, stop, &|n, attempt| {
            let events = attempt.trace.instances.iter().flat_map(|i| i.walk());
            let dies = events.into_iter().any(|e| {
                let unknown = |v: &_| matches!(v, pwspec::trace::Value::Enum(None, _));
                e.name == "proxy_log" && e.args.first().is_some_and(|a| unknown(&a.value))
            });
            done(
                n,
                match dies {
                    true => Attempt {
                        end: End::Crash("signal 11".to_owned()),
                        ..Attempt::empty(Isolation::Alone)
                    },
                    false => attempt,
                },
            );
        })
    }

    fn close(&mut self) -> Result<(), Trouble> {
        self.0.close()
    }
}

#[test]
fn of_a_program_that_kills_a_host_only_its_number_is_kept() {
    let host = Reference::new(Options::default());
    let opponent = |driver: Box<dyn Driver>| Opponent {
        profile: profile("reference"),
        driver,
        mark: String::new(),
    };
    let hosts = [
        opponent(Box::new(host.clone())),
        opponent(Box::new(Mortal(host))),
    ];
    let abis = Specs::embedded().abis().unwrap();
    let mut duel = Duel::new(abi("0.2.1"), abis, 1, hosts);
    let search = Search {
        seed: 1,
        programs: 60,
        time: None,
        batch: 20,
    };
    let searched = campaign(&mut duel, &search, &Stop::default(), &|_| ()).unwrap();
    assert!(!searched.died.is_empty());
    assert!(searched.died.iter().all(|(who, _)| *who == 1));
    assert_eq!(searched.found.len(), 0, "{searched:#?}");
    assert_eq!(searched.unsteady, 0);
    assert_eq!(searched.programs, 60);
}
