//! Buffers: bodies, data of TCP streams, configurations, answers of HTTP calls, gRPC messages.
//!
//! A buffer is there in its own callback, and a body for as long as processing is paused from it;
//! anywhere else the answer is `NOT_FOUND`.

use crate::host::grpc::News;
use crate::host::pieces::Direction;
use crate::host::reference::call::Call;
use crate::host::reference::status::{Fail, Status};
use crate::host::reference::world::World;

/// `proxy_get_configuration` (0.1.0): VM or plugin configuration, by the running callback. Silent
/// elsewhere: `NOT_FOUND`.
pub(super) fn get_configuration(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    match c.check_out("value") {
        Err(_) if c.wrong("get_configuration_bad_pointer_is_ok") => return Ok(()),
        checked => checked?,
    }
    let vm = configuration(c.world(), "VM_CONFIGURATION");
    let plugin = configuration(c.world(), "PLUGIN_CONFIGURATION");
    let mut value = vm.or(plugin).ok_or(Status::NotFound)?;
    if c.wrong("get_configuration_is_cut") {
        value.pop();
    }
    c.out_bytes("value", &value)
}

/// `proxy_get_buffer_bytes`.
///
/// Silent (S10, S11): a sum of `start` and `max_size` beyond 32 bits is the "overflow" of the text,
/// and so is a `start` beyond the end; `start` at the end gives an empty value.
pub(super) fn get(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    match c.check_out("value") {
        Err(_) if c.wrong("get_buffer_bad_pointer_is_ok") => return Ok(()),
        checked => checked?,
    }
    let buffer = read(
        c,
        "get_buffer_unknown_is_not_found",
        "get_buffer_unavailable_is_ok",
    )?;
    let (start, max) = (c.u32("start"), c.u32("max_size"));
    let start_at = start as usize;
    if start.checked_add(max).is_none() || start_at > buffer.len() {
        if c.wrong("get_buffer_overflow_is_ok") {
            return c.out_bytes("value", &[]);
        }
        return Err(Status::BadArgument.into());
    }
    let mut end = buffer.len().min(start_at + max as usize);
    if of_stream(c) && c.wrong("get_buffer_ignores_max_size") {
        end = buffer.len();
    }
    let mut from = start_at;
    if start > 0 {
        let past_end = start_at + max as usize > buffer.len();
        (from, end) = wrong_part(c, (from, end), past_end);
    }
    c.out_bytes("value", &buffer[from..end.max(from)])
}

/// Faults: which part of a buffer is given where one from the middle is asked for.
fn wrong_part(c: &Call<'_, '_>, (from, end): (usize, usize), past_end: bool) -> (usize, usize) {
    let faults = c.faults();
    if !faults.planted() {
        return (from, end);
    }
    let name = c.member("buffer_id").unwrap_or_default();
    let ignored = match name {
        _ if of_stream(c) => !past_end && faults.is("get_buffer_ignores_start"),
        "PLUGIN_CONFIGURATION" | "HTTP_CALL_RESPONSE_BODY" | "GRPC_CALL_MESSAGE" => {
            faults.made_of(&[&name.to_lowercase(), "is_read_from_the_front"])
        }
        _ => false,
    };
    if ignored {
        return (0, end - from);
    }
    let short = past_end && of_stream(c) && c.wrong("get_buffer_past_end_is_short");
    (from, if short { end.saturating_sub(1) } else { end })
}

/// Whether the call is about a body of the stream: what is read from other buffers stays right.
fn of_stream(c: &Call<'_, '_>) -> bool {
    let name = c.member("buffer_id").unwrap_or_default();
    name == "HTTP_REQUEST_BODY" || name == "HTTP_RESPONSE_BODY" || name.ends_with("STREAM_DATA")
}

/// `proxy_get_buffer_status`.
pub(super) fn status(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    let checked = c
        .check_out("buffer_size")
        .and_then(|()| c.check_out("unused"));
    if checked.is_err() && c.wrong("get_buffer_status_bad_pointer_is_ok") {
        return Ok(());
    }
    checked?;
    let buffer = read(
        c,
        "get_buffer_status_unknown_is_not_found",
        "get_buffer_status_unavailable_is_ok",
    )?;
    let of_vm = || c.member("buffer_id") == Some("VM_CONFIGURATION");
    if c.faults().planted() && of_vm() && c.wrong("vm_configuration_has_no_size") {
        return Err(Status::NotFound.into());
    }
    let off = u32::from(of_stream(c) && c.wrong("get_buffer_status_off_by_one"));
    c.out_u32("buffer_size", buffer.len() as u32 + off)?;
    Ok(c.out_u32("unused", 0)?)
}

/// `proxy_set_buffer_bytes`. Silent (S12): a partial replacement is done as `start` and `size` say.
pub(super) fn set(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    let value = match c.bytes("value") {
        Err(_) if c.wrong("set_buffer_bad_pointer_is_ok") => return Ok(()),
        bytes => bytes?,
    };
    let Some(name) = c.member("buffer_id") else {
        return Err(unknown(c, "set_buffer_unknown_is_not_found").into());
    };
    let (start, size) = (c.u32("start") as usize, c.u32("size") as usize);
    let faults = c.faults();
    let world = c.world();
    let inside = OWN.iter().any(|callback| world.in_callback(callback));
    // What can only be read is not there to be set.
    let Some(body) = body(c.world(), name) else {
        return if faults.is("set_buffer_unavailable_is_ok") {
            Ok(())
        } else {
            Err(Status::NotFound.into())
        };
    };
    let shorter = start == 0 && size >= body.len() && (1..body.len()).contains(&value.len());
    let denied =
        shorter && name == "HTTP_REQUEST_BODY" && faults.is("set_buffer_bytes_denies_success");
    let at = start.min(body.len());
    let end = at.saturating_add(size).min(body.len());
    if faults.planted() {
        let elsewhere = !inside;
        if elsewhere && faults.made_of(&[&name.to_lowercase(), "write_is_ignored_while_paused"]) {
            return Ok(());
        }
        let tcp = name.ends_with("STREAM_DATA");
        let unchanged = tcp && value.len() == size.min(body.len()) && start == 0;
        if unchanged && faults.made_of(&[&name.to_lowercase(), "write_is_forgotten"]) {
            return Ok(());
        }
        let kind = kind(start, size, body.len(), value.len());
        let whole = kind == "whole" && !tcp && inside;
        if whole && faults.made_of(&[&name.to_lowercase(), "write_is_forgotten"]) {
            return Ok(());
        }
        if faults.made_of(&["set_buffer", kind, "has_no_effect"]) {
            return Ok(());
        }
    }
    body.splice(at..end, value);
    if denied {
        return Err(Status::InternalFailure.into());
    }
    Ok(())
}

/// What a change of a buffer of `len` bytes is in the words of the text; it names the fault.
fn kind(start: usize, size: usize, len: usize, value: usize) -> &'static str {
    let all = size >= len;
    match start {
        _ if start == u32::MAX as usize => "append_maximum",
        _ if start > len => "append_beyond",
        0 if size == 0 => "prepend",
        _ if start == len => "append",
        0 if all && value == 0 => "empty_value",
        0 if all && value > len => "longer",
        0 if all => "whole",
        0 => "replace_front",
        _ if size == 0 => "inject",
        _ => "replace",
    }
}

fn unknown(c: &Call<'_, '_>, fault: &str) -> Status {
    if c.wrong(fault) {
        Status::NotFound
    } else {
        Status::BadArgument
    }
}

/// The content of the buffer that the call names.
fn read(c: &mut Call<'_, '_>, unknown_fault: &str, away_fault: &str) -> Result<Vec<u8>, Status> {
    let Some(name) = c.member("buffer_id") else {
        return Err(unknown(c, unknown_fault));
    };
    let faults = c.faults();
    let world = c.world();
    let found = match name {
        "VM_CONFIGURATION" | "PLUGIN_CONFIGURATION" => configuration(world, name),
        "GRPC_CALL_MESSAGE" => match world.grpc.current() {
            Some(News::Message(bytes)) => Some(bytes.clone()),
            _ => None,
        },
        "FOREIGN_FUNCTION_ARGUMENTS" => world.foreign.clone(),
        "HTTP_CALL_RESPONSE_BODY" => world.calls.response().map(|r| r.body.clone()),
        _ if faults.planted() && emptied_while_paused(world, name) => Some(Vec::new()),
        _ if faults.planted() && of_another_stream(world, name).is_some() => {
            of_another_stream(world, name)
        }
        _ => body(world, name).map(|b| b.clone()),
    };
    let found = found.map(|bytes| read_wrong(c.world(), name, bytes));
    match found {
        Some(bytes) => Ok(bytes),
        None if faults.is(away_fault) => Ok(Vec::new()),
        None => Err(Status::NotFound),
    }
}

/// The callbacks in which bodies and data come.
const OWN: [&str; 4] = [
    "proxy_on_request_body",
    "proxy_on_response_body",
    "proxy_on_downstream_data",
    "proxy_on_upstream_data",
];

/// Faults: what is read of the data of a TCP stream, where earlier data has gone on already.
fn read_wrong(world: &mut World, name: &str, mut bytes: Vec<u8>) -> Vec<u8> {
    if !world.faults.planted() {
        return bytes;
    }
    let zeros = ["HTTP_REQUEST_BODY", "HTTP_RESPONSE_BODY"].contains(&name) && bytes.contains(&0);
    if zeros
        && world.faults.made_of(&[
            &name["HTTP_".len()..].to_lowercase(),
            "shows_zeros_as_blanks",
        ])
    {
        bytes
            .iter_mut()
            .filter(|b| **b == 0)
            .for_each(|b| *b = b' ');
    }
    if !world.on_tcp() {
        return bytes;
    }
    let (direction, short) = match name {
        "DOWNSTREAM_DATA" => (Direction::Request, "downstream_data"),
        "UPSTREAM_DATA" => (Direction::Response, "upstream_data"),
        _ => return bytes,
    };
    let faults = world.faults;
    let half = world
        .effective_stage()
        .and_then(|s| world.half(s, direction));
    let later = half.is_some_and(|h| h.received > h.body.len() as u64);
    if let Some(first) = bytes.first_mut().filter(|_| later)
        && faults.made_of(&[short, "is_read_wrong_later"])
    {
        *first ^= 1;
    }
    bytes
}

/// Fault: in its callback a plugin finds what another stream holds that is open too.
fn of_another_stream(world: &mut World, name: &str) -> Option<Vec<u8>> {
    let direction = match name {
        "HTTP_REQUEST_BODY" | "DOWNSTREAM_DATA" => Direction::Request,
        _ => Direction::Response,
    };
    let inside = OWN.iter().any(|callback| world.in_callback(callback));
    let (own, stage) = world.effective_stage().filter(|_| inside)?;
    let mut all = world.streams.iter().enumerate();
    let (other, _) = all.find(|(n, s)| *n != own && !s.over)?;
    let planted = world
        .faults
        .made_of(&[&name.to_lowercase(), "is_that_of_another_stream"]);
    let half = world.half((other, stage), direction).filter(|_| planted)?;
    Some(half.body.clone())
}

/// Fault: while processing is paused, other callbacks find the body empty.
fn emptied_while_paused(world: &mut World, name: &str) -> bool {
    let there = body(world, name).is_some();
    there
        && !OWN.iter().any(|callback| world.in_callback(callback))
        && world
            .faults
            .made_of(&[&name.to_lowercase(), "is_empty_while_paused"])
}

/// A body, or data of a TCP stream, that can be read and modified now.
fn body<'a>(world: &'a mut World, name: &str) -> Option<&'a mut Vec<u8>> {
    let (direction, callback) = match (world.on_tcp(), name) {
        (false, "HTTP_REQUEST_BODY") => (Direction::Request, OWN[0]),
        (false, "HTTP_RESPONSE_BODY") => (Direction::Response, OWN[1]),
        (true, "DOWNSTREAM_DATA") => (Direction::Request, OWN[2]),
        (true, "UPSTREAM_DATA") => (Direction::Response, OWN[3]),
        _ => return None,
    };
    let stage = world.effective_stage()?;
    let inside = world.in_callback(callback);
    let half = world.half(stage, direction)?;
    (inside || half.body_is_held()).then_some(&mut half.body)
}

/// The configuration that can be read in the running callback.
fn configuration(world: &World, name: &str) -> Option<Vec<u8>> {
    let running = world.running.as_ref()?;
    let vm = world.vms.get(running.vm)?;
    let swap = world.faults.is("vm_configuration_is_plugin_configuration");
    let plugin = world.context(running.vm, running.context).map(|c| c.plugin);
    let of_plugin = plugin
        .and_then(|p| vm.plugins.get(p))
        .map(|p| p.config.clone());
    match (name, running.callback) {
        ("VM_CONFIGURATION", "proxy_on_vm_start") if swap => of_plugin,
        ("VM_CONFIGURATION", "proxy_on_vm_start") => Some(vm.config.clone()),
        ("PLUGIN_CONFIGURATION", "proxy_on_configure") => {
            if world.faults.is("plugin_configuration_is_vm_configuration") {
                return Some(vm.config.clone());
            }
            of_plugin
        }
        _ => None,
    }
}
