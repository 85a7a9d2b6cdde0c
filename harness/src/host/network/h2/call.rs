//! One gRPC call at an upstream: what comes is recorded, what goes out follows its script.
//!
//! Does not know the connection.

use std::future::poll_fn;
use std::sync::Arc;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use tokio::sync::{Notify, watch};

use crate::case::{Fields, GrpcAfter, GrpcEnd, GrpcTurn};
use crate::host::network::h2::frames::{Unframer, framed, percent};
use crate::host::network::h2::upstream::{Place, Shared};
use crate::trace::{Blob, GrpcSaw};

/// How far the other side is.
#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    messages: u32,
    ended: bool,
    /// It has cut the call off: nothing more can be sent.
    cancelled: bool,
    /// The upstream has ended the call: what is cut off now is no cancellation.
    over: bool,
}

/// Where a call's answers go.
enum Out {
    /// Nothing was sent yet.
    Head(SendResponse<Bytes>),
    /// Initial metadata was sent.
    Body(SendStream<Bytes>),
}

struct Call {
    shared: Arc<Shared>,
    upstream: &'static str,
    place: Place,
    progress: watch::Sender<Progress>,
}

/// Serves a call.
pub(super) async fn serve(
    shared: Arc<Shared>,
    upstream: &'static str,
    request: Request<RecvStream>,
    respond: SendResponse<Bytes>,
    close: Arc<Notify>,
) {
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    shared
        .wire
        .note(&format!("upstream {upstream} < {} {path}", head.method));
    for (name, value) in &head.headers {
        let value = Blob::new(value.as_bytes()).display();
        shared
            .wire
            .note(&format!("upstream {upstream} <   {name}: {value}"));
    }
    let (service, method) = path
        .trim_start_matches('/')
        .rsplit_once('/')
        .unwrap_or(("", path));
    let (place, script) = shared.arrived(GrpcSaw {
        upstream: upstream.to_owned(),
        service: service.to_owned(),
        method: method.to_owned(),
        metadata: metadata(&head.headers),
        ..GrpcSaw::default()
    });
    let call = Arc::new(Call {
        shared,
        upstream,
        place,
        progress: watch::Sender::new(Progress::default()),
    });
    tokio::spawn(call.clone().read(body));
    let mut out = Out::Head(respond);
    let mut gates = 0;
    for turn in script {
        gates += u32::from(turn.after == GrpcAfter::Go);
        if !call.ready(turn.after, gates, &mut out).await {
            break;
        }
        match call.take(turn, out, &close).await {
            Some(next) => out = next,
            None => {
                call.shared.goes_on(place, false);
                return;
            }
        }
    }
    call.shared.goes_on(place, false);
    // Nothing more goes out; that the other side cuts the call off can still be seen.
    call.cut_off(&mut out).await;
}

impl Call {
    fn note(&self, what: &str) {
        self.shared
            .wire
            .note(&format!("upstream {} {what}", self.upstream));
    }

    /// Reads what comes until it ends or is cut off.
    async fn read(self: Arc<Self>, mut body: RecvStream) {
        let mut messages = Unframer::default();
        loop {
            match body.data().await {
                Some(Ok(bytes)) => {
                    body.flow_control().release_capacity(bytes.len()).ok();
                    messages.push(&bytes);
                    while let Some(message) = messages.next_message() {
                        let blob = Blob::with_limit(&message, 16 * 1024);
                        self.note(&format!("< message {}", blob.display()));
                        self.shared.edit(self.place, |saw| saw.messages.push(blob));
                        self.progress.send_modify(|p| p.messages += 1);
                    }
                }
                Some(Err(error)) => return self.cancelled(&error.to_string()),
                None => break,
            }
        }
        if messages.left() > 0 {
            self.note(&format!("< {} bytes that are no message", messages.left()));
        }
        self.note("< end");
        self.shared.edit(self.place, |saw| saw.ended = true);
        self.progress.send_modify(|p| p.ended = true);
    }

    fn cancelled(&self, how: &str) {
        let before = *self.progress.borrow();
        if before.cancelled || before.over {
            return;
        }
        self.note(&format!("< cut off: {how}"));
        self.shared.edit(self.place, |saw| saw.cancelled = true);
        self.progress.send_modify(|p| p.cancelled = true);
    }

    /// Waits until the other side cuts the call off.
    async fn cut_off(&self, out: &mut Out) {
        let reset = poll_fn(|cx| match out {
            Out::Head(respond) => respond.poll_reset(cx),
            Out::Body(send) => send.poll_reset(cx),
        });
        match reset.await {
            Ok(reason) => self.cancelled(reason.description()),
            Err(error) => self.cancelled(&error.to_string()),
        }
    }

    /// Waits for what a turn waits for; `false`: it never comes.
    async fn ready(&self, after: GrpcAfter, gates: u32, out: &mut Out) -> bool {
        let mut progress = self.progress.subscribe();
        let mut changed = self.shared.changed.subscribe();
        loop {
            let now = *progress.borrow_and_update();
            changed.borrow_and_update();
            let goes = self.shared.goes(self.place, self.upstream);
            let (Some(goes), false) = (goes, now.cancelled) else {
                return false;
            };
            let ready = match after {
                GrpcAfter::Open => true,
                GrpcAfter::Messages(n) => now.messages >= n,
                GrpcAfter::End => now.ended,
                GrpcAfter::Go => goes >= gates,
            };
            if ready {
                return true;
            }
            self.shared.goes_on(self.place, false);
            tokio::select! {
                _ = progress.changed() => {}
                _ = changed.changed() => {}
                () = self.cut_off(out) => {}
            }
            self.shared.goes_on(self.place, true);
        }
    }

    /// Does a turn; `None`: the call has ended.
    async fn take(&self, turn: GrpcTurn, out: Out, close: &Notify) -> Option<Out> {
        let GrpcTurn {
            initial_metadata,
            messages,
            end,
            ..
        } = turn;
        let alone = initial_metadata.is_none() && messages.is_empty();
        let mut body = match out {
            Out::Body(body) => body,
            Out::Head(respond) if alone => return self.only_end(respond, end?, close),
            Out::Head(mut respond) => {
                let head = response(&initial_metadata.unwrap_or_default());
                self.note("> initial metadata");
                match respond.send_response(head, false) {
                    Ok(body) => body,
                    Err(error) => {
                        self.note(&format!("> {error}"));
                        return None;
                    }
                }
            }
        };
        for message in &messages {
            let blob = Blob::with_limit(message, 512);
            self.note(&format!("> message {}", blob.display()));
            if let Err(error) = body.send_data(framed(message), false) {
                self.note(&format!("> {error}"));
            }
        }
        let Some(end) = end else {
            return Some(Out::Body(body));
        };
        self.progress.send_modify(|p| p.over = true);
        match end {
            GrpcEnd::Status { .. } => {
                self.note("> status");
                body.send_trailers(trailers(&end)).ok();
            }
            GrpcEnd::Reset => {
                // What was sent before goes out first: a reset drops what still waits.
                for _ in 0..8 {
                    tokio::task::yield_now().await;
                }
                self.note("> reset");
                body.send_reset(Reason::INTERNAL_ERROR);
            }
            GrpcEnd::Close => close.notify_one(),
        }
        self.shared.edit(self.place, |_| {});
        None
    }

    /// Ends a call before anything was sent.
    fn only_end(
        &self,
        mut respond: SendResponse<Bytes>,
        end: GrpcEnd,
        close: &Notify,
    ) -> Option<Out> {
        self.progress.send_modify(|p| p.over = true);
        match &end {
            GrpcEnd::Status { .. } => {
                self.note("> status alone");
                let mut head = response(&Fields::new());
                head.headers_mut().extend(trailers(&end));
                if let Err(error) = respond.send_response(head, true) {
                    self.note(&format!("> {error}"));
                }
            }
            GrpcEnd::Reset => {
                self.note("> reset");
                respond.send_reset(Reason::INTERNAL_ERROR);
            }
            GrpcEnd::Close => close.notify_one(),
        }
        self.shared.edit(self.place, |_| {});
        None
    }
}

/// What of a call's fields is metadata of the plugin's, or the proxy's own.
fn metadata(all: &HeaderMap) -> Vec<(Blob, Blob)> {
    let protocol = |name: &str| ["te", "content-type"].contains(&name) || name.starts_with("grpc-");
    let own = all.iter().filter(|(name, _)| !protocol(name.as_str()));
    own.map(|(name, value)| {
        (
            Blob::new(name.as_str().as_bytes()),
            Blob::new(value.as_bytes()),
        )
    })
    .collect()
}

fn fields(into: &mut HeaderMap, all: &Fields) {
    for (name, value) in all {
        // The format's names are free, those of HTTP/2 are not.
        let name = HeaderName::from_bytes(&name.to_ascii_lowercase());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value)) {
            into.append(name, value);
        }
    }
}

fn response(metadata: &Fields) -> Response<()> {
    let mut response = Response::new(());
    let json = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert("content-type", json);
    fields(response.headers_mut(), metadata);
    response
}

fn trailers(end: &GrpcEnd) -> HeaderMap {
    let mut out = HeaderMap::new();
    if let GrpcEnd::Status {
        code,
        message,
        trailing_metadata,
    } = end
    {
        out.insert("grpc-status", HeaderValue::from(*code));
        if let (false, Ok(message)) = (message.is_empty(), percent(message).parse()) {
            out.insert("grpc-message", message);
        }
        fields(&mut out, trailing_metadata);
    }
    out
}
