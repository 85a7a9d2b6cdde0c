//! Logging (the text's section of that name).

use std::borrow::Cow;

use crate::host::reference::call::Call;
use crate::host::reference::status::{Fail, Status};
use crate::host::reference::world::Line;

/// The levels of the text.
const LEVELS: [&str; 6] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "CRITICAL"];

/// `proxy_log`. The host's level is TRACE: no message is discarded (silent, S40).
pub(super) fn log(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    let text = match c.bytes("message") {
        Err(_) if c.wrong("log_bad_pointer_is_ok") => return Ok(()),
        bytes => bytes?,
    };
    let Some(level) = c.member("log_level") else {
        return if c.wrong("log_unknown_level_is_ok") {
            Ok(())
        } else {
            Err(Status::BadArgument.into())
        };
    };
    if c.wrong("log_drops_warn") && level == "WARN" {
        return Ok(());
    }
    let mut text = text;
    if c.wrong("log_cuts_at_percent") {
        let end = text.iter().position(|b| *b == b'%');
        text.truncate(end.unwrap_or(text.len()));
    }
    let level = if c.wrong("log_shows_error_as_info") && level == "ERROR" {
        "INFO"
    } else {
        level
    };
    // What the scripted guest tells about itself is logged at INFO.
    let denied = level != "INFO" && c.wrong("log_denies_success");
    let vm = c.vm;
    let known = LEVELS.iter().find(|known| **known == level);
    let level = known.map_or_else(|| Cow::Owned(level.to_owned()), |k| Cow::Borrowed(*k));
    c.world().lines.push(Line { vm, level, text });
    if denied {
        return Err(Status::InternalFailure.into());
    }
    Ok(())
}

/// `proxy_get_log_level`.
pub(super) fn get_log_level(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    match c.check_out("log_level") {
        Err(_) if c.wrong("get_log_level_bad_pointer_is_ok") => return Ok(()),
        checked => checked?,
    }
    let level = if c.wrong("get_log_level_unknown") {
        77
    } else {
        let abi = c.abi();
        let trace = abi
            .enumeration("proxy_log_level_t")
            .and_then(|e| e.number("TRACE"));
        trace.unwrap_or(0) as u32
    };
    Ok(c.out_u32("log_level", level)?)
}
