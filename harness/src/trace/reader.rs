//! The reader of one module's frames: from log lines to instances.
//!
//! Knows which lines belong together and what may not be missing. Does not know where the lines
//! come from; drivers hand them over with a label that tells VMs or threads apart.

use std::mem;
use std::sync::Arc;

use crate::trace::decode::Tree;
use crate::trace::frames::{looks_like_frame, parse_summed};
use crate::trace::{Blame, Fault, FramePart, Instance, Legend};

/// What a line was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// No frame: a log line of the case's own.
    NotAFrame,
    /// A frame with another token, such as a late line of an earlier attempt. Counted, dropped.
    OtherToken,
    /// A frame of this module, or one that arrived damaged and is now among the faults.
    Taken,
}

/// Collects the frames of one module.
///
/// Under one label, frame number 0 begins an instance; numbers are gapless within it. An older
/// instance under the same label may go on speaking: a frame goes to the newest instance that
/// waits for its number.
pub struct Reader {
    legend: Arc<Legend>,
    vm: u32,
    speakers: Vec<Speaker>,
    /// Labels under which something came before any first frame: said once.
    headless: Vec<String>,
    faults: Vec<Fault>,
    other: u64,
}

/// One instance as it is heard.
struct Speaker {
    label: String,
    /// The number of the frame that is due.
    next: u32,
    /// Parts of that frame which have come: how many there are in all, how many came, the bytes.
    parts: Option<(u32, u32, Vec<u8>)>,
    tree: Tree,
    /// Something was lost: the rest cannot be understood.
    broken: bool,
}

impl Reader {
    /// A reader for the module to which `legend` is the key.
    pub fn new(legend: &Legend) -> Reader {
        Reader::shared(Arc::new(legend.clone()))
    }

    /// The same with a key that others hold too.
    pub fn shared(legend: Arc<Legend>) -> Reader {
        Reader {
            legend,
            vm: 0,
            speakers: Vec::new(),
            headless: Vec::new(),
            faults: Vec::new(),
            other: 0,
        }
    }

    /// The same for the case's VM number `vm`, which its instances then carry.
    pub fn vm(mut self, vm: u32) -> Reader {
        self.vm = vm;
        self
    }

    /// Takes the text of one `proxy_log`, in the order in which the guest made them.
    pub fn push(&mut self, label: &str, text: &str) -> Taken {
        self.take(label, text.trim_end(), None)
    }

    /// The same with the line's checksum, made beside those of other lines ([`line_sums`]).
    ///
    /// [`line_sums`]: crate::trace::line_sums
    pub fn push_summed(&mut self, label: &str, text: &str, sum: u64) -> Taken {
        let bare = text.trim_end();
        self.take(label, bare, (bare.len() == text.len()).then_some(sum))
    }

    fn take(&mut self, label: &str, text: &str, sum: Option<u64>) -> Taken {
        if !looks_like_frame(text, &self.legend.token) {
            return Taken::NotAFrame;
        }
        match parse_summed(text, sum) {
            Ok(part) if part.token != self.legend.token => {
                self.other += 1;
                Taken::OtherToken
            }
            Ok(part) => {
                self.part(label, part);
                Taken::Taken
            }
            Err(why) => {
                self.fault(format!("a frame under {label} {why}"));
                Taken::Taken
            }
        }
    }

    /// How often any one instance has entered this export so far (the most of all instances).
    pub fn entered(&self, callback: &str) -> u32 {
        let counts = self.speakers.iter().map(|s| s.tree.entered(callback));
        counts.max().unwrap_or(0)
    }

    /// How many calls all instances together have seen begin so far, but for those of this export.
    pub fn entered_but(&self, callback: &str) -> u32 {
        let counts = self.speakers.iter().map(|s| s.tree.entered_but(callback));
        counts.sum()
    }

    /// How many instances have spoken so far.
    pub fn instances(&self) -> usize {
        self.speakers.len()
    }

    /// How many frames carried another token.
    pub fn other_tokens(&self) -> u64 {
        self.other
    }

    /// The instances, in the order in which they began, and what was wrong with their frames.
    pub fn finish(mut self) -> (Vec<Instance>, Vec<Fault>) {
        let mut instances = Vec::new();
        for speaker in mem::take(&mut self.speakers) {
            if let (Some((parts, came, _)), false) = (&speaker.parts, speaker.broken) {
                let (label, next) = (&speaker.label, speaker.next);
                self.fault(format!(
                    "frame {next} under {label} was cut: {came} of {parts} parts came"
                ));
            }
            instances.push(Instance {
                vm: self.vm,
                label: speaker.label,
                events: speaker.tree.finish(),
            });
        }
        (instances, self.faults)
    }

    fn fault(&mut self, what: String) {
        self.faults.push(Fault::new(Blame::Harness, what));
    }

    fn part(&mut self, label: &str, part: FramePart<'_>) {
        let at = match self.speaker(label, &part) {
            Some(at) => at,
            None => return,
        };
        let speaker = &mut self.speakers[at];
        let records = match part.parts {
            1 => part.payload,
            _ => {
                let (_, came, bytes) = speaker.parts.get_or_insert((part.parts, 0, Vec::new()));
                *came += 1;
                bytes.extend_from_slice(&part.payload);
                if *came < part.parts {
                    return;
                }
                mem::take(bytes)
            }
        };
        speaker.parts = None;
        speaker.next += 1;
        if let Err(e) = speaker.tree.add(&records, &self.legend, &mut self.faults) {
            speaker.broken = true;
            let why = e.why();
            self.fault(format!(
                "frame {} under {label} is impossible: {why}",
                part.number
            ));
        }
    }

    /// Who said this part: the newest instance under the label that waits for it, or a new one.
    fn speaker(&mut self, label: &str, part: &FramePart<'_>) -> Option<usize> {
        let waits = |s: &Speaker| {
            let due = s
                .parts
                .as_ref()
                .map_or((0, part.parts), |(parts, came, _)| (*came, *parts));
            !s.broken && (s.next, due.0, due.1) == (part.number, part.part, part.parts)
        };
        let same_label = |s: &&mut Speaker| s.label == label;
        if (part.number, part.part) == (0, 0) {
            self.speakers.push(Speaker {
                label: label.to_owned(),
                next: 0,
                parts: None,
                tree: Tree::default(),
                broken: false,
            });
            return Some(self.speakers.len() - 1);
        }
        let known = self
            .speakers
            .iter()
            .rposition(|s| s.label == label && waits(s));
        if known.is_some() {
            return known;
        }
        let what = format!(
            "frame {}, part {} of {}, under {label}",
            part.number,
            part.part + 1,
            part.parts
        );
        match self.speakers.iter_mut().rev().find(same_label) {
            None if self.headless.iter().any(|l| l == label) => {}
            None => {
                self.headless.push(label.to_owned());
                self.fault(format!(
                    "{what} came before the first frame of its instance"
                ));
            }
            Some(speaker) if speaker.broken => {}
            Some(speaker) => {
                speaker.broken = true;
                let next = speaker.next;
                self.fault(format!(
                    "{what} came where frame {next} was due: lines were lost"
                ));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
