//! Frames: one log line of a guest, taken apart and checked.
//!
//! Knows the form of a line: prefix, token, numbers, payload, checksum, all of letters and digits.
//! Does not know what the payload says, nor which lines make an instance.

use crate::trace::digest;
use crate::trace::sums::digests;

/// How every frame begins.
const PREFIX: &str = "PWF1";
/// Characters of a line beside token and payload: prefix 4, token length 2, frame 8, part 4,
/// parts 4, checksum 16.
pub const FRAME_OVERHEAD: u32 = 38;
const SUM: usize = 16;
const NUMBERS: usize = 16;

/// A part of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FramePart<'a> {
    /// The token that it carries.
    pub token: &'a str,
    /// Which frame of its instance, from 0.
    pub number: u32,
    /// Which part of the frame, from 0.
    pub part: u32,
    /// How many parts the frame has.
    pub parts: u32,
    /// This part's bytes of the records.
    pub payload: Vec<u8>,
}

/// The token of a line that has the form of a frame, whole or damaged: drivers send lines to
/// the right reader by it.
pub fn frame_token(text: &str) -> Option<&str> {
    let rest = text.strip_prefix(PREFIX)?;
    let len = number(rest.get(..2)?)? as usize;
    let token = rest.get(2..2 + len)?;
    let plain = !token.is_empty() && token.bytes().all(|b| b.is_ascii_alphanumeric());
    plain.then_some(token)
}

/// Whether a line is a frame, or was one before something changed its first characters.
pub(super) fn looks_like_frame(text: &str, token: &str) -> bool {
    let token_at = || text.char_indices().nth(PREFIX.len() + 2);
    text.starts_with(PREFIX) || token_at().is_some_and(|(at, _)| text[at..].starts_with(token))
}

/// The checksums that these lines ought to end with, in their order; of what is no frame, any number.
pub fn line_sums(lines: &[&[u8]]) -> Vec<u64> {
    let body = |line: &&'_ [u8]| line.len().saturating_sub(SUM);
    let bodies: Vec<&[u8]> = lines.iter().map(|line| &line[..body(line)]).collect();
    digests(&bodies)
}

/// Takes a line apart.
///
/// # Errors
/// Why the line is no intact frame, in words that fit after "a frame …".
pub fn parse_frame(text: &str) -> Result<FramePart<'_>, String> {
    parse_summed(text.trim_end(), None)
}

/// The same for a line without space at its end whose checksum ([`line_sums`]) is known.
pub(super) fn parse_summed(text: &str, known: Option<u64>) -> Result<FramePart<'_>, String> {
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric());
    let odd = || Err("holds characters that are neither letters nor digits".to_owned());
    if text.len() < FRAME_OVERHEAD as usize {
        return match plain(text) {
            true => Err(format!("is cut after {} characters", text.len())),
            false => odd(),
        };
    }
    let Some((body, sum)) = text.split_at_checked(text.len() - SUM) else {
        return odd();
    };
    let right = known.unwrap_or_else(|| digest(body.as_bytes()));
    if long(sum) != Some(right) {
        return match plain(text) {
            true => Err("was cut or changed on its way: its checksum is wrong".to_owned()),
            false => odd(),
        };
    }
    let parsed = || {
        let token = frame_token(text)?;
        let rest = body.get(PREFIX.len() + 2 + token.len()..)?;
        let (numbers, payload) = rest.split_at_checked(NUMBERS)?;
        Some(FramePart {
            token,
            number: number(&numbers[..8])?,
            part: number(&numbers[8..12])?,
            parts: number(&numbers[12..])?,
            payload: bytes(payload)?,
        })
    };
    parsed()
        .filter(|p| p.part < p.parts && !p.payload.is_empty())
        .ok_or_else(|| "has an impossible form".to_owned())
}

/// How every frame with this token begins.
pub fn frame_lead(token: &str) -> String {
    format!("{PREFIX}{:02x}{token}", token.len())
}

/// The lines that carry `records` as frame `number`, as guests write them: for guests that are
/// not the scripted one, and for tests.
///
/// # Panics
/// When `max_line` leaves no room for a byte.
pub fn frame_lines(token: &str, number: u32, records: &[u8], max_line: u32) -> Vec<String> {
    let room = (max_line as usize - FRAME_OVERHEAD as usize - token.len()) / 2;
    let parts = records.chunks(room);
    let count = parts.len();
    let line = |(part, bytes): (usize, &[u8])| {
        let mut line = format!("{}{number:08x}{part:04x}{count:04x}", frame_lead(token));
        for b in bytes {
            line.push_str(&format!("{b:02x}"));
        }
        let sum = digest(line.as_bytes());
        line.push_str(&format!("{sum:016x}"));
        line
    };
    parts.enumerate().map(line).collect()
}

/// The value of a digit as guests write it; more than 15: it is none.
const fn digit(b: u8) -> u8 {
    match b {
        b'0'..=b'9' => b - b'0',
        b'a'..=b'f' => b - b'a' + 10,
        _ => 0xff,
    }
}

const DIGITS: [u8; 256] = {
    let mut all = [0xff; 256];
    let mut b = 0;
    while b < 256 {
        all[b] = digit(b as u8);
        b += 1;
    }
    all
};

fn long(hex: &str) -> Option<u64> {
    let digits = hex.bytes().map(|b| DIGITS[usize::from(b)]);
    let (value, bad) = digits.fold((0, 0), |(value, bad), d| {
        (value << 4 | u64::from(d & 15), bad | d)
    });
    (bad < 16).then_some(value)
}

fn number(hex: &str) -> Option<u32> {
    long(hex).and_then(|n| u32::try_from(n).ok())
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let (pairs, []) = hex.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let mut out = Vec::with_capacity(pairs.len());
    let mut bad = 0;
    for [high, low] in pairs {
        let (high, low) = (DIGITS[usize::from(*high)], DIGITS[usize::from(*low)]);
        bad |= high | low;
        out.push(high << 4 | low & 15);
    }
    (bad < 16).then_some(out)
}

#[cfg(test)]
mod tests;
