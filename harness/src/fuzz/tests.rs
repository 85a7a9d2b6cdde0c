//! Plans, programs, their YAML, the oracle: without a host.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use proptest::prelude::*;

use crate::abi::Abi;
use crate::case::Suite;
use crate::fuzz::{
    CASE, Heading, Limits, Program, Watched, cut_by, cuts, plan, plans, realise, suite,
};
use crate::runner::Specs;

fn abis() -> &'static [Arc<Abi>] {
    static ABIS: OnceLock<Vec<Arc<Abi>>> = OnceLock::new();
    ABIS.get_or_init(|| Specs::embedded().abis().expect("the tables"))
}

fn versions() -> Vec<&'static Abi> {
    let texts = abis().iter().filter(|a| a.dialect_of.is_none());
    texts.map(|a| &**a).collect()
}

fn version(id: &str) -> &'static Abi {
    let mut all = versions().into_iter();
    all.find(|a| a.id == id).expect("a version")
}

fn text(program: &Program) -> String {
    let watched = Watched {
        req: "functions/linked".to_owned(),
        what: "end".to_owned(),
    };
    let heading = Heading {
        suite: "fuzz/test",
        about: "a random program",
        comment: "two lines\nof comment",
        watched: &watched,
    };
    suite(program, &heading)
}

/// The problems with which the loader refuses a program.
fn refused(program: &Program) -> Vec<String> {
    let file = ("cases/fuzz/test.yaml".to_owned(), text(program));
    match Suite::load(&[file], abis().to_vec(), Arc::new([])) {
        Ok(suite) => {
            let case = suite.case(&format!("fuzz/test/{CASE}"));
            assert_eq!(case.map(|c| c.abi.clone()), Some(vec![program.abi.clone()]));
            Vec::new()
        }
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_plan_is_a_valid_case_in_every_version(plan in plans()) {
        for abi in versions() {
            let program = realise(&plan, abi, &Limits::default());
            let problems = refused(&program);
            prop_assert!(problems.is_empty(), "{problems:#?}\n{}", text(&program));
        }
    }

    #[test]
    fn every_cut_is_a_smaller_plan_and_a_valid_case(plan in plans(), pick in any::<prop::sample::Index>()) {
        let all = cuts(&plan);
        if !all.is_empty() {
            let cut = cut_by(&plan, &[*pick.get(&all)]);
            prop_assert_ne!(&cut, &plan);
            let program = realise(&cut, version("0.2.1"), &Limits::default());
            prop_assert!(refused(&program).is_empty(), "{}", text(&program));
        }
    }

    #[test]
    fn no_step_rests_on_what_the_hosts_cannot_be_asked(plan in plans()) {
        let limits = Limits {
            rows: ["proxy_get_buffer_bytes/NOT_FOUND", "proxy_set_buffer_bytes/inject"].map(str::to_owned).into(),
            hostcalls: ["proxy_get_metric".to_owned()].into(),
            callbacks: ["proxy_on_log".to_owned()].into(),
            no_request_trailers: true,
            no_response_trailers: true,
            no_configurations: true,
        };
        let program = realise(&plan, version("0.2.1"), &limits);
        for placed in program.calls() {
            let Some(call) = placed.call else { continue };
            prop_assert!(call.hostcall != "proxy_get_metric");
            prop_assert!(!call.rests.iter().any(|row| limits.rows.contains(row)), "{call:?}");
            prop_assert!(placed.place.callback() != "log");
        }
        prop_assert!(program.request.trailers.is_empty() && program.response.trailers.is_empty());
    }
}

#[test]
fn the_same_seed_gives_the_same_plans_and_another_one_others() {
    let all = |seed| (0..20).map(|n| plan(seed, n)).collect::<Vec<_>>();
    assert_eq!(all(7), all(7));
    assert_ne!(all(7), all(8));
    let distinct: BTreeSet<String> = all(7).iter().map(|p| format!("{p:?}")).collect();
    assert_eq!(
        distinct.len(),
        20,
        "the plans of one seed differ among each other"
    );
}

#[test]
fn a_few_hundred_programs_rest_on_most_of_what_a_stream_can_show() {
    let mut rows: BTreeMap<String, usize> = BTreeMap::new();
    for n in 0..1200 {
        let program = realise(&plan(1, n), version("0.2.1"), &Limits::default());
        for call in program.calls().into_iter().filter_map(|p| p.call) {
            for row in &call.rests {
                *rows.entry(row.clone()).or_default() += 1;
            }
        }
    }
    let seldom: Vec<&str> = EXPECTED
        .into_iter()
        .filter(|row| rows.get(*row).is_none_or(|n| *n < 3))
        .collect();
    assert!(seldom.is_empty(), "{seldom:?} of {rows:#?}");
}

/// Requirements that a search must come by.
const EXPECTED: [&str; 52] = [
    "buffers/HTTP_CALL_RESPONSE_BODY.read",
    "buffers/HTTP_REQUEST_BODY.read",
    "buffers/HTTP_REQUEST_BODY.write",
    "buffers/HTTP_RESPONSE_BODY.read_paused",
    "buffers/HTTP_RESPONSE_BODY.write_paused",
    "buffers/PLUGIN_CONFIGURATION.read",
    "buffers/VM_CONFIGURATION.read",
    "clock_time_get/NOTSUP",
    "fd_write/BADF",
    "fd_write/joined",
    "maps/HTTP_CALL_RESPONSE_HEADERS.read",
    "maps/HTTP_REQUEST_HEADERS.log",
    "maps/HTTP_REQUEST_HEADERS.read",
    "maps/HTTP_REQUEST_HEADERS.write_paused",
    "maps/HTTP_REQUEST_TRAILERS.add_in_body",
    "maps/HTTP_REQUEST_TRAILERS.write",
    "maps/HTTP_RESPONSE_HEADERS.read",
    "maps/HTTP_RESPONSE_HEADERS.write",
    "maps/HTTP_RESPONSE_TRAILERS.read",
    "proxy_add_header_map_value/keeps_old",
    "proxy_call_foreign_function/NOT_FOUND",
    "proxy_close_stream/BAD_ARGUMENT",
    "proxy_dequeue_shared_queue/EMPTY",
    "proxy_dequeue_shared_queue/OK",
    "proxy_done/NOT_FOUND",
    "proxy_enqueue_shared_queue/NOT_FOUND",
    "proxy_get_buffer_bytes/BAD_ARGUMENT.overflow",
    "proxy_get_buffer_bytes/NOT_FOUND",
    "proxy_get_buffer_bytes/past_end",
    "proxy_get_header_map_value/NOT_FOUND",
    "proxy_get_metric/NOT_FOUND",
    "proxy_get_metric/OK",
    "proxy_get_shared_data/OK",
    "proxy_grpc_call/PARSE_FAILURE",
    "proxy_http_call/BAD_ARGUMENT.headers",
    "proxy_http_call/OK",
    "proxy_increment_metric/BAD_ARGUMENT",
    "proxy_increment_metric/gauge",
    "proxy_log/BAD_ARGUMENT",
    "proxy_log/message",
    "proxy_record_metric/effect",
    "proxy_remove_header_map_value/all_values",
    "proxy_replace_header_map_value/adds",
    "proxy_send_local_response/OK",
    "proxy_set_buffer_bytes/append_maximum",
    "proxy_set_buffer_bytes/inject",
    "proxy_set_buffer_bytes/replace_front",
    "proxy_set_buffer_bytes/whole",
    "proxy_set_effective_context/BAD_ARGUMENT",
    "proxy_set_header_map_pairs/replaces_all",
    "proxy_set_shared_data/CAS_MISMATCH",
    "proxy_set_shared_data/zero_cas",
];
