//! Faults that spoil what passes by: answers of hostcalls, serialised maps both ways, fields.

use crate::abi::encode_pairs;
use crate::case::Fields;
use crate::host::reference::faults::Faults;

/// The serialised map that the guest gets. Only trailers of requests are spoilt, and only where there
/// are some: most plugins never look at them.
pub(super) fn returned(faults: Faults, map: &str, fields: &Fields) -> Vec<u8> {
    if fields.is_empty() && faults.is("returned_empty_map_has_a_pair") {
        return encode_pairs(&[(Vec::new(), Vec::new())]);
    }
    let mut bytes = encode_pairs(fields);
    let spoilt = map == "HTTP_REQUEST_TRAILERS" && !fields.is_empty();
    if !faults.planted() || !spoilt {
        return bytes;
    }
    let (big, counts) = (
        faults.is("returned_map_has_big_endian_numbers"),
        faults.is("returned_map_counts_terminators"),
    );
    for (nth, word) in bytes
        .chunks_exact_mut(4)
        .take(1 + 2 * fields.len())
        .enumerate()
    {
        let number = u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
        let number = number + u32::from(counts && nth > 0);
        let written = if big {
            number.to_be_bytes()
        } else {
            number.to_le_bytes()
        };
        word.copy_from_slice(&written);
    }
    if faults.is("returned_map_has_no_terminators") {
        let mut at = 4 + 8 * fields.len();
        for part in fields.iter().flat_map(|(k, v)| [k, v]) {
            at += part.len();
            bytes[at] = b' ';
            at += 1;
        }
    }
    if faults.is("returned_map_is_one_byte_longer") {
        bytes.push(0);
    }
    bytes
}

/// The pairs that the host takes from a map of the guest.
pub(super) fn taken(faults: Faults, map: &str, mut fields: Fields) -> Fields {
    if map.ends_with("TRAILERS") && fields.len() > 2 && faults.is("taken_map_loses_last_pair") {
        fields.pop();
    }
    fields
}

/// Takes away the first field that is no pseudo-field.
pub(super) fn lose_one(fields: &mut Fields) {
    if let Some(at) = fields.iter().position(|(k, _)| !k.starts_with(b":")) {
        fields.remove(at);
    }
}

/// Takes away the query of a request's path.
pub(super) fn lose_query(fields: &mut Fields) {
    for (_, path) in fields.iter_mut().filter(|(k, _)| k == b":path") {
        let end = path.iter().position(|c| *c == b'?').unwrap_or(path.len());
        path.truncate(end);
    }
}

/// Makes a response out of an error.
pub(super) fn become_200(fields: &mut Fields) {
    for (_, status) in fields.iter_mut().filter(|(k, _)| k == b":status") {
        if status.first().is_some_and(|c| *c >= b'4') {
            *status = b"200".to_vec();
        }
    }
}

/// Calls that answer OK and return nothing: what they do is asked of other requirements.
const BARE: [&str; 17] = [
    "proxy_set_tick_period_milliseconds",
    "proxy_done",
    "proxy_set_effective_context",
    "proxy_set_header_map_pairs",
    "proxy_add_header_map_value",
    "proxy_replace_header_map_value",
    "proxy_remove_header_map_value",
    "proxy_continue_stream",
    "proxy_close_stream",
    "proxy_send_local_response",
    "proxy_grpc_send",
    "proxy_grpc_cancel",
    "proxy_grpc_close",
    "proxy_set_shared_data",
    "proxy_enqueue_shared_queue",
    "proxy_record_metric",
    "proxy_increment_metric",
];

/// Whether a call that was carried out answers that it was not.
pub(super) fn denied(faults: Faults, hostcall: &str) -> bool {
    BARE.contains(&hostcall) && faults.made_of(&[&hostcall["proxy_".len()..], "denies_success"])
}
