//! Random programs on two hosts until they differ; what differs is cut down to what shows it.
//!
//! Does not know which host is right, nor how a finding is shown.

use std::time::{Duration, Instant};

use crate::fuzz::{
    self, Compared, Cut, Difference, Limits, Plan, Program, Rank, Side, cut_by, cuts,
};
use crate::host::{Stop, Trouble};
use crate::runner::duel::{Duel, Pair};

/// How long the search goes on.
#[derive(Debug, Clone, Copy)]
pub struct Search {
    /// Seed of the programs.
    pub seed: u64,
    /// So many programs at most.
    pub programs: u64,
    /// No new programs after this time.
    pub time: Option<Duration>,
    /// So many at once.
    pub batch: u64,
}

/// A difference that was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// The number of the program that showed it first.
    pub nth: u64,
    /// What is left of that program.
    pub program: Program,
    /// What differs in it.
    pub difference: Difference,
    /// What both hosts did with it, alone.
    pub traces: [String; 2],
    /// How many more programs showed it.
    pub more: u64,
}

/// What came of a search.
#[derive(Debug, Clone, Default)]
pub struct Searched {
    /// How many programs were played.
    pub programs: u64,
    /// Programs that differed in nothing but what is known or free, by how.
    pub known: u64,
    /// See `known`.
    pub free: u64,
    /// Programs whose attempts could not be compared.
    pub unfit: u64,
    /// Programs that differed once and not again.
    pub unsteady: u64,
    /// Programs of which a host died: the host's place, the program's number.
    pub died: Vec<(usize, u64)>,
    /// Differences in what the text asks for.
    pub found: Vec<Found>,
    /// The search was ended from outside.
    pub interrupted: bool,
}

/// Rounds of cutting; each plays all cuts of what is left.
const ROUNDS: usize = 24;

struct Campaign<'a> {
    duel: &'a mut Duel,
    limits: Limits,
    stop: &'a Stop,
    out: Searched,
}

/// Searches, and tells `tell` about what it does.
///
/// # Errors
/// A host cannot be driven.
pub fn campaign(
    duel: &mut Duel,
    search: &Search,
    stop: &Stop,
    tell: &dyn Fn(&str),
) -> Result<Searched, Trouble> {
    let began = Instant::now();
    let limits = duel.limits();
    let mut campaign = Campaign {
        duel,
        limits,
        stop,
        out: Searched::default(),
    };
    let late = || search.time.is_some_and(|time| began.elapsed() >= time);
    let mut next = 0;
    while next < search.programs && !late() && !stop.asked() {
        let until = search.programs.min(next + search.batch);
        let plans: Vec<Plan> = (next..until).map(|n| fuzz::plan(search.seed, n)).collect();
        campaign.batch(&plans, next, tell)?;
        next = until;
        tell(&format!("{next} programs"));
    }
    campaign.out.interrupted = stop.asked();
    Ok(campaign.out)
}

impl Campaign<'_> {
    fn program(&self, plan: &Plan) -> Program {
        fuzz::realise(plan, &self.duel.abi, &self.limits)
    }

    fn compared(&self, program: &Program, pair: &Pair) -> Compared {
        let [Some(left), Some(right)] = pair else {
            return Compared::Unfit("it was not played".to_owned());
        };
        let libraries = self.duel.libraries();
        let side = |attempt, n: usize| Side {
            attempt,
            library: libraries[n],
        };
        fuzz::compare(
            &self.duel.abi,
            program,
            &self.limits,
            side(left, 0),
            side(right, 1),
        )
    }

    fn play(&mut self, plans: &[Plan], alone: bool) -> Result<Vec<(Program, Pair)>, Trouble> {
        let programs: Vec<Program> = plans.iter().map(|p| self.program(p)).collect();
        let pairs = self.duel.play(&programs, alone, self.stop)?;
        Ok(programs.into_iter().zip(pairs).collect())
    }

    fn batch(&mut self, plans: &[Plan], first: u64, tell: &dyn Fn(&str)) -> Result<(), Trouble> {
        let played = self.play(plans, false)?;
        for (n, (plan, (program, pair))) in plans.iter().zip(played).enumerate() {
            let nth = first + n as u64;
            let compared = self.compared(&program, &pair);
            if self.stop.asked() && pair.iter().any(Option::is_none) {
                continue;
            }
            self.out.programs += 1;
            match &compared {
                Compared::Same => {}
                Compared::Unfit(_) => self.out.unfit += 1,
                Compared::Died => {
                    let died = |a: &Option<crate::trace::Attempt>| {
                        let end = a.as_ref().map(|a| &a.end);
                        matches!(end, Some(crate::trace::End::Crash(_)))
                    };
                    let who = usize::from(!died(&pair[0]));
                    self.out.died.push((who, nth));
                }
                Compared::Differ(all) => match compared.bound() {
                    Some(d) => self.differs(plan, nth, d, tell)?,
                    None if all[0].rank == Rank::Known => self.out.known += 1,
                    None => self.out.free += 1,
                },
            }
        }
        Ok(())
    }

    /// Makes sure of a difference, cuts the program down and keeps it.
    fn differs(
        &mut self,
        plan: &Plan,
        nth: u64,
        difference: &Difference,
        tell: &dyn Fn(&str),
    ) -> Result<(), Trouble> {
        let same = |f: &&mut Found| f.difference.signature == difference.signature;
        if let Some(found) = self.out.found.iter_mut().find(same) {
            found.more += 1;
            return Ok(());
        }
        let signature = &difference.signature;
        tell(&format!("program {nth} differs: {}", difference.what));
        if !self.shown(std::slice::from_ref(plan), signature, false)?[0] {
            self.out.unsteady += 1;
            return Ok(());
        }
        let small = self.cut_down(plan.clone(), signature)?;
        let mut alone = self.play(std::slice::from_ref(&small), true)?;
        let (program, pair) = alone.remove(0);
        match (self.compared(&program, &pair).shows(signature), &pair) {
            (Some(difference), [Some(left), Some(right)]) => {
                let traces = [self.duel.text(0, left), self.duel.text(1, right)];
                self.out.found.push(Found {
                    nth,
                    difference: difference.clone(),
                    program,
                    traces,
                    more: 0,
                });
            }
            _ => self.out.unsteady += 1,
        }
        Ok(())
    }

    /// Which of these plans show the difference.
    fn shown(
        &mut self,
        plans: &[Plan],
        signature: &str,
        alone: bool,
    ) -> Result<Vec<bool>, Trouble> {
        let played = self.play(plans, alone)?;
        let shows = |(program, pair): &(Program, Pair)| {
            let compared = self.compared(program, pair);
            compared
                .shows(signature)
                .is_some_and(|d| d.rank == Rank::Bound)
        };
        Ok(played.iter().map(shows).collect())
    }

    /// Cuts a plan down as far as the difference still shows.
    fn cut_down(&mut self, mut plan: Plan, signature: &str) -> Result<Plan, Trouble> {
        for _ in 0..ROUNDS {
            if self.stop.asked() {
                break;
            }
            let all = cuts(&plan);
            let tried: Vec<Plan> = all.iter().map(|cut| cut_by(&plan, &[*cut])).collect();
            let shown = self.shown(&tried, signature, false)?;
            let good: Vec<Cut> = all
                .iter()
                .zip(shown)
                .filter_map(|(cut, shown)| shown.then_some(*cut))
                .collect();
            if good.is_empty() {
                break;
            }
            // What can be cut alone can often be cut together: by halves, until it holds.
            let mut together = good.len();
            let mut next = None;
            while together > 1 && next.is_none() {
                let candidate = cut_by(&plan, &good[good.len() - together..]);
                let other = cut_by(&plan, &good[..together]);
                let shown = self.shown(&[candidate.clone(), other.clone()], signature, false)?;
                next = match shown[..] {
                    [true, _] => Some(candidate),
                    [_, true] => Some(other),
                    _ => None,
                };
                together /= 2;
            }
            plan = next.unwrap_or_else(|| cut_by(&plan, &good[..1]));
        }
        Ok(plan)
    }
}
