//! What the crate asks of the code that embeds it: streams with their maps and buffers, callouts, a log.
//!
//! Maps are the crate's own `VecHeaderMap`, buffers plain vectors. Does not know what is played.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use proxy_wasm_host::abi::v0_2_1::types::{BufferType, LogLevel, MapType, Status, StreamType};
use proxy_wasm_host::abi::v0_2_1::{
    Access, CalloutId, Callouts, ContextId, ForeignCall, GrpcCall, GrpcOpenRefusal, GrpcStream,
    HeaderPairs, HttpCall, HttpCallRefusal, Invocation, LocalResponse, LogContext, LogSink,
    StreamState,
};
use proxy_wasm_host::{Buffer, HeaderMap, HeaderMapExt, VecHeaderMap};
use serde_json::{Value, json};

use crate::protocol::{Bytes, Event, Fields, Function, Load, Said, State, fields, plain};

/// Which context made a callout.
pub type Owners = Arc<Mutex<BTreeMap<u32, ContextId>>>;

/// Writes a plugin's log lines.
pub struct Log {
    said: Said,
    vm: String,
}

impl Log {
    pub fn new(said: &Said, vm: &str) -> Log {
        Log {
            said: said.clone(),
            vm: vm.to_owned(),
        }
    }
}

impl LogSink for Log {
    fn log(&self, _: LogContext<'_>, level: LogLevel, message: &[u8]) {
        self.said.log(&self.vm, &format!("{level:?}"), message);
    }
}

/// Takes callouts.
pub struct Asked {
    said: Said,
    vm: String,
    upstreams: Vec<Vec<u8>>,
    owners: Owners,
}

impl Asked {
    pub fn new(said: &Said, load: &Load, owners: &Owners) -> Asked {
        let upstreams = load.upstreams.iter();
        Asked {
            said: said.clone(),
            vm: load.vm.clone(),
            upstreams: upstreams.map(|u| u.clone().into_bytes()).collect(),
            owners: Arc::clone(owners),
        }
    }

    fn take(&self, call: Invocation, id: CalloutId, name: &str, what: Value) {
        let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        owners.entry(id.get()).or_insert(call.context);
        self.said.effect(&self.vm, call.context.get(), name, what);
    }

    fn knows(&self, upstream: &[u8]) -> bool {
        self.upstreams.iter().any(|u| u == upstream)
    }
}

impl Callouts for Asked {
    fn http_call(
        &self,
        call: Invocation,
        id: CalloutId,
        request: HttpCall<'_>,
    ) -> Result<(), HttpCallRefusal> {
        if !self.knows(&request.upstream) {
            return Err(HttpCallRefusal::UnknownUpstream);
        }
        let what = json!({
            "call_id": id.get(), "upstream": bytes(&request.upstream), "headers": map(&request.headers),
            "body": bytes(&request.body), "trailers": map(&request.trailers),
            "timeout_ms": ms(request.timeout),
        });
        self.take(call, id, "http_call", what);
        Ok(())
    }

    fn grpc_call(
        &self,
        call: Invocation,
        id: CalloutId,
        request: GrpcCall<'_>,
    ) -> Result<(), GrpcOpenRefusal> {
        if !self.knows(&request.upstream) {
            return Err(GrpcOpenRefusal::UnknownUpstream);
        }
        let what = json!({
            "call_id": id.get(), "upstream": bytes(&request.upstream),
            "service": bytes(&request.service), "method": bytes(&request.method),
            "metadata": map(&request.initial_metadata), "message": bytes(&request.message),
            "timeout_ms": ms(request.timeout),
        });
        self.take(call, id, "grpc_call", what);
        Ok(())
    }

    fn grpc_stream(
        &self,
        call: Invocation,
        id: CalloutId,
        request: GrpcStream<'_>,
    ) -> Result<(), GrpcOpenRefusal> {
        if !self.knows(&request.upstream) {
            return Err(GrpcOpenRefusal::UnknownUpstream);
        }
        let what = json!({
            "call_id": id.get(), "upstream": bytes(&request.upstream),
            "service": bytes(&request.service), "method": bytes(&request.method),
            "metadata": map(&request.initial_metadata),
        });
        self.take(call, id, "grpc_stream", what);
        Ok(())
    }

    fn grpc_send(
        &self,
        call: Invocation,
        id: CalloutId,
        message: &[u8],
        end_of_stream: bool,
    ) -> Result<(), Status> {
        let what = json!({
            "call_id": id.get(), "message": bytes(message), "end_of_stream": end_of_stream,
        });
        self.take(call, id, "grpc_send", what);
        Ok(())
    }

    fn grpc_cancel(&self, call: Invocation, id: CalloutId) {
        self.take(call, id, "grpc_cancel", json!({"call_id": id.get()}));
    }

    fn grpc_close(&self, call: Invocation, id: CalloutId) {
        self.take(call, id, "grpc_close", json!({"call_id": id.get()}));
    }
}

/// One stream: maps and buffers that are there.
#[derive(Default)]
struct Stream {
    maps: [Option<VecHeaderMap>; 4],
    buffers: [Option<Vec<u8>>; 4],
    /// What the plugin may have changed.
    maps_written: [bool; 4],
    buffers_written: [bool; 4],
}

/// All streams of a VM.
#[derive(Default)]
pub struct Streams {
    said: Said,
    vm: String,
    functions: Vec<Function>,
    streams: BTreeMap<u32, Stream>,
}

const MAPS: [&str; 4] = [
    "request_headers",
    "request_trailers",
    "response_headers",
    "response_trailers",
];
const BUFFERS: [&str; 4] = [
    "request_body",
    "response_body",
    "downstream_data",
    "upstream_data",
];

impl Streams {
    pub fn new(said: &Said, vm: &str, functions: Vec<Function>) -> Streams {
        Streams {
            said: said.clone(),
            vm: vm.to_owned(),
            functions,
            streams: BTreeMap::new(),
        }
    }

    pub fn open(&mut self, context: u32) {
        self.streams.insert(context, Stream::default());
    }

    pub fn close(&mut self, context: u32) {
        self.streams.remove(&context);
    }

    /// The harness has changed a stream.
    pub fn change(&mut self, context: u32, state: State) {
        let Some(stream) = self.streams.get_mut(&context) else {
            return;
        };
        for (i, name) in BUFFERS.iter().enumerate() {
            if state.gone.iter().any(|g| g == name) {
                stream.buffers[i] = None;
            }
        }
        for (i, name) in MAPS.iter().enumerate() {
            if state.gone.iter().any(|g| g == name) {
                stream.maps[i] = None;
            }
        }
        let maps = [
            state.request_headers,
            state.request_trailers,
            state.response_headers,
            state.response_trailers,
        ];
        for (to, new) in stream.maps.iter_mut().zip(maps) {
            if let Some(new) = new {
                *to = Some(VecHeaderMap::from(plain(&new)));
            }
        }
        let buffers = [
            state.request_body,
            state.response_body,
            state.downstream_data,
            state.upstream_data,
        ];
        for (to, new) in stream.buffers.iter_mut().zip(buffers) {
            if let Some(new) = new {
                *to = Some(new.0);
            }
        }
    }

    /// What the plugin has written to since the last time.
    pub fn changed(&mut self, context: u32) -> State {
        let mut state = State::default();
        let Some(stream) = self.streams.get_mut(&context) else {
            return state;
        };
        let State {
            request_headers,
            request_trailers,
            response_headers,
            response_trailers,
            ..
        } = &mut state;
        let maps = [
            request_headers,
            request_trailers,
            response_headers,
            response_trailers,
        ];
        for (i, to) in maps.into_iter().enumerate() {
            if std::mem::take(&mut stream.maps_written[i]) {
                *to = stream.maps[i].as_ref().map(|m| fields(m.pairs()));
            }
        }
        let State {
            request_body,
            response_body,
            downstream_data,
            upstream_data,
            ..
        } = &mut state;
        let buffers = [request_body, response_body, downstream_data, upstream_data];
        for (i, to) in buffers.into_iter().enumerate() {
            if std::mem::take(&mut stream.buffers_written[i]) {
                *to = stream.buffers[i].clone().map(Bytes);
            }
        }
        state
    }

    /// Says which other streams a callback has changed.
    pub fn tell_others(&mut self) {
        let all: Vec<u32> = self.streams.keys().copied().collect();
        for context in all {
            let stream = &self.streams[&context];
            if stream.maps_written.contains(&true) || stream.buffers_written.contains(&true) {
                let state = self.changed(context);
                self.said
                    .effect(&self.vm, context, "changed", json!({"state": state}));
            }
        }
    }

    /// Takes the piece of an event in. How many fields or bytes the callback is about.
    pub fn sizes(&mut self, context: u32, event: &Event) -> u32 {
        let Some(stream) = self.streams.get_mut(&context) else {
            return 0;
        };
        let (map, buffer, piece) = match event {
            Event::ProxyOnRequestHeaders { .. } => (Some(0), None, None),
            Event::ProxyOnRequestTrailers {} => (Some(1), None, None),
            Event::ProxyOnResponseHeaders { .. } => (Some(2), None, None),
            Event::ProxyOnResponseTrailers {} => (Some(3), None, None),
            Event::ProxyOnRequestBody { piece, .. } => (None, Some(0), Some(piece)),
            Event::ProxyOnResponseBody { piece, .. } => (None, Some(1), Some(piece)),
            Event::ProxyOnDownstreamData { piece, .. } => (None, Some(2), Some(piece)),
            Event::ProxyOnUpstreamData { piece, .. } => (None, Some(3), Some(piece)),
            _ => (None, None, None),
        };
        let mut size = 0;
        if let (Some(at), Some(piece)) = (buffer, piece) {
            let held = stream.buffers[at].get_or_insert_default();
            held.extend_from_slice(&piece.0);
            size = held.len();
        }
        if let Some(Some(map)) = map.map(|at: usize| &stream.maps[at]) {
            size = map.len();
        }
        u32::try_from(size).unwrap_or(u32::MAX)
    }
}

impl StreamState for Streams {
    fn header_map(
        &mut self,
        call: Invocation,
        access: Access,
        map: MapType,
    ) -> Result<&mut dyn HeaderMap, Status> {
        let at = match map {
            MapType::HttpRequestHeaders => 0,
            MapType::HttpRequestTrailers => 1,
            MapType::HttpResponseHeaders => 2,
            MapType::HttpResponseTrailers => 3,
            _ => return Err(Status::BadArgument),
        };
        let stream = self
            .streams
            .get_mut(&call.context.get())
            .ok_or(Status::NotFound)?;
        let map = stream.maps[at].as_mut().ok_or(Status::BadArgument)?;
        stream.maps_written[at] |= access == Access::Write;
        Ok(map)
    }

    fn buffer(
        &mut self,
        call: Invocation,
        access: Access,
        buffer: BufferType,
    ) -> Result<&mut dyn Buffer, Status> {
        let at = match buffer {
            BufferType::HttpRequestBody => 0,
            BufferType::HttpResponseBody => 1,
            BufferType::DownstreamData => 2,
            BufferType::UpstreamData => 3,
            _ => return Err(Status::NotFound),
        };
        let stream = self
            .streams
            .get_mut(&call.context.get())
            .ok_or(Status::NotFound)?;
        let buffer = stream.buffers[at].as_mut().ok_or(Status::NotFound)?;
        stream.buffers_written[at] |= access == Access::Write;
        Ok(buffer)
    }

    fn continue_stream(&mut self, call: Invocation, stream: StreamType) -> Result<(), Status> {
        self.side(call, stream, "continue_stream")
    }

    fn close_stream(&mut self, call: Invocation, stream: StreamType) -> Result<(), Status> {
        self.side(call, stream, "close_stream")
    }

    fn send_local_response(
        &mut self,
        call: Invocation,
        response: LocalResponse<'_>,
    ) -> Result<(), Status> {
        if !self.streams.contains_key(&call.context.get()) {
            return Err(Status::BadArgument);
        }
        let what = json!({
            "status": response.status_code, "details": bytes(&response.status_code_details),
            "headers": map(&response.headers), "body": bytes(&response.body),
            "grpc_status": response.grpc_status.map(u32::cast_signed),
        });
        self.said
            .effect(&self.vm, call.context.get(), "local_response", what);
        Ok(())
    }

    fn call_foreign_function(
        &mut self,
        call: Invocation,
        request: ForeignCall<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Status> {
        let mut functions = self.functions.iter();
        let function = functions.find(|f| f.name.as_bytes() == &*request.name);
        let function = function.ok_or(Status::NotFound)?;
        out.extend_from_slice(
            function
                .gives
                .as_ref()
                .map_or(&*request.arguments, |b| &b.0),
        );
        let what = json!({"name": function.name, "arguments": bytes(&request.arguments)});
        self.said
            .effect(&self.vm, call.context.get(), "function", what);
        Ok(())
    }
}

impl Streams {
    fn side(&mut self, call: Invocation, stream: StreamType, name: &str) -> Result<(), Status> {
        if !self.streams.contains_key(&call.context.get()) {
            return Err(Status::Unimplemented);
        }
        let side = match stream {
            StreamType::HttpRequest => "http_request",
            StreamType::HttpResponse => "http_response",
            StreamType::Downstream => "downstream",
            StreamType::Upstream => "upstream",
        };
        self.said
            .effect(&self.vm, call.context.get(), name, json!({"stream": side}));
        Ok(())
    }
}

fn bytes(bytes: &[u8]) -> Bytes {
    Bytes(bytes.to_vec())
}

fn map(pairs: &HeaderPairs<'_>) -> Fields {
    fields(pairs.iter().map(|(k, v)| (&**k, &**v)))
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
