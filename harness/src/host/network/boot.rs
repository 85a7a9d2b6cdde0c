//! Hosts whose listeners do not change while they run: each batch gets a fresh process, everything
//! is played, the process is ended, and only then are the traces read.
//!
//! Does not know what is done about a case that lost its process: see the driver.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::host::network::session::{Lost, Plan, Session};
use crate::host::network::work::Work;
use crate::host::{Job, Trouble};
use crate::trace::{Attempt, End, Isolation};

/// A start takes at most this long where its only case has a shorter deadline.
const START: Duration = Duration::from_secs(4);

/// Plays batches, each in a process of its own, until nothing is left.
///
/// # Errors
/// The host does not start without any case, or is lost too often.
pub fn lane(plan: &Arc<Plan>, work: &Work<'_>) -> Result<(), Trouble> {
    let mut size = work.batch;
    loop {
        let mut jobs = work.next(size.min(work.share()));
        if jobs.is_empty() {
            return Ok(());
        }
        size = match batch(plan, &mut jobs, work)? {
            None => work.went_well(),
            Some(loss) => work.lost(&mut jobs, &loss)?,
        };
        work.put_back(jobs);
    }
}

/// Plays one batch; how the process was lost, if it was. What has no attempt then stays in `jobs`.
fn batch(
    plan: &Arc<Plan>,
    jobs: &mut VecDeque<Job>,
    work: &Work<'_>,
) -> Result<Option<Lost>, Trouble> {
    let mut session = Session::start(plan, Isolation::Shared, jobs.make_contiguous())?;
    if let Err(lost) = session.ready(patience(plan)) {
        drop(session);
        starts(plan)?;
        return Ok(Some(lost));
    }
    for job in jobs.iter() {
        if work.call.stop.asked() {
            jobs.clear();
            return Ok(None);
        }
        if let Err(mut lost) = session.play_open(job) {
            // What was played before had no orderly end: its log may not be whole.
            lost.suspect = Some(job.index);
            return Ok(Some(lost));
        }
        // What used up its deadline may still keep the host busy: the others are played elsewhere.
        if session.was_late() {
            break;
        }
    }
    match session.finish() {
        (all, None) => {
            let mut all: BTreeMap<usize, Attempt> = all.into_iter().collect();
            for job in std::mem::take(jobs) {
                match all.remove(&job.index) {
                    Some(attempt) => work.call.ended(job, attempt),
                    None => jobs.push_back(job),
                }
            }
            Ok(None)
        }
        (all, Some(lost)) => {
            // A guest that loops keeps the process from ending; it has shown itself by its deadline.
            let late = |a: &Attempt| matches!(a.end, End::Timeout(_));
            for (index, _) in all.iter().filter(|(_, a)| late(a)) {
                if let Some(at) = jobs.iter().position(|j| j.index == *index)
                    && let Some(job) = jobs.remove(at)
                {
                    work.call.aside(job, &lost);
                }
            }
            let nobody = !all.iter().any(|(_, a)| late(a));
            Ok(nobody.then_some(lost))
        }
    }
}

/// One case in one fresh process.
///
/// # Errors
/// The host does not start without any case.
pub fn one(plan: &Arc<Plan>, job: &Job) -> Result<(Attempt, Option<Lost>), Trouble> {
    let mut session = Session::start(plan, Isolation::Alone, std::slice::from_ref(job))?;
    // A module that hangs at its start costs a start no more than this; the host itself may be slow.
    let begun = session.ready(patience(plan).min(job.deadline.max(START)));
    if let Err(lost) = begun {
        let attempt = session.remains();
        drop(session);
        starts(plan)?;
        return Ok((attempt, Some(lost)));
    }
    if let Err(lost) = session.play_open(job) {
        return Ok((session.remains(), Some(lost)));
    }
    let (mut all, lost) = session.finish();
    let Some((_, mut attempt)) = all.pop() else {
        return Ok((Attempt::empty(Isolation::Alone), lost));
    };
    // The case has its own word for the deadline that passed.
    if let (Some(lost), End::Normal) = (&lost, &attempt.end) {
        attempt.end = End::Timeout(lost.what.clone());
    }
    Ok((attempt, None))
}

/// Whether the host starts at all: where it does, its cases kept it from it.
fn starts(plan: &Arc<Plan>) -> Result<(), Trouble> {
    if plan.started.load(Ordering::SeqCst) {
        return Ok(());
    }
    Session::boot(plan, Isolation::Alone)?.stop()
}

fn patience(plan: &Plan) -> Duration {
    let within = plan.profile.start.as_ref().map_or(20, |s| s.ready.within);
    Duration::from_secs(u64::from(within))
}
