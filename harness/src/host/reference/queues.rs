//! Shared queues, by VM id and name.

use std::collections::{BTreeMap, VecDeque};

use crate::host::reference::call::Call;
use crate::host::reference::status::{Fail, Status};
use crate::host::reference::world::Event;

/// All queues of a job.
#[derive(Debug, Default)]
pub(super) struct Queues {
    ids: BTreeMap<(Vec<u8>, Vec<u8>), u32>,
    by_id: BTreeMap<u32, Queue>,
}

#[derive(Debug)]
struct Queue {
    items: VecDeque<Vec<u8>>,
    /// Who is told of new items: VM and plugin context. Silent (S33): the one that created it.
    owner: (usize, u32),
}

impl Queues {
    /// Takes the front item away; whether there was one.
    pub(super) fn drop_item(&mut self, id: u32) -> bool {
        let queue = self.by_id.get_mut(&id);
        queue.is_some_and(|q| q.items.pop_front().is_some())
    }
}

/// `proxy_register_shared_queue`.
pub(super) fn register(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    let name = match c.check_out("queue_id").and_then(|()| c.bytes("name")) {
        Err(_) if c.wrong("register_queue_bad_pointer_is_ok") => return Ok(()),
        name => name?,
    };
    let faults = c.faults();
    let world = c.world();
    let (vm, plugin) = world.effective_plugin().ok_or(Status::BadArgument)?;
    let owner = (vm, world.vms[vm].plugins[plugin].context);
    let key = (world.vms[vm].vm_id.clone().into_bytes(), name);
    let next = world.queues.by_id.len() as u32 + 1;
    let id = match world.queues.ids.get(&key) {
        Some(id) if !faults.is("register_queue_again_is_new") => *id,
        _ => next,
    };
    if id == next {
        world.queues.ids.insert(key, id);
        let items = VecDeque::new();
        world.queues.by_id.insert(id, Queue { items, owner });
    }
    if id != next && faults.is("register_queue_again_empties") {
        while world.queues.drop_item(id) {}
    }
    if faults.is("register_queue_writes_nothing") {
        return Ok(());
    }
    let shown = if faults.is("register_queue_ids_are_equal") {
        1
    } else {
        id
    };
    Ok(c.out_u32("queue_id", shown)?)
}

/// `proxy_resolve_shared_queue`. The VM id is taken as it is given, an empty one too.
pub(super) fn resolve(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    let read = |c: &Call<'_, '_>| -> Result<_, Status> {
        c.check_out("queue_id")?;
        Ok((c.bytes("vm_id")?, c.bytes("name")?))
    };
    let key = match read(c) {
        Err(_) if c.wrong("resolve_queue_bad_pointer_is_ok") => return Ok(()),
        key => key?,
    };
    let faults = c.faults();
    let vm = c.vm;
    let world = c.world();
    let own = world.vms[vm].vm_id.as_bytes() == key.0;
    let same_name = |((_, name), id): (&(Vec<u8>, Vec<u8>), &u32)| (*name == key.1).then_some(*id);
    let found = match world.queues.ids.get(&key).copied() {
        Some(_) if !own && faults.is("resolve_queue_of_another_vm_is_not_found") => None,
        None if faults.is("resolve_queue_ignores_vm_id") => {
            world.queues.ids.iter().find_map(same_name)
        }
        found => found,
    };
    let id = match found {
        Some(_) if own && c.wrong("resolve_queue_writes_nothing") => return Ok(()),
        Some(id) if own && c.wrong("resolve_queue_id_is_wrong") => id + 1000,
        Some(id) => id,
        None if own && c.wrong("resolve_queue_unknown_is_ok") => 0,
        None => return Err(Status::NotFound.into()),
    };
    Ok(c.out_u32("queue_id", id)?)
}

/// `proxy_enqueue_shared_queue`: the owner is told once the running callback has returned.
pub(super) fn enqueue(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    let value = match c.bytes("value") {
        Err(_) if c.wrong("enqueue_bad_pointer_is_ok") => return Ok(()),
        value => value?,
    };
    let (id, faults, me) = (c.u32("queue_id"), c.faults(), c.vm);
    let world = c.world();
    let Some(queue) = world.queues.by_id.get_mut(&id) else {
        return unknown(c, "enqueue_unknown_is_ok");
    };
    if faults.is("enqueue_at_front") {
        queue.items.push_front(value);
    } else {
        queue.items.push_back(value);
    }
    let (vm, context) = queue.owner;
    let lost = match vm == me {
        true => faults.is("queue_ready_never_comes"),
        false => faults.is("queue_ready_stays_in_its_vm"),
    };
    if !lost {
        world.schedule(
            0,
            Event::QueueReady {
                vm,
                context,
                queue: id,
            },
        );
    }
    Ok(())
}

/// `proxy_dequeue_shared_queue`.
pub(super) fn dequeue(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    match c.check_out("value") {
        Err(_) if c.wrong("dequeue_bad_pointer_is_ok") => return Ok(()),
        checked => checked?,
    }
    let (id, faults) = (c.u32("queue_id"), c.faults());
    let Some(queue) = c.world().queues.by_id.get_mut(&id) else {
        return unknown(c, "dequeue_unknown_is_empty");
    };
    let Some(value) = queue.items.front().cloned() else {
        let status = if faults.is("dequeue_empty_is_not_found") {
            Status::NotFound
        } else {
            Status::Empty
        };
        return Err(status.into());
    };
    let cut = usize::from(faults.is("dequeue_value_is_cut"));
    // The item leaves the queue only once the guest has it.
    c.out_bytes("value", &value[..value.len().saturating_sub(cut)])?;
    if !faults.is("dequeue_keeps_item") {
        c.world().queues.drop_item(id);
    }
    Ok(())
}

fn unknown(c: &Call<'_, '_>, fault: &str) -> Result<(), Fail> {
    match fault {
        _ if !c.wrong(fault) => Err(Status::NotFound.into()),
        "dequeue_unknown_is_empty" => Err(Status::Empty.into()),
        _ => Ok(()),
    }
}
