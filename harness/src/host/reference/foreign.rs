//! gRPC calls and foreign functions, as far as this host has them.
//!
//! No upstream speaks gRPC yet: a call to a known one fails as a call does that cannot be sent
//! (`INTERNAL_FAILURE`), so no id is ever given out and every id is unknown. No foreign function is
//! registered.

use crate::host::reference::call::Call;
use crate::host::reference::calls::known;
use crate::host::reference::status::{Fail, Status};

/// `proxy_grpc_call`.
pub(super) fn grpc_call(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    open(c, "grpc_call", &["initial_metadata", "message"], "call_id")
}

/// `proxy_grpc_stream`.
pub(super) fn grpc_stream(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    open(c, "grpc_stream", &["initial_metadata"], "stream_id")
}

fn open(c: &mut Call<'_, '_>, call: &str, more: &[&str], out: &str) -> Result<(), Fail> {
    let read = |c: &Call<'_, '_>| -> Result<Vec<u8>, Status> {
        c.check_out(out)?;
        for name in ["service", "method"].iter().chain(more) {
            c.bytes(name)?;
        }
        c.bytes("upstream")
    };
    let upstream = match read(c) {
        Err(_) if c.faults().made_of(&[call, "bad_pointer_is_ok"]) => return Ok(()),
        upstream => upstream?,
    };
    let upstream = String::from_utf8(upstream).ok();
    let there = upstream.is_some_and(|name| known(c.world(), &name));
    Err(if there {
        Status::InternalFailure
    } else if c
        .faults()
        .made_of(&[call, "unknown_upstream_is_bad_argument"])
    {
        // What `proxy_http_call` answers.
        Status::BadArgument
    } else {
        Status::ParseFailure
    }
    .into())
}

/// `proxy_grpc_send`.
pub(super) fn grpc_send(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    match c.bytes("message") {
        Err(_) if c.wrong("grpc_send_bad_pointer_is_ok") => return Ok(()),
        bytes => bytes?,
    };
    Err(Status::NotFound.into())
}

/// `proxy_grpc_cancel` and `proxy_grpc_close`.
pub(super) fn grpc_end(_: &mut Call<'_, '_>) -> Result<(), Fail> {
    Err(Status::NotFound.into())
}

/// `proxy_call_foreign_function`.
pub(super) fn call_foreign_function(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    let read = |c: &Call<'_, '_>| -> Result<(), Status> {
        c.bytes("name")?;
        c.bytes("arguments")?;
        c.check_out("results")
    };
    match read(c) {
        Err(_) if c.wrong("foreign_function_bad_pointer_is_ok") => return Ok(()),
        checked => checked?,
    }
    if c.wrong("foreign_function_unknown_is_ok") {
        return Ok(());
    }
    Err(Status::NotFound.into())
}
