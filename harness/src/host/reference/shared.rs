//! The shared key-value store, by VM id.

use std::collections::HashMap;

use crate::host::reference::call::Call;
use crate::host::reference::status::{Fail, Status};

/// All values of a job.
#[derive(Debug, Default)]
pub(super) struct SharedData(HashMap<(String, Vec<u8>), (Vec<u8>, u32)>);

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
    let now = world.shared.0.get(&key).map_or(0, |(_, cas)| *cas);
    if cas != 0 && cas != now && !faults.is("set_shared_data_ignores_cas") {
        return Err(Status::CasMismatch.into());
    }
    if faults.is("set_shared_data_cas_match_is_mismatch") && cas != 0 && cas == now {
        return Ok(());
    }
    if !faults.is("set_shared_data_has_no_effect") {
        let next = if faults.is("shared_data_cas_never_changes") {
            1
        } else {
            now.wrapping_add(1).max(1)
        };
        world.shared.0.insert(key, (value, next));
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
    let (mut value, mut cas) = match found {
        Some(found) => found,
        None if c.wrong("get_shared_data_absent_is_ok") => (Vec::new(), 0),
        None => return Err(Status::NotFound.into()),
    };
    if c.wrong("get_shared_data_value_is_cut") {
        value.pop();
    }
    if c.wrong("get_shared_data_cas_is_wrong") {
        cas += 1000;
    }
    c.out_bytes("value", &value)?;
    Ok(c.out_u32("cas", cas)?)
}
