//! Foreign functions, as far as this host has them: none is registered.

use crate::host::reference::call::Call;
use crate::host::reference::status::{Fail, Status};

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
