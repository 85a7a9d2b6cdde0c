//! The steps of an exchange, and the closing of the attempt.
//!
//! Does not know how messages pass.

use std::time::Instant;

use crate::case::{Peer, Play, Stream as Script};
use crate::host::pieces::Direction;
use crate::host::stdio::engine::passage::side;
use crate::host::stdio::engine::time::PATIENCE;
use crate::host::stdio::engine::{Engine, Over};
use crate::host::stdio::protocol::{Caused, Effect};
use crate::host::wire;
use crate::trace::{Attempt, Blob, End, Load, Trace};

/// What a host notes, and what an adapter writes to its standard error, is kept up to this length.
const LOG: usize = 4096;

impl<'e> Engine<'e> {
    /// Plays everything; the attempt, and whether the peer can go on with another job.
    pub fn play(mut self) -> (Attempt, bool) {
        let began = Instant::now();
        let whole = self.all().is_ok();
        let answers = whole || matches!(self.attempt.end, End::Trap(_));
        self.close();
        self.attempt.micros = began.elapsed().as_micros() as u64;
        (self.attempt, answers)
    }

    fn all(&mut self) -> Result<(), Over> {
        self.attempt.load = Load::Unknown;
        self.attempt.load = self.load_all()?;
        let job = self.job;
        for step in &job.exchange.play {
            self.step(step)?;
        }
        Ok(())
    }

    fn step(&mut self, step: &Play) -> Result<(), Over> {
        match step {
            Play::Head(n) => match (self.script(*n), self.stream(*n)) {
                (Some(script), None) => self.open(*n, script),
                _ => Ok(()),
            },
            Play::Chunk(n) => match (self.script(*n), self.stream(*n)) {
                (Some(script), Some(stream)) => self.send_chunk(stream, script),
                _ => Ok(()),
            },
            Play::Rest(n) => match (self.script(*n), self.stream(*n)) {
                (Some(script), Some(stream)) => self.send_rest(stream, script),
                _ => Ok(()),
            },
            Play::Finish(n) => {
                let Some(stream) = self.stream(*n) else {
                    return Ok(());
                };
                if self.streams[stream].tcp.is_some() {
                    return self.tcp_step(stream, step);
                }
                let until = self.time.now + PATIENCE;
                self.pass(until, &|e| e.streams[stream].over)?;
                self.reset(stream, "timed out")?;
                self.settle()
            }
            Play::Abort(n) => {
                let Some(stream) = self.stream(*n) else {
                    return Ok(());
                };
                self.reset(stream, "aborted by the client")?;
                self.settle()
            }
            Play::Go(upstream) => self.grpc_go(upstream),
            Play::Foreign {
                function,
                arguments,
            } => self.foreign(*function, arguments),
            Play::Open(n) => match self.stream(*n) {
                None => self.connect(*n),
                Some(_) => Ok(()),
            },
            Play::Send(n, _) | Play::End(n, _) | Play::Close(n, _) | Play::Ended(n, _) => {
                match self.stream(*n) {
                    Some(stream) => self.tcp_step(stream, step),
                    None => Ok(()),
                }
            }
            Play::Wait {
                callback,
                times,
                within,
            } => self.wait(callback, *times, *within),
            Play::Reload => {
                let old = self.vms.len();
                self.load_all()?;
                self.retire(old)
            }
            Play::Remove => {
                let all = self.vms.len();
                self.retire(all)
            }
            Play::Shutdown => self.shut_down(),
        }
    }

    fn script(&self, n: u32) -> Option<&'e Script> {
        let job = self.job;
        job.exchange.streams.get((n as usize).checked_sub(1)?)
    }

    /// The place of the exchange's stream `number` among the streams that were opened.
    fn stream(&self, number: u32) -> Option<usize> {
        self.streams.iter().position(|s| s.number == number)
    }

    /// Does what plugins have asked for, in the order in which they did.
    pub(super) fn work(&mut self) -> Result<(), Over> {
        while !self.asked.is_empty() {
            let asked = self.asked.remove(0);
            self.carry_out(asked)?;
        }
        Ok(())
    }

    /// Carries out what ends streams, before anything else that was asked for.
    pub(super) fn end_now(&mut self) -> Result<(), Over> {
        let ends = |c: &Caused| {
            matches!(
                c.effect,
                Effect::CloseStream { .. } | Effect::LocalResponse { .. }
            )
        };
        let (now, later) = std::mem::take(&mut self.asked).into_iter().partition(ends);
        self.asked = later;
        let now: Vec<Caused> = now;
        now.into_iter().try_for_each(|asked| self.carry_out(asked))
    }

    fn carry_out(&mut self, asked: Caused) -> Result<(), Over> {
        let Some(vm) = self.vms.iter().position(|vm| vm.label == asked.vm) else {
            return Err(self.fault(format!("an effect of a VM that there is not: {}", asked.vm)));
        };
        let context = asked.context;
        match asked.effect {
            Effect::ContinueStream { stream } => {
                let Some((at, stage)) = self.stage_of(vm, context) else {
                    return Ok(());
                };
                self.resume(at, stage, side(stream))
            }
            Effect::CloseStream { stream } => match self.stage_of(vm, context) {
                Some((at, _)) if self.streams[at].tcp.is_some() => match side(stream) {
                    Direction::Request => self.cut(at, Peer::Downstream),
                    Direction::Response => self.cut(at, Peer::Upstream),
                },
                Some((at, _)) => self.reset(at, "reset"),
                None => Ok(()),
            },
            Effect::LocalResponse {
                status,
                headers,
                body,
                ..
            } => match self.stage_of(vm, context) {
                Some((at, _)) => self.reply(at, status, headers, body),
                None => Ok(()),
            },
            Effect::HttpCall { .. } => {
                self.callout(vm, context, asked.effect);
                Ok(())
            }
            Effect::GrpcCall { .. }
            | Effect::GrpcStream { .. }
            | Effect::GrpcSend { .. }
            | Effect::GrpcCancel { .. }
            | Effect::GrpcClose { .. } => {
                self.grpc(vm, context, asked.effect);
                Ok(())
            }
            Effect::TickPeriod { ms } => {
                self.tick_period(vm, context, ms);
                Ok(())
            }
            Effect::QueueReady { queue_id } => {
                let due = super::time::Due::QueueReady {
                    vm,
                    context,
                    queue: queue_id,
                };
                self.time.schedule(0, due);
                Ok(())
            }
            // Taken in when it came: what is forwarded now has it.
            Effect::Changed { .. } => Ok(()),
            Effect::Finished {} => {
                self.finished(vm, context);
                Ok(())
            }
            Effect::Metric { name, value } => {
                self.metrics.insert(name.text(), value);
                Ok(())
            }
            Effect::Function { name, arguments } => {
                let what = format!("foreign function {name} got {:?}", arguments.text());
                self.notes.push(what);
                Ok(())
            }
        }
    }

    /// The stream and stage that a context stands for.
    pub(super) fn stage_of(&self, vm: usize, context: u32) -> Option<(usize, usize)> {
        let mut all = self.streams.iter().enumerate();
        all.find_map(|(n, stream)| {
            let mut stages = stream.stages.iter();
            let stage = stages.position(|s| s.vm == vm && s.context == context)?;
            Some((n, stage))
        })
    }

    /// Writes down what was seen.
    fn close(&mut self) {
        self.attempt.seen.upstream = std::mem::take(&mut self.upstream);
        self.attempt.seen.grpc = std::mem::take(&mut self.grpc.saw);
        self.attempt.seen.client = wire::clients(self.streams.iter_mut().map(|s| {
            let answered = s.answered();
            (s.number, s.response.take(), s.trouble.take(), answered)
        }));
        for reader in std::mem::take(&mut self.readers).into_iter().flatten() {
            let (instances, faults) = reader.finish();
            let Trace { instances: all } = &mut self.attempt.trace;
            all.extend(instances);
            self.attempt.faults.extend(faults);
        }
        for (name, value) in &self.metrics {
            self.notes.push(format!("metric {name} = {value}"));
        }
        let mut log = self.notes.join("\n").into_bytes();
        let aside = self.peer.aside();
        if !aside.is_empty() && !log.is_empty() {
            log.push(b'\n');
        }
        log.extend(aside);
        if !log.is_empty() {
            self.attempt.host_log = Some(Blob::with_limit(&log, LOG));
        }
    }
}
