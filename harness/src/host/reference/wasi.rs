//! The eight WASI functions of the text: output, clock, randomness, environment, arguments, exit.

use std::fmt;

use wasmer::RuntimeError;

use crate::host::reference::call::Call;
use crate::host::reference::status::{Errno, Fail, Status};
use crate::host::reference::world::{Line, MILLI};

/// More randomness than this at once is "too large" (the text names no number).
const RANDOM_MAX: u64 = 64 * 1024;

/// The guest asked to exit.
#[derive(Debug)]
pub(super) struct Exit(pub(super) u32);

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the guest called proc_exit({})", self.0)
    }
}

impl std::error::Error for Exit {}

fn fault(_: Status) -> Errno {
    Errno::Fault
}

/// `fd_write`: a log line at INFO (STDOUT) or ERROR (STDERR).
pub(super) fn fd_write(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    c.check_out("written_bytes").map_err(fault)?;
    let (array, pieces) = (c.word("iovec"), c.second("iovec"));
    let array = match c.read(array, pieces * 8) {
        Err(_) if c.wrong("fd_write_bad_pointer_is_success") => return Ok(()),
        bytes => bytes.map_err(fault)?,
    };
    let mut text = Vec::new();
    let mut written = 0u32;
    for piece in array.chunks_exact(8) {
        let word = |at: usize| {
            let bytes = [piece[at], piece[at + 1], piece[at + 2], piece[at + 3]];
            u64::from(u32::from_le_bytes(bytes))
        };
        let bytes = c.read(word(0), word(4)).map_err(fault)?;
        written += bytes.len() as u32;
        if text.is_empty() || !c.wrong("fd_write_first_piece_only") {
            text.extend(bytes);
        }
    }
    let level = match c.member("fd_id") {
        Some("STDOUT") if c.wrong("fd_write_stdout_is_error") => "ERROR",
        Some("STDOUT") => "INFO",
        Some("STDERR") if c.wrong("fd_write_stderr_is_info") => "INFO",
        Some("STDERR") => "ERROR",
        _ if c.wrong("fd_write_unknown_fd_is_success") => return Ok(()),
        _ => return Err(Errno::Badf.into()),
    };
    if c.wrong("fd_write_counts_nothing") {
        written = 0;
    }
    let vm = c.vm;
    c.world().lines.push(Line {
        vm,
        level: level.into(),
        text,
    });
    Ok(c.out_u32("written_bytes", written).map_err(fault)?)
}

/// `clock_time_get`: virtual time.
pub(super) fn clock_time_get(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    match c.check_out("time") {
        Err(_) if c.wrong("clock_time_get_bad_pointer_is_success") => return Ok(()),
        checked => checked.map_err(fault)?,
    }
    let time = match c.member("clock_id") {
        Some("REALTIME") => c.world().realtime(),
        // Time since the host's start; a second, so that it is not 0.
        Some("MONOTONIC") if c.wrong("clock_time_get_goes_back") => {
            let world = c.world();
            world.random = world.random.wrapping_sub(1);
            world.random
        }
        Some("MONOTONIC") => 1000 * MILLI + c.world().now,
        _ if c.wrong("clock_time_get_unknown_is_success") => return Ok(()),
        _ => return Err(Errno::Notsup.into()),
    };
    let time = if c.wrong("clock_time_get_is_zero") {
        0
    } else {
        time
    };
    Ok(c.out_u64("time", time).map_err(fault)?)
}

/// `random_get`: reproducible, and different at each call.
pub(super) fn random_get(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    let (at, len) = (c.word("buffer"), c.second("buffer"));
    match c.check(at, len) {
        Err(_) if c.wrong("random_get_bad_pointer_is_success") => return Ok(()),
        checked => checked.map_err(fault)?,
    }
    if len > RANDOM_MAX {
        return Err(Errno::Inval.into());
    }
    if c.wrong("random_get_writes_nothing") {
        return Ok(());
    }
    if c.wrong("random_get_repeats") {
        c.world().random = 1;
    }
    let mut bytes = Vec::with_capacity(len as usize + 8);
    while bytes.len() < len as usize {
        bytes.extend(next_random(&mut c.world().random).to_le_bytes());
    }
    bytes.truncate(len as usize);
    Ok(c.write(at, &bytes).map_err(fault)?)
}

/// SplitMix64.
fn next_random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The variables of the VM as they are written: `NAME=value` and a zero byte each.
fn variables(c: &mut Call<'_, '_>) -> Vec<Vec<u8>> {
    let vm = c.vm;
    let of = &c.world().vms[vm].environment;
    let whole = |(name, value): &(String, String)| format!("{name}={value}\0").into_bytes();
    let all: Vec<Vec<u8>> = of.iter().map(whole).collect();
    if !all.is_empty() && c.wrong("environ_gives_nothing") {
        return Vec::new();
    }
    all
}

/// `environ_sizes_get`.
pub(super) fn environ_sizes_get(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    let all = variables(c);
    let bytes: usize = all.iter().map(Vec::len).sum();
    let mut sized = (all.len() as u32, bytes as u32);
    // The variable that this fault gives away is `A=B`, with its zero byte.
    if all.is_empty() && c.wrong("environ_of_the_host") {
        sized = (1, 4);
    }
    if !all.is_empty() && c.wrong("environ_buffer_size_is_short") {
        sized.1 -= 1;
    }
    sizes(
        c,
        ["num_elements", "buffer_size"],
        sized,
        "environ_sizes_get",
    )
}

/// `environ_get`: the pointers to one area, what they point to to another.
pub(super) fn environ_get(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    let mut all = variables(c);
    if c.wrong("environ_get_has_no_zero_bytes") {
        for one in &mut all {
            one.pop();
        }
    }
    let (array, mut at) = (c.word("array"), c.second("array"));
    let mut pointers = Vec::new();
    for one in &all {
        pointers.extend((at as u32).to_le_bytes());
        at += one.len() as u64;
    }
    let start = c.second("array");
    let written = c
        .check(array, pointers.len() as u64)
        .and_then(|()| c.write(start, &all.concat()))
        .and_then(|()| c.write(array, &pointers));
    match written {
        Err(_) if c.wrong("environ_get_bad_pointer_is_success") => Ok(()),
        written => Ok(written.map_err(fault)?),
    }
}

/// `args_sizes_get`: zeros, as the text demands.
pub(super) fn args_sizes_get(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    sizes(c, ["argc", "argv_buffer_size"], (0, 0), "args_sizes_get")
}

fn sizes(
    c: &mut Call<'_, '_>,
    [count, size]: [&str; 2],
    (elements, bytes): (u32, u32),
    call: &str,
) -> Result<(), Fail> {
    let checked = c.check_out(count).and_then(|()| c.check_out(size));
    let faults = c.faults();
    if checked.is_err() && faults.made_of(&[call, "bad_pointer_is_success"]) {
        return Ok(());
    }
    checked.map_err(fault)?;
    if faults.made_of(&[call, "writes_nothing"]) {
        return Ok(());
    }
    c.out_u32(count, elements).map_err(fault)?;
    Ok(c.out_u32(size, bytes).map_err(fault)?)
}

/// `args_get`: there are none.
pub(super) fn args_get(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    if c.wrong("args_get_is_not_supported") {
        return Err(Errno::Notsup.into());
    }
    Ok(())
}

/// `proc_exit`: "never called" (S20), but it links; a guest that calls it ends like one that traps.
pub(super) fn proc_exit(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    let exit = Exit(c.u32("exit_code"));
    Err(Fail::Stop(RuntimeError::user(Box::new(exit))))
}
