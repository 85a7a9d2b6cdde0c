//! Ways to make a plan smaller. Any of them gives a plan, and any plan is a valid program.
//!
//! Does not know whether what is left still shows anything: somebody runs it.

use crate::fuzz::plan::{Data, Message, Op, Place, Plan};

/// One way to make a plan smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cut {
    /// These wishes go: from, to.
    Ops(usize, usize),
    /// The stream waits for nothing.
    Hold,
    /// The plugin does not answer itself.
    Local,
    /// The fields of a message go.
    Fields(Which),
    /// The trailers of a message go.
    Trailers(Which),
    /// The body of a message goes.
    Body(Which),
    /// The chunks of a body become short ones.
    ShortBody(Which),
    /// The first of several fields goes.
    FirstField(Which),
    /// The last of several fields goes.
    LastField(Which),
    /// `GET /`.
    Request,
    /// 200.
    Status,
    /// No configuration.
    Configs,
    /// The values of this wish become short ones.
    ShortOp(usize),
    /// This wish comes in the headers of the request.
    Early(usize),
}

/// A message of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Which {
    /// The request.
    Request,
    /// The response.
    Response,
    /// The answer to a callout.
    Answer,
}

impl Which {
    fn of(self, plan: &mut Plan) -> &mut Message {
        match self {
            Which::Request => &mut plan.request,
            Which::Response => &mut plan.response,
            Which::Answer => &mut plan.answer,
        }
    }
}

const SHORT: Data = Data::Text("v");

/// Every cut that changes this plan, the largest first.
pub fn cuts(plan: &Plan) -> Vec<Cut> {
    let mut all = Vec::new();
    let n = plan.ops.len();
    let mut size = n;
    while size > 0 {
        let starts = (0..n).step_by(size);
        all.extend(starts.map(|at| Cut::Ops(at, (at + size).min(n))));
        size /= 2;
    }
    all.extend([Cut::Hold, Cut::Local]);
    for which in [Which::Request, Which::Response, Which::Answer] {
        all.extend([
            Cut::Body(which),
            Cut::Trailers(which),
            Cut::Fields(which),
            Cut::FirstField(which),
            Cut::LastField(which),
            Cut::ShortBody(which),
        ]);
    }
    all.extend([Cut::Request, Cut::Status, Cut::Configs]);
    all.extend((0..n).map(Cut::ShortOp));
    all.extend((0..n).map(Cut::Early));
    all.retain(|cut| cut_by(plan, &[*cut]) != *plan);
    all.dedup();
    all
}

/// The plan with all of these cuts made.
pub fn cut_by(plan: &Plan, cuts: &[Cut]) -> Plan {
    let mut out = plan.clone();
    let mut gone = vec![false; plan.ops.len()];
    for cut in cuts {
        match *cut {
            Cut::Ops(from, to) => gone[from..to].fill(true),
            Cut::Hold => out.hold = None,
            Cut::Local => out.local = None,
            Cut::Fields(which) => which.of(&mut out).fields.clear(),
            Cut::Trailers(which) => which.of(&mut out).trailers.clear(),
            Cut::Body(which) => which.of(&mut out).body.clear(),
            Cut::ShortBody(which) => {
                let body = &mut which.of(&mut out).body;
                *body = match body.len() {
                    0 => Vec::new(),
                    _ => vec![Data::Text("ab"), Data::Text("cd")],
                };
            }
            Cut::FirstField(which) => {
                let fields = &mut which.of(&mut out).fields;
                if fields.len() > 1 {
                    fields.remove(0);
                }
            }
            Cut::LastField(which) => {
                let fields = &mut which.of(&mut out).fields;
                if fields.len() > 1 {
                    fields.pop();
                }
            }
            Cut::Request => (out.method, out.path) = ("GET", "/"),
            Cut::Status => out.status = 200,
            Cut::Configs => out.configs = (Data::Text(""), Data::Text("")),
            Cut::Early(at) => {
                let late = |p: &Place| *p != Place::RequestHeaders;
                if let Some((place, _)) = out.ops.get_mut(at).filter(|(p, _)| late(p)) {
                    *place = Place::RequestHeaders;
                }
            }
            Cut::ShortOp(at) => {
                if let Some((_, op)) = out.ops.get_mut(at) {
                    shorten(op);
                }
            }
        }
    }
    let mut at = gone.iter();
    out.ops.retain(|_| !at.next().copied().unwrap_or(false));
    out
}

fn shorten(op: &mut Op) {
    match op {
        Op::Add(_, _, value) | Op::Replace(_, _, value) if value.len() > 1 => *value = SHORT,
        Op::Write(.., value) | Op::SetShared(_, value, _) | Op::Enqueue(_, value)
            if value.len() > 1 =>
        {
            *value = SHORT;
        }
        Op::Log(_, value) | Op::Foreign(value) | Op::CallNobody(value) | Op::GrpcNobody(value)
            if value.len() > 1 =>
        {
            *value = SHORT;
        }
        Op::FdWrite(_, pieces) => *pieces = vec![SHORT],
        Op::SetPairs(_, fields) => fields.truncate(1),
        _ => {}
    }
}
