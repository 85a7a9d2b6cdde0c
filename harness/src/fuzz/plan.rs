//! A random plan: what a program would like to do, drawn from small pools of interesting values.
//!
//! Any plan can be made into a valid program (see the model), so plans can be drawn and cut at will.
//! Does not know which of its wishes make sense where.

/// Bytes that a program passes or the world sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Data {
    /// Text.
    Text(&'static str),
    /// Bytes that are no text.
    Raw(&'static [u8]),
    /// A pattern, repeated up to this length.
    Fill(&'static str, u32),
}

impl Data {
    /// How many bytes.
    pub fn len(self) -> u64 {
        match self {
            Data::Text(text) => text.len() as u64,
            Data::Raw(bytes) => bytes.len() as u64,
            Data::Fill(_, len) => u64::from(len),
        }
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// The name of a queue and of a metric that are never made, and of a value that is never set.
pub const NEVER: &str = "never";

/// A field and its value.
pub type Field = (&'static str, Data);

/// Where a program can do something, in the order of time; the answer of a callout comes when the place
/// that waits for it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// `proxy_on_vm_start`.
    VmStart,
    /// `proxy_on_configure`.
    Configure,
    /// `proxy_on_request_headers`.
    RequestHeaders,
    /// `proxy_on_request_body`, when all of it is there.
    RequestBody,
    /// `proxy_on_request_trailers`.
    RequestTrailers,
    /// `proxy_on_response_headers`.
    ResponseHeaders,
    /// `proxy_on_response_body`, when all of it is there.
    ResponseBody,
    /// `proxy_on_response_trailers`.
    ResponseTrailers,
    /// `proxy_on_http_call_response`.
    Answer,
    /// `proxy_on_log`.
    Log,
}

impl Place {
    /// All.
    pub const ALL: [Place; 10] = [
        Place::VmStart,
        Place::Configure,
        Place::RequestHeaders,
        Place::RequestBody,
        Place::RequestTrailers,
        Place::ResponseHeaders,
        Place::ResponseBody,
        Place::ResponseTrailers,
        Place::Answer,
        Place::Log,
    ];

    /// The callback, by its short name.
    pub fn callback(self) -> &'static str {
        match self {
            Place::VmStart => "vm_start",
            Place::Configure => "configure",
            Place::RequestHeaders => "request_headers",
            Place::RequestBody => "request_body",
            Place::RequestTrailers => "request_trailers",
            Place::ResponseHeaders => "response_headers",
            Place::ResponseBody => "response_body",
            Place::ResponseTrailers => "response_trailers",
            Place::Answer => "http_call_response",
            Place::Log => "log",
        }
    }

    /// Whether it comes while the plugin is started: on real hosts in several instances.
    pub fn starting(self) -> bool {
        matches!(self, Place::VmStart | Place::Configure)
    }

    /// The way of the message that passes there.
    pub fn way(self) -> Option<Way> {
        match self {
            Place::RequestHeaders | Place::RequestBody | Place::RequestTrailers => {
                Some(Way::Request)
            }
            Place::ResponseHeaders | Place::ResponseBody | Place::ResponseTrailers => {
                Some(Way::Response)
            }
            _ => None,
        }
    }
}

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// From the client.
    Request,
    /// From the upstream.
    Response,
}

/// A map, or a number that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Map {
    /// `HTTP_REQUEST_HEADERS`, `HTTP_RESPONSE_HEADERS`.
    Headers(Way),
    /// `HTTP_REQUEST_TRAILERS`, `HTTP_RESPONSE_TRAILERS`.
    Trailers(Way),
    /// `HTTP_CALL_RESPONSE_HEADERS`.
    CallHeaders,
    /// `HTTP_CALL_RESPONSE_TRAILERS`.
    CallTrailers,
    /// No map has this number.
    Unknown(u32),
}

/// A buffer, or a number that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Buffer {
    /// `HTTP_REQUEST_BODY`, `HTTP_RESPONSE_BODY`.
    Body(Way),
    /// `HTTP_CALL_RESPONSE_BODY`.
    CallBody,
    /// `GRPC_CALL_MESSAGE`.
    GrpcMessage,
    /// The configuration that belongs to the callback.
    Configuration,
    /// No buffer has this number.
    Unknown(u32),
}

/// A place in a buffer, or a number of bytes, seen from its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// 0.
    Zero,
    /// 1.
    One,
    /// Half of it.
    Half,
    /// One less than its size.
    Last,
    /// Its size.
    Size,
    /// Its size and 7.
    Beyond,
    /// The largest 32-bit number.
    Max,
}

impl At {
    /// The number for a buffer of this size.
    pub fn of(self, size: u64) -> u64 {
        match self {
            At::Zero => 0,
            At::One => 1,
            At::Half => size / 2,
            At::Last => size.saturating_sub(1),
            At::Size => size,
            At::Beyond => size + 7,
            At::Max => u64::from(u32::MAX),
        }
    }
}

/// The compare-and-swap number of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cas {
    /// 0: none.
    None,
    /// The one that was last read.
    Read,
    /// One that was read before the value was set again.
    Stale,
}

/// What kind of metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// `COUNTER`.
    Counter,
    /// `GAUGE`.
    Gauge,
    /// `HISTOGRAM`.
    Histogram,
}

/// One wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Read a field.
    Get(Map, &'static str),
    /// Read all fields.
    Pairs(Map),
    /// Ask for the size of a map.
    Size(Map),
    /// Put other fields in place of all.
    SetPairs(Map, Vec<Field>),
    /// Add a field.
    Add(Map, &'static str, Data),
    /// Replace a field.
    Replace(Map, &'static str, Data),
    /// Remove a field.
    Remove(Map, &'static str),
    /// Read a part of a buffer.
    Read(Buffer, At, At),
    /// Ask for the size of a buffer.
    Status(Buffer),
    /// Write to a buffer.
    Write(Buffer, At, At, Data),
    /// Log.
    Log(&'static str, Data),
    /// Log at a level that there is not.
    LogUnknown(u32),
    /// Write to standard output, to standard error, or to a file that there is not.
    FdWrite(u32, Vec<Data>),
    /// Set a shared value.
    SetShared(&'static str, Data, Cas),
    /// Read a shared value.
    GetShared(&'static str),
    /// Register a queue.
    Register(&'static str),
    /// Add to a queue; to one that there is not, where it was not registered.
    Enqueue(&'static str, Data),
    /// Take from a queue.
    Dequeue(&'static str),
    /// Define a metric.
    Define(Metric, &'static str),
    /// Define a metric of a kind that there is not.
    DefineUnknown(u32),
    /// Record a value.
    Record(&'static str, u64),
    /// Increment by this.
    Increment(&'static str, i64),
    /// Read a metric.
    GetMetric(&'static str),
    /// Call a foreign function that there is not.
    Foreign(Data),
    /// Make the running context the effective one.
    Here,
    /// Make a context effective that there is not.
    Nowhere(u32),
    /// Say that a context is done which nobody waits for.
    Done,
    /// Continue or close a stream of a kind that there is not.
    Stream(&'static str, u32),
    /// Call an upstream that there is not.
    CallNobody(Data),
    /// Call an upstream without one of the fields that are asked for.
    CallWithout(&'static str),
    /// Make a gRPC call to an upstream that there is not.
    GrpcNobody(Data),
    /// Ask a clock that there is not.
    Clock(u32),
    /// Ask for the environment's size.
    Environment,
    /// Ask for the size of the arguments.
    Arguments,
    /// Ask for the status of the answer.
    CallStatus,
    /// Stop a timer that does not run.
    NoTicks,
}

/// A message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    /// Its fields, beside those that every message has.
    pub fields: Vec<Field>,
    /// Its body in chunks; empty: none.
    pub body: Vec<Data>,
    /// Its trailers.
    pub trailers: Vec<Field>,
}

/// A response of the plugin's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Local {
    /// In place of which message.
    pub way: Way,
    /// Its status.
    pub status: u16,
    /// Its body.
    pub body: Data,
    /// Its fields.
    pub fields: Vec<Field>,
}

/// A random plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The request's method.
    pub method: &'static str,
    /// The request's path.
    pub path: &'static str,
    /// The request.
    pub request: Message,
    /// The status of the upstream's response.
    pub status: u16,
    /// The upstream's response.
    pub response: Message,
    /// What the program would like to do, in order within each place.
    pub ops: Vec<(Place, Op)>,
    /// Where the stream waits for the answer of a callout.
    pub hold: Option<Place>,
    /// That answer.
    pub answer: Message,
    /// A response of the plugin's own.
    pub local: Option<Local>,
    /// The configuration of VM and plugin.
    pub configs: (Data, Data),
}
