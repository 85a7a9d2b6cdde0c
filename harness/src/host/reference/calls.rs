//! HTTP calls to scripted upstreams, and the status of their answers.
//!
//! An answer is delivered as an event of its own, after the callback that made the call.

use std::collections::BTreeMap;

use crate::abi::decode_pairs;
use crate::case::{Answer, AnswerKind, Fields};
use crate::host::grpc::News;
use crate::host::reference::call::Call;
use crate::host::reference::maps::same;
use crate::host::reference::spoil::lose_one;
use crate::host::reference::status::{Fail, Status};
use crate::host::reference::world::{Event, MILLI, World};
use crate::host::wire;
use crate::trace::UpstreamSaw;

/// All calls of a job.
#[derive(Debug, Default)]
pub(super) struct Calls {
    last: u32,
    /// How many requests each upstream has had.
    arrived: BTreeMap<String, usize>,
    open: BTreeMap<u32, Open>,
    /// The answer that the running callback is about.
    current: Option<Response>,
}

/// A call that waits for its answer.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) vm: usize,
    /// The plugin context that gets the answer.
    pub(super) context: u32,
    pub(super) response: Option<Response>,
}

/// What came back.
#[derive(Debug, Clone, Default)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: Fields,
    pub(super) body: Vec<u8>,
    pub(super) trailers: Fields,
}

impl Calls {
    /// A new id; HTTP and gRPC calls never share one.
    pub(super) fn new_id(&mut self) -> u32 {
        self.last += 1;
        self.last
    }

    /// The answer that can be read in the running callback.
    pub(super) fn response(&self) -> Option<&Response> {
        self.current.as_ref()
    }

    /// Takes a call that ends now.
    pub(super) fn end(&mut self, call: u32) -> Option<Open> {
        self.open.remove(&call)
    }

    /// Sets or clears the answer that the running callback is about.
    pub(super) fn set_response(&mut self, response: Option<Response>) {
        self.current = response;
    }
}

/// `proxy_http_call`.
///
/// Silent (S39): headers or trailers that are no serialised map are `BAD_ARGUMENT`. Silent (S33): the
/// answer goes to the plugin context of the effective context.
pub(super) fn http_call(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    let read = |c: &Call<'_, '_>| -> Result<_, Status> {
        c.check_out("call_id")?;
        let head = (c.bytes("upstream")?, c.bytes("headers")?);
        Ok((head, c.bytes("body")?, c.bytes("trailers")?))
    };
    let ((upstream, headers), mut body, trailers) = match read(c) {
        Err(_) if c.wrong("http_call_bad_pointer_is_ok") => return Ok(()),
        all => all?,
    };
    let mut headers = decode_pairs(&headers).map_err(|_| Status::BadArgument)?;
    let mut trailers = decode_pairs(&trailers).map_err(|_| Status::BadArgument)?;
    let timeout = u64::from(c.u32("timeout")) * MILLI;
    let faults = c.faults();
    let world = c.world();
    let (vm, plugin) = world.effective_plugin().ok_or(Status::BadArgument)?;
    let context = world.vms[vm].plugins[plugin].context;
    let upstream = String::from_utf8(upstream).unwrap_or_default();
    if !known(world, &upstream) {
        let address = upstream.contains(':');
        let status = if !address && faults.is("http_call_unknown_upstream_is_ok")
            || address && faults.is("http_call_to_any_address_is_ok")
        {
            Status::Ok
        } else {
            Status::BadArgument
        };
        return Err(status.into());
    }
    for needed in [":method", ":path", ":authority"] {
        if !headers
            .iter()
            .any(|(k, v)| same(k, needed.as_bytes()) && !v.is_empty())
        {
            let status = if faults.is("http_call_missing_header_is_ok") {
                Status::Ok
            } else {
                Status::BadArgument
            };
            return Err(status.into());
        }
    }
    if faults.is("http_call_drops_header") {
        lose_one(&mut headers);
    }
    if faults.is("http_call_drops_body") {
        body.clear();
    }
    if faults.is("http_call_drops_trailers") {
        trailers.clear();
    }
    let id = world.calls.new_id();
    let astray = faults.is("http_call_goes_astray");
    let to = if astray { "b" } else { &upstream };
    send(world, to, headers, body, trailers);
    let answer = next_answer(world, &upstream);
    let answer_kind = answer.kind;
    let bare = answer_kind == AnswerKind::Reply && answer.status == 204;
    if bare && faults.is("http_call_response_comes_within_the_call") {
        return at_once(c, context, id, response(answer));
    }
    let (after, response) = match answer_kind {
        AnswerKind::Reply => (0, Some(response(answer))),
        AnswerKind::Close => (0, None),
        AnswerKind::Hang => (timeout, None),
    };
    world.calls.open.insert(
        id,
        Open {
            vm,
            context,
            response,
        },
    );
    let lost = faults.is("http_call_timeout_never_comes") && answer_kind != AnswerKind::Reply
        || faults.is("http_call_response_never_comes") && answer_kind == AnswerKind::Reply;
    if !lost {
        world.schedule(after, Event::CallEnds { call: id });
    }
    if faults.is("http_call_writes_no_id") {
        return Ok(());
    }
    let shown = if faults.is("http_call_ids_are_equal") {
        1
    } else {
        id
    };
    Ok(c.out_u32("call_id", shown)?)
}

/// Fault: the answer is delivered before the call returns.
fn at_once(c: &mut Call<'_, '_>, context: u32, id: u32, answer: Response) -> Result<(), Fail> {
    let sizes = [
        answer.headers.len(),
        answer.body.len(),
        answer.trailers.len(),
    ];
    let [headers, body, trailers] = sizes.map(|n| n as u32);
    c.world().calls.set_response(Some(answer));
    let args = [context, id, headers, body, trailers];
    c.call_back("proxy_on_http_call_response", context, &args)?;
    c.world().calls.set_response(None);
    Ok(c.out_u32("call_id", id)?)
}

/// Whether an upstream of this name is configured; `main` is the one that serves the streams.
pub(super) fn known(world: &World, name: &str) -> bool {
    name == "main" || world.exchange.upstreams.contains_key(name)
}

fn send(world: &mut World, upstream: &str, headers: Fields, body: Vec<u8>, trailers: Fields) {
    let mut request = wire::request(&headers);
    request.body = wire::body(&body);
    request.trailers = wire::blobs(&trailers);
    request.complete = true;
    let upstream = upstream.to_owned();
    world.upstream.push(UpstreamSaw { upstream, request });
}

/// What the upstream answers to the request that has just arrived; the last answer repeats.
fn next_answer(world: &mut World, upstream: &str) -> Answer {
    let nth = world.calls.arrived.entry(upstream.to_owned()).or_default();
    let at = *nth;
    *nth += 1;
    let script = world.exchange.upstreams.get(upstream);
    let scripted = script.and_then(|answers| answers.get(at).or_else(|| answers.last()));
    let own = world.exchange.streams.first().map(|s| &s.answer);
    scripted.or(own).cloned().unwrap_or_default()
}

fn response(answer: Answer) -> Response {
    let mut headers = vec![(b":status".to_vec(), answer.status.to_string().into_bytes())];
    headers.extend(answer.headers);
    Response {
        status: answer.status,
        headers,
        body: answer.body.concat(),
        trailers: answer.trailers,
    }
}

/// `proxy_get_status`: of the HTTP call whose answer is being delivered, or the gRPC call that is being
/// closed. The message of an HTTP call is empty: HTTP answers carry none that means anything. Silent
/// elsewhere, and for an HTTP call that failed: 0.
pub(super) fn get_status(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    let checked = c
        .check_out("status_code")
        .and_then(|()| c.check_out("status_message"));
    if checked.is_err() && c.wrong("get_status_bad_pointer_is_ok") {
        return Ok(());
    }
    checked?;
    if c.wrong("get_status_writes_nothing") {
        return Ok(());
    }
    let faults = c.faults();
    let world = c.world();
    let (code, message) = if let Some(News::Closed { code, message }) = world.grpc.current() {
        let mut message = message.clone();
        if faults.is("get_status_grpc_message_is_cut") {
            message.pop();
        }
        let zero = faults.is("get_status_grpc_code_is_zero");
        (if zero { 0 } else { *code }, message)
    } else {
        let response = world.calls.response();
        (response.map_or(0, |r| u32::from(r.status)), Vec::new())
    };
    c.out_bytes("status_message", &message)?;
    Ok(c.out_u32("status_code", code)?)
}
