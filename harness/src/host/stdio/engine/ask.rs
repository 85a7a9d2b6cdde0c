//! Asking the adapter, and what comes back beside the answer: log lines, effects, ends.
//!
//! Does not know why something is asked.

use crate::host::stdio::engine::{Engine, Over};
use crate::host::stdio::link::Silence;
use crate::host::stdio::protocol::{Answer, Ask, Call, Caused, Done, Effect, Event, Line, State};
use crate::trace::{Blame, Blob, End, Fault, LogLine, Taken};

impl Engine<'_> {
    /// Asks; logs and effects are kept, an end of the attempt is written down.
    pub(super) fn ask(&mut self, ask: Ask) -> Result<Answer, Over> {
        let reply = match self.peer.ask(ask, self.until) {
            Ok(reply) => reply,
            Err(silence) => {
                self.silent(silence);
                return Err(Over);
            }
        };
        for line in reply.logs {
            self.logged(line);
        }
        for caused in reply.effects {
            self.changed(&caused);
            self.asked.push(caused);
        }
        match &reply.answer {
            Answer::Trapped { words } => {
                self.attempt.end = End::Trap(text(words));
                Err(Over)
            }
            Answer::Unsupported { reason } => Err(self.fault(format!(
                "the adapter did not say in its greeting that it cannot do this: {reason}"
            ))),
            Answer::Failed { words } => {
                self.notes
                    .push(format!("the library gave an error: {words}"));
                Ok(reply.answer)
            }
            _ => Ok(reply.answer),
        }
    }

    /// Asks for something that is answered with `done`, or with an error of the library.
    pub(super) fn done(&mut self, ask: Ask) -> Result<Option<Done>, Over> {
        match self.ask(ask)? {
            Answer::Done(done) => Ok(Some(done)),
            Answer::Failed { .. } => Ok(None),
            other => Err(self.fault(format!("`done` was due, not {other:?}"))),
        }
    }

    /// Has the library make a callback; `None`: the adapter has no way to, or the library failed.
    pub(super) fn call(
        &mut self,
        vm: usize,
        context: u32,
        state: State,
        event: Event,
    ) -> Result<Option<Done>, Over> {
        let callbacks = &self.abilities.hello.callbacks;
        if !callbacks.iter().any(|c| c == event.name()) {
            self.notes.push(format!("no way to call {}", event.name()));
            return Ok(None);
        }
        let call = Call {
            vm: self.vms[vm].label.clone(),
            context,
            state,
            event,
        };
        self.done(Ask::Call(call))
    }

    /// Takes in what was changed on a stream other than that of the callback.
    fn changed(&mut self, caused: &Caused) {
        let Effect::Changed { state } = &caused.effect else {
            return;
        };
        let vm = self.vms.iter().position(|vm| vm.label == caused.vm);
        if let Some((at, stage)) = vm.and_then(|vm| self.stage_of(vm, caused.context)) {
            self.streams[at].stages[stage].changed(state.clone());
        }
    }

    fn silent(&mut self, silence: Silence) {
        match silence {
            Silence::Late { entered: true } => {
                self.attempt.end = End::Timeout("the library did not return".to_owned());
            }
            Silence::Late { entered: false } => {
                self.fault("the adapter hangs outside the library".to_owned());
            }
            Silence::Gone {
                killed: true,
                story,
                ..
            } => {
                let what = format!("the adapter was killed from outside ({story})");
                let fault = Fault::new(Blame::Environment, what);
                self.attempt.faults.push(fault);
            }
            Silence::Gone {
                entered: true,
                story,
                ..
            } => self.attempt.end = End::Crash(format!("inside the library: {story}")),
            Silence::Gone { story, .. } => {
                self.fault(format!("outside the library: {story}"));
            }
            Silence::Nonsense(what) => {
                self.fault(format!(
                    "what it sent is no message of the protocol: {what}"
                ));
            }
        }
    }

    /// The adapter is at fault.
    pub(super) fn fault(&mut self, what: String) -> Over {
        self.attempt.faults.push(Fault::new(Blame::Adapter, what));
        Over
    }

    fn logged(&mut self, line: Line) {
        let vm = self.vms.iter().find(|vm| vm.label == line.vm);
        let Some(vm) = vm else {
            self.fault(format!("a log line of a VM that there is not: {}", line.vm));
            return;
        };
        let frame = match (&mut self.readers[vm.job], std::str::from_utf8(&line.text.0)) {
            (Some(reader), Ok(text)) => reader.push(&vm.label, text),
            _ => Taken::NotAFrame,
        };
        if frame == Taken::NotAFrame {
            self.attempt.logs.push(LogLine {
                level: Some(line.level.to_uppercase()),
                text: Blob::new(&line.text.0),
            });
        }
    }
}

/// Words of the library as a record keeps them.
pub(super) fn text(words: &str) -> Blob {
    Blob::with_limit(words.as_bytes(), 2048)
}
