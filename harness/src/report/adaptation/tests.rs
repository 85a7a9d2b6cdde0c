//! A small host of two columns: a text with a handful of functions, and a dialect of it.

use super::*;
use crate::abi::{
    Abi, Callback, EnumDef, ExportKind, Hostcall, Level, Param, Requirement, Returns, Seat, Type,
};
use crate::judge::{CheckResult, Gate, Judgement, Outcome, Verdict};
use crate::record::{CaseLine, Column, Footer, Header, RECORD_VERSION, Record, ResultLine};
use crate::report::plain;
use crate::trace::{
    Attempt, Blob, Event, EventKind, Field, Instance, Isolation, Load, Returned, Value,
};

const STATUS: &str = "proxy_status_t";

fn hostcall(name: &str, import: &str, params: Vec<Param>) -> Hostcall {
    Hostcall {
        name: name.to_owned(),
        import: ("env".to_owned(), import.to_owned()),
        params,
        returns: Returns::Enum(STATUS.to_owned()),
        section: String::new(),
        absent: None,
    }
}

fn requirement(id: &str) -> Requirement {
    Requirement {
        id: id.to_owned(),
        level: Level::Must,
        seat: Seat::Boundary,
        text: format!("when {id}, the host does it"),
        section: String::new(),
        ruling: None,
        excluded: None,
    }
}

fn abi() -> Abi {
    let kind = Param {
        name: "kind".into(),
        ty: Type::Enum("kind_t".to_owned()),
        volatile: false,
        default: None,
    };
    let values = |all: &[(&str, u64)]| all.iter().map(|(n, v)| ((*n).to_owned(), *v)).collect();
    Abi {
        id: "0.2.0".to_owned(),
        dialect_of: None,
        marker: "proxy_abi_version_0_2_0".to_owned(),
        hostcalls: vec![
            hostcall("proxy_send", "proxy_send", Vec::new()),
            hostcall("proxy_ask", "proxy_ask", vec![kind]),
            hostcall("proxy_never", "proxy_never", Vec::new()),
        ],
        callbacks: vec![Callback {
            name: "proxy_on_go".to_owned(),
            export: None,
            kind: ExportKind::Callback,
            plugin_types: Vec::new(),
            params: Vec::new(),
            returns: Returns::Nothing,
            section: String::new(),
            absent: None,
        }],
        enums: vec![
            EnumDef {
                name: STATUS.to_owned(),
                values: values(&[("OK", 0), ("NOT_FOUND", 1)]),
                foreign: Vec::new(),
            },
            EnumDef {
                name: "kind_t".to_owned(),
                values: values(&[("BIG", 0), ("SMALL", 1)]),
                foreign: Vec::new(),
            },
        ],
        requirements: [
            "proxy_send/OK",
            "proxy_send/NOT_FOUND",
            "proxy_ask/OK",
            "proxy_never/OK",
            "proxy_on_go/called",
        ]
        .map(requirement)
        .to_vec(),
        absent: Vec::new(),
        faults: Vec::new(),
        index: Default::default(),
    }
}

/// The same with a call under another name, one that is not there, and other numbers.
fn dialect() -> Abi {
    let mut abi = abi();
    abi.id = "own".to_owned();
    abi.dialect_of = Some("0.2.0".to_owned());
    abi.hostcalls[0].import.1 = "proxy_dispatch".to_owned();
    abi.hostcalls[2].absent = Some("nobody wanted it".to_owned());
    abi.enums[0].values[1].1 = 2;
    abi.enums[1].values = vec![("BIG".to_owned(), 1), ("SMALL".to_owned(), 0)];
    abi.enums[1].foreign = vec![("Huge".to_owned(), 7)];
    abi
}

fn column(name: &str, abi: &str) -> Column {
    Column {
        name: name.to_owned(),
        host: "host".to_owned(),
        host_version: "1".to_owned(),
        host_digest: String::new(),
        abi: abi.to_owned(),
        dialect: abi == "own",
        driver: "network".to_owned(),
        not_offered: Vec::new(),
        unverified: false,
    }
}

fn check(req: &str, outcome: Outcome, got: &str) -> CheckResult {
    CheckResult {
        name: "call 1 status".to_owned(),
        req: req.to_owned(),
        level: Level::Must,
        control: false,
        outcome,
        expected: String::new(),
        got: got.to_owned(),
        line: 0,
        column: 0,
        event: None,
    }
}

/// One case in both columns.
struct Of {
    case: &'static str,
    text: ResultLine,
    own: ResultLine,
}

fn result(column: &str, case: &str, verdict: Verdict, checks: Vec<CheckResult>) -> ResultLine {
    let mut attempt = Attempt::empty(Isolation::Shared);
    attempt.load = Load::Loaded;
    ResultLine {
        column: column.to_owned(),
        case: case.to_owned(),
        case_digest: String::new(),
        program_digest: String::new(),
        module_digest: String::new(),
        attempts: vec![attempt],
        judgement: Judgement {
            verdict,
            level: Level::Must,
            checks,
            observed: Vec::new(),
            blocked_by: None,
            reason: None,
        },
        gate: Gate::Expected,
        company: false,
        added: false,
        drift: None,
        faults: Vec::new(),
        seed: None,
    }
}

fn of(
    case: &'static str,
    req: &str,
    text: (Verdict, Outcome, &str),
    own: (Verdict, Outcome, &str),
) -> Of {
    let one = |column: &str, (verdict, outcome, got): (Verdict, Outcome, &str)| {
        result(column, case, verdict, vec![check(req, outcome, got)])
    };
    Of {
        case,
        text: one("host-1-0.2.0", text),
        own: one("host-1-own", own),
    }
}

impl Of {
    fn unlinked(mut self, import: &str) -> Of {
        self.text.attempts[0].load = Load::Unlinked {
            import: import.to_owned(),
            text: Blob::new(b"no such import"),
        };
        self
    }

    fn blocked(mut self, by: &str) -> Of {
        self.text.judgement.blocked_by = Some(by.to_owned());
        self
    }

    /// The guest asks for what the text numbers 0.
    fn asks(mut self) -> Of {
        let call = Event {
            kind: EventKind::Hostcall,
            name: "proxy_ask".into(),
            step: Some(0),
            args: vec![Field {
                name: "kind".into(),
                value: Value::Enum(Some("BIG".into()), 0),
                volatile: false,
            }],
            outs: Vec::new(),
            end: Returned::Value(Value::Enum(Some("OK".into()), 0)),
            repeat: None,
            inner: Vec::new(),
        };
        self.text.attempts[0].trace.instances = vec![Instance {
            vm: 0,
            label: String::new(),
            events: vec![call],
        }];
        self
    }
}

fn record(all: Vec<Of>) -> Record {
    let cases = all.iter().map(|of| CaseLine {
        id: of.case.to_owned(),
        suite: String::new(),
        area: of.case.split('/').next().unwrap_or_default().to_owned(),
        about: String::new(),
        file: String::new(),
        line: 1,
        yaml: String::new(),
        indent: 0,
        requirements: Vec::new(),
        tags: Vec::new(),
    });
    Record {
        header: Header {
            version: RECORD_VERSION,
            pwspec: String::new(),
            suite: String::new(),
            suite_digest: String::new(),
            began: String::new(),
            command: String::new(),
            filters: Vec::new(),
            seed: 0,
            pinned: None,
            shard: None,
            columns: vec![column("host-1-0.2.0", "0.2.0"), column("host-1-own", "own")],
        },
        cases: cases.collect(),
        results: all.into_iter().flat_map(|of| [of.text, of.own]).collect(),
        footer: Footer {
            ended: String::new(),
            seconds: 0.0,
            interrupted: false,
            trouble: Vec::new(),
            canaries: Vec::new(),
            columns: Vec::new(),
            exit_code: 0,
        },
    }
}

use Outcome::{Fail, Pass, Unreached};

const PASS: (Verdict, Outcome, &str) = (Verdict::Pass, Pass, "");

fn host() -> Record {
    record(vec![
        of(
            "a/one",
            "proxy_send/OK",
            (Verdict::Unlinked, Unreached, ""),
            PASS,
        )
        .unlinked("proxy_send"),
        of(
            "a/two",
            "proxy_send/NOT_FOUND",
            (Verdict::Unlinked, Unreached, ""),
            (Verdict::Fail, Fail, "<script>alert(1)</script>|`x`"),
        )
        .unlinked("proxy_send"),
        of(
            "b/waits",
            "proxy_on_go/called",
            (Verdict::Blocked, Unreached, ""),
            PASS,
        )
        .blocked("proxy_send/OK"),
        of(
            "b/kind",
            "proxy_ask/OK",
            (Verdict::Fail, Fail, "the small one"),
            PASS,
        )
        .asks(),
        of(
            "b/lacks",
            "proxy_never/OK",
            (Verdict::Unlinked, Unreached, ""),
            (Verdict::OutOfScope, Unreached, ""),
        )
        .unlinked("proxy_never"),
        of("b/good", "proxy_ask/OK", PASS, PASS),
        of(
            "c/go",
            "proxy_on_go/called",
            (Verdict::Fail, Fail, "proxy_on_go did not come"),
            (Verdict::Fail, Fail, "proxy_on_go did not come"),
        ),
    ])
}

fn work() -> Work {
    let (text, own) = (abi(), dialect());
    let mut all = adaptation(&[host()], &[&text, &own]);
    assert_eq!(all.len(), 1, "a dialect is no column of the text");
    all.remove(0)
}

#[test]
fn what_unlocks_most_comes_first() {
    let work = work();
    let steps: Vec<(&str, u32, u32, u32)> = work
        .steps
        .iter()
        .map(|s| (s.topic.as_str(), s.unlocks, s.direct, s.own_pass))
        .collect();
    assert_eq!(
        steps,
        [
            ("proxy_send", 3, 2, 2),
            ("proxy_ask", 1, 1, 1),
            ("proxy_never", 1, 1, 0),
            ("proxy_on_go", 1, 1, 0),
        ]
    );
}

#[test]
fn each_case_is_counted_once_where_it_belongs() {
    let work = work();
    let sums = Sums {
        all: 7,
        pass: 1,
        words: 3,
        behaviour: 1,
        missing: 2,
        behind: 0,
        not_run: 0,
    };
    assert_eq!(work.sums, sums);
    let names: Vec<&str> = work.areas.iter().map(|a| a.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    let all: u32 = work.areas.iter().map(|a| a.sums.all).sum();
    assert_eq!(all, work.sums.all);
}

#[test]
fn a_call_under_another_name_is_to_be_exported_and_its_rows_come_from_the_dialect() {
    let work = work();
    let step = &work.steps[0];
    assert_eq!(step.links.state, State::No);
    assert!(
        step.links.words.contains("proxy_dispatch"),
        "{}",
        step.links.words
    );
    assert_eq!(step.number.state, State::No);
    assert!(step.number.words.contains("NOT_FOUND is 2 and not 1"));
    assert_eq!(
        step.todo,
        [
            "export proxy_dispatch under the text's name too",
            "take and give the text's numbers",
            "mend the rows below"
        ]
    );
    assert_eq!(step.case, "a/one", "the first that turns green");
    let rows: Vec<(&str, bool)> = step
        .rows
        .iter()
        .map(|r| (r.req.as_str(), r.seen_in_own))
        .collect();
    assert_eq!(rows, [("proxy_send/NOT_FOUND", true)]);
    assert_eq!(
        step.command(&work),
        "pwspec run a/one --host host --abi 0.2.0,own"
    );
}

#[test]
fn a_number_that_means_something_else_is_named() {
    let work = work();
    let step = &work.steps[1];
    assert_eq!(step.links.state, State::Yes);
    assert_eq!(step.number.state, State::No);
    assert!(
        step.number.words.contains("BIG is 1 and not 0"),
        "{}",
        step.number.words
    );
    assert_eq!(step.todo, ["take and give the text's numbers"]);
    assert!(step.rows[0].own_passes);
}

#[test]
fn what_nobody_has_is_to_be_written() {
    let work = work();
    let step = &work.steps[2];
    assert!(step.links.words.contains("nobody wanted it"));
    assert_eq!(step.number.state, State::Unasked);
    assert_eq!(step.todo, ["write it and export it"]);
    let go = &work.steps[3];
    assert_eq!(go.links.state, State::No);
    assert_eq!(go.todo[0], "call it");
}

#[test]
fn a_column_that_takes_no_module_has_one_step() {
    let mut record = host();
    record.results.retain(|r| r.column == "host-1-0.2.0");
    for r in &mut record.results {
        r.judgement.verdict = Verdict::Blocked;
        r.judgement.blocked_by = Some("abi_version/marker".to_owned());
        r.attempts[0].load = Load::Refused {
            text: Blob::new(b"unknown version"),
        };
    }
    let marker = &mut record.results[0].judgement;
    marker.verdict = Verdict::Fail;
    marker.blocked_by = None;
    marker.checks = vec![check("abi_version/marker", Fail, "refused")];
    let mut other = column("host-1-0.1.0", "0.1.0");
    other.dialect = false;
    record.header.columns.push(other);
    record
        .results
        .push(result("host-1-0.1.0", "b/good", Verdict::Pass, Vec::new()));
    let text = abi();
    let all = adaptation(&[record], &[&text]);
    let [step] = &all[0].steps[..] else {
        panic!("{:?}", all[0].steps)
    };
    assert_eq!(step.title, "proxy_abi_version_0_2_0");
    assert_eq!((step.unlocks, step.direct), (7, 1));
    assert_eq!(step.elsewhere, Some(("0.1.0".to_owned(), 1)));
    assert_eq!(
        step.todo,
        ["take modules with the marker proxy_abi_version_0_2_0"]
    );
}

#[test]
fn a_host_that_does_all_has_nothing_left_to_do() {
    let mut record = host();
    for r in &mut record.results {
        r.judgement.verdict = Verdict::Pass;
        r.judgement.blocked_by = None;
    }
    let (text, own) = (abi(), dialect());
    let all = adaptation(&[record], &[&text, &own]);
    assert!(all[0].steps.is_empty());
    assert_eq!(all[0].sums.left(), 0);
    assert!(plain(&super::text(&all)).contains("nothing is left to do"));
    assert!(html(&all).contains("Nothing is left to do."));
}

#[test]
fn the_three_forms_say_the_same_and_what_a_host_said_is_harmless() {
    let all = [work()];
    let on_terminal = plain(&super::text(&all));
    let page = html(&all);
    let list = markdown(&all);
    for form in [&on_terminal, &page, &list] {
        for words in [
            "proxy_dispatch",
            "pwspec run a/one --host host --abi 0.2.0,own",
            "proxy_send/NOT_FOUND",
            "kind_t",
        ] {
            let form = form.replace("&#x2f;", "/").replace("\\_", "_");
            assert!(form.contains(words), "{words} in\n{form}");
        }
    }
    assert!(!page.contains("<script"), "{page}");
    assert!(
        list.contains("`` <script>alert(1)</script>\\|`x` ``"),
        "{list}"
    );
    assert_eq!(page, html(&all));
    assert_eq!(list, markdown(&all));
}

#[test]
fn without_a_column_of_a_host_there_is_no_list() {
    let text = abi();
    let mut record = host();
    for column in &mut record.header.columns {
        column.driver = "reference".to_owned();
    }
    let all = adaptation(&[record], &[&text]);
    assert_eq!(all, []);
    assert!(super::text(&all).contains("no column"));
    assert!(html(&all).contains("No column"));
}
