//! Stream operations: continue, close, local response.
//!
//! They take effect once the running callback has returned: no callback runs inside a hostcall.

use crate::abi::decode_pairs;
use crate::case::{Fields, Peer};
use crate::host::pieces::Direction;
use crate::host::reference::call::Call;
use crate::host::reference::pipe::Paused;
use crate::host::reference::status::{Fail, Status};
use crate::host::reference::world::Deferred;

/// A response of the plugin's own.
#[derive(Debug)]
pub(super) struct LocalResponse {
    pub(super) status: u16,
    pub(super) headers: Fields,
    pub(super) body: Vec<u8>,
}

/// `proxy_continue_stream`.
pub(super) fn continue_stream(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    let tcp = c.world().on_tcp();
    let direction = match (tcp, c.member("stream_type")) {
        (false, Some("HTTP_REQUEST")) | (true, Some("DOWNSTREAM")) => Direction::Request,
        (false, Some("HTTP_RESPONSE")) | (true, Some("UPSTREAM")) => Direction::Response,
        // An HTTP stream has no bytes of its own to continue, and a TCP stream no messages.
        (_, Some(_)) => return Err(Status::Unimplemented.into()),
        (_, None) if c.wrong("continue_unknown_is_ok") => return Ok(()),
        (_, None) => return Err(Status::BadArgument.into()),
    };
    resume(c, direction)
}

/// `proxy_continue_request` (0.1.0).
pub(super) fn continue_request(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    // No other status is named for it: without a stream there is nothing to do.
    let callback = running(c);
    if callback == "proxy_on_tick" && c.wrong("proxy_continue_request_in_tick_has_no_effect") {
        return Ok(());
    }
    drop(resume(c, Direction::Request));
    Ok(())
}

/// `proxy_continue_response` (0.1.0).
pub(super) fn continue_response(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    if c.wrong("proxy_continue_response_has_no_effect") {
        return Ok(());
    }
    drop(resume(c, Direction::Response));
    Ok(())
}

/// `proxy_clear_route_cache` (0.1.0): there is one route.
pub(super) fn clear_route_cache(_: &mut Call<'_, '_>) -> Result<(), Fail> {
    Ok(())
}

fn running(c: &mut Call<'_, '_>) -> &'static str {
    c.world().running.as_ref().map_or("", |r| r.callback)
}

fn resume(c: &mut Call<'_, '_>, direction: Direction) -> Result<(), Fail> {
    let request = direction == Direction::Request;
    let faults = c.faults();
    let world = c.world();
    let tcp = world.on_tcp();
    let fault = match (tcp, request) {
        (false, true) => "continue_request_in_tick_has_no_effect",
        (false, false) => "continue_response_has_no_effect",
        (true, true) => "continue_downstream_has_no_effect",
        (true, false) => "continue_upstream_has_no_effect",
    };
    // Silent: outside a stream there is nothing that could be continued.
    let (stream, stage) = world.effective_stage().ok_or(Status::Unimplemented)?;
    let callback = world.running.as_ref().map_or("", |r| r.callback);
    let ticks = callback == "proxy_on_tick";
    if (ticks || !request || tcp) && faults.is(fault) {
        return Ok(());
    }
    // Silent: a stream that is not paused goes on anyway; and if a callback of the stream itself then
    // returns PAUSE, it is that which decides (see `Player::show`).
    let paused = world.half((stream, stage), direction).map(|h| h.paused);
    let answers = ["proxy_on_http_call_response", "proxy_on_grpc_receive"];
    if faults.planted() && request && paused.is_some_and(|p| p.head) && answers.contains(&callback)
    {
        let short = &callback["proxy_on_".len()..];
        if faults.made_of(&["continue_request_in", short, "has_no_effect"]) {
            return Ok(());
        }
    }
    if paused.is_some_and(Paused::any) {
        world.deferred.push_back(Deferred::Continue {
            stream,
            stage,
            direction,
        });
    }
    Ok(())
}

/// `proxy_close_stream`: both directions of an HTTP stream end together. Silent: so do both connections
/// of a TCP stream, the one that was named first.
pub(super) fn close_stream(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    let (http, peer) = match c.member("stream_type") {
        Some("HTTP_REQUEST") if c.wrong("close_request_has_no_effect") => return Ok(()),
        Some("HTTP_RESPONSE") if c.wrong("close_response_has_no_effect") => return Ok(()),
        Some("DOWNSTREAM") if c.wrong("close_downstream_has_no_effect") => return Ok(()),
        Some("UPSTREAM") if c.wrong("close_upstream_has_no_effect") => return Ok(()),
        Some("DOWNSTREAM") => (false, Some(Peer::Downstream)),
        Some("UPSTREAM") => (false, Some(Peer::Upstream)),
        Some(_) => (true, None),
        None if c.wrong("close_unknown_is_ok") => return Ok(()),
        None => return Err(Status::BadArgument.into()),
    };
    let world = c.world();
    // Silent: closing what is not there has no effect.
    if let Some((stream, _)) = world.effective_stage()
        && world.on_tcp() != http
    {
        world.deferred.push_back(Deferred::Close { stream, peer });
    }
    Ok(())
}

/// `proxy_send_local_response`.
///
/// Silent (S35): once the response's headers were sent, or without a stream, it cannot be done:
/// `BAD_ARGUMENT`; so is a status code that HTTP does not have. Silent (S36): `grpc_status` is not used.
pub(super) fn send_local_response(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    let read = |c: &Call<'_, '_>| -> Result<_, Status> {
        let details = c.bytes("status_code_details")?;
        Ok((details, c.bytes("body")?, c.bytes("headers")?))
    };
    let (_, mut body, headers) = match read(c) {
        Err(_) if c.wrong("local_response_bad_pointer_is_ok") => return Ok(()),
        all => all?,
    };
    let mut headers = decode_pairs(&headers).map_err(|_| Status::BadArgument)?;
    let mut status = match c.u32("status_code") {
        code @ 100..=999 => code as u16,
        _ => return Err(Status::BadArgument.into()),
    };
    let faults = c.faults();
    let world = c.world();
    let (stream, _) = world.effective_stage().ok_or(Status::BadArgument)?;
    let (sent, over) = (
        world.streams[stream].response.is_some(),
        world.streams[stream].over,
    );
    if sent || over {
        return Err(Status::BadArgument.into());
    }
    let callback = world.running.as_ref().map_or("", |r| r.callback);
    let short = callback.trim_start_matches("proxy_on_");
    // From the headers only where there is all that a response can have.
    let whole = short != "request_headers" || !headers.is_empty() && !body.is_empty();
    if faults.planted() && whole && faults.made_of(&["local_response_in", short, "is_ignored"]) {
        return Ok(());
    }
    let later = callback == "proxy_on_http_call_response";
    if later && faults.is("local_response_drops_headers") {
        headers.clear();
    }
    if later && faults.is("local_response_drops_body") {
        body.clear();
    }
    if later && faults.is("local_response_status_is_200") {
        status = 200;
    }
    let response = LocalResponse {
        status,
        headers,
        body,
    };
    world
        .deferred
        .push_back(Deferred::Reply { stream, response });
    Ok(())
}
