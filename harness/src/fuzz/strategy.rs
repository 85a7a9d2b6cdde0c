//! Strategies for plans: the pools of values and how often each wish is drawn.
//!
//! The only file of the program that draws anything at random. Does not know which wishes make sense
//! where.

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngSeed, TestRunner};

use crate::fuzz::plan::{
    At, Buffer, Cas, Data, Field, Local, Map, Message, Metric, NEVER, Op, Place, Plan, Way,
};

const KEYS: [&str; 5] = [
    "x-one",
    "x-two",
    "x-three",
    "x-absent",
    "x-a-rather-long-name-of-a-field-that-nobody-else-uses-0123456789",
];
const LEVELS: [&str; 6] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "CRITICAL"];
const NAMES: [&str; 5] = ["first", "first", "second", "third", NEVER];
const UNKNOWN: [u32; 3] = [99, 0x7fff_ffff, u32::MAX];

fn key() -> impl Strategy<Value = &'static str> {
    select(&KEYS[..])
}

/// Values that a field can have on the wire.
fn value() -> impl Strategy<Value = Data> {
    select(vec![
        Data::Text("1"),
        Data::Text("2"),
        Data::Text("another value"),
        Data::Text("two words"),
        Data::Text("a, b"),
        Data::Text("%s%n %d {}"),
        Data::Text("\"quoted\"; q=0.5"),
        Data::Text("näïve"),
        Data::Text(""),
        Data::Fill("v", 3000),
    ])
}

/// Bytes that no wire minds.
fn data() -> impl Strategy<Value = Data> {
    select(vec![
        Data::Text("a"),
        Data::Text("some bytes"),
        Data::Text("%s%n %d {}"),
        Data::Raw(&[0, 1, 0xff, 0x0a, 0x0d, 0xc3, 0x28, 0]),
        Data::Text(""),
        Data::Fill("xyz", 300),
        Data::Fill("ab", 70_000),
    ])
}

/// Bytes that a line of a log can hold.
fn line() -> impl Strategy<Value = Data> {
    select(vec![
        Data::Text("a plain line"),
        Data::Text("%s%n %d {} $HOME"),
        Data::Text("näïve"),
        Data::Text("\"quoted\" and \\ too"),
        Data::Fill("long", 900),
    ])
}

fn name() -> impl Strategy<Value = &'static str> {
    select(&NAMES[..])
}

fn unknown() -> impl Strategy<Value = u32> {
    select(&UNKNOWN[..])
}

fn way() -> impl Strategy<Value = Way> {
    select(vec![Way::Request, Way::Response])
}

fn map() -> impl Strategy<Value = Map> {
    prop_oneof![
        4 => way().prop_map(Map::Headers),
        3 => way().prop_map(Map::Trailers),
        1 => Just(Map::CallHeaders),
        1 => Just(Map::CallTrailers),
        1 => unknown().prop_map(Map::Unknown),
    ]
}

fn buffer() -> impl Strategy<Value = Buffer> {
    prop_oneof![
        6 => way().prop_map(Buffer::Body),
        1 => Just(Buffer::CallBody),
        1 => Just(Buffer::GrpcMessage),
        2 => Just(Buffer::Configuration),
        1 => unknown().prop_map(Buffer::Unknown),
    ]
}

/// Where a read begins: inside, mostly.
fn inside() -> impl Strategy<Value = At> {
    select(vec![
        At::Zero,
        At::Zero,
        At::One,
        At::Half,
        At::Last,
        At::Size,
    ])
}

/// How much is read.
fn amount() -> impl Strategy<Value = At> {
    select(vec![
        At::Zero,
        At::One,
        At::Half,
        At::Last,
        At::Size,
        At::Beyond,
        At::Max,
    ])
}

/// What a write replaces: from, how much.
fn part() -> impl Strategy<Value = (At, At)> {
    let start = select(vec![
        At::Zero,
        At::Zero,
        At::One,
        At::Half,
        At::Size,
        At::Beyond,
        At::Max,
    ]);
    let size = select(vec![At::Zero, At::Zero, At::One, At::Half, At::Size]);
    (start, size)
}

fn field() -> impl Strategy<Value = Field> {
    (key(), value())
}

fn metric() -> impl Strategy<Value = Metric> {
    select(vec![Metric::Counter, Metric::Gauge, Metric::Histogram])
}

fn map_op() -> BoxedStrategy<Op> {
    prop_oneof![
        (map(), key()).prop_map(|(m, k)| Op::Get(m, k)),
        map().prop_map(Op::Pairs),
        map().prop_map(Op::Size),
        (map(), vec(field(), 0..3)).prop_map(|(m, f)| Op::SetPairs(m, f)),
        (map(), key(), value()).prop_map(|(m, k, v)| Op::Add(m, k, v)),
        (map(), key(), value()).prop_map(|(m, k, v)| Op::Replace(m, k, v)),
        (map(), key()).prop_map(|(m, k)| Op::Remove(m, k)),
    ]
    .boxed()
}

fn buffer_op() -> BoxedStrategy<Op> {
    prop_oneof![
        2 => (buffer(), inside(), amount()).prop_map(|(b, s, m)| Op::Read(b, s, m)),
        1 => buffer().prop_map(Op::Status),
        3 => (buffer(), part(), data()).prop_map(|(b, (s, n), v)| Op::Write(b, s, n, v)),
    ]
    .boxed()
}

fn store_op() -> BoxedStrategy<Op> {
    let cas = select(vec![Cas::None, Cas::None, Cas::Read, Cas::Stale]);
    let amount = select(vec![1u64, 5, 1 << 40]);
    let delta = select(vec![1i64, 5, -1, 1 << 40]);
    prop_oneof![
        (name(), data(), cas).prop_map(|(n, v, c)| Op::SetShared(n, v, c)),
        name().prop_map(Op::GetShared),
        name().prop_map(Op::Register),
        (name(), data()).prop_map(|(n, v)| Op::Enqueue(n, v)),
        name().prop_map(Op::Dequeue),
        (metric(), name()).prop_map(|(k, n)| Op::Define(k, n)),
        (name(), amount).prop_map(|(n, v)| Op::Record(n, v)),
        (name(), delta).prop_map(|(n, d)| Op::Increment(n, d)),
        name().prop_map(Op::GetMetric),
    ]
    .boxed()
}

fn other_op() -> BoxedStrategy<Op> {
    let streams = select(vec!["proxy_continue_stream", "proxy_close_stream"]);
    let needed = select(vec![":authority", ":method", ":path"]);
    let nobody = select(vec![Data::Text("nobody"), Data::Fill("n", 300)]);
    prop_oneof![
        3 => (select(&LEVELS[..]), line()).prop_map(|(l, m)| Op::Log(l, m)),
        1 => unknown().prop_map(Op::LogUnknown),
        2 => (select(vec![1u32, 2, 0, 99]), vec(line(), 1..3)).prop_map(|(f, v)| Op::FdWrite(f, v)),
        1 => unknown().prop_map(Op::DefineUnknown),
        1 => data().prop_map(Op::Foreign),
        1 => Just(Op::Here),
        1 => unknown().prop_map(Op::Nowhere),
        1 => Just(Op::Done),
        1 => (streams, unknown()).prop_map(|(s, n)| Op::Stream(s, n)),
        1 => nobody.clone().prop_map(Op::CallNobody),
        1 => needed.prop_map(Op::CallWithout),
        1 => nobody.prop_map(Op::GrpcNobody),
        1 => unknown().prop_map(Op::Clock),
        1 => Just(Op::Environment),
        1 => Just(Op::Arguments),
        1 => Just(Op::CallStatus),
        1 => Just(Op::NoTicks),
    ]
    .boxed()
}

fn op() -> BoxedStrategy<Op> {
    prop_oneof![
        5 => map_op(),
        4 => buffer_op(),
        3 => store_op(),
        2 => other_op(),
    ]
    .boxed()
}

/// A wish in a place; mostly about the map and the buffer that pass there.
fn wish() -> impl Strategy<Value = (Place, Op)> {
    let place = select(&Place::ALL[..]);
    (place, op(), weighted(0.85, Just(())), any::<bool>()).prop_map(
        |(place, op, near, trailers)| {
            let op = match near {
                Some(()) => near_by(place, op, trailers),
                None => op,
            };
            (place, op)
        },
    )
}

/// The same wish about what is near, where something is.
fn near_by(place: Place, mut op: Op, trailers: bool) -> Op {
    let (map, buffer) = match place {
        Place::VmStart | Place::Configure => (None, Some(Buffer::Configuration)),
        // The other half is about the stream that waits.
        Place::Answer if trailers => (None, None),
        Place::Answer => (Some(Map::CallHeaders), Some(Buffer::CallBody)),
        Place::Log if trailers => (Some(Map::Headers(Way::Request)), None),
        Place::Log => (Some(Map::Headers(Way::Response)), None),
        Place::RequestHeaders => (Some(Map::Headers(Way::Request)), None),
        Place::ResponseHeaders => (Some(Map::Headers(Way::Response)), None),
        Place::RequestBody | Place::RequestTrailers => (
            Some(Map::Trailers(Way::Request)),
            Some(Buffer::Body(Way::Request)),
        ),
        Place::ResponseBody | Place::ResponseTrailers => (
            Some(Map::Trailers(Way::Response)),
            Some(Buffer::Body(Way::Response)),
        ),
    };
    match &mut op {
        Op::Get(m, _)
        | Op::Pairs(m)
        | Op::Size(m)
        | Op::SetPairs(m, _)
        | Op::Add(m, ..)
        | Op::Replace(m, ..)
        | Op::Remove(m, _) => *m = map.unwrap_or(*m),
        Op::Read(b, ..) | Op::Status(b) | Op::Write(b, ..) => *b = buffer.unwrap_or(*b),
        _ => {}
    }
    op
}

fn message() -> impl Strategy<Value = Message> {
    let body = prop_oneof![1 => Just(Vec::new()), 1 => vec(data(), 2..4)];
    let trailers = prop_oneof![2 => Just(Vec::new()), 1 => vec(field(), 1..3)];
    (vec(field(), 0..4), body, trailers).prop_map(|(fields, body, trailers)| Message {
        fields,
        body,
        trailers,
    })
}

fn local() -> impl Strategy<Value = Local> {
    let status = select(vec![200u16, 204, 302, 403, 418, 503]);
    (way(), status, data(), vec(field(), 0..3)).prop_map(|(way, status, body, fields)| Local {
        way,
        status,
        body,
        fields,
    })
}

/// Any plan.
pub fn plans() -> impl Strategy<Value = Plan> {
    let method = select(vec!["GET", "HEAD", "POST", "POST", "POST", "PUT", "DELETE"]);
    let path = select(vec!["/", "/a/b?c=d&e=%20", "/%C3%A4"]);
    let status = select(vec![200u16, 200, 200, 204, 304, 404, 500]);
    let held = select(&Place::ALL[2..8]);
    let configs = (data(), data());
    let first = (method, path, message(), status, message());
    let rest = (
        vec(wish(), 2..32),
        weighted(0.4, held),
        message(),
        weighted(0.12, local()),
        configs,
    );
    (first, rest).prop_map(
        |((method, path, request, status, response), (ops, hold, answer, local, configs))| Plan {
            method,
            path,
            request,
            status,
            response,
            ops,
            hold,
            answer,
            local,
            configs,
        },
    )
}

/// The nth plan of a seed: always the same.
pub fn plan(seed: u64, nth: u64) -> Plan {
    let mixed = seed ^ nth.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut runner = TestRunner::new(Config {
        rng_seed: RngSeed::Fixed(mixed),
        failure_persistence: None,
        ..Config::default()
    });
    // Nothing in these strategies is filtered, so each of them gives a value.
    match plans().new_tree(&mut runner) {
        Ok(tree) => tree.current(),
        Err(why) => unreachable!("a strategy without filters was refused: {why}"),
    }
}
