//! What of a case a library host is judged on: what the library answers, at the boundary.
//!
//! Whatever a proxy decides is decided by the harness's own stream engine there, and what the library
//! asks of the code that embeds it is answered by the adapter: neither is the library's doing. Does not
//! know verdicts.

use crate::abi::{Abi, Seat};
use crate::case::{
    Act, Answers, Check, CheckKind, DriverKind, Observe, Profile, Resolved, StepRef,
};

/// The case with only those checks and observations that the host is judged on.
///
/// # Errors
/// None is left: why.
pub fn judged(mut case: Resolved, abi: &Abi, profile: &Profile) -> Result<Resolved, String> {
    if profile.driver != DriverKind::Stdio {
        return Ok(case);
    }
    let hostcalls = case.hostcalls.iter();
    let nobody = hostcalls.filter(|h| profile.answered_by(h, &abi.id) == Answers::None);
    if let Some(hostcall) = nobody.into_iter().next() {
        return Err(format!("nobody answers {hostcall} through this adapter"));
    }
    let fixed = case.vms.iter().any(|vm| vm.module.guest.is_some());
    let loading = case.observations.iter().any(|o| o.what == Observe::Load);
    // What a case does in a callback that nobody calls, it does not do.
    let handlers = case.vms.iter().flat_map(|vm| &vm.module.handlers);
    let mut acting = handlers.filter(|h| h.steps.iter().any(|s| matches!(s.act, Act::Call(_))));
    if let Some(idle) = acting.find(|h| profile.answered_by(&h.callback, &abi.id) == Answers::None)
    {
        let callback = &idle.callback;
        return Err(format!("nobody calls {callback} through this adapter"));
    }
    let mut reason = None;
    let mut keep = Vec::new();
    let mut own = 0;
    for check in &case.checks {
        let why = unjudged(&check.req, &callbacks(check), abi, profile);
        // A real plugin does not tell which call it was that the engine made something of.
        let why = why.or_else(|| (fixed && wire(&check.kind)).then(engine));
        own += usize::from(why.is_none() && !check.control);
        keep.push(why.is_none() || check.control);
        if !check.control {
            reason = reason.or(why);
        }
    }
    let mut at = keep.iter();
    case.checks.retain(|_| at.next().copied().unwrap_or(false));
    let mut at = keep.iter();
    case.paths.retain(|_| at.next().copied().unwrap_or(false));
    case.observations.retain(|seen| {
        let callbacks = match &seen.what {
            Observe::Status(step) | Observe::Out(step, _) => vec![callback(step)],
            _ => Vec::new(),
        };
        let why = unjudged(&seen.req, &callbacks, abi, profile);
        // What a client gets where no plugin was loaded is the engine's answer.
        let why = why.or_else(|| ((fixed || loading) && seen_on_wire(&seen.what)).then(engine));
        let kept = why.is_none();
        own += usize::from(kept);
        if reason.is_none() {
            reason = why;
        }
        kept
    });
    match reason {
        Some(why) if own == 0 => Err(why),
        _ => Ok(case),
    }
}

fn engine() -> String {
    "the harness plays client and upstream: a proxy does that".to_owned()
}

fn wire(kind: &CheckKind) -> bool {
    matches!(
        kind,
        CheckKind::Client { .. }
            | CheckKind::Upstream { .. }
            | CheckKind::UpstreamCount { .. }
            | CheckKind::Grpc { .. }
            | CheckKind::GrpcCount { .. }
    )
}

fn seen_on_wire(what: &Observe) -> bool {
    matches!(
        what,
        Observe::ClientStatus(_)
            | Observe::ClientBody(_)
            | Observe::ClientHeader(..)
            | Observe::ClientTrailer(..)
            | Observe::UpstreamHeader(..)
            | Observe::UpstreamTrailer(..)
            | Observe::UpstreamBody(_)
            | Observe::UpstreamCount(_)
    )
}

/// Why a requirement is not judged here.
fn unjudged(req: &str, callbacks: &[&str], abi: &Abi, profile: &Profile) -> Option<String> {
    let mut callbacks = callbacks.iter();
    if let Some(callback) = callbacks.find(|c| profile.answered_by(c, &abi.id) == Answers::None) {
        return Some(format!("nobody calls {callback} through this adapter"));
    }
    if abi.requirement(req).is_some_and(|r| r.seat == Seat::Proxy) {
        return Some(format!("the adapter answers {req}: a proxy does that"));
    }
    match profile.answered_by(req, &abi.id) {
        Answers::Library => None,
        Answers::Embedder => Some(format!("the adapter answers {req}")),
        Answers::None => Some(format!("nobody answers {req} through this adapter")),
    }
}

/// The callbacks without which a check sees nothing.
fn callbacks(check: &Check) -> Vec<&str> {
    match &check.kind {
        CheckKind::Status { step, .. } | CheckKind::Out { step, .. } => vec![callback(step)],
        CheckKind::Callbacks { order, .. } => order.iter().map(|p| p.name.as_str()).collect(),
        CheckKind::Body { callback, .. } => vec![callback],
        _ => Vec::new(),
    }
}

fn callback(step: &StepRef) -> &str {
    &step.callback
}
