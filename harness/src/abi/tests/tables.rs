//! Facts of the texts that the tables must bear out.

use std::collections::BTreeSet;

use super::version;
use crate::abi::{Abi, ExportKind, Level, Returns, Seat, Type, Word};

/// What each hostcall of 0.2.1 may answer, counted from the text.
const STATUSES: &[(&str, &str)] = &[
    ("proxy_done", "OK NOT_FOUND"),
    ("proxy_set_effective_context", "OK BAD_ARGUMENT"),
    ("proxy_log", "OK BAD_ARGUMENT INVALID_MEMORY_ACCESS"),
    ("fd_write", "SUCCESS BADF FAULT"),
    ("proxy_get_log_level", "OK INVALID_MEMORY_ACCESS"),
    (
        "proxy_get_current_time_nanoseconds",
        "OK INVALID_MEMORY_ACCESS",
    ),
    ("clock_time_get", "SUCCESS NOTSUP FAULT"),
    ("proxy_set_tick_period_milliseconds", "OK"),
    ("random_get", "SUCCESS INVAL FAULT"),
    ("environ_sizes_get", "SUCCESS FAULT"),
    ("environ_get", "SUCCESS FAULT"),
    (
        "proxy_set_buffer_bytes",
        "OK BAD_ARGUMENT NOT_FOUND INVALID_MEMORY_ACCESS",
    ),
    (
        "proxy_get_buffer_bytes",
        "OK BAD_ARGUMENT NOT_FOUND INVALID_MEMORY_ACCESS",
    ),
    (
        "proxy_get_buffer_status",
        "OK BAD_ARGUMENT NOT_FOUND INVALID_MEMORY_ACCESS",
    ),
    (
        "proxy_get_header_map_size",
        "OK BAD_ARGUMENT INVALID_MEMORY_ACCESS",
    ),
    (
        "proxy_get_header_map_pairs",
        "OK BAD_ARGUMENT INVALID_MEMORY_ACCESS",
    ),
    (
        "proxy_set_header_map_pairs",
        "OK BAD_ARGUMENT INVALID_MEMORY_ACCESS",
    ),
    (
        "proxy_get_header_map_value",
        "OK BAD_ARGUMENT NOT_FOUND INVALID_MEMORY_ACCESS",
    ),
    (
        "proxy_add_header_map_value",
        "OK BAD_ARGUMENT INVALID_MEMORY_ACCESS",
    ),
    (
        "proxy_replace_header_map_value",
        "OK BAD_ARGUMENT INVALID_MEMORY_ACCESS",
    ),
    (
        "proxy_remove_header_map_value",
        "OK BAD_ARGUMENT INVALID_MEMORY_ACCESS",
    ),
    ("proxy_continue_stream", "OK BAD_ARGUMENT UNIMPLEMENTED"),
    ("proxy_close_stream", "OK BAD_ARGUMENT"),
    ("proxy_get_status", "OK INVALID_MEMORY_ACCESS"),
    ("proxy_send_local_response", "OK INVALID_MEMORY_ACCESS"),
    (
        "proxy_http_call",
        "OK BAD_ARGUMENT INTERNAL_FAILURE INVALID_MEMORY_ACCESS",
    ),
    (
        "proxy_grpc_call",
        "OK PARSE_FAILURE INTERNAL_FAILURE INVALID_MEMORY_ACCESS",
    ),
    (
        "proxy_grpc_stream",
        "OK PARSE_FAILURE INTERNAL_FAILURE INVALID_MEMORY_ACCESS",
    ),
    (
        "proxy_grpc_send",
        "OK BAD_ARGUMENT NOT_FOUND INVALID_MEMORY_ACCESS",
    ),
    ("proxy_grpc_cancel", "OK BAD_ARGUMENT NOT_FOUND"),
    ("proxy_grpc_close", "OK BAD_ARGUMENT NOT_FOUND"),
    (
        "proxy_set_shared_data",
        "OK CAS_MISMATCH INVALID_MEMORY_ACCESS",
    ),
    (
        "proxy_get_shared_data",
        "OK NOT_FOUND INVALID_MEMORY_ACCESS",
    ),
    ("proxy_register_shared_queue", "OK INVALID_MEMORY_ACCESS"),
    (
        "proxy_resolve_shared_queue",
        "OK NOT_FOUND INVALID_MEMORY_ACCESS",
    ),
    (
        "proxy_enqueue_shared_queue",
        "OK NOT_FOUND INVALID_MEMORY_ACCESS",
    ),
    (
        "proxy_dequeue_shared_queue",
        "OK NOT_FOUND EMPTY INVALID_MEMORY_ACCESS",
    ),
    (
        "proxy_define_metric",
        "OK BAD_ARGUMENT INVALID_MEMORY_ACCESS",
    ),
    ("proxy_record_metric", "OK NOT_FOUND"),
    ("proxy_increment_metric", "OK NOT_FOUND BAD_ARGUMENT"),
    ("proxy_get_metric", "OK NOT_FOUND INVALID_MEMORY_ACCESS"),
    (
        "proxy_get_property",
        "OK NOT_FOUND SERIALIZATION_FAILURE INVALID_MEMORY_ACCESS",
    ),
    ("proxy_set_property", "OK NOT_FOUND INVALID_MEMORY_ACCESS"),
    (
        "proxy_call_foreign_function",
        "OK NOT_FOUND INVALID_MEMORY_ACCESS",
    ),
    ("args_sizes_get", "SUCCESS FAULT"),
    ("args_get", "SUCCESS"),
];

/// `call/STATUS` for each row of the text.
fn rows(statuses: &[(&str, &str)]) -> BTreeSet<String> {
    let each = |(call, list): &(&str, &str)| {
        let call = call.to_string();
        list.split(' ')
            .map(move |status| format!("{call}/{status}"))
            .collect::<Vec<_>>()
    };
    statuses.iter().flat_map(each).collect()
}

/// `call/STATUS` for each row of a table; rows that split one status count once.
fn covered(abi: &Abi) -> BTreeSet<String> {
    let status = |id: &str| {
        let (call, what) = id.split_once('/')?;
        let status = what.split('.').next()?;
        abi.hostcall(call)?;
        status
            .chars()
            .all(|c| c.is_ascii_uppercase() || c == '_')
            .then(|| format!("{call}/{status}"))
    };
    abi.requirements
        .iter()
        .filter_map(|r| status(&r.id))
        .collect()
}

#[test]
fn functions_are_as_many_as_in_the_texts() {
    for (id, proxy, wasi, exports) in [
        ("0.2.1", 39, 8, 31),
        ("0.2.0", 38, 8, 31),
        ("0.1.0", 40, 8, 30),
    ] {
        let abi = version(id);
        let in_env = abi.hostcalls.iter().filter(|h| h.import.0 == "env").count();
        assert_eq!(
            (in_env, abi.hostcalls.len()),
            (proxy, proxy + wasi),
            "hostcalls of {id}"
        );
        let kinds = |kind| abi.callbacks.iter().filter(|c| c.kind == kind).count();
        assert_eq!(abi.callbacks.len(), exports, "exports of {id}");
        assert_eq!(abi.callbacks[0].name, abi.marker);
        assert_eq!(
            [ExportKind::Marker, ExportKind::Entry, ExportKind::Allocator].map(kinds),
            [1, 3, 2],
            "{id}"
        );
    }
}

#[test]
fn every_status_row_of_the_texts_has_its_requirement_and_no_other_has() {
    let mut expected = rows(STATUSES);
    assert_eq!(expected.len(), 132);
    assert_eq!(covered(&version("0.2.1")), expected);

    expected.retain(|row| !row.starts_with("proxy_get_log_level/"));
    assert_eq!(expected.len(), 130);
    assert_eq!(covered(&version("0.2.0")), expected);

    expected.retain(|row| {
        let newer = ["proxy_continue_stream/", "proxy_close_stream/"];
        !newer.iter().any(|call| row.starts_with(call))
            && row != "proxy_get_header_map_value/NOT_FOUND"
    });
    expected.extend(rows(&[(
        "proxy_get_configuration",
        "OK INVALID_MEMORY_ACCESS",
    )]));
    assert_eq!(expected.len(), 126);
    assert_eq!(covered(&version("0.1.0")), expected);
}

#[test]
fn a_status_row_is_must_at_the_boundary_except_for_properties() {
    for id in ["0.2.1", "0.2.0", "0.1.0"] {
        let abi = version(id);
        for row in covered(&abi) {
            let level = if row.contains("_property/") {
                Level::Survey
            } else {
                Level::Must
            };
            for r in abi
                .requirements
                .iter()
                .filter(|r| r.id.split('.').next() == Some(&row))
            {
                assert_eq!((r.level, r.seat), (level, Seat::Boundary), "{}", r.id);
            }
        }
    }
}

#[test]
fn silence_of_the_text_is_never_held_against_a_host() {
    for id in ["0.2.1", "0.2.0", "0.1.0"] {
        for r in version(id)
            .requirements
            .iter()
            .filter(|r| r.id.contains("/silent."))
        {
            assert_eq!(r.level, Level::Survey, "{}", r.id);
            assert!(
                r.ruling.is_some(),
                "{} does not say what the text is silent about",
                r.id
            );
        }
    }
}

#[test]
fn every_must_row_has_a_fault_of_its_own() {
    let all = ["0.1.0", "0.2.0", "0.2.1"].map(version);
    let rows = || all.iter().flat_map(|abi| &abi.faults);
    for abi in &all {
        let must = abi.requirements.iter();
        let must = must.filter(|r| r.level == Level::Must && r.excluded.is_none());
        let bare: Vec<&str> = must
            .filter(|r| !rows().any(|f| f.req == r.id))
            .map(|r| r.id.as_str())
            .collect();
        assert!(bare.is_empty(), "{}: {bare:#?}", abi.id);
    }
}

fn words(params: &[crate::abi::Param]) -> String {
    let word = |word: &Word| if *word == Word::I32 { 'i' } else { 'I' };
    params.iter().flat_map(|p| p.ty.words()).map(word).collect()
}

#[test]
fn signatures_are_those_of_the_text() {
    let abi = version("0.2.1");
    for (call, expected) in [
        ("proxy_done", ""),
        ("proxy_log", "iii"),
        ("fd_write", "iiii"),
        ("clock_time_get", "iIi"),
        ("random_get", "ii"),
        ("environ_get", "ii"),
        ("proxy_set_buffer_bytes", "iiiii"),
        ("proxy_get_header_map_value", "iiiii"),
        ("proxy_send_local_response", "iiiiiiii"),
        ("proxy_http_call", "iiiiiiiiii"),
        ("proxy_grpc_call", "iiiiiiiiiiii"),
        ("proxy_grpc_stream", "iiiiiiiii"),
        ("proxy_record_metric", "iI"),
        ("proxy_call_foreign_function", "iiiiii"),
    ] {
        assert_eq!(
            words(&abi.hostcall(call).expect(call).params),
            expected,
            "{call}"
        );
    }
    let exit = abi.hostcall("proc_exit").expect("proc_exit");
    assert_eq!(exit.returns, Returns::Nothing);
    assert_eq!(
        exit.import,
        ("wasi_snapshot_preview1".to_owned(), "proc_exit".to_owned())
    );
    assert_eq!(
        exit.section,
        "Unimplemented WASI functions: wasi_snapshot_preview1.proc_exit"
    );
    let log = abi.hostcall("proxy_log").expect("proxy_log");
    assert_eq!(log.section, "Logging: proxy_log");
}

#[test]
fn version_0_1_0_differs_where_its_text_does() {
    let (old, new) = (version("0.1.0"), version("0.2.0"));
    for callback in ["proxy_on_request_headers", "proxy_on_response_headers"] {
        let params = |abi: &Abi| words(&abi.callback(callback).expect(callback).params);
        assert_eq!(
            (params(&old), params(&new)),
            ("ii".to_owned(), "iii".to_owned())
        );
    }
    for call in [
        "proxy_continue_request",
        "proxy_continue_response",
        "proxy_clear_route_cache",
    ] {
        let hostcall = old.hostcall(call).expect(call);
        assert_eq!(
            (hostcall.params.len(), &hostcall.returns),
            (0, &Returns::Enum("proxy_status_t".to_owned()))
        );
        assert!(new.hostcall(call).is_none());
    }
    let place = |name: &str| {
        old.hostcalls
            .iter()
            .position(|h| h.name == name)
            .expect(name)
    };
    assert_eq!(
        place("proxy_get_configuration"),
        place("proxy_set_effective_context") + 1
    );
    assert_eq!(
        place("proxy_clear_route_cache"),
        place("proxy_http_call") - 1
    );

    let buffers = |abi: &Abi| {
        abi.enumeration("proxy_buffer_type_t")
            .expect("buffers")
            .values
            .len()
    };
    assert_eq!((buffers(&old), buffers(&new)), (6, 9));
    assert!(old.enumeration("proxy_stream_type_t").is_none());
    assert!(old.callback("proxy_on_foreign_function").is_none());
    assert!(
        old.requirements
            .iter()
            .all(|r| !r.id.starts_with("proxy_on_foreign_function/"))
    );
}

#[test]
fn the_dialect_says_of_every_hostcall_what_became_of_it() {
    let abi = version("mosn-v2");
    assert_eq!(abi.text_version(), "0.2.0");
    let status = abi.enumeration("proxy_status_t").expect("statuses");
    assert_eq!(status.number("NOT_FOUND"), Some(2));
    assert_eq!(status.name_of(3).as_deref(), Some("NotAllowed(3)"));
    assert_eq!(status.number("PARSE_FAILURE"), None);

    let done = abi.hostcall("proxy_done").expect("proxy_done");
    assert_eq!(done.import.1, "proxy_context_finalize");
    assert!(done.absent.is_none());
    let add = abi.hostcall("proxy_add_header_map_value").expect("add");
    assert!(add.absent.is_some());
    let register = abi
        .hostcall("proxy_register_shared_queue")
        .expect("register");
    assert_eq!(register.params[1].default, Some(1));
    assert_eq!(
        register.params[2].ty,
        Type::OutId(crate::abi::IdKind::Queue)
    );
    let trailers = abi.callback("proxy_on_request_trailers").expect("trailers");
    assert_eq!(words(&trailers.params), "iii");
    let tick = abi.callback("proxy_on_tick").expect("tick");
    assert_eq!(tick.exported(), "proxy_on_timer_ready");
    let log = abi.callback("proxy_on_log").expect("log");
    assert!(log.absent.is_some());
}

#[test]
fn the_older_dialect_has_its_text_s_numbers_and_three_parameters() {
    let abi = version("mosn-v1");
    assert_eq!(abi.text_version(), "0.1.0");
    let status = abi.enumeration("proxy_status_t").expect("statuses");
    assert_eq!(status.number("NOT_FOUND"), Some(1));
    assert_eq!(status.name_of(5).as_deref(), Some("BadExpression(5)"));
    let headers = abi.callback("proxy_on_request_headers").expect("headers");
    assert_eq!(words(&headers.params), "iii");
    assert_eq!(headers.exported(), "proxy_on_request_headers");
    let resume = abi.hostcall("proxy_continue_request").expect("continue");
    assert_eq!(resume.import.1, "proxy_resume_http_request");
}
