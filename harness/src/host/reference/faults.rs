//! Planted wrong behaviour: each fault breaks one requirement in one respect.
//!
//! A fault of an `OK` row answers OK with a wrong value or without effect, never another status.
//! The rows that say which requirement a fault breaks stand in `specs/abi`.

use std::cell::RefCell;
use std::collections::BTreeSet;

/// The planted fault, if any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Faults {
    /// The host as it is.
    #[default]
    None,
    /// One fault.
    Planted(&'static str),
    /// The host as it is; the faults that could have shown are noted, see [`asked`].
    Noted,
}

thread_local! {
    static ASKED: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
}

/// The faults that were asked for on this thread since the last call, with [`Faults::Noted`]. A fault
/// that was not asked for cannot change anything: the host would have done the same up to that point.
pub(super) fn asked() -> BTreeSet<String> {
    ASKED.with_borrow_mut(std::mem::take)
}

impl Faults {
    /// The fault of this name, if there is one.
    pub(super) fn named(name: &str) -> Option<Faults> {
        NAMES
            .iter()
            .find(|n| **n == name)
            .map(|n| Faults::Planted(n))
    }

    /// Whether any is planted or noted: a short way round code that only faults need.
    pub(super) fn planted(self) -> bool {
        self != Faults::None
    }

    /// Whether the one whose name is made of `parts` is planted.
    pub(super) fn made_of(self, parts: &[&str]) -> bool {
        match self {
            Faults::None => false,
            Faults::Planted(planted) => planted == parts.join("_"),
            Faults::Noted => {
                ASKED.with_borrow_mut(|asked| asked.insert(parts.join("_")));
                false
            }
        }
    }

    /// Whether this one is planted.
    pub(super) fn is(self, name: &str) -> bool {
        match self {
            Faults::None => false,
            Faults::Planted(planted) => planted == name,
            Faults::Noted => {
                ASKED.with_borrow_mut(|asked| asked.insert(name.to_owned()));
                false
            }
        }
    }
}

/// All faults, by name, in the order of the text.
pub(super) const NAMES: &[&str] = &[
    "log_bad_pointer_is_ok",
    "log_unknown_level_is_ok",
    "log_drops_warn",
    "log_shows_error_as_info",
    "log_cuts_at_percent",
    "get_log_level_bad_pointer_is_ok",
    "get_log_level_unknown",
    "fd_write_bad_pointer_is_success",
    "fd_write_unknown_fd_is_success",
    "fd_write_counts_nothing",
    "fd_write_stdout_is_error",
    "fd_write_stderr_is_info",
    "fd_write_first_piece_only",
    "clock_time_get_bad_pointer_is_success",
    "clock_time_get_unknown_is_success",
    "clock_time_get_is_zero",
    "clock_time_get_goes_back",
    "get_current_time_bad_pointer_is_ok",
    "get_current_time_is_zero",
    "random_get_bad_pointer_is_success",
    "random_get_writes_nothing",
    "random_get_repeats",
    "environ_sizes_get_bad_pointer_is_success",
    "environ_sizes_get_writes_nothing",
    "environ_get_bad_pointer_is_success",
    "environ_of_the_host",
    "args_sizes_get_bad_pointer_is_success",
    "args_sizes_get_writes_nothing",
    "tick_never_comes",
    "tick_comes_once",
    "tick_comes_early",
    "tick_comes_unasked",
    "tick_gets_another_context",
    "tick_period_zero_is_ignored",
    "tick_period_cannot_change",
    "done_not_pending_is_ok",
    "done_has_no_effect",
    "set_effective_context_unknown_is_ok",
    "set_effective_context_deleted_is_ok",
    "stream_context_parent_is_wrong",
    "second_stream_shares_context",
    "done_is_called_twice",
    "plugin_done_is_not_called",
    "done_false_is_ignored",
    "log_is_not_called_after_proxy_done",
    "log_comes_before_done",
    "log_is_called_twice",
    "delete_comes_before_log",
    "delete_is_not_called",
    "delete_is_not_called_after_proxy_done",
    "delete_comes_before_proxy_done",
    "done_is_called_after_delete",
    "marker_is_called",
    "custom_sections_are_refused",
    "missing_allocator_is_refused",
    "initialize_is_not_called",
    "initialize_is_called_twice",
    "main_is_not_called",
    "main_without_initialize",
    "start_is_not_called",
    "start_despite_initialize",
    "malloc_goes_first",
    "malloc_is_not_called",
    "allocates_too_little",
    "vm_start_comes_after_configure",
    "vm_start_false_is_ignored",
    "vm_configuration_size_is_one_more",
    "vm_configuration_is_plugin_configuration",
    "configure_false_is_ignored",
    "plugin_configuration_size_is_one_more",
    "plugin_configuration_is_vm_configuration",
    "crashed_plugin_is_not_made_anew",
    "get_map_size_bad_pointer_is_ok",
    "get_map_size_unknown_is_ok",
    "get_map_size_is_zero",
    "get_map_pairs_bad_pointer_is_ok",
    "get_map_pairs_unknown_is_ok",
    "get_map_pairs_drops_first",
    "get_map_pairs_drops_repeats",
    "set_map_pairs_bad_pointer_is_ok",
    "set_map_pairs_unknown_is_ok",
    "set_map_pairs_is_not_forwarded",
    "set_map_pairs_is_not_read_back",
    "set_map_pairs_merges",
    "get_header_bad_pointer_is_ok",
    "get_header_unknown_map_is_ok",
    "get_header_absent_is_ok",
    "add_header_bad_pointer_is_ok",
    "add_header_unknown_map_is_ok",
    "add_header_is_not_forwarded",
    "add_header_is_not_read_back",
    "add_header_replaces",
    "replace_header_bad_pointer_is_ok",
    "replace_header_unknown_map_is_ok",
    "replace_header_is_not_read_back",
    "replace_header_adds",
    "replace_header_absent_is_ignored",
    "remove_header_bad_pointer_is_ok",
    "remove_header_unknown_map_is_ok",
    "remove_header_is_not_forwarded",
    "remove_header_is_not_read_back",
    "remove_header_removes_one_value",
    "remove_header_absent_is_not_found",
    "http_request_headers_is_empty_while_paused",
    "http_request_headers_write_is_ignored_while_paused",
    "http_request_headers_is_empty_in_log",
    "http_request_trailers_is_empty_while_paused",
    "http_request_trailers_is_empty_in_log",
    "request_trailers_added_in_body_are_dropped",
    "http_response_headers_is_empty_while_paused",
    "http_response_headers_write_is_ignored_while_paused",
    "http_response_headers_is_empty_in_log",
    "http_response_trailers_is_empty_while_paused",
    "http_response_trailers_is_empty_in_log",
    "response_trailers_added_in_body_are_dropped",
    "returned_map_has_big_endian_numbers",
    "returned_map_has_no_terminators",
    "returned_map_is_one_byte_longer",
    "returned_map_counts_terminators",
    "taken_map_loses_last_pair",
    "get_buffer_bad_pointer_is_ok",
    "get_buffer_unknown_is_not_found",
    "get_buffer_unavailable_is_ok",
    "get_buffer_overflow_is_ok",
    "get_buffer_ignores_max_size",
    "get_buffer_status_bad_pointer_is_ok",
    "get_buffer_status_unknown_is_not_found",
    "get_buffer_status_unavailable_is_ok",
    "get_buffer_status_off_by_one",
    "set_buffer_bad_pointer_is_ok",
    "set_buffer_unknown_is_not_found",
    "set_buffer_unavailable_is_ok",
    "set_buffer_longer_has_no_effect",
    "set_buffer_prepend_has_no_effect",
    "set_buffer_append_has_no_effect",
    "set_buffer_append_beyond_has_no_effect",
    "set_buffer_append_maximum_has_no_effect",
    "set_buffer_inject_has_no_effect",
    "set_buffer_replace_has_no_effect",
    "set_buffer_replace_front_has_no_effect",
    "set_buffer_empty_value_has_no_effect",
    "http_request_body_is_empty_while_paused",
    "http_request_body_write_is_ignored_while_paused",
    "http_response_body_is_empty_while_paused",
    "http_response_body_write_is_ignored_while_paused",
    "continue_unknown_is_ok",
    "continue_request_in_tick_has_no_effect",
    "continue_response_has_no_effect",
    "close_unknown_is_ok",
    "close_request_has_no_effect",
    "close_response_has_no_effect",
    "get_status_bad_pointer_is_ok",
    "get_status_writes_nothing",
    "local_response_bad_pointer_is_ok",
    "local_response_status_is_200",
    "local_response_drops_body",
    "local_response_drops_headers",
    "local_response_is_forwarded_too",
    "local_response_in_request_headers_is_ignored",
    "local_response_in_request_body_is_ignored",
    "local_response_in_request_trailers_is_ignored",
    "local_response_in_response_headers_is_ignored",
    "request_headers_size_is_far_off",
    "request_headers_pause_is_ignored",
    "request_loses_query_on_the_way",
    "request_body_is_not_called_behind_headers",
    "request_body_size_is_one_more",
    "request_body_size_is_of_chunk",
    "request_body_pause_is_ignored",
    "request_trailers_size_is_one_more",
    "request_trailers_is_called_without_any",
    "request_trailers_pause_is_ignored",
    "request_trailers_end_nothing",
    "response_headers_size_is_far_off",
    "response_headers_pause_is_ignored",
    "response_error_becomes_200",
    "response_body_is_not_called_behind_headers",
    "response_body_size_is_one_more",
    "response_body_size_is_of_chunk",
    "response_body_pause_is_ignored",
    "response_trailers_size_is_one_more",
    "response_trailers_is_called_without_any",
    "response_trailers_pause_is_ignored",
    "response_trailers_end_nothing",
    "http_call_bad_pointer_is_ok",
    "http_call_unknown_upstream_is_ok",
    "http_call_missing_header_is_ok",
    "http_call_drops_header",
    "http_call_drops_body",
    "http_call_drops_trailers",
    "http_call_goes_astray",
    "http_call_ids_are_equal",
    "http_call_timeout_never_comes",
    "http_call_response_never_comes",
    "http_call_response_comes_twice",
    "http_call_response_wrong_id",
    "http_call_response_headers_one_more",
    "http_call_response_body_one_more",
    "http_call_response_trailers_one_more",
    "http_call_response_loses_header",
    "http_call_response_body_is_cut",
    "http_call_response_trailers_are_changed",
    "grpc_call_bad_pointer_is_ok",
    "grpc_call_unknown_upstream_is_bad_argument",
    "grpc_stream_bad_pointer_is_ok",
    "grpc_stream_unknown_upstream_is_bad_argument",
    "grpc_send_bad_pointer_is_ok",
    "foreign_function_bad_pointer_is_ok",
    "foreign_function_unknown_is_ok",
    "set_shared_data_bad_pointer_is_ok",
    "set_shared_data_ignores_cas",
    "set_shared_data_mismatch_is_stored",
    "set_shared_data_zero_keeps_old",
    "set_shared_data_has_no_effect",
    "shared_data_is_of_the_stream",
    "get_shared_data_bad_pointer_is_ok",
    "get_shared_data_absent_is_ok",
    "get_shared_data_value_is_cut",
    "shared_data_cas_is_zero",
    "shared_data_cas_never_changes",
    "register_queue_bad_pointer_is_ok",
    "register_queue_again_is_new",
    "register_queue_again_empties",
    "register_queue_ids_are_equal",
    "resolve_queue_bad_pointer_is_ok",
    "resolve_queue_unknown_is_ok",
    "resolve_queue_writes_nothing",
    "resolve_queue_id_is_wrong",
    "enqueue_bad_pointer_is_ok",
    "enqueue_unknown_is_ok",
    "enqueue_at_front",
    "dequeue_bad_pointer_is_ok",
    "dequeue_unknown_is_empty",
    "dequeue_empty_is_not_found",
    "dequeue_value_is_cut",
    "dequeue_keeps_item",
    "queue_ready_never_comes",
    "queue_ready_wrong_id",
    "queue_ready_comes_too_late",
    "define_metric_bad_pointer_is_ok",
    "define_metric_unknown_type_is_ok",
    "define_metric_writes_nothing",
    "define_metric_ids_are_equal",
    "record_metric_unknown_is_ok",
    "record_metric_adds",
    "record_metric_is_cut",
    "increment_metric_unknown_is_ok",
    "increment_counter_down_is_ok",
    "increment_counter_has_no_effect",
    "increment_gauge_has_no_effect",
    "decrement_gauge_has_no_effect",
    "get_metric_bad_pointer_is_ok",
    "get_metric_unknown_is_ok",
    "get_metric_writes_nothing",
    "get_configuration_bad_pointer_is_ok",
    "get_configuration_is_cut",
];
