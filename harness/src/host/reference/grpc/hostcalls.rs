//! `proxy_grpc_call`, `_stream`, `_send`, `_cancel`, `_close`.
//!
//! Silent (S33): what comes back goes to the plugin context of the effective context. Silent: an id
//! that was never given out is as unknown as one whose call has ended (`NOT_FOUND`).

use std::collections::VecDeque;

use crate::abi::decode_pairs;
use crate::host::grpc::News;
use crate::host::reference::call::Call;
use crate::host::reference::calls::known;
use crate::host::reference::grpc::state::Open;
use crate::host::reference::spoil::lose_one;
use crate::host::reference::status::{Fail, Status};
use crate::host::reference::world::{Event, MILLI, World};
use crate::host::wire;
use crate::trace::GrpcSaw;

/// `proxy_grpc_call`: one message, and the end behind it.
pub(in crate::host::reference) fn call(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    let Some(mut asked) = open(c, "grpc_call", "call_id")? else {
        return Ok(());
    };
    let mut message = c.bytes("message")?;
    if c.wrong("grpc_call_message_is_cut") {
        message.pop();
    }
    asked.messages.push(wire::body(&message));
    asked.ended = true;
    let never = c.wrong("grpc_call_timeout_never_comes");
    let timeout = u64::from(c.u32("timeout")) * MILLI;
    let id = begin(c, asked, false)?;
    if !never {
        c.world().schedule(timeout, Event::GrpcTimeout { call: id });
    }
    if c.wrong("grpc_message_comes_within_the_call") {
        at_once(c, id)?;
    }
    if c.wrong("grpc_call_writes_no_id") {
        return Ok(());
    }
    let shown = if c.wrong("grpc_call_ids_are_equal") {
        1
    } else {
        id
    };
    Ok(c.out_u32("call_id", shown)?)
}

/// Fault: the first message that has come is delivered before the call returns.
fn at_once(c: &mut Call<'_, '_>, id: u32) -> Result<(), Fail> {
    let Some(open) = c.world().grpc.open.get_mut(&id) else {
        return Ok(());
    };
    let context = open.context;
    let is_message = |news: &News| matches!(news, News::Message(_));
    let Some(News::Message(bytes)) = open
        .news
        .iter()
        .position(is_message)
        .and_then(|at| open.news.remove(at))
    else {
        return Ok(());
    };
    let size = bytes.len() as u32;
    c.world().grpc.current = Some(News::Message(bytes));
    c.call_back("proxy_on_grpc_receive", context, &[context, id, size])?;
    c.world().grpc.current = None;
    Ok(())
}

/// `proxy_grpc_stream`. Silent (S32): it has no timeout.
pub(in crate::host::reference) fn stream(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    let Some(asked) = open(c, "grpc_stream", "stream_id")? else {
        return Ok(());
    };
    let id = begin(c, asked, true)?;
    if c.wrong("grpc_stream_writes_no_id") {
        return Ok(());
    }
    let shown = if c.wrong("grpc_stream_ids_are_equal") {
        1
    } else {
        id
    };
    Ok(c.out_u32("stream_id", shown)?)
}

/// What both have in common: what the upstream will see. `None`: a planted fault answers OK.
///
/// Silent (S39): metadata that is no serialised map is `BAD_ARGUMENT`.
fn open(c: &mut Call<'_, '_>, name: &str, out: &str) -> Result<Option<GrpcSaw>, Fail> {
    let read = |c: &Call<'_, '_>| -> Result<[Vec<u8>; 4], Status> {
        c.check_out(out)?;
        c.bytes("message")?;
        let text = [c.bytes("upstream")?, c.bytes("service")?];
        let [upstream, service] = text;
        Ok([
            upstream,
            service,
            c.bytes("method")?,
            c.bytes("initial_metadata")?,
        ])
    };
    let faults = c.faults();
    let [upstream, service, method, metadata] = match read(c) {
        Err(_) if faults.made_of(&[name, "bad_pointer_is_ok"]) => return Ok(None),
        all => all?,
    };
    let mut metadata = decode_pairs(&metadata).map_err(|_| Status::BadArgument)?;
    let upstream = String::from_utf8(upstream).ok();
    let there =
        |world: &World, name: &String| world.exchange.grpc.contains_key(name) || known(world, name);
    let Some(upstream) = upstream.filter(|name| there(c.world(), name)) else {
        // What `proxy_http_call` answers.
        let as_http = faults.made_of(&[name, "unknown_upstream_is_bad_argument"]);
        return Err(if as_http {
            Status::BadArgument.into()
        } else {
            Status::ParseFailure.into()
        });
    };
    if faults.made_of(&[name, "drops_metadata"]) {
        lose_one(&mut metadata);
    }
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let mut method = text(method);
    if faults.made_of(&[name, "asks_for_another_method"]) {
        method.push('2');
    }
    Ok(Some(GrpcSaw {
        upstream,
        service: text(service),
        method,
        metadata: wire::blobs(&metadata),
        ..GrpcSaw::default()
    }))
}

/// The call reaches its upstream.
fn begin(c: &mut Call<'_, '_>, saw: GrpcSaw, stream: bool) -> Result<u32, Status> {
    let name = if stream { "grpc_stream" } else { "grpc_call" };
    let astray = c.faults().made_of(&[name, "goes_astray"]);
    let world = c.world();
    let (vm, plugin) = world.effective_plugin().ok_or(Status::BadArgument)?;
    let id = world.calls.new_id();
    let upstream = saw.upstream.clone();
    let mut saw = saw;
    if astray {
        saw.upstream = "grpc_b".to_owned();
    }
    let speaks = world.exchange.grpc.contains_key(&upstream);
    let exchange = &world.exchange;
    let mut answering = world.grpc.scripts.arrives(exchange, &upstream);
    answering.messages = saw.messages.len() as u32;
    answering.ended = saw.ended;
    world.grpc.open.insert(
        id,
        Open {
            vm,
            context: world.vms[vm].plugins[plugin].context,
            stream,
            saw: speaks.then_some(world.grpc.saw.len()),
            answering,
            news: VecDeque::new(),
            told: false,
            ghost: false,
        },
    );
    if speaks {
        world.grpc.saw.push(saw);
        world.grpc_turns(id);
    } else if let Some(open) = world.grpc.open.get_mut(&id) {
        open.news.push_back(News::nobody());
        world.schedule(0, Event::GrpcNews { call: id });
    }
    Ok(id)
}

/// `proxy_grpc_send`. Silent: a call that is no stream, and a stream whose own side has ended, take no
/// message: `BAD_ARGUMENT`.
pub(in crate::host::reference) fn send(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    let message = match c.bytes("message") {
        Err(_) if c.wrong("grpc_send_bad_pointer_is_ok") => return Ok(()),
        bytes => bytes?,
    };
    let id = c.u32("stream_id");
    let end = c.word("end_stream") != 0 && !c.wrong("grpc_send_end_is_ignored");
    let (lost, closed_is_ok) = (
        c.wrong("grpc_send_has_no_effect"),
        c.wrong("grpc_send_closed_is_ok"),
    );
    let grpc = &mut c.world().grpc;
    let Some(open) = grpc.open(id) else {
        if closed_is_ok {
            return Ok(());
        }
        return Err(Status::NotFound.into());
    };
    if !open.stream || open.answering.ended {
        return Err(Status::BadArgument.into());
    }
    open.answering.ended = end;
    open.answering.messages += u32::from(!lost);
    if let Some(saw) = grpc.saw_of(id) {
        saw.ended = end;
        if !lost {
            saw.messages.push(wire::body(&message));
        }
    }
    c.world().grpc_turns(id);
    Ok(())
}

/// `proxy_grpc_cancel`: the upstream sees the call cut off. Silent: the plugin is told nothing more of
/// it, not even that it is closed.
pub(in crate::host::reference) fn cancel(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    let id = open_id(c, "grpc_cancel_closed_is_ok")?;
    let Some(id) = id else { return Ok(()) };
    let faults = c.faults();
    let grpc = &mut c.world().grpc;
    if faults.is("grpc_cancel_is_not_heeded") {
        if let Some(mut open) = grpc.cut(id) {
            open.ghost = true;
            grpc.open.insert(id, open);
        }
    } else if faults.is("grpc_cancel_is_not_seen") {
        grpc.open.remove(&id);
    } else {
        grpc.cut(id);
    }
    Ok(())
}

/// `proxy_grpc_close`: a stream ends in good order, a call that waits for its answer is cut off.
/// Silent: what the upstream still sends is dropped.
pub(in crate::host::reference) fn close(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    let id = open_id(c, "grpc_close_closed_is_ok")?;
    let Some(id) = id else { return Ok(()) };
    let unseen = c.wrong("grpc_close_is_not_seen");
    let grpc = &mut c.world().grpc;
    let stream = grpc.open.get(&id).is_some_and(|o| o.stream);
    if unseen {
        grpc.open.remove(&id);
    } else if stream {
        if let Some(saw) = grpc.saw_of(id) {
            saw.ended = true;
        }
        grpc.open.remove(&id);
    } else {
        grpc.cut(id);
    }
    Ok(())
}

/// The open call or stream that is meant. `None`: a planted fault answers OK for one that is not.
fn open_id(c: &mut Call<'_, '_>, fault: &str) -> Result<Option<u32>, Status> {
    let id = c.u32("call_or_stream_id");
    let wrong = c.wrong(fault);
    match c.world().grpc.open(id).is_some() {
        true => Ok(Some(id)),
        false if wrong => Ok(None),
        false => Err(Status::NotFound),
    }
}
