//! Known failures are edited in place: what is not asked for stays as it was written.

use crate::case::{Known, KnownAs, Profile, edit_known, known_lines, load_profile};

const TEXT: &str = "\
# A host.
version: 1
name: toy
driver: stdio
abi: [0.2.0, 0.2.1]
known:
  # Fields: one cause each.
  - cases:
      - fields/a/one # the first
      - fields/a/two
      # the last of them
      - fields/a/three
    verdicts: [fail]
    # read twice
    checks: [x/OK]   # two rows, one cause
    seen: OK
    why: >-
      A long reason that goes
      over two lines # and this is text
    source: 'a.cc: f'

  # Braces.
  - {cases: [fields/b], seen: 'it''s so', why: w, source: s}  # short
  - cases: [fields/c, fields/d]
    seen: s
    why: the host's cause # not text
    source: not read
# The end.
limits: {header_bytes: 1}
";

fn profile(text: &str) -> Profile {
    load_profile("toy.yaml", text).unwrap_or_else(|p| panic!("{p:?}\n{text}"))
}

/// The list as it is, to be changed.
fn list(p: &Profile) -> Vec<KnownAs> {
    let all = p.known.iter().enumerate();
    all.map(|(i, k)| KnownAs {
        from: Some(i),
        entry: k.clone(),
    })
    .collect()
}

fn edited(text: &str, change: impl Fn(&mut Vec<KnownAs>)) -> String {
    let old = profile(text);
    let mut new = list(&old);
    change(&mut new);
    let read = |t: &str| load_profile("toy.yaml", t).ok();
    edit_known(text, &old, &new, &read).unwrap_or_else(|e| panic!("{e}"))
}

/// The lines that are gone, and those that came.
fn changes(old: &str, new: &str) -> (Vec<String>, Vec<String>) {
    let diff = similar::TextDiff::from_lines(old, new);
    let with = |tag| {
        let all = diff.iter_all_changes().filter(move |c| c.tag() == tag);
        all.map(|c| c.value().trim_end().to_owned()).collect()
    };
    (
        with(similar::ChangeTag::Delete),
        with(similar::ChangeTag::Insert),
    )
}

#[test]
fn nothing_asked_for_changes_nothing() {
    assert_eq!(edited(TEXT, |_| {}), TEXT);
    assert_eq!(known_lines(TEXT), [8, 23, 24]);
}

#[test]
fn a_case_is_taken_out_of_a_list_with_its_line_only() {
    let new = edited(TEXT, |l| {
        l[0].entry.cases.remove(1);
    });
    assert_eq!(
        changes(TEXT, &new),
        (vec!["      - fields/a/two".to_owned()], vec![])
    );
}

#[test]
fn a_list_in_brackets_is_written_anew_with_its_comment() {
    let new = edited(TEXT, |l| {
        l[0].entry.checks = vec!["y/OK".into(), "x/OK".into()]
    });
    let (gone, came) = changes(TEXT, &new);
    assert_eq!(gone, ["    checks: [x/OK]   # two rows, one cause"]);
    assert_eq!(came, ["    checks: [y/OK, x/OK]  # two rows, one cause"]);
}

#[test]
fn keys_come_where_they_belong_and_go_alone() {
    let new = edited(TEXT, |l| {
        l[0].entry.abi = vec!["0.2.1".into()];
        l[0].entry.verdicts.clear();
        l[2].entry.expires = Some("2027-05-31".into());
        l[2].entry.why = "another cause: b".into();
    });
    let (gone, came) = changes(TEXT, &new);
    assert_eq!(
        gone,
        [
            "    verdicts: [fail]",
            "    why: the host's cause # not text"
        ]
    );
    assert_eq!(
        came,
        [
            "    abi: [0.2.1]",
            "    why: 'another cause: b'  # not text",
            "    expires: 2027-05-31",
        ]
    );
}

#[test]
fn an_entry_goes_and_the_comments_around_it_stay() {
    let new = edited(TEXT, |l| {
        l.remove(1);
    });
    let (gone, came) = changes(TEXT, &new);
    assert_eq!(gone.len(), 1, "{gone:?}");
    assert!(gone[0].contains("it''s so"));
    assert_eq!(came, Vec::<String>::new());
    let none = edited(TEXT, Vec::clear);
    assert!(
        none.contains("known: []\n  # Fields: one cause each.\n"),
        "{none}"
    );
    assert!(none.ends_with("# The end.\nlimits: {header_bytes: 1}\n"));
    // And back again.
    let back = edited(&none, |l| {
        l.push(KnownAs {
            from: None,
            entry: profile(TEXT).known[1].clone(),
        });
    });
    assert_eq!(profile(&back).known, [profile(TEXT).known[1].clone()]);
}

#[test]
fn an_entry_in_braces_becomes_lines_when_it_changes() {
    let new = edited(TEXT, |l| l[1].entry.cases.push("fields/e".into()));
    let (_, came) = changes(TEXT, &new);
    assert_eq!(
        came,
        [
            "  - cases: [fields/b, fields/e]  # short",
            "    seen: it's so",
            "    why: w",
            "    source: s"
        ]
    );
}

#[test]
fn an_entry_is_split_in_two() {
    let new = edited(TEXT, |l| {
        let mut other = l[2].clone();
        l[2].entry.cases.truncate(1);
        other.entry.cases.remove(0);
        other.entry.abi = vec!["0.2.0".into()];
        l.push(other);
    });
    let read = profile(&new);
    assert_eq!(read.known[2].cases, ["fields/c"]);
    assert_eq!(read.known[3].cases, ["fields/d"]);
    assert_eq!(read.known[3].why, "the host's cause");
    assert_eq!(new.matches("# not text").count(), 2);
}

#[test]
fn a_new_entry_comes_last_however_its_words_look() {
    let odd = "- a: b # c, 'd' \"e\" [f] {g} & *h | > % @ ` \u{e4} 0x10 ~";
    let entry = Known {
        cases: (0..9)
            .map(|n| format!("fields/long_name/of_case_{n}"))
            .collect(),
        abi: vec![],
        versions: Some(">=1.36 <1.40".into()),
        verdicts: vec!["trap".into()],
        checks: vec![],
        class: Some(crate::case::Class::Wrong),
        seen: odd.into(),
        why: format!("{} end", "many words that go on ".repeat(8).trim()),
        source: "yes".into(),
        link: Some("https://example.org/a#b".into()),
        since: Some("2026-11-28".into()),
        expires: None,
    };
    for text in [
        TEXT,
        "version: 1\nname: toy\ndriver: stdio\nabi: [0.2.1]",
        "version: 1\nname: toy\ndriver: stdio\nabi: [0.2.1]\nknown: [] # none\nlimits: {}\n",
    ] {
        let new = edited(text, |l| {
            l.push(KnownAs {
                from: None,
                entry: entry.clone(),
            });
        });
        assert_eq!(profile(&new).known.last(), Some(&entry), "{new}");
        assert!(new.lines().all(|l| l.chars().count() <= 100), "{new}");
        if text == TEXT {
            assert_eq!(changes(text, &new).0, Vec::<String>::new());
        }
    }
}

#[test]
fn what_cannot_be_edited_safely_is_refused() {
    let text = "version: 1\nname: toy\ndriver: stdio\nabi: [0.2.1]\nknown: [{cases: [a], seen: s, why: w, source: s}]\n";
    let old = profile(text);
    let e = edit_known(text, &old, &[], &|t| load_profile("x", t).ok()).unwrap_err();
    assert_eq!(e, "the list `known` is written on one line");
    // A reader that reads something else than was asked for.
    let old = profile(TEXT);
    let e = edit_known(TEXT, &old, &[], &|_| Some(profile(TEXT))).unwrap_err();
    assert_eq!(e, "the edited text would not read as it should");
}

#[test]
fn days_are_days() {
    use crate::case::is_day;
    for good in ["2026-11-28", "2024-02-29", "2000-02-29"] {
        assert!(is_day(good), "{good}");
    }
    for bad in [
        "2026-2-1",
        "2026-02-29",
        "1900-02-29",
        "2026-13-01",
        "2026-00-10",
        "2026-11-31",
        "soon",
        "2026-11-28T00",
        "+026-11-28",
    ] {
        assert!(!is_day(bad), "{bad}");
    }
}
