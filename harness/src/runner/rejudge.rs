//! New verdicts from an old record: today's checks held against what was recorded then.
//!
//! Starts no host.

use std::sync::Arc;

use crate::case::{Profile, Suite};
use crate::judge::{self, Judgement, Verdict};
use crate::record::{Column, Record, ResultLine};
use crate::runner::gating::gate_column;
use crate::runner::plan::{ColumnPlan, Deadlines, Planned, prepare, scope, token};
use crate::runner::play::MARKER;
use crate::runner::run::Outcome;
use crate::runner::slots::judge_attempt;
use crate::trace::{End, Load};

/// Judges every result of a record again, settles and gates each column, and sums up anew.
///
/// # Errors
/// A known failure of a profile cannot be read.
pub fn rejudge(
    suite: &Suite,
    profiles: &[Profile],
    record: &mut Record,
) -> Result<Outcome, String> {
    let mut outcome = Outcome::default();
    let mut summaries = Vec::new();
    let seed = record.header.seed;
    for column in record.header.columns.clone() {
        let profile = profiles.iter().find(|p| p.name == column.host);
        let abi = suite.abi(&column.abi);
        let (Some(profile), Some(abi)) = (profile, abi) else {
            return Err(format!(
                "there is no profile {} or no ABI {} any more",
                column.host, column.abi
            ));
        };
        let mut own: Vec<&mut ResultLine> = record
            .results
            .iter_mut()
            .filter(|r| r.column == column.name)
            .collect();
        for result in &mut own {
            if let Some(judgement) = again(suite, profile, &column, result, seed) {
                result.judgement = judgement;
            }
        }
        let cases: Vec<String> = own.iter().map(|r| r.case.clone()).collect();
        let mut rows: Vec<judge::Settling> = own
            .iter_mut()
            .zip(&cases)
            .map(|(r, case)| judge::Settling {
                case,
                loaded: r.attempts.last().is_some_and(|a| a.load == Load::Loaded),
                refused: r.attempts.last().is_some_and(|a| a.load.refused()),
                trapped: r
                    .attempts
                    .last()
                    .is_some_and(|a| matches!(a.end, End::Trap(_))),
                judgement: &mut r.judgement,
            })
            .collect();
        judge::settle(&mut rows, MARKER, &judge::forms(abi), true);
        let mut results: Vec<ResultLine> = own.iter().map(|r| (**r).clone()).collect();
        let seconds = record
            .footer
            .columns
            .iter()
            .find(|c| c.column == column.name)
            .map_or(0.0, |c| c.seconds);
        let plan = ColumnPlan {
            column: column.clone(),
            abi: Arc::clone(abi),
            cases: Vec::new(),
        };
        let summary = gate_column(
            suite,
            profile,
            &plan,
            &mut results,
            false,
            seconds,
            &mut outcome,
        )?;
        outcome.incomplete |= summary.verdict == Some(judge::HostVerdict::Incomplete);
        outcome.results += results.len();
        for (old, new) in own.into_iter().zip(results) {
            *old = new;
        }
        summaries.push(summary);
    }
    record.footer.columns = summaries;
    Ok(outcome)
}

/// Today's judgement on a result; `None`: it stays as it is (nothing was ever played).
fn again(
    suite: &Suite,
    profile: &Profile,
    column: &Column,
    result: &ResultLine,
    seed: u64,
) -> Option<Judgement> {
    let attempt = result.attempts.last()?;
    // What passed alone and failed in company has no verdict, whatever its last attempt says.
    if result.company {
        return None;
    }
    let gone = |why: &str| {
        let mut judgement = result.judgement.clone();
        judgement.verdict = Verdict::NotRun;
        judgement.reason = Some(why.to_owned());
        Some(judgement)
    };
    let abi = suite.abi(&column.abi)?;
    let Some(case) = suite.case(&result.case) else {
        return gone("the case is not there any more");
    };
    let Some(Ok(program)) = scope(suite, case, abi, profile) else {
        return gone("the case is not in scope any more");
    };
    let planned = Planned {
        case: Arc::new(case.clone()),
        program: Ok(program.clone()),
    };
    let token = token(
        result.seed.unwrap_or(seed),
        &column.name,
        &case.id,
        result.attempts.len() as u32,
    );
    let never = std::time::Duration::ZERO;
    let deadlines = Deadlines {
        shared: never,
        alone: never,
    };
    let Ok(prepared) = prepare(suite, &planned, abi, profile, &token, 0, &deadlines) else {
        return gone("the case cannot be built any more");
    };
    if program != result.program_digest {
        return gone("program changed");
    }
    Some(judge_attempt(abi, &prepared, attempt, case))
}
