//! Records: what was written is read again, what is damaged is refused by name.

use std::io::Write as _;
use std::sync::{Arc, Mutex};

use crate::abi::Level;
use crate::judge::{Gate, Judgement, Verdict};
use crate::record::{
    CaseLine, Collector, Column, Event, Footer, Header, RECORD_VERSION, Record, RecordErrorKind,
    ResultLine, Sink, Tee, Writer, published, slim, summary, verdicts,
};
use crate::trace::{Attempt, Blob, Isolation};

fn result(case: &str, verdict: Verdict) -> ResultLine {
    let mut attempt = Attempt::empty(Isolation::Shared);
    attempt.host_log = Some(Blob::new(b"log \xff"));
    attempt.wire = Some(Blob::new(b"wire"));
    ResultLine {
        column: "reference-1-0.2.1".into(),
        case: case.into(),
        case_digest: "a".into(),
        program_digest: "b".into(),
        module_digest: "c".into(),
        attempts: vec![attempt.clone(), attempt],
        judgement: Judgement {
            verdict,
            level: Level::Must,
            checks: Vec::new(),
            observed: Vec::new(),
            blocked_by: None,
            reason: None,
        },
        gate: Gate::Expected,
        seed: None,
        company: false,
        added: false,
        drift: None,
        faults: Vec::new(),
    }
}

fn case(id: &str) -> CaseLine {
    CaseLine {
        id: id.into(),
        suite: "log/log".into(),
        area: "log".into(),
        about: "x".into(),
        file: "specs/cases/log/log.yaml".into(),
        line: 3,
        yaml: "- id: a\n".into(),
        indent: 0,
        requirements: Vec::new(),
        tags: Vec::new(),
    }
}

fn record() -> Record {
    Record {
        header: Header {
            version: RECORD_VERSION,
            pwspec: "0.1.0".into(),
            suite: "0.1".into(),
            suite_digest: "d".into(),
            began: "2026-01-01T00:00:00Z".into(),
            command: "pwspec run".into(),
            filters: Vec::new(),
            seed: 1,
            shard: None,
            pinned: None,
            columns: vec![Column {
                name: "reference-1-0.2.1".into(),
                host: "reference".into(),
                host_version: "1".into(),
                host_digest: "1".into(),
                abi: "0.2.1".into(),
                dialect: false,
                driver: "reference".into(),
                not_offered: Vec::new(),
                unverified: false,
            }],
        },
        cases: vec![case("log/log/a"), case("log/log/b")],
        results: vec![
            result("log/log/a", Verdict::Pass),
            result("log/log/b", Verdict::Fail),
        ],
        footer: Footer {
            ended: "2026-01-01T00:00:01Z".into(),
            seconds: 1.5,
            interrupted: false,
            trouble: Vec::new(),
            canaries: Vec::new(),
            columns: Vec::new(),
            exit_code: 1,
        },
    }
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic holds it").extend(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn bytes(record: &Record) -> Vec<u8> {
    let out = Shared::default();
    let mut writer = Writer::new(out.clone(), "memory");
    writer.record(record).expect("memory takes it");
    out.0.lock().expect("no panic holds it").clone()
}

fn refused(bytes: &[u8]) -> String {
    let error = Record::read_from(bytes, "x.jsonl").expect_err("it is damaged");
    error.to_string()
}

#[test]
fn what_was_written_is_read_again() {
    let record = record();
    let read = Record::read_from(bytes(&record).as_slice(), "x.jsonl").expect("whole");
    assert_eq!(read, record);
}

#[test]
fn a_record_cut_anywhere_is_truncated_by_name() {
    let all = bytes(&record());
    for cut in 0..all.len() - 1 {
        let said = refused(&all[..cut]);
        assert_eq!(
            said, "truncated record: no footer (x.jsonl)",
            "cut at {cut}"
        );
    }
}

#[test]
fn a_bad_line_is_named() {
    let text = String::from_utf8(bytes(&record())).expect("JSON is UTF-8");
    let mut lines: Vec<&str> = text.lines().collect();
    lines[1] = "{\"case\":{}}";
    let said = refused(format!("{}\n", lines.join("\n")).as_bytes());
    assert!(said.starts_with("bad record: missing field `id`"), "{said}");
    assert!(said.ends_with("(x.jsonl:2)"), "{said}");
}

#[test]
fn lines_in_the_wrong_place_are_refused() {
    let text = String::from_utf8(bytes(&record())).expect("JSON is UTF-8");
    let lines: Vec<&str> = text.lines().collect();
    let with = |order: &[usize]| {
        let picked: Vec<&str> = order.iter().map(|i| lines[*i]).collect();
        refused(format!("{}\n", picked.join("\n")).as_bytes())
    };
    assert!(with(&[1, 0, 5]).contains("the first line is no header"));
    assert!(with(&[0, 0, 5]).contains("a second header"));
    assert!(with(&[0, 5, 1]).contains("a line after the footer"));
    assert!(with(&[0, 3, 5]).contains("\"log/log/a\" was not announced"));
    let foreign = text.replacen("\"column\":\"reference", "\"column\":\"other", 1);
    assert!(refused(foreign.as_bytes()).contains("\"other-1-0.2.1\" is not in the header"));
}

#[test]
fn another_version_is_named_whatever_else_the_header_holds() {
    let said = refused(b"{\"header\":{\"version\":2,\"new\":true}}\n");
    assert_eq!(
        said,
        "record of version 2, this pwspec reads version 1 (x.jsonl)"
    );
}

#[test]
fn a_record_is_never_written_over() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("record.jsonl");
    std::fs::File::create(&path)
        .and_then(|mut f| f.write_all(b"old"))
        .expect("a file");
    let error = Writer::create(&path).err().expect("it exists");
    assert_eq!(error.kind, RecordErrorKind::Exists);
    assert_eq!(std::fs::read(&path).expect("it is there"), b"old");
}

#[test]
fn the_published_form_keeps_what_failures_need() {
    let mut record = record();
    slim(&mut record);
    let pass = &record.results[0].attempts;
    assert_eq!(pass.len(), 2, "a token is made from the number of attempts");
    assert!(
        pass.iter()
            .all(|a| a.host_log.is_none() && a.wire.is_none())
    );
    let fail = &record.results[1].attempts;
    assert_eq!(fail.len(), 2);
    assert!(fail[1].host_log.is_some() && fail[1].wire.is_some());
}

#[test]
fn listeners_of_one_run_agree() {
    let record = record();
    let out = Shared::default();
    let mut writer = Writer::new(out.clone(), "memory");
    let mut collector = Collector::default();
    let mut tee = Tee(vec![&mut writer, &mut collector]);
    let mut events = vec![Event::Started {
        header: Arc::new(record.header.clone()),
        cases: Arc::new(record.cases.clone()),
    }];
    events.extend(
        record
            .results
            .iter()
            .map(|r| Event::CaseEnded(Arc::new(r.clone()))),
    );
    events.push(Event::Finished(Arc::new(record.footer.clone())));
    for event in &events {
        tee.event(event).expect("memory takes it");
    }
    assert_eq!(collector.into_record().expect("finished"), record);
    let written = out.0.lock().expect("no panic holds it").clone();
    let mut kept = record;
    slim(&mut kept);
    assert_eq!(
        Record::read_from(written.as_slice(), "x").expect("whole"),
        kept
    );
}

#[test]
fn a_run_that_did_not_finish_is_no_record() {
    let error = Collector::default().into_record().expect_err("no footer");
    assert_eq!(error.kind, RecordErrorKind::Truncated);
}

#[test]
fn the_summary_repeats_the_exit_code() {
    assert_eq!(summary(&record()).exit_code, 1);
    assert_eq!(summary(&record()).version, 1);
}

#[test]
fn long_logs_keep_both_ends() {
    let mut record = record();
    let long: Vec<u8> = (0..5000u32).map(|n| b'a' + (n % 26) as u8).collect();
    record.results[1].attempts[1].host_log = Some(Blob::Whole(long.clone()));
    slim(&mut record);
    let Some(Blob::Cut {
        len,
        digest,
        head,
        tail,
    }) = &record.results[1].attempts[1].host_log
    else {
        panic!("a log of 5,000 bytes is cut");
    };
    assert_eq!((*len, *digest), (5000, crate::trace::digest(&long)));
    assert_eq!(
        (head.as_slice(), tail.as_slice()),
        (&long[..1024], &long[5000 - 1024..])
    );
}

fn packed(record: &Record) -> Vec<u8> {
    let out = Shared::default();
    Writer::new(out.clone(), "memory")
        .packed(record)
        .expect("memory takes it");
    out.0.lock().expect("no panic holds it").clone()
}

#[test]
fn a_packed_record_is_read_like_any_other() {
    let record = record();
    let bytes = packed(&record);
    assert_eq!(
        bytes
            .split(|b| *b == b'\n')
            .filter(|l| !l.is_empty())
            .count(),
        3
    );
    assert_eq!(
        Record::read_from(bytes.as_slice(), "x").expect("whole"),
        record
    );
}

#[test]
fn a_damaged_pack_is_a_bad_line() {
    let text = String::from_utf8(packed(&record())).expect("JSON is UTF-8");
    let start = text.find("\"packed\":\"").expect("it is packed") + 10;
    let mut cut = text.clone();
    cut.replace_range(start..start + 8, "AAAAAAAA");
    let said = refused(cut.as_bytes());
    assert!(
        said.starts_with("bad record: ") && said.ends_with("(x.jsonl:2)"),
        "{said}"
    );
    assert_eq!(
        refused(&text.as_bytes()[..start + 20]),
        "truncated record: no footer (x.jsonl)"
    );
}

#[test]
fn what_is_published_of_a_column_is_its_own_and_says_how_to_make_it_again() {
    let mut record = record();
    let mut other = record.header.columns[0].clone();
    other.name = "envoy-1.40.0-0.2.1".into();
    other.host = "envoy".into();
    other.host_version = "1.40.0".into();
    other.driver = "network".into();
    record.header.columns.push(other.clone());
    record.header.command = "pwspec run --host envoy=/somewhere/envoy --out /else".into();
    let mut result = record.results[0].clone();
    result.column = other.name.clone();
    record.results.push(result);
    let own = crate::record::published(&record, &other);
    assert_eq!(own.header.columns, [other]);
    assert_eq!(
        own.header.command,
        "pwspec run --host envoy@1.40.0 --abi 0.2.1"
    );
    assert_eq!(own.results.len(), 1);
    assert_eq!(
        own.cases.len(),
        1,
        "cases that ran elsewhere only are left out"
    );
    assert!(own.results[0].attempts.iter().all(|a| a.host_log.is_none()));
}

#[test]
fn secrets_do_not_get_past() {
    let record = record();
    let secret = "Bearer s3cret-token";
    let mut result = record.results[1].clone();
    let attempt = result.attempts.last_mut().expect("it was played");
    attempt.host_log = Some(Blob::new(format!("sent {secret}\n").as_bytes()));
    attempt.wire = Some(Blob::Whole([b"\xff", secret.as_bytes(), b"\xfe"].concat()));
    let long = [secret.as_bytes(), &[b'x'; 5000], secret.as_bytes()].concat();
    attempt.logs.push(crate::trace::LogLine {
        level: None,
        text: Blob::new(&long),
    });
    result.judgement.reason = Some(format!("it said {secret}"));
    let mut footer = record.footer.clone();
    footer
        .trouble
        .push(("x".into(), format!("failed with {secret}")));
    let mut header = record.header.clone();
    header.command = format!("pwspec run --host x={secret}");
    let out = Shared::default();
    let mut writer = Writer::new(out.clone(), "memory");
    let mut collector = Collector::default();
    let mut tee = Tee(vec![&mut writer, &mut collector]);
    let mut sink = crate::record::Redacting::new(&mut tee, vec![secret.to_owned()]);
    let events = [
        Event::Started {
            header: Arc::new(header),
            cases: Arc::new(record.cases.clone()),
        },
        Event::CaseEnded(Arc::new(result)),
        Event::Finished(Arc::new(footer)),
    ];
    for event in &events {
        sink.event(event).expect("memory takes it");
    }
    let kept = collector.into_record().expect("finished");
    let attempt = kept.results[0].attempts.last().expect("kept");
    let wire = attempt.wire.as_ref().and_then(Blob::whole).expect("whole");
    assert_eq!(
        wire,
        ["\u{2039}redacted\u{203a}".as_bytes()]
            .concat()
            .iter()
            .copied()
            .fold(vec![0xff], |mut v, b| {
                v.push(b);
                v
            })
            .into_iter()
            .chain([0xfe])
            .collect::<Vec<_>>()
    );
    for text in [
        format!("{kept:?}"),
        String::from_utf8_lossy(&out.0.lock().expect("no panic holds it")).into_owned(),
    ] {
        assert!(!text.contains("s3cret"), "{text}");
        assert!(text.contains("redacted"));
    }
    let Blob::Cut { head, .. } = &attempt.logs[0].text else {
        panic!("it is long")
    };
    assert!(!head.windows(6).any(|w| w == b"s3cret"));
}

#[test]
fn the_verdicts_of_a_record_are_read_without_the_rest() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let record = record();
    std::fs::write(file.path(), bytes(&record)).expect("it is ours");
    let read = verdicts(file.path()).expect("whole");
    let key = |r: &ResultLine| (r.column.clone(), r.case.clone());
    let all = record.results.iter().map(|r| (key(r), r.judgement.verdict));
    assert_eq!(read, all.collect());
    assert_eq!(read.len(), 2);
    // Without the footer it may be half of a run.
    let lines = bytes(&record);
    let cut = lines.iter().rposition(|b| *b == b'{').unwrap_or(0);
    let cut = lines[..cut].iter().rposition(|b| *b == b'\n').unwrap_or(0);
    std::fs::write(file.path(), &lines[..=cut]).expect("it is ours");
    let error = verdicts(file.path())
        .expect_err("it is truncated")
        .to_string();
    assert!(error.contains("truncated"), "{error}");
}

#[test]
fn what_is_published_names_no_folder_of_the_machine() {
    let mut record = record();
    let log = "add /tmp/x.y/pwspec-V7P7Qo/c5.sock\n/home/me/src/pwspec/target/hosts/mosn/1/mosn died at \
               /pwspec/mosn/main.go:28, /etc/pwspec-notes stays";
    let noise = [&b"\xff\xfe /var/tmp/pwspec-abcDEF"[..], b"/lds.yaml"].concat();
    let mut attempt = Attempt::empty(Isolation::Shared);
    attempt.host_log = Some(Blob::new(log.as_bytes()));
    attempt.load = crate::trace::Load::Refused {
        text: Blob::new(&noise),
    };
    // Of a failing result the log is kept.
    record.results[1].attempts = vec![attempt];
    let column = record.header.columns[0].clone();
    let out = published(&record, &column);
    let attempt = &out.results[1].attempts[0];
    let text = attempt.host_log.as_ref().expect("kept").display();
    assert_eq!(
        text,
        "\"add ‹folder›/c5.sock\\ntarget/hosts/mosn/1/mosn died at \
         /pwspec/mosn/main.go:28, /etc/pwspec-notes stays\""
    );
    let crate::trace::Load::Refused { text } = &attempt.load else {
        panic!("{:?}", attempt.load)
    };
    assert!(
        text.display().ends_with("‹folder›/lds.yaml\""),
        "{}",
        text.display()
    );
}
