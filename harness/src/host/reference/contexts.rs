//! Context lifecycle: finalisation and the effective context.

use crate::host::reference::call::Call;
use crate::host::reference::status::{Fail, Status};
use crate::host::reference::world::{Deferred, Life};

/// `proxy_done`: the effective context is finalised once the running callback has returned.
pub(super) fn done(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    let faults = c.faults();
    let world = c.world();
    let (vm, id) = world.effective().ok_or(Status::NotFound)?;
    let context = world.vms[vm]
        .contexts
        .get_mut(&id)
        .ok_or(Status::NotFound)?;
    if context.life != Life::Pending {
        if faults.is("done_not_pending_is_ok") {
            return Ok(());
        }
        return Err(Status::NotFound.into());
    }
    if faults.is("done_has_no_effect") {
        return Ok(());
    }
    context.life = Life::Done;
    world
        .deferred
        .push_back(Deferred::Finalise { vm, context: id });
    Ok(())
}

/// `proxy_set_effective_context`.
pub(super) fn set_effective_context(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    let id = c.u32("context_id");
    let vm = c.vm;
    let faults = c.faults();
    let world = c.world();
    if world.context(vm, id).is_none() {
        let deleted = id > 0 && id < world.vms[vm].next_context;
        if deleted && faults.is("set_effective_context_deleted_is_ok") {
            return Ok(());
        }
        if !deleted && faults.is("set_effective_context_unknown_is_ok") {
            return Ok(());
        }
        return Err(Status::BadArgument.into());
    }
    let news = world.in_callback("proxy_on_queue_ready");
    if news && faults.is("set_effective_context_in_queue_ready_has_no_effect") {
        return Ok(());
    }
    let own = ["proxy_on_request_headers", "proxy_on_downstream_data"];
    let inside = own.iter().any(|callback| world.in_callback(callback));
    if inside && faults.is("set_effective_context_in_own_callback_has_no_effect") {
        return Ok(());
    }
    // Silent (S27): without a running callback (an entry point) there is nothing to change.
    if let Some(running) = &mut world.running {
        running.effective = id;
    }
    Ok(())
}
