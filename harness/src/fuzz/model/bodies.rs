//! Wishes about buffers: what is read and written, seen from the size of what is there.

use crate::fuzz::model::world::{Reach, World, buffer_name};
use crate::fuzz::plan::{At, Buffer, Data, Op, Place};
use crate::fuzz::program::{Arg, Call, Effect};

/// No body grows beyond this.
const MOST: u64 = 200_000;

impl World<'_> {
    /// The call for a wish about a buffer, if it has one right answer.
    pub(super) fn buffer_op(&mut self, op: &Op) -> Option<Call> {
        match *op {
            Op::Read(Buffer::Configuration, ..)
                if self.abi.hostcall("proxy_get_configuration").is_some() =>
            {
                let row = match self.place {
                    Place::VmStart => "proxy_on_vm_start/configuration",
                    Place::Configure => "proxy_on_configure/configuration",
                    _ => return None,
                };
                Some(Call::new("proxy_get_configuration", Vec::new(), row))
            }
            Op::Read(buffer, start, max) => self.read(buffer, start, max),
            Op::Status(buffer) => self.status(buffer),
            Op::Write(buffer, start, size, value) => self.write(buffer, start, size, value),
            _ => None,
        }
    }

    fn id(&self, buffer: Buffer) -> (&'static str, Arg) {
        let arg = match (buffer, buffer_name(buffer, self.place)) {
            (Buffer::Unknown(number), _) => Arg::Number(number.into()),
            (_, name) => Arg::Word(name.unwrap_or_default().to_owned()),
        };
        ("buffer_id", arg)
    }

    /// The requirement that lets the plugin at a buffer here.
    fn buffer_row(&self, buffer: Buffer, reach: Reach, writes: bool) -> Option<String> {
        let name = buffer_name(buffer, self.place)?;
        let verb = if writes { "write" } else { "read" };
        let paused = if reach == Reach::Paused {
            "_paused"
        } else {
            ""
        };
        Some(format!("buffers/{name}.{verb}{paused}"))
    }

    fn read(&self, buffer: Buffer, start: At, max: At) -> Option<Call> {
        const NAME: &str = "proxy_get_buffer_bytes";
        let call = |start: u64, max: u64, row: &str| {
            let with = vec![
                self.id(buffer),
                ("start", Arg::Number(start)),
                ("max_size", Arg::Number(max)),
            ];
            Call::new(NAME, with, format!("{NAME}/{row}"))
        };
        if let Buffer::Unknown(_) = buffer {
            return Some(call(0, 10, "BAD_ARGUMENT.buffer"));
        }
        let Some((size, reach)) = self.buffer(buffer).ok()? else {
            return Some(call(0, 10, "NOT_FOUND"));
        };
        let (from, most) = (start.of(size), max.of(size));
        // An empty buffer, and a start at its end or behind, have no one right answer.
        if size == 0 || from >= size {
            return None;
        }
        let what = if from + most > u64::from(u32::MAX) {
            "BAD_ARGUMENT.overflow"
        } else if most < size - from {
            "max_size"
        } else if most > size - from {
            "past_end"
        } else {
            "OK"
        };
        let call = call(from, most, what);
        Some(call.and(self.buffer_row(buffer, reach, false)?))
    }

    fn status(&self, buffer: Buffer) -> Option<Call> {
        const NAME: &str = "proxy_get_buffer_status";
        let call = |row: &str| Call::new(NAME, vec![self.id(buffer)], format!("{NAME}/{row}"));
        if let Buffer::Unknown(_) = buffer {
            return Some(call("BAD_ARGUMENT"));
        }
        match self.buffer(buffer).ok()? {
            None => Some(call("NOT_FOUND")),
            Some((0, _)) => None,
            Some((_, reach)) => Some(call("OK").and(self.buffer_row(buffer, reach, false)?)),
        }
    }

    fn write(&mut self, buffer: Buffer, start: At, size: At, value: Data) -> Option<Call> {
        const NAME: &str = "proxy_set_buffer_bytes";
        let id = self.id(buffer);
        let call = |start: u64, size: u64, row: &str| {
            let with = vec![
                id.clone(),
                ("start", Arg::Number(start)),
                ("size", Arg::Number(size)),
                ("value", Arg::Data(value)),
            ];
            Call::new(NAME, with, format!("{NAME}/{row}"))
        };
        if let Buffer::Unknown(_) = buffer {
            return Some(call(0, 0, "BAD_ARGUMENT"));
        }
        // The others are readable only.
        let Buffer::Body(way) = buffer else {
            return None;
        };
        let Some((have, reach)) = self.buffer(buffer).ok()? else {
            return Some(call(0, 0, "NOT_FOUND"));
        };
        if have == 0 {
            return None;
        }
        let (from, over) = (start.of(have), size.of(have));
        let row = self.buffer_row(buffer, reach, true)?;
        let (what, over, left) = match (from, over) {
            (0, 0) => ("prepend", 0, have),
            (0, n) if n == have && value.is_empty() => ("empty_value", n, 0),
            (0, n) if n == have => ("whole", n, 0),
            (0, n) if n < have => ("replace_front", n, have - n),
            (s, _) if s == u64::from(u32::MAX) => ("append_maximum", 0, have),
            (s, _) if s == have => ("append", 0, have),
            (s, _) if s > have => ("append_beyond", 0, have),
            (_, 0) => ("inject", 0, have),
            (s, n) if s + n < have => ("replace", n, have - n),
            // Up to the end, or past it: only the latter is free, but for a start inside no sentence
            // speaks of reaching the end.
            _ => return None,
        };
        let after = left + value.len();
        if after > MOST {
            return None;
        }
        self.bodies.insert(way, after);
        Some(call(from, over, what).and(row).doing(Effect::Body(way)))
    }
}
