//! The adapter protocol of pwspec, version 1, for adapters in Rust: messages, and the loop that reads
//! and answers them.
//!
//! It does not know any library. `specs/schema/adapter.json` describes every line.
#![allow(dead_code, reason = "no adapter needs all of it")]

use std::io::{BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

/// The version that is spoken here.
pub const PROTOCOL: u32 = 1;

/// Bytes; base64 on the line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

/// Fields of a message, in order.
pub type Fields = Vec<(Bytes, Bytes)>;

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&BASE64.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Bytes, D::Error> {
        let text = String::deserialize(from)?;
        BASE64.decode(text).map(Bytes).map_err(D::Error::custom)
    }
}

/// Fields as bytes.
pub fn plain(fields: &Fields) -> Vec<(Vec<u8>, Vec<u8>)> {
    let both = fields.iter();
    both.map(|(k, v)| (k.0.clone(), v.0.clone())).collect()
}

/// Bytes as fields.
pub fn fields<B: AsRef<[u8]>>(pairs: impl IntoIterator<Item = (B, B)>) -> Fields {
    let bytes = |b: B| Bytes(b.as_ref().to_vec());
    let both = pairs.into_iter();
    both.map(|(k, v)| (bytes(k), bytes(v))).collect()
}

/// Make a VM.
#[derive(Debug, Deserialize)]
pub struct Load {
    pub vm: String,
    pub vm_id: String,
    pub abi: String,
    pub module: Bytes,
    #[serde(default)]
    pub vm_config: Bytes,
    pub plugins: Vec<Plugin>,
    #[serde(default)]
    pub upstreams: Vec<String>,
    #[serde(default)]
    pub functions: Vec<Function>,
}

/// A plugin of a VM.
#[derive(Clone, Debug, Deserialize)]
pub struct Plugin {
    pub name: String,
    pub root_id: String,
    #[serde(default)]
    pub config: Bytes,
}

/// A foreign function to register.
#[derive(Clone, Debug, Deserialize)]
pub struct Function {
    pub name: String,
    #[serde(default)]
    pub gives: Option<Bytes>,
}

/// Start a plugin.
#[derive(Debug, Deserialize)]
pub struct Start {
    pub vm: String,
    pub plugin: u32,
}

/// A stream begins.
#[derive(Debug, Deserialize)]
pub struct Open {
    pub vm: String,
    pub plugin: u32,
    pub kind: Kind,
}

/// What kind of stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Http,
    Tcp,
}

/// Have the library make a callback.
#[derive(Debug, Deserialize)]
pub struct Call {
    pub vm: String,
    pub context: u32,
    #[serde(default)]
    pub state: State,
    pub event: Event,
}

/// What happened.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    ProxyOnTick {},
    ProxyOnQueueReady {
        queue_id: u32,
    },
    ProxyOnHttpCallResponse {
        call_id: u32,
        #[serde(default)]
        headers: Option<Fields>,
        #[serde(default)]
        body: Bytes,
        #[serde(default)]
        trailers: Fields,
    },
    ProxyOnGrpcReceiveInitialMetadata {
        call_id: u32,
        metadata: Fields,
    },
    ProxyOnGrpcReceive {
        call_id: u32,
        message: Bytes,
    },
    ProxyOnGrpcReceiveTrailingMetadata {
        call_id: u32,
        metadata: Fields,
    },
    ProxyOnGrpcClose {
        call_id: u32,
        status_code: u32,
        #[serde(default)]
        message: String,
    },
    ProxyOnForeignFunction {
        function_id: u32,
        arguments: Bytes,
    },
    ProxyOnNewConnection {},
    ProxyOnDownstreamData {
        piece: Bytes,
        end_of_stream: bool,
    },
    ProxyOnDownstreamConnectionClose {
        peer: Peer,
    },
    ProxyOnUpstreamData {
        piece: Bytes,
        end_of_stream: bool,
    },
    ProxyOnUpstreamConnectionClose {
        peer: Peer,
    },
    ProxyOnRequestHeaders {
        end_of_stream: bool,
    },
    ProxyOnRequestBody {
        piece: Bytes,
        end_of_stream: bool,
    },
    ProxyOnRequestTrailers {},
    ProxyOnResponseHeaders {
        end_of_stream: bool,
    },
    ProxyOnResponseBody {
        piece: Bytes,
        end_of_stream: bool,
    },
    ProxyOnResponseTrailers {},
}

/// Who closed a connection.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Peer {
    Unknown,
    Local,
    Remote,
}

/// End a context.
#[derive(Debug, Deserialize)]
pub struct Finish {
    pub vm: String,
    pub context: u32,
    #[serde(default)]
    pub state: State,
}

/// Release a VM.
#[derive(Debug, Deserialize)]
pub struct Forget {
    pub vm: String,
}

/// Maps and buffers of a stream that have changed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_headers: Option<Fields>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_body: Option<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_trailers: Option<Fields>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_headers: Option<Fields>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_body: Option<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_trailers: Option<Fields>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub downstream_data: Option<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_data: Option<Bytes>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<String>,
}

/// What came of an operation.
#[derive(Debug, Default, Serialize)]
pub struct Done {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted: Option<bool>,
    pub state: State,
}

/// Why there is no [`Done`].
#[derive(Debug)]
pub enum Not {
    Unsupported(String),
    Refused {
        words: String,
        import: Option<String>,
    },
    Trapped(String),
    Failed(String),
}

/// What an operation comes to.
pub type Answer = Result<Done, Not>;

/// A library behind the protocol.
pub trait Adapter {
    fn hello(&self) -> Value;
    fn load(&mut self, load: Load) -> Answer;
    fn start(&mut self, start: Start) -> Answer;
    fn open(&mut self, open: Open) -> Answer;
    fn call(&mut self, call: Call) -> Answer;
    fn finish(&mut self, finish: Finish) -> Answer;
    fn forget(&mut self, forget: Forget) -> Answer;
    fn reset(&mut self) -> Answer;
}

/// What is said beside answers; every clone writes to the same line.
#[derive(Clone, Default)]
pub struct Said(Arc<Mutex<Lines>>);

#[derive(Default)]
struct Lines {
    id: u64,
    entered: bool,
    logs: Vec<Value>,
    effects: Vec<Value>,
}

impl Said {
    /// The library has control from now on.
    pub fn enter(&self) {
        let mut lines = self.lines();
        if !std::mem::replace(&mut lines.entered, true) {
            write(&json!({"id": lines.id, "answer": {"entered": {}}}));
        }
    }

    /// A plugin has logged a line.
    pub fn log(&self, vm: &str, level: &str, text: &[u8]) {
        let text = Bytes(text.to_vec());
        let line = json!({"vm": vm, "level": level, "text": text});
        self.lines().logs.push(line);
    }

    /// A plugin has asked for something that the library leaves to the code that embeds it.
    pub fn effect(&self, vm: &str, context: u32, name: &str, what: Value) {
        let effect = json!({"vm": vm, "context": context, "effect": {name: what}});
        self.lines().effects.push(effect);
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers every line of the standard input.
pub fn serve(adapter: &mut impl Adapter, said: &Said) {
    for line in std::io::stdin().lock().split(b'\n') {
        let request = line.ok().and_then(|line| {
            let mut request: Value = serde_json::from_slice(&line).ok()?;
            let id = request.get("id")?.as_u64()?;
            let ask = request.get_mut("ask")?.as_object_mut()?;
            let (name, body) = std::mem::take(ask).into_iter().next()?;
            Some((id, name, body))
        });
        let Some((id, name, body)) = request else {
            eprintln!("adapter: not a request");
            std::process::exit(1);
        };
        {
            let mut lines = said.lines();
            lines.id = id;
            lines.entered = false;
        }
        // A panic inside the library is the library's; outside it ends this process.
        let answer = catch_unwind(AssertUnwindSafe(|| dispatch(adapter, &name, body)));
        let answer = answer.unwrap_or_else(|panic| {
            if !said.lines().entered {
                std::process::exit(1);
            }
            let words = panic.downcast_ref::<String>().cloned();
            let words = words.or_else(|| panic.downcast_ref::<&str>().map(|w| (*w).to_owned()));
            json!({"trapped": {"words": format!("panic: {}", words.unwrap_or_default())}})
        });
        let mut lines = said.lines();
        let logs = std::mem::take(&mut lines.logs);
        let effects = std::mem::take(&mut lines.effects);
        write(&json!({"id": id, "answer": answer, "logs": logs, "effects": effects}));
    }
}

fn dispatch(adapter: &mut impl Adapter, name: &str, body: Value) -> Value {
    let answer = match name {
        "hello" => return json!({"hello": adapter.hello()}),
        "load" => adapter.load(parse(body)),
        "start" => adapter.start(parse(body)),
        "open" => adapter.open(parse(body)),
        "call" => adapter.call(parse(body)),
        "finish" => adapter.finish(parse(body)),
        "forget" => adapter.forget(parse(body)),
        "reset" => adapter.reset(),
        _ => Err(Not::Unsupported(format!("unknown operation {name}"))),
    };
    match answer {
        Ok(done) => json!({"done": done}),
        Err(Not::Unsupported(reason)) => json!({"unsupported": {"reason": reason}}),
        Err(Not::Refused {
            words,
            import: None,
        }) => json!({"refused": {"words": words}}),
        Err(Not::Refused { words, import }) => {
            json!({"refused": {"words": words, "import": import}})
        }
        Err(Not::Trapped(words)) => json!({"trapped": {"words": words}}),
        Err(Not::Failed(words)) => json!({"failed": {"words": words}}),
    }
}

fn parse<T: DeserializeOwned>(body: Value) -> T {
    serde_json::from_value(body).unwrap_or_else(|e| {
        eprintln!("adapter: not a request: {e}");
        std::process::exit(1);
    })
}

fn write(line: &Value) {
    let mut out = std::io::stdout().lock();
    let done = writeln!(out, "{line}").and_then(|()| out.flush());
    if done.is_err() {
        std::process::exit(1);
    }
}
