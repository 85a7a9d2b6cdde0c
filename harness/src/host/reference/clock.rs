//! Clocks and timers, on virtual time.

use crate::host::reference::call::Call;
use crate::host::reference::status::{Fail, Status};
use crate::host::reference::world::{Event, MILLI};

/// `proxy_get_current_time_nanoseconds`.
pub(super) fn get_current_time(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    match c.check_out("time") {
        Err(_) if c.wrong("get_current_time_bad_pointer_is_ok") => return Ok(()),
        checked => checked?,
    }
    let time = if c.wrong("get_current_time_is_zero") {
        0
    } else {
        c.world().realtime()
    };
    Ok(c.out_u64("time", time)?)
}

/// `proxy_set_tick_period_milliseconds`: the timer of the effective context's plugin.
pub(super) fn set_tick_period(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    let period = u64::from(c.u32("tick_period")) * MILLI;
    let faults = c.faults();
    let world = c.world();
    // Silent: before any context exists there is nobody to call.
    let (vm, plugin) = world.effective_plugin().ok_or(Status::BadArgument)?;
    if period == 0 && faults.is("tick_period_zero_is_ignored") {
        return Ok(());
    }
    let timer = &mut world.vms[vm].plugins[plugin].timer;
    *timer += 1;
    let timer = *timer;
    let again = timer > 1 && faults.is("tick_period_cannot_change");
    let first = if faults.is("tick_comes_early") {
        period / 2
    } else {
        period
    };
    if period > 0 && !again && !faults.is("tick_never_comes") {
        world.schedule(
            first,
            Event::Tick {
                vm,
                plugin,
                timer,
                period,
            },
        );
    }
    Ok(())
}
