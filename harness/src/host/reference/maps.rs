//! HTTP fields: reading and changing the maps.
//!
//! A map is there while its fields are held by this plugin (from their callback on, until they are
//! forwarded), and all of the stream's maps can be read in `proxy_on_log`.
//! Silent (S1): elsewhere a read of one key finds nothing (`NOT_FOUND`), everything else is
//! `BAD_ARGUMENT`. Silent (S34): names are compared without regard to case and kept as given.

use crate::abi::{decode_pairs, encode_pairs};
use crate::case::Fields;
use crate::host::grpc::News;
use crate::host::pieces::Direction;
use crate::host::reference::call::Call;
use crate::host::reference::spoil::{lose_one, returned, taken};
use crate::host::reference::status::{Fail, Status};
use crate::host::reference::world::World;

/// `proxy_get_header_map_size`. Silent (S37): the size of the serialised map.
pub(super) fn size(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    match c.check_out("serialized_pairs_size") {
        Err(_) if c.wrong("get_map_size_bad_pointer_is_ok") => return Ok(()),
        checked => checked?,
    }
    let map = known(c, "get_map_size_unknown_is_ok")?;
    let Some(map) = map else { return Ok(()) };
    let fields = read(c.world(), &map).ok_or(Status::BadArgument)?;
    let mut size = encode_pairs(&fields).len() as u32;
    if c.wrong("get_map_size_is_zero") {
        size = 0;
    }
    Ok(c.out_u32("serialized_pairs_size", size)?)
}

/// `proxy_get_header_map_pairs`.
pub(super) fn get_pairs(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    match c.check_out("pairs") {
        Err(_) if c.wrong("get_map_pairs_bad_pointer_is_ok") => return Ok(()),
        checked => checked?,
    }
    let map = known(c, "get_map_pairs_unknown_is_ok")?;
    let Some(map) = map else { return Ok(()) };
    let mut fields = read(c.world(), &map).ok_or(Status::BadArgument)?;
    if map.ends_with("HEADERS") && c.wrong("get_map_pairs_drops_first") {
        lose_one(&mut fields);
    }
    if c.wrong("get_map_pairs_drops_repeats") {
        let mut seen: Vec<Vec<u8>> = Vec::new();
        fields.retain(|(k, _)| {
            let first = !seen.contains(k);
            seen.push(k.clone());
            first
        });
    }
    if map.starts_with("HTTP_CALL") && c.wrong("http_call_response_headers_lack_the_status") {
        fields.retain(|(k, _)| k != b":status");
    }
    let several = map == "HTTP_CALL_RESPONSE_TRAILERS" && fields.len() > 1;
    if several && c.wrong("http_call_response_trailers_lack_the_last") {
        fields.pop();
    }
    let bytes = returned(c.faults(), &map, &fields);
    c.out_bytes("pairs", &bytes)
}

/// `proxy_set_header_map_pairs`. Silent (S39): what is no serialised map is `BAD_ARGUMENT`.
pub(super) fn set_pairs(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    let bytes = match c.bytes("pairs") {
        Err(_) if c.wrong("set_map_pairs_bad_pointer_is_ok") => return Ok(()),
        bytes => bytes?,
    };
    let Some(map) = known(c, "set_map_pairs_unknown_is_ok")? else {
        return Ok(());
    };
    let refused = match bytes.as_slice() {
        [] => c.wrong("empty_map_of_no_bytes_is_refused"),
        [0] => c.wrong("empty_map_of_one_zero_is_refused"),
        _ => false,
    };
    if refused {
        return Err(Status::BadArgument.into());
    }
    let pairs = decode_pairs(&bytes).map_err(|_| Status::BadArgument)?;
    let pairs = taken(c.faults(), &map, pairs);
    let merges = !pairs.is_empty() && c.wrong("set_map_pairs_merges");
    change(c, &map, "set_map_pairs", |fields| {
        if !merges {
            fields.clear();
        }
        fields.extend(pairs.clone());
    })
}

/// `proxy_get_header_map_value`. Silent: the first value, where there are several.
pub(super) fn get(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    let checked = c
        .bytes("key")
        .and_then(|key| c.check_out("value").map(|()| key));
    let key = match checked {
        Err(_) if c.wrong("get_header_bad_pointer_is_ok") => return Ok(()),
        key => key?,
    };
    let Some(map) = known(c, "get_header_unknown_map_is_ok")? else {
        return Ok(());
    };
    let Some(fields) = read(c.world(), &map) else {
        let undefined = c.wrong("get_header_unavailable_is_undefined");
        return Err(if undefined {
            Status::Undefined.into()
        } else {
            Status::NotFound.into()
        });
    };
    let found = fields.into_iter().find(|(k, _)| same(k, &key));
    match found {
        Some((_, mut value)) => {
            if c.faults().planted() {
                let Some(spoilt) = one_value(c.world(), &map, value) else {
                    return Err(Status::NotFound.into());
                };
                value = spoilt;
            }
            c.out_bytes("value", &value)
        }
        None if c.wrong("get_header_absent_is_ok") => c.out_bytes("value", &[]),
        None => Err(Status::NotFound.into()),
    }
}

/// Faults: what is given for one key of a map; `None`: nothing is found.
fn one_value(world: &World, map: &str, mut value: Vec<u8>) -> Option<Vec<u8>> {
    /// A value that needs more than one read of most sockets.
    const LARGE: usize = 32 * 1024;
    let faults = world.faults;
    let name = map.to_lowercase();
    if map == "HTTP_REQUEST_HEADERS"
        && world.in_callback("proxy_on_log")
        && faults.is("request_is_forgotten_before_log")
    {
        return None;
    }
    if value.len() > LARGE && faults.made_of(&[&name, "large_value_is_cut"]) {
        value.truncate(LARGE);
    }
    let trailers = of_stream(map).is_some_and(|(_, trailers)| trailers);
    let own = trailers && !elsewhere(world, map) && !value.is_empty();
    if own && faults.made_of(&[&name, "value_is_cut"]) {
        value.pop();
    }
    let comma = value.iter().position(|b| *b == b',');
    if let Some(at) = comma.filter(|_| faults.is("get_header_ends_at_comma")) {
        value.truncate(at);
    }
    Some(value)
}

/// `proxy_add_header_map_value`.
pub(super) fn add(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    let Some((key, value)) = key_and_value(c, "add_header_bad_pointer_is_ok")? else {
        return Ok(());
    };
    let Some(map) = known(c, "add_header_unknown_map_is_ok")? else {
        return Ok(());
    };
    let replaces = c.wrong("add_header_replaces");
    change(c, &map, "add_header", |fields| {
        if replaces {
            put(fields, key.clone(), value.clone());
        } else {
            fields.push((key.clone(), value.clone()));
        }
    })
}

/// `proxy_replace_header_map_value`: one value remains.
pub(super) fn replace(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    let Some((key, value)) = key_and_value(c, "replace_header_bad_pointer_is_ok")? else {
        return Ok(());
    };
    let Some(map) = known(c, "replace_header_unknown_map_is_ok")? else {
        return Ok(());
    };
    let faults = c.faults();
    let adds = map == "HTTP_RESPONSE_HEADERS" && faults.is("replace_header_adds");
    change(c, &map, "replace_header", |fields| {
        let there = fields.iter().any(|(k, _)| same(k, &key));
        if there && adds {
            fields.push((key.clone(), value.clone()));
        } else if there || !faults.is("replace_header_absent_is_ignored") {
            put(fields, key.clone(), value.clone());
        }
    })
}

/// `proxy_remove_header_map_value`: all values of the key.
pub(super) fn remove(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    let key = match c.bytes("key") {
        Err(_) if c.wrong("remove_header_bad_pointer_is_ok") => return Ok(()),
        key => key?,
    };
    let Some(map) = known(c, "remove_header_unknown_map_is_ok")? else {
        return Ok(());
    };
    let faults = c.faults();
    let mut found = false;
    change(c, &map, "remove_header", |fields| {
        let first = fields.iter().position(|(k, _)| same(k, &key));
        found |= first.is_some();
        if let (Some(at), true) = (first, faults.is("remove_header_removes_one_value")) {
            fields.remove(at);
        } else {
            fields.retain(|(k, _)| !same(k, &key));
        }
    })?;
    if !found && faults.is("remove_header_absent_is_not_found") {
        return Err(Status::NotFound.into());
    }
    Ok(())
}

/// Changes the fields of a map that can be modified now.
///
/// Two faults of every change, named after `call`: the plugin sees it but it is not forwarded (header
/// fields of a response), and it is forwarded but the plugin does not see it (where fields are left).
fn change(
    c: &mut Call<'_, '_>,
    map: &str,
    call: &str,
    mut how: impl FnMut(&mut Fields),
) -> Result<(), Fail> {
    let faults = c.faults();
    let world = c.world();
    if ignored_while_paused(world, map) {
        return Ok(());
    }
    let fields = write(world, map).ok_or(Status::BadArgument)?;
    if !faults.planted() {
        how(fields);
        return Ok(());
    }
    let (shown, stage) = (fields.clone(), world.effective_stage());
    let Some(((direction, trailers), stage)) = of_stream(map).zip(stage) else {
        return Ok(());
    };
    let inside = !elsewhere(world, map);
    let Some(half) = world.half(stage, direction) else {
        return Ok(());
    };
    half.changes += u32::from(inside);
    // Of trailers the first change of a callback, of headers the second.
    let nth = half.changes > u32::from(!trailers);
    let forgotten = inside && nth && faults.made_of(&[&map.to_lowercase(), "change_is_forgotten"]);
    let instead = half.forwarded_instead(trailers);
    let mut forwarded = instead.take().unwrap_or_else(|| shown.clone());
    let lost = map == "HTTP_RESPONSE_HEADERS" && faults.made_of(&[call, "is_not_forwarded"]);
    if !lost && !forgotten {
        how(&mut forwarded);
    }
    let hidden = !forwarded.is_empty() && faults.made_of(&[call, "is_not_read_back"]);
    let mut shown = shown;
    if !hidden {
        how(&mut shown);
    }
    if forwarded != shown {
        *instead = Some(forwarded);
    }
    if let Some(fields) = write(world, map) {
        *fields = shown;
    }
    Ok(())
}

/// Fault: while processing is paused, a change from another callback is taken and forgotten.
fn ignored_while_paused(world: &mut World, map: &str) -> bool {
    if !world.faults.planted() {
        return false;
    }
    let paused = of_stream(map).is_some_and(|(direction, _)| {
        let stage = world.effective_stage();
        stage.is_some_and(|stage| world.half(stage, direction).is_some_and(|h| h.paused.any()))
    });
    paused
        && elsewhere(world, map)
        && world
            .faults
            .made_of(&[&map.to_lowercase(), "write_is_ignored_while_paused"])
}

/// Whether another callback runs than the one in which this map comes.
fn elsewhere(world: &World, map: &str) -> bool {
    let own = match map {
        "HTTP_REQUEST_HEADERS" => "proxy_on_request_headers",
        "HTTP_REQUEST_TRAILERS" => "proxy_on_request_trailers",
        "HTTP_RESPONSE_HEADERS" => "proxy_on_response_headers",
        _ => "proxy_on_response_trailers",
    };
    !world.in_callback(own)
}

/// The text's name of the map that the call names. `None`: a planted fault takes an unknown one for OK.
fn known(c: &Call<'_, '_>, fault: &str) -> Result<Option<String>, Status> {
    match c.member("map_id") {
        Some(map) => Ok(Some(map.to_owned())),
        None if c.wrong(fault) => Ok(None),
        None => Err(Status::BadArgument),
    }
}

type Pair = (Vec<u8>, Vec<u8>);

fn key_and_value(c: &Call<'_, '_>, fault: &str) -> Result<Option<Pair>, Status> {
    match c.bytes("key").and_then(|key| Ok((key, c.bytes("value")?))) {
        Err(_) if c.wrong(fault) => Ok(None),
        both => both.map(Some),
    }
}

/// Whether two field names are the same.
pub(super) fn same(a: &[u8], b: &[u8]) -> bool {
    a.eq_ignore_ascii_case(b)
}

/// Sets the one value of `key`, at its first place, else at the end.
pub(super) fn put(fields: &mut Fields, key: Vec<u8>, value: Vec<u8>) {
    match fields.iter().position(|(k, _)| same(k, &key)) {
        Some(at) => {
            let mut index = 0;
            fields.retain(|(k, _)| {
                let keep = index <= at || !same(k, &key);
                index += 1;
                keep
            });
            fields[at].1 = value;
        }
        None => fields.push((key, value)),
    }
}

/// A stream's map by name: direction, and whether the trailers.
fn of_stream(map: &str) -> Option<(Direction, bool)> {
    Some(match map {
        "HTTP_REQUEST_HEADERS" => (Direction::Request, false),
        "HTTP_REQUEST_TRAILERS" => (Direction::Request, true),
        "HTTP_RESPONSE_HEADERS" => (Direction::Response, false),
        "HTTP_RESPONSE_TRAILERS" => (Direction::Response, true),
        _ => return None,
    })
}

/// The fields that can be read now.
fn read(world: &mut World, map: &str) -> Option<Fields> {
    match map {
        "HTTP_CALL_RESPONSE_HEADERS" => return world.calls.response().map(|r| r.headers.clone()),
        "HTTP_CALL_RESPONSE_TRAILERS" => return world.calls.response().map(|r| r.trailers.clone()),
        "GRPC_CALL_INITIAL_METADATA" | "GRPC_CALL_TRAILING_METADATA" => {
            return match (map, world.grpc.current()?) {
                ("GRPC_CALL_INITIAL_METADATA", News::Initial(all))
                | ("GRPC_CALL_TRAILING_METADATA", News::Trailing(all)) => Some(all.clone()),
                _ => None,
            };
        }
        _ => {}
    }
    let (direction, trailers) = of_stream(map).filter(|_| !world.on_tcp())?;
    let stage = world.effective_stage()?;
    let planted =
        |what| world.faults.planted() && world.faults.made_of(&[&map.to_lowercase(), what]);
    if !world.in_callback("proxy_on_log") {
        let empty = elsewhere(world, map) && planted("is_empty_while_paused");
        let fields = write(world, map).cloned()?;
        return Some(if empty { Vec::new() } else { fields });
    }
    if planted("is_empty_in_log") {
        return Some(Vec::new());
    }
    let half = world.half(stage, direction)?;
    Some(if trailers {
        half.trailers.clone()
    } else {
        half.headers.clone()
    })
}

/// The fields that can be modified now.
fn write<'a>(world: &'a mut World, map: &str) -> Option<&'a mut Fields> {
    let (direction, trailers) = of_stream(map).filter(|_| !world.on_tcp())?;
    let stage = world.effective_stage()?;
    let over = world.streams.get(stage.0)?.over;
    let half = world.half(stage, direction)?;
    let there = !over
        && if trailers {
            half.trailers_are_held()
        } else {
            half.headers_are_held()
        };
    there.then_some(if trailers {
        &mut half.trailers
    } else {
        &mut half.headers
    })
}
