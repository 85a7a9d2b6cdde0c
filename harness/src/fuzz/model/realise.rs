//! From a plan to a program, callback by callback.
//!
//! Pauses come with a resume that is sure to come: a body is held until its last call, and a stream that
//! waits for a callout goes on in its answer.

use std::collections::BTreeSet;

use crate::abi::Abi;
use crate::fuzz::model::plain::callout;
use crate::fuzz::model::world::World;
use crate::fuzz::plan::{Buffer, Data, Local, Map, Message, Op, Place, Plan, Way};
use crate::fuzz::program::{Arg, Block, Call, Program, Step};

/// No callback makes more calls: each of them takes some lines of the host's log.
const MOST: usize = 12;

/// What the two hosts can't be asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// Requirements that one of them is known to miss.
    pub rows: BTreeSet<String>,
    /// Hostcalls that one of them has not, or that are answered by an adapter.
    pub hostcalls: BTreeSet<String>,
    /// Callbacks that one of them never calls.
    pub callbacks: BTreeSet<String>,
    /// Requests with trailers cannot be sent to one of them.
    pub no_request_trailers: bool,
    /// Responses with trailers cannot.
    pub no_response_trailers: bool,
    /// The configuration of plugins is not the user's to choose.
    pub no_configurations: bool,
}

impl Limits {
    /// Whether a call rests on something that is known to be missing, or that this version has not.
    fn refuse(&self, abi: &Abi, call: &Call) -> bool {
        abi.hostcall(call.hostcall).is_none()
            || self.hostcalls.contains(call.hostcall)
            || call
                .rests
                .iter()
                .any(|row| self.rows.contains(row) || abi.requirement(row).is_none())
    }

    fn row(&self, row: &str) -> bool {
        self.rows.contains(row)
    }
}

/// The program that a plan means in a version of the text. The same plan gives the same program.
pub fn realise(plan: &Plan, abi: &Abi, limits: &Limits) -> Program {
    let plan = tamed(plan, limits);
    let mut world = World::new(&plan, abi, limits);
    let mut blocks = Vec::new();
    let hold = hold(&plan, abi, limits);
    world.waits = hold;
    for place in Place::ALL {
        if place == Place::Answer || !passes(&plan, place) {
            continue;
        }
        let steps = at(&plan, place, &mut world, |_| true);
        block(&plan, place, steps, hold, &mut world, &mut blocks);
    }
    Program {
        abi: abi.id.clone(),
        method: plan.method,
        path: plan.path,
        answer: hold.is_some().then(|| plan.answer.clone()),
        local: plan.local.as_ref().map(|l| l.way),
        request: plan.request,
        status: plan.status,
        response: plan.response,
        configs: plan.configs,
        blocks,
    }
}

/// The plan with messages that HTTP knows, and without what the hosts can't be asked.
fn tamed(plan: &Plan, limits: &Limits) -> Plan {
    let mut plan = plan.clone();
    let size = |m: &Message| m.body.iter().map(|d| d.len()).sum::<u64>();
    if matches!(plan.method, "GET" | "HEAD") || size(&plan.request) == 0 {
        plan.request.body.clear();
    }
    if plan.method == "HEAD" || matches!(plan.status, 204 | 304) || size(&plan.response) == 0 {
        plan.response.body.clear();
    }
    if plan.request.body.is_empty() || limits.no_request_trailers {
        plan.request.trailers.clear();
    }
    if plan.response.body.is_empty() || limits.no_response_trailers {
        plan.response.trailers.clear();
    }
    if plan.answer.body.is_empty() || limits.no_response_trailers {
        plan.answer.trailers.clear();
    }
    for message in [&mut plan.request, &mut plan.response, &mut plan.answer] {
        // A field without a value may go by on the wire; of a trailer even that is not said.
        message.trailers.retain(|(_, v)| !v.is_empty());
        // An empty chunk would end a body.
        message.body.retain(|d| !d.is_empty());
        // One chunk goes out with its length, which leaves neither trailers nor another length a place.
        if message.body.len() == 1 {
            message.body.push(Data::Text("z"));
        }
    }
    if limits.no_configurations {
        plan.configs = (Data::Text(""), Data::Text(""));
    }
    if plan.local.is_some() {
        // An answer that comes while the request is still on its way races with it.
        let early = plan.local.as_ref().is_some_and(|l| l.way == Way::Request);
        let free = limits.row("proxy_send_local_response/OK");
        if free || (early && !plan.request.body.is_empty()) {
            plan.local = None;
        }
    }
    plan
}

/// Whether the stream comes by a place.
fn passes(plan: &Plan, place: Place) -> bool {
    let local = plan.local.as_ref().map(|l| l.way);
    let message = match place.way() {
        Some(Way::Request) => &plan.request,
        Some(Way::Response) if local == Some(Way::Request) => return false,
        Some(Way::Response) => &plan.response,
        None => return true,
    };
    match place {
        Place::RequestBody | Place::ResponseBody => {
            !message.body.is_empty() && message.trailers.is_empty() && local != place.way()
        }
        Place::RequestTrailers | Place::ResponseTrailers => {
            !message.trailers.is_empty() && local != place.way()
        }
        _ => true,
    }
}

/// The place in which the stream waits for a callout: the one that is wished for, or the next that can.
fn hold(plan: &Plan, abi: &Abi, limits: &Limits) -> Option<Place> {
    let wished = plan.hold?;
    let all = Place::ALL.into_iter().filter(|p| p.way().is_some());
    let (before, from): (Vec<Place>, Vec<Place>) = all.partition(|p| *p < wished);
    let mut all = from.into_iter().chain(before);
    all.find_map(|place| hold_at(place, plan, abi, limits))
}

/// This place, if the stream can wait there.
fn hold_at(place: Place, plan: &Plan, abi: &Abi, limits: &Limits) -> Option<Place> {
    let way = place.way()?;
    let (message, paused) = match way {
        Way::Request => (&plan.request, "proxy_on_request_headers"),
        Way::Response => (&plan.response, "proxy_on_response_headers"),
    };
    let headers = matches!(place, Place::RequestHeaders | Place::ResponseHeaders);
    // A body that comes while its headers wait races with the answer.
    let races = headers && !message.body.is_empty();
    let local = plan.local.as_ref().is_some_and(|l| l.way <= way);
    let continues = match way {
        Way::Request => "proxy_continue_request",
        Way::Response => "proxy_continue_response",
    };
    let lacks = ["proxy_http_call", "proxy_set_effective_context"]
        .iter()
        .chain([&"proxy_continue_stream", &continues])
        .any(|h| limits.hostcalls.contains(*h));
    let row = limits.row(&format!("{paused}/PAUSE"))
        || limits.row("proxy_on_http_call_response/resume")
        || limits.row("proxy_on_http_call_response/called")
        || limits.row("proxy_http_call/OK")
        || limits.row("proxy_set_effective_context/effect");
    let unable = lacks || row || limits.callbacks.contains("proxy_on_http_call_response");
    let there = abi.hostcall("proxy_http_call").is_some();
    (passes(plan, place) && !races && !local && !unable && there).then_some(place)
}

/// The calls of a place for those wishes that `which` takes.
fn at(plan: &Plan, place: Place, world: &mut World, which: impl Fn(&Op) -> bool) -> Vec<Step> {
    world.place = place;
    let callback = format!("proxy_on_{}", place.callback());
    if world.limits.callbacks.contains(&callback) {
        return Vec::new();
    }
    if let Some(way) = gathers(plan, place) {
        let message = match way {
            Way::Request => &plan.request,
            Way::Response => &plan.response,
        };
        let size = message.body.iter().map(|d| d.len()).sum();
        world.bodies.entry(way).or_insert(size);
    }
    let mut steps = Vec::new();
    for (_, op) in plan.ops.iter().filter(|(p, op)| *p == place && which(op)) {
        if steps.len() >= MOST {
            break;
        }
        // What a wish needs is made first; three times is enough for a number that must be read.
        for _ in 0..3 {
            let Some(call) = world.needed(op).and_then(|op| world.call(&op)) else {
                break;
            };
            steps.push(Step::Call(call));
        }
        steps.extend(world.call(op).map(Step::Call));
    }
    steps
}

impl World<'_> {
    /// The call for a wish, if it has one right answer here and the hosts can be asked.
    fn call(&mut self, op: &Op) -> Option<Call> {
        let before = self.changing();
        let call = self.wish(op)?;
        if self.limits.refuse(self.abi, &call) {
            self.restore(before);
            return None;
        }
        Some(call)
    }

    fn wish(&mut self, op: &Op) -> Option<Call> {
        let store = !self.place.starting();
        let logs = matches!(op, Op::Log(..) | Op::FdWrite(..));
        match op {
            _ if logs && !store => None,
            Op::Get(..)
            | Op::Pairs(_)
            | Op::Size(_)
            | Op::SetPairs(..)
            | Op::Add(..)
            | Op::Replace(..)
            | Op::Remove(..) => self.field_op(op),
            Op::Read(..) | Op::Status(_) | Op::Write(..) => self.buffer_op(op),
            Op::SetShared(..)
            | Op::GetShared(_)
            | Op::Register(_)
            | Op::Enqueue(..)
            | Op::Dequeue(_)
            | Op::Define(..)
            | Op::DefineUnknown(_)
            | Op::Record(..)
            | Op::Increment(..)
            | Op::GetMetric(_) => store.then(|| self.store_op(op)).flatten(),
            _ => self.plain_op(op),
        }
    }
}

/// The way of the body that is gathered whole before a place is reached.
fn gathers(plan: &Plan, place: Place) -> Option<Way> {
    let way = place.way()?;
    let wanted = |op: &Op| matches!(op, Op::Read(Buffer::Body(w), ..) | Op::Status(Buffer::Body(w)) | Op::Write(Buffer::Body(w), ..) if *w == way);
    match place {
        Place::RequestBody | Place::ResponseBody => Some(way),
        Place::RequestTrailers | Place::ResponseTrailers => {
            let mut own = plan.ops.iter().filter(|(p, _)| *p == place);
            own.any(|(_, op)| wanted(op)).then_some(way)
        }
        _ => None,
    }
}

/// Writes a place's block, with what pauses and resumes.
fn block(
    plan: &Plan,
    place: Place,
    mut steps: Vec<Step>,
    hold: Option<Place>,
    world: &mut World,
    blocks: &mut Vec<Block>,
) {
    let local = plan.local.as_ref().filter(|l| match l.way {
        Way::Request => place == Place::RequestHeaders,
        Way::Response => place == Place::ResponseHeaders,
    });
    let held = hold == Some(place);
    let body = matches!(place, Place::RequestBody | Place::ResponseBody);
    let trailers = matches!(place, Place::RequestTrailers | Place::ResponseTrailers);
    let mut add = |place, select, steps| {
        blocks.push(Block {
            place,
            select,
            steps,
        });
    };
    if let Some(local) = local {
        steps.push(Step::Call(answered(local)));
        steps.push(Step::Pause);
        world.local = Some(local.way);
    }
    if held {
        let with = callout(Arg::Upstream, "");
        steps.push(Step::Call(Call::new(
            "proxy_http_call",
            with,
            "proxy_http_call/OK",
        )));
        steps.push(Step::Pause);
    }
    if steps.is_empty() {
        return;
    }
    if body {
        add(place, "[end_of_stream=false]", vec![Step::Pause]);
        add(place, "[end_of_stream=true]", steps);
    } else {
        if trailers && gathers(plan, place).is_some() {
            let before = match place {
                Place::RequestTrailers => Place::RequestBody,
                _ => Place::ResponseBody,
            };
            add(before, "", vec![Step::Pause]);
        }
        add(place, "", steps);
    }
    if held && let Some(way) = place.way() {
        world.held = Some(place);
        let steps = resumed(plan, way, world);
        add(Place::Answer, "", steps);
        world.held = None;
    }
}

fn answered(local: &Local) -> Call {
    let pair = |(k, v): &(&'static str, _)| ((*k).to_owned(), *v);
    let body = match local.status {
        204 | 304 => Data::Text(""),
        _ => local.body,
    };
    let fields = local.fields.iter().filter(|(_, v)| !v.is_empty());
    let with = vec![
        ("status_code", Arg::Number(local.status.into())),
        ("body", Arg::Data(body)),
        ("headers", Arg::Pairs(fields.map(pair).collect())),
        ("grpc_status", Arg::Number(u32::MAX.into())),
    ];
    let row = "proxy_send_local_response/OK";
    Call::new("proxy_send_local_response", with, row)
}

/// What is done in the answer to a callout: first what concerns the answer, then the stream.
fn resumed(plan: &Plan, way: Way, world: &mut World) -> Vec<Step> {
    let of_stream = |op: &Op| match op {
        Op::Get(map, _)
        | Op::Pairs(map)
        | Op::Size(map)
        | Op::SetPairs(map, _)
        | Op::Add(map, ..)
        | Op::Replace(map, ..)
        | Op::Remove(map, _) => matches!(map, Map::Headers(_) | Map::Trailers(_)),
        Op::Read(buffer, ..) | Op::Status(buffer) | Op::Write(buffer, ..) => {
            matches!(buffer, Buffer::Body(_))
        }
        _ => false,
    };
    let mut steps = at(plan, Place::Answer, world, |op| !of_stream(op));
    let with = vec![("context_id", Arg::Stream)];
    let row = "proxy_set_effective_context/OK";
    steps.push(Step::Call(Call::new(
        "proxy_set_effective_context",
        with,
        row,
    )));
    steps.extend(at(plan, Place::Answer, world, of_stream));
    steps.push(Step::Resume(way));
    steps
}
