//! Maps, records and canonical texts, for bytes of any kind: nothing is lost, nothing panics, nothing
//! that a host said reaches a terminal raw.

use proptest::prelude::*;
use pwspec::abi::{decode_pairs, encode_pairs};
use pwspec::judge::Verdict;
use pwspec::record::{
    CaseLine, Column, Footer, Header, RECORD_VERSION, Record, ResultLine, Writer, slim_result,
};
use pwspec::report::terminal::Failure;
use pwspec::report::{html, plain};
use pwspec::trace::{Blob, CanonOptions, canon, canonical, diff, quote, typed_map};

use crate::any;

const COLUMN: &str = "host-1-0.2.1";
const CASE: &str = "demo/one/here";

fn column() -> Column {
    Column {
        name: COLUMN.to_owned(),
        host: "host".to_owned(),
        host_version: "1".to_owned(),
        host_digest: "d".to_owned(),
        abi: "0.2.1".to_owned(),
        dialect: false,
        driver: "network".to_owned(),
        not_offered: Vec::new(),
        unverified: false,
    }
}

fn case() -> CaseLine {
    CaseLine {
        id: CASE.to_owned(),
        suite: "demo/one".to_owned(),
        area: "demo".to_owned(),
        about: "x".to_owned(),
        file: "specs/cases/demo/one.yaml".to_owned(),
        line: 1,
        yaml: "- id: here\n".to_owned(),
        indent: 2,
        requirements: Vec::new(),
        tags: Vec::new(),
    }
}

fn record(results: Vec<ResultLine>) -> Record {
    Record {
        header: Header {
            version: RECORD_VERSION,
            pwspec: "0".to_owned(),
            suite: "0".to_owned(),
            suite_digest: "d".to_owned(),
            began: "2026-01-01T00:00:00Z".to_owned(),
            command: "pwspec run".to_owned(),
            filters: Vec::new(),
            seed: 1,
            shard: None,
            pinned: None,
            columns: vec![column()],
        },
        cases: vec![case()],
        results,
        footer: Footer {
            ended: "2026-01-01T00:00:01Z".to_owned(),
            seconds: 1.0,
            interrupted: false,
            trouble: Vec::new(),
            canaries: Vec::new(),
            columns: Vec::new(),
            exit_code: 0,
        },
    }
}

/// The record as its file has it.
fn written(record: &Record) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("record.jsonl");
    Writer::create(&path).unwrap().record(record).unwrap();
    std::fs::read(path).unwrap()
}

/// A character that moves the cursor, hides or turns text round.
fn unsafe_to_show(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

proptest! {
    #![proptest_config(any::config(256))]

    #[test]
    fn a_map_comes_back_as_it_was(pairs in any::pairs()) {
        let bytes = encode_pairs(&pairs);
        let again = decode_pairs(&bytes);
        prop_assert_eq!(again.as_ref(), Ok(&pairs));
        // A byte more or less is no map, and the error stays within the bytes.
        let mut more = bytes.clone();
        more.push(0);
        let error = decode_pairs(&more).unwrap_err();
        prop_assert!(error.offset() <= more.len());
        // One zero byte is an empty map too: a ruling.
        for cut in [1, bytes.len() / 2, bytes.len() - 1] {
            let cut = &bytes[..cut];
            prop_assert!(decode_pairs(cut).is_err() || cut == [0]);
        }
    }

    #[test]
    fn bytes_of_any_kind_are_a_map_or_an_error(bytes in any::bytes(), count in 0u32..5) {
        for bytes in [bytes.clone(), [&count.to_le_bytes()[..], &bytes].concat()] {
            match decode_pairs(&bytes) {
                Ok(pairs) if !pairs.is_empty() => prop_assert_eq!(encode_pairs(&pairs), bytes.clone()),
                Ok(_) => prop_assert!(matches!(bytes.as_slice(), [] | [0] | [0, 0, 0, 0])),
                Err(e) => prop_assert!(e.offset() <= bytes.len(), "{}", e),
            }
            let _ = typed_map(&bytes);
        }
    }

    #[test]
    fn a_blob_knows_its_bytes(bytes in any::bytes(), other in any::bytes()) {
        let blob = Blob::new(&bytes);
        prop_assert_eq!(blob.len(), bytes.len() as u64);
        prop_assert!(blob.is(&bytes));
        prop_assert_eq!(blob.is(&other), bytes == other);
        let json = serde_json::to_string(&blob).unwrap();
        prop_assert_eq!(serde_json::from_str::<Blob>(&json).unwrap(), blob.clone());
        prop_assert!(!blob.display().contains(unsafe_to_show), "{:?}", blob.display());
    }

    #[test]
    fn different_bytes_are_quoted_differently(a in any::bytes(), b in any::bytes()) {
        prop_assert_eq!(quote(&a) == quote(&b), a == b);
    }
}

proptest! {
    #![proptest_config(any::config(96))]

    #[test]
    fn a_record_comes_back_as_it_was(result in any::result(COLUMN, CASE)) {
        let record = record(vec![result]);
        let bytes = written(&record);
        prop_assert_eq!(bytes.iter().filter(|b| **b == b'\n').count(), 4, "a line each");
        let again = Record::read_from(bytes.as_slice(), "again").map_err(|e| TestCaseError::fail(e.to_string()))?;
        prop_assert_eq!(&again, &record);
        prop_assert_eq!(written(&again), bytes);
    }

    #[test]
    fn a_cut_record_is_refused(result in any::result(COLUMN, CASE), at in 0.0f64..1.0) {
        let bytes = written(&record(vec![result]));
        let cut = &bytes[..((bytes.len() - 1) as f64 * at) as usize];
        prop_assert!(Record::read_from(cut, "cut").is_err());
    }

    #[test]
    fn a_slim_result_keeps_what_was_judged(result in any::result(COLUMN, CASE)) {
        let mut slim = result.clone();
        slim_result(&mut slim);
        prop_assert_eq!(&slim.judgement, &result.judgement);
        prop_assert_eq!(slim.attempts.is_empty(), result.attempts.is_empty());
        let last = |r: &ResultLine| r.attempts.last().map(|a| (a.trace.clone(), a.seen.clone()));
        prop_assert_eq!(last(&slim), last(&result));
        let whole = result.judgement.verdict.fails() || result.judgement.verdict == Verdict::NotRun;
        prop_assert!(!whole || slim == result);
        let once = slim.clone();
        slim_result(&mut slim);
        prop_assert_eq!(once, slim);
    }

    #[test]
    fn the_canonical_text_is_always_the_same_and_safe_to_show(
        trace in any::trace(), seen in any::seen(), only_full: bool,
    ) {
        let options = CanonOptions { only_full, ..CanonOptions::default() };
        let shown = canon(&trace, &seen, &options);
        prop_assert_eq!(&shown, &canon(&trace.clone(), &seen.clone(), &options));
        prop_assert_eq!(&shown.text, &canonical(&trace, &seen, &options));
        prop_assert!(shown.text.is_empty() || shown.text.ends_with('\n'));
        for line in shown.text.split('\n') {
            prop_assert!(!line.contains(unsafe_to_show), "{:?}", line);
        }
        // Every line that an event points to is there; without `only_full` every event has one.
        let lines = shown.text.lines().count() as u32;
        prop_assert!(shown.lines.values().all(|n| (1..=lines).contains(n)));
        if !only_full {
            let events: usize = trace.instances.iter().map(|i| i.walk().len()).sum();
            prop_assert_eq!(shown.lines.len(), events);
        }
        // A record keeps all that the text is made of.
        let json = serde_json::to_string(&(&trace, &seen)).unwrap();
        let (trace, seen) = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(canonical(&trace, &seen, &options), shown.text);
    }

    #[test]
    fn a_difference_is_empty_only_between_equals(
        a in any::trace(), b in any::trace(), seen in any::seen(),
    ) {
        let options = CanonOptions::default();
        let (a, b) = (canonical(&a, &seen, &options), canonical(&b, &seen, &options));
        prop_assert_eq!(diff(&a, &b).is_empty(), a == b);
    }

    #[test]
    fn a_failure_is_safe_to_show(result in any::result(COLUMN, CASE)) {
        let (column, case) = (column(), case());
        let failure = Failure { column: &column, case: &case, result: &result, traces: "t", command: "pwspec run" };
        for text in [failure.block(), failure.line()] {
            let text = plain(&text);
            let bad = |c: char| c != '\n' && unsafe_to_show(c);
            prop_assert!(!text.contains(bad), "{:?}", text);
        }
        prop_assert!(!failure.line().contains('\n'));
    }
}

proptest! {
    #![proptest_config(any::config(12))]

    #[test]
    fn a_report_is_always_the_same_and_lets_no_markup_through(result in any::result(COLUMN, CASE)) {
        let record = record(vec![result]);
        let page = html::render(std::slice::from_ref(&record));
        prop_assert_eq!(&page, &html::render(&[record]));
        prop_assert!(!page.contains("<script>alert"));
        let raw = ['\0', '\u{1b}'];
        prop_assert!(!page.contains(raw));
    }
}
