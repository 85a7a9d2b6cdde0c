//! What is expected of a host in one case, resolved for one ABI column.
//!
//! Does not know how a trace is held against it: that is the judge's.

use crate::abi::Level;
use crate::case::GrpcExpect;

/// One expectation, of one requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name within the case: `call 2 status`, `client 1`, `callbacks 1`.
    pub name: String,
    /// The requirement that it belongs to; a control carries the requirement that blocks the case.
    pub req: String,
    /// The requirement's level in this column, lowered where the case lowers it.
    pub level: Level,
    /// Where it stands in the case file: line and column from 1; 0 when unknown.
    pub line: u32,
    /// See `line`.
    pub column: u32,
    /// A control: when it fails the case is blocked by `req`, not failed.
    pub control: bool,
    /// What is expected.
    pub kind: CheckKind,
}

/// What a check looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckKind {
    /// The result of a hostcall step, at each of its executions.
    Status {
        /// Where the step is.
        step: StepRef,
        /// What it must be.
        expect: Matcher,
    },
    /// An output of a hostcall step, at each of its executions.
    Out {
        /// Where the step is.
        step: StepRef,
        /// The parameter's name.
        out: String,
        /// What it must be.
        expect: Matcher,
    },
    /// Callbacks of one context, in this order, others allowed between.
    Callbacks {
        /// Whose callbacks.
        who: Who,
        /// The patterns, in order.
        order: Vec<CallbackPattern>,
    },
    /// No callback of one context matches.
    Never {
        /// Whose callbacks.
        who: Who,
        /// What must not come.
        pattern: CallbackPattern,
        /// Only callbacks that begin after the first one that matches this count.
        after: Option<CallbackPattern>,
    },
    /// The body as the guest was given it.
    Body {
        /// Whose body.
        who: Who,
        /// `proxy_on_request_body`, `proxy_on_response_body`, `proxy_on_downstream_data`,
        /// `proxy_on_upstream_data`.
        callback: String,
        /// What must hold.
        expect: BodyExpect,
    },
    /// A request, or a TCP connection, that arrived at an upstream.
    Upstream {
        /// The upstream's name; `main` is the proxied one.
        upstream: String,
        /// The nth request at that upstream, from 1.
        nth: u32,
        /// What must hold.
        expect: MessageExpect,
    },
    /// How many requests, or TCP connections, arrived at an upstream.
    UpstreamCount {
        /// The upstream's name.
        upstream: String,
        /// How many.
        expect: Matcher,
    },
    /// A gRPC call that arrived at an upstream.
    Grpc {
        /// The upstream's name.
        upstream: String,
        /// The nth call at that upstream, from 1.
        nth: u32,
        /// What must hold.
        expect: GrpcExpect,
    },
    /// How many gRPC calls arrived at an upstream.
    GrpcCount {
        /// The upstream's name.
        upstream: String,
        /// How many.
        expect: Matcher,
    },
    /// The response, or the bytes of a TCP stream, that the client of a stream saw.
    Client {
        /// The stream, from 1.
        stream: u32,
        /// What must hold.
        expect: MessageExpect,
    },
    /// A line in the host's log that the guest wrote.
    Log {
        /// The line's text.
        text: Matcher,
        /// Its level, in the text's names (`WARN`): one of these; none are named where it does not matter.
        log_level: Vec<String>,
        /// How often it must be there (`None`: at least once).
        times: Option<u32>,
    },
    /// Whether the host takes the module and starts it.
    Load {
        /// `true`: it must; `false`: it must refuse.
        loaded: bool,
    },
    /// How the guest must end: a step traps, loops or grows on purpose.
    Ends {
        /// Accepted ends: `normal`, `trap`, `timeout`.
        any_of: Vec<String>,
    },
}

/// A hostcall step of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepRef {
    /// Index of the VM.
    pub vm: u32,
    /// Index in the module's [`crate::trace::Legend::steps`].
    pub index: u32,
    /// The number by which people count it, from 1 through the whole case: `call 2`.
    pub call: u32,
    /// The text's name of the hostcall.
    pub hostcall: String,
    /// The callback in which it stands.
    pub callback: String,
}

/// Whose callbacks are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The nth stream context of a VM, from 1.
    Stream {
        /// Index of the VM.
        vm: u32,
        /// From 1.
        nth: u32,
    },
    /// The nth plugin context of a VM, from 1.
    Plugin {
        /// Index of the VM.
        vm: u32,
        /// From 1.
        nth: u32,
    },
    /// All callbacks and entry points of a VM's instance, whatever their context.
    Vm {
        /// Index of the VM.
        vm: u32,
    },
}

/// A callback that is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackPattern {
    /// The text's name.
    pub name: String,
    /// One or more in a row, all of which match (`request_body+`).
    pub plus: bool,
    /// Arguments by name.
    pub args: Vec<(String, Matcher)>,
}

/// What must hold of a body as the guest was given it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyExpect {
    /// The `value` outputs of the `proxy_get_buffer_bytes` calls in these callbacks, joined in order.
    Bytes(Vec<u8>),
    /// The sum of `body_size` or `data_size` over the callbacks (nothing paused).
    Total(u64),
    /// The size never shrinks from call to call (paused) and ends at this number.
    GrowsTo(u64),
    /// Exactly one callback carries `end_of_stream`, and it is the last one.
    EndsOnce,
}

/// What must hold of a message on the wire. `None` and empty: not looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessageExpect {
    /// Requests.
    pub method: Option<Matcher>,
    /// Requests.
    pub path: Option<Matcher>,
    /// Responses.
    pub status: Option<Matcher>,
    /// Fields by name: against the list of values, see [`FieldExpect`].
    pub headers: Vec<(String, FieldExpect)>,
    /// The whole body.
    pub body: Option<Matcher>,
    /// Trailer fields by name.
    pub trailers: Vec<(String, FieldExpect)>,
    /// Whether the message ended properly.
    pub complete: Option<bool>,
    /// TCP: whether the host ended or closed the connection before its peer did.
    pub closed: Option<bool>,
    /// No such message is as good as one that fits.
    pub optional: bool,
    /// Whether there is such a message at all (`Some(false)`: none may have come).
    pub present: Option<bool>,
}

/// What must hold of a field. Several fields of one name may be one field with a comma-separated
/// list (RFC 9110, 5.3), so values are joined with `, ` before they are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldExpect {
    /// The joined value matches.
    Value(Matcher),
    /// The values, one by one or joined, are these in this order.
    List(Vec<String>),
}

/// What a value must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Matcher {
    /// This number.
    Number(u64),
    /// This signed number.
    Signed(i64),
    /// This truth.
    Bool(bool),
    /// This member of an enum: name, number in the column.
    Enum(String, u64),
    /// These bytes.
    Bytes(Vec<u8>),
    /// `len` bytes of a repeated pattern.
    Fill {
        /// The pattern, repeated and cut.
        pattern: Vec<u8>,
        /// Length in bytes.
        len: u64,
    },
    /// This map: the same pairs in the same order, names without regard to case.
    Pairs(Vec<(Vec<u8>, Vec<u8>)>),
    /// A map that holds these pairs, names without regard to case.
    HasPairs(Vec<(Vec<u8>, Vec<u8>)>),
    /// The bytes or number kept by `save: {OUT: name}`: the out of another step.
    Saved {
        /// The step that kept it.
        step: StepRef,
        /// The output's name.
        out: String,
    },
    /// A number that is not below the one kept by `save: {OUT: name}`.
    AtLeast {
        /// The step that kept it.
        step: StepRef,
        /// The output's name.
        out: String,
    },
    /// A map with as many pairs as this argument of the callback says that the call stands in.
    CountIs(String),
    /// The id of the nth plugin context of the VM, from 1.
    PluginContext(u32),
    /// The id of the nth stream context of the VM, from 1.
    StreamContext(u32),
    /// One of these.
    AnyOf(Vec<Matcher>),
    /// Anything but this.
    Not(Box<Matcher>),
    /// Not there (fields), nothing written (outputs).
    Absent,
    /// There, whatever its value.
    Present,
    /// Begins with.
    Prefix(Vec<u8>),
    /// Contains.
    Contains(Vec<u8>),
    /// A number from .0 to .1, both included.
    Between(u64, u64),
    /// An output that still holds the sentinel.
    Untouched,
}

/// What a survey looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The requirement (survey row) that it belongs to.
    pub req: String,
    /// What it is called: `call 2 status`.
    pub name: String,
    /// What is looked at.
    pub what: Observe,
}

/// What a survey looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observe {
    /// The result of a hostcall step.
    Status(StepRef),
    /// An output of a hostcall step.
    Out(StepRef, String),
    /// How an output of the first step lies to the output of the same name of the second.
    Against(StepRef, StepRef, String),
    /// The names of the callbacks of one context, in order.
    Callbacks(Who),
    /// The status that the client of a stream saw.
    ClientStatus(u32),
    /// The body that the client of a stream saw.
    ClientBody(u32),
    /// TCP: whether the host ended or closed the client's connection.
    ClientClosed(u32),
    /// The joined value of a field that the client of a stream saw.
    ClientHeader(u32, String),
    /// The joined value of a trailer that the client of a stream saw.
    ClientTrailer(u32, String),
    /// The joined value of a field of the first request at an upstream.
    UpstreamHeader(String, String),
    /// The joined value of a trailer of the first request at an upstream.
    UpstreamTrailer(String, String),
    /// The body of the first request at an upstream.
    UpstreamBody(String),
    /// TCP: whether the host ended or closed the first connection at an upstream.
    UpstreamClosed(String),
    /// How many requests arrived at an upstream.
    UpstreamCount(String),
    /// The lines of the log in which a text stands.
    Log(String),
    /// How many gRPC calls arrived at an upstream.
    GrpcCount(String),
    /// The joined value of the first call's initial metadata of this name.
    GrpcMetadata(String, String),
    /// The messages of the first gRPC call at an upstream.
    GrpcMessages(String),
    /// How far the host had ended the first gRPC call at an upstream.
    GrpcOver(String),
    /// Whether the host took the module.
    Load,
    /// How the guest ended.
    End,
}
