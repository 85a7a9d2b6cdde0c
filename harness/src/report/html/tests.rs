//! The HTML report of the made-up record: harmless, complete, small, the same every time.

use crate::abi::{Abi, Level, Requirement, Seat};
use crate::judge::Verdict;
use crate::record::{Record, ResultLine};
use crate::report::diff::compare;
use crate::report::fixture::{record, record_of};
use crate::report::html::{HtmlOptions, lonely, render, render_with};
use crate::report::{is_hidden, json, mark, trace_text};

#[test]
fn html_is_the_same_every_time() {
    let records = [record()];
    assert_eq!(render(&records), render(&records));
}

/// What stands between `open` and the next `close`.
fn between<'t>(text: &'t str, open: &str, close: &str) -> &'t str {
    let rest = text.split_once(open).expect("it opens").1;
    rest.split_once(close).expect("it closes").0
}

fn data(page: &str) -> serde_json::Value {
    serde_json::from_str(between(page, "id=\"data\">", "</script>")).expect("JSON")
}

#[test]
fn html_of_hostile_hosts_holds_only_our_own_scripts() {
    let page = render(&[record()]);
    assert_eq!(page.matches("<script").count(), 3);
    assert_eq!(page.matches("</script").count(), 3);
    assert!(!page.contains("<!--"), "no comment can begin in the data");
    let odd = page.chars().find(|c| *c != '\n' && is_hidden(*c));
    assert_eq!(odd, None);
    let policy = between(&page, "Content-Security-Policy\" content=\"", "\"");
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    for url in ["http://", "src=", "url(", "@import", "fetch("] {
        assert!(!page.contains(url), "{url}: the page asks for something");
    }
    // The one address in it is where links to the text lead.
    let text = "https://github.com/proxy-wasm/spec/blob/main/abi-versions/";
    assert_eq!(page.matches("https://").count(), page.matches(text).count());
}

#[test]
fn html_data_is_json_with_every_result() {
    let record = record();
    let page = render(std::slice::from_ref(&record));
    let block = between(&page, "id=\"data\">", "</script>");
    let data: serde_json::Value = serde_json::from_str(block).expect("JSON");
    assert_eq!(data["cases"].as_array().map(Vec::len), Some(40));
    let results = data["results"].as_array().expect("by column");
    assert_eq!(results.len(), 3);
    for (column, results) in record.header.columns.iter().zip(results) {
        for (case, result) in record
            .cases
            .iter()
            .zip(results.as_array().expect("by case"))
        {
            let same = |r: &&ResultLine| r.column == column.name && r.case == case.id;
            let known = record.results.iter().find(same).expect("all of them ran");
            assert_eq!(result[0], known.judgement.verdict as u8, "{}", case.id);
        }
    }
    let log = block.contains("\\\\u{1b}[31mred");
    assert!(log, "escapes of a host's log are named, not obeyed");
}

#[test]
fn html_without_scripts_has_overview_and_matrix() {
    let record = record();
    let page = render(std::slice::from_ref(&record));
    let table = between(&page, "<table class=\"matrix\">", "</table>");
    for case in &record.cases {
        let req = &case.requirements[0].id;
        assert!(table.contains(&format!("id=\"req/{req}\"")), "{req}");
    }
    assert!(page.contains("not conformant (4 must cases fail, 1 known)"));
    for letter in ["P", "F", "S", "B"] {
        assert!(table.contains(&format!("<td class={letter}>")), "{letter}");
    }
}

#[test]
fn html_matrix_sums_up_each_section() {
    let record = record();
    let page = render(std::slice::from_ref(&record));
    let table = between(&page, "<table class=\"matrix\">", "</table>");
    let failing = table
        .lines()
        .filter(|l| l.starts_with("<tr class=\"head\">") && l.contains("<td class=F>"));
    for line in failing {
        let n = between(line, "<td class=F>✗F<i>", "</i>");
        assert!(n.parse::<u32>().is_ok_and(|n| n > 0), "{line}");
    }
    let heads = table.matches("<tr class=\"head\">").count();
    assert!(heads > 1 && heads < record.cases.len(), "{heads}");
}

#[test]
fn html_names_every_verdict_in_its_legend() {
    let page = render(&[record()]);
    let legend = between(&page, "<ul class=\"legend\"", "</ul>");
    for v in Verdict::ALL {
        let m = mark(v);
        let item = format!(
            "<li class=\"v {}\"><a href=\"#filter/verdict:{v}\">{}{} {v}</a></li>",
            m.letter, m.glyph, m.letter
        );
        assert!(legend.contains(&item), "{v}");
    }
}

#[test]
fn html_of_twenty_hosts_is_small_enough_to_send() {
    let page = render(&[record_of(20, 600)]);
    assert!(page.len() < 5_000_000, "{} bytes", page.len());
}

#[test]
fn html_of_two_records_makes_one_matrix() {
    let (a, mut b) = (record(), record());
    b.header.columns.truncate(1);
    b.results.retain(|r| r.column == b.header.columns[0].name);
    let page = render(&[a, b]);
    let head = between(&page, "<table class=\"matrix\">", "</thead>");
    assert_eq!(
        between(head, "<tr class=\"abis\">", "</tr>")
            .matches("<th scope=\"col\"")
            .count(),
        4
    );
    assert!(head.contains("reference-0.1.0-0.2.1 (2)"), "{head}");
}

/// A table with a requirement that the record's cases test, one that none does, one out of reach.
fn table() -> Abi {
    let row = |id: &str, excluded: Option<&str>| Requirement {
        id: id.to_owned(),
        level: Level::Must,
        seat: Seat::Boundary,
        text: format!("{id} in the table's words"),
        section: "Buffers: proxy_get_buffer_bytes".to_owned(),
        ruling: None,
        excluded: excluded.map(str::to_owned),
    };
    Abi {
        id: "0.2.1".into(),
        dialect_of: None,
        marker: String::new(),
        hostcalls: Vec::new(),
        callbacks: Vec::new(),
        enums: Vec::new(),
        requirements: vec![
            row("proxy_get_buffer_bytes/OK", None),
            row("proxy_get_buffer_bytes/GAP", None),
            row(
                "proxy_get_buffer_bytes/INTERNAL",
                Some("cannot be provoked"),
            ),
        ],
        absent: Vec::new(),
        faults: Vec::new(),
        index: crate::abi::Index::default(),
    }
}

#[test]
fn html_shows_what_prove_and_the_tables_say() {
    let abi = table();
    let prove = json::Prove {
        version: json::JSON_VERSION,
        faults: 2,
        killed: Vec::new(),
        coarse: Vec::new(),
        survived: vec!["fault_that_lives".into()],
        unproved_checks: Vec::new(),
        idle_cases: Vec::new(),
        idle_surveys: Vec::new(),
        without_fault: Vec::new(),
    };
    let options = HtmlOptions {
        abis: &[&abi],
        prove: &[("0.2.1".to_owned(), prove)],
        ..HtmlOptions::default()
    };
    let page = render_with(&[record()], &options);
    assert!(page.contains("1 gap<") && page.contains("1 out of reach<"));
    assert!(page.contains("cannot be provoked") && page.contains("fault_that_lives"));
    assert!(page.contains("0.2.1: 0 of 2 planted faults"));
}

#[test]
fn html_has_the_whole_text_with_its_gaps() {
    let abi = table();
    let options = HtmlOptions {
        abis: &[&abi],
        ..HtmlOptions::default()
    };
    let page = render_with(&[record()], &options);
    let data = data(&page);
    let texts = data["texts"].as_array().expect("by version");
    assert_eq!(texts[0][0], "0.2.1");
    let rows = texts[0][1][0][2].as_array().expect("rows");
    let id = |i: usize| data["reqs"][rows[i].as_u64().expect("a number") as usize][0].clone();
    assert_eq!(
        (0..3).map(id).collect::<Vec<_>>(),
        [
            "proxy_get_buffer_bytes/OK",
            "proxy_get_buffer_bytes/GAP",
            "proxy_get_buffer_bytes/INTERNAL"
        ]
    );
    assert!(page.contains("href=\"#text\""));
    assert!(
        !render(&[record()]).contains("href=\"#text\""),
        "without tables there is no such view"
    );
}

#[test]
fn html_shows_what_changed() {
    let now = record();
    let mut before = record();
    let changed = before
        .results
        .iter_mut()
        .find(|r| r.judgement.verdict == Verdict::Fail);
    let changed = changed.expect("one fails");
    changed.judgement.verdict = Verdict::Pass;
    let id = changed.case.clone();
    let trace = |_: &Record, r: &ResultLine| Some(trace_text(r.attempts.last()?).text);
    let diffs = [compare(&before, &now, &trace)];
    let options = HtmlOptions {
        diffs: &diffs,
        ..HtmlOptions::default()
    };
    let page = render_with(std::slice::from_ref(&now), &options);
    let view = between(&page, "<section id=\"changes\"", "</section>");
    assert!(view.contains("worse: 1 broken"), "{view}");
    assert!(view.contains(&format!("href=\"#case/{id}@")), "{view}");
    assert!(!render(&[now]).contains("<section id=\"changes\""));
}

#[test]
fn html_lists_must_cases_that_only_our_own_host_passes_with_a_reason() {
    let mut record = record();
    assert_eq!(lonely(std::slice::from_ref(&record)), [""; 0]);
    let must = |c: &&crate::record::CaseLine| c.requirements[0].level == Level::Must;
    let cases: Vec<String> = record
        .cases
        .iter()
        .filter(must)
        .take(2)
        .map(|c| c.id.clone())
        .collect();
    for r in &mut record.results {
        if cases.contains(&r.case) && !r.column.starts_with("reference") {
            r.judgement.verdict = Verdict::Fail;
        }
    }
    let alone = lonely(std::slice::from_ref(&record));
    assert_eq!(alone, cases);
    for id in &alone {
        let others = record
            .results
            .iter()
            .filter(|r| r.case == *id && !r.column.starts_with("reference"));
        assert!(others.clone().count() > 0, "{id} ran elsewhere");
        assert!(
            others.clone().all(|r| r.judgement.verdict != Verdict::Pass),
            "{id}"
        );
    }
    let reasons = [(alone[0].clone(), "because <the text> says so".to_owned())];
    let options = HtmlOptions {
        reasons: &reasons,
        ..HtmlOptions::default()
    };
    let page = render_with(&[record], &options);
    let view = between(&page, "<section id=\"trust\"", "</section>");
    assert!(view.contains("because &lt;the text&gt; says so"));
    assert_eq!(
        view.matches("no reason is written yet").count(),
        alone.len() - 1
    );
}

#[test]
fn html_says_how_long_things_took() {
    let mut record = record();
    let slow = record
        .results
        .iter_mut()
        .rfind(|r| !r.attempts.is_empty())
        .expect("one was played");
    slow.attempts.iter_mut().for_each(|a| a.micros = 9_000_000);
    let id = slow.case.clone();
    let page = render(&[record]);
    let view = between(&page, "<section id=\"timing\"", "</section>");
    let first = view.split("<h2>Slowest cases</h2>").nth(1).expect("a list");
    let first = between(first, "<tbody><tr>", "</tr>");
    assert!(first.contains("9.00 s") && first.contains(&id), "{first}");
}

#[test]
fn html_says_at_once_what_was_played_and_where_to_begin() {
    let mut record = record();
    let page = render(std::slice::from_ref(&record));
    let view = between(&page, "<section id=\"overview\"", "</section>");
    assert!(view.contains("40 cases from the text"), "{view}");
    assert!(view.contains("played on 3 hosts, 2026-11-24"), "{view}");
    let begin = between(view, "Begin with <a href=\"#case/", "\"");
    let (case, column) = begin.split_once('@').expect("a case in a column");
    let first = record
        .results
        .iter()
        .find(|r| r.case == case && r.column == column);
    assert!(first.expect("it is there").gate.unexpected());
    assert!(view.contains("<h2 id=\"news\">") && view.contains("href=\"#news\""));
    assert!(
        view.contains("What to do next: <code>pwspec doctor "),
        "{view}"
    );
    for r in &mut record.results {
        r.gate = crate::judge::Gate::Expected;
        if r.judgement.verdict == Verdict::NotRun {
            r.judgement.verdict = Verdict::Pass;
        }
    }
    let page = render(&[record]);
    assert!(page.contains("Every result is as expected."), "{page}");
}

#[test]
fn html_puts_a_hosts_texts_in_order_and_its_dialects_behind() {
    let mut record = record_of(4, 8);
    let abis = ["own-v1", "0.2.1", "0.1.0", "0.2.0"];
    for (c, abi) in record.header.columns.iter_mut().zip(abis) {
        (c.host, c.host_version) = ("one".into(), "0.2.1-0.20230626122511-25a9e133320e".into());
        (c.abi, c.dialect) = (abi.into(), abi == "own-v1");
    }
    let data = data(&render(std::slice::from_ref(&record)));
    let shown = data["columns"].as_array().expect("columns").iter();
    let shown: Vec<&str> = shown.filter_map(|c| c["abi"].as_str()).collect();
    assert_eq!(shown, ["0.1.0", "0.2.0", "0.2.1", "own-v1"]);
    assert_eq!(data["columns"][0]["short"], "0.2.1-25a9e13");
    let name = data["columns"][3]["name"].as_str();
    assert_eq!(name, Some(record.header.columns[0].name.as_str()));
    // The results went with their columns, in both matrices.
    let of = |n: usize, i: usize| data["results"][n][i][0].clone();
    for (i, case) in record.cases.iter().enumerate() {
        let all = record.results.iter();
        let mut own = all.filter(|r| r.case == case.id && Some(r.column.as_str()) == name);
        let own = own.next().map(|r| r.judgement.verdict as u8);
        assert_eq!(of(3, i).as_u64(), own.map(u64::from), "{}", case.id);
    }
    let matrix = crate::report::machine::matrix(&[record], &[]);
    let mut rows = matrix.lines().filter(|l| l.contains("/README.md)"));
    let last = rows.next_back().expect("a row a column");
    assert!(
        last.starts_with("| 4 |") && last.contains(name.expect("named")),
        "{last}"
    );
}

#[test]
fn html_calls_a_row_without_a_case_a_gap_only_where_all_was_chosen() {
    let table = table();
    let abis = [&table];
    let options = HtmlOptions {
        abis: &abis,
        ..HtmlOptions::default()
    };
    let mut record = record();
    assert!(render_with(std::slice::from_ref(&record), &options).contains("1 gap<"));
    record.header.filters = vec!["fields/".into()];
    let page = render_with(&[record], &options);
    assert!(page.contains("1 not chosen or a gap<"), "{page}");
    assert_eq!(data(&page)["texts"][0][2], false);
}
