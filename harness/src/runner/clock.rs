//! The date, as records write it.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970.
pub fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}

/// `2026-11-24T10:47:00Z`.
pub fn rfc3339(time: SystemTime) -> String {
    let t = seconds(time);
    let (y, m, d) = civil(t / 86_400);
    let s = t % 86_400;
    format!(
        "{y:04}-{m:02}-{d:02}T{:02}:{:02}:{:02}Z",
        s / 3600,
        s / 60 % 60,
        s % 60
    )
}

/// `20261124-104700`.
pub fn compact(time: SystemTime) -> String {
    rfc3339(time).replace(['-', ':', 'Z'], "").replace('T', "-")
}

/// Year, month and day of a day since 1970-01-01 in the Gregorian calendar: 400 years have
/// 146,097 days, and years are counted from March so that the leap day is the last one.
fn civil(days: u64) -> (u64, u64, u64) {
    let z = days + 719_468;
    let era = z / 146_097;
    let doe = z % 146_097;
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + u64::from(month <= 2);
    (year, month, doy - (153 * mp + 2) / 5 + 1)
}

/// Seconds in whole milliseconds: so short a number is read from JSON as it was written.
pub fn milliseconds(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}
