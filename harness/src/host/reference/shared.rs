//! The shared key-value store, by VM id.

use std::collections::HashMap;

use crate::host::reference::call::Call;
use crate::host::reference::status::{Fail, Status};

/// All values of a job.
#[derive(Debug, Default)]
pub(super) struct SharedData(HashMap<(String, Vec<u8>), Value>);

#[derive(Debug, Clone)]
struct Value {
    bytes: Vec<u8>,
    /// The compare-and-swap value.
    cas: u32,
    /// The context that set it.
    by: u32,
}

/// `proxy_set_shared_data`. Silent (S9): a key that is absent has no compare-and-swap value, so none
/// but 0 matches.
pub(super) fn set(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    let pair = c.bytes("key").and_then(|key| Ok((key, c.bytes("value")?)));
    let (key, value) = match pair {
        Err(_) if c.wrong("set_shared_data_bad_pointer_is_ok") => return Ok(()),
        pair => pair?,
    };
    let (cas, vm, faults) = (c.u32("cas"), c.vm, c.faults());
    let world = c.world();
    let key = (world.vms[vm].vm_id.clone(), key);
    let by = world.effective().map_or(0, |(_, id)| id);
    let old = world.shared.0.get(&key);
    let now = old.map_or(0, |v| v.cas);
    let mismatch = cas != 0 && cas != now;
    if mismatch && !faults.is("set_shared_data_mismatch_is_stored") {
        let ignored = faults.is("set_shared_data_ignores_cas");
        let answer = if ignored {
            Status::Ok
        } else {
            Status::CasMismatch
        };
        return Err(answer.into());
    }
    if cas == 0 && old.is_some() && faults.is("set_shared_data_zero_keeps_old") {
        return Ok(());
    }
    let emptied = old.is_none() && faults.is("set_shared_data_has_no_effect");
    let bytes = if emptied { Vec::new() } else { value };
    // 0 is for updates without comparison, so it is never given out.
    let next = if faults.is("shared_data_cas_never_changes") {
        1
    } else if faults.is("shared_data_cas_is_zero") && old.is_none() {
        0
    } else {
        now.wrapping_add(1).max(1)
    };
    let value = Value {
        bytes,
        cas: next,
        by,
    };
    world.shared.0.insert(key, value);
    if mismatch {
        return Err(Status::CasMismatch.into());
    }
    Ok(())
}

/// `proxy_get_shared_data`.
pub(super) fn get(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    let read = |c: &Call<'_, '_>| -> Result<Vec<u8>, Status> {
        c.check_out("value")?;
        c.check_out("cas")?;
        c.bytes("key")
    };
    let key = match read(c) {
        Err(_) if c.wrong("get_shared_data_bad_pointer_is_ok") => return Ok(()),
        key => key?,
    };
    let vm = c.vm;
    let world = c.world();
    let key = (world.vms[vm].vm_id.clone(), key);
    let found = world.shared.0.get(&key).cloned();
    let me = world.effective().map_or(0, |(_, id)| id);
    let hidden = world.faults.is("shared_data_is_of_the_stream");
    let found = found.filter(|v| !hidden || v.by == me);
    let (mut value, cas) = match found {
        Some(found) => (found.bytes, found.cas),
        None if c.wrong("get_shared_data_absent_is_ok") => (Vec::new(), 0),
        None => return Err(Status::NotFound.into()),
    };
    if c.wrong("get_shared_data_value_is_cut") {
        value.pop();
    }
    c.out_bytes("value", &value)?;
    Ok(c.out_u32("cas", cas)?)
}
