//! Foreign functions: those that the host has, and callbacks of the plugin's that something calls.
//!
//! Silent: a callback is called on the first plugin of the first VM.

use crate::host::reference::call::Call;
use crate::host::reference::player::Player;
use crate::host::reference::status::{Fail, Status};

/// What `pwspec_there` puts in front of its arguments and `pwspec_back` takes away.
const MARK: &[u8] = b"pwspec:";

/// `proxy_call_foreign_function`.
pub(super) fn call_foreign_function(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    let read = |c: &Call<'_, '_>| -> Result<_, Status> {
        let asked = (c.bytes("name")?, c.bytes("arguments")?);
        c.check_out("results").map(|()| asked)
    };
    let (name, mut arguments) = match read(c) {
        Err(_) if c.wrong("foreign_function_bad_pointer_is_ok") => return Ok(()),
        asked => asked?,
    };
    if c.wrong("foreign_function_loses_arguments") {
        arguments.clear();
    }
    let results = match name.as_slice() {
        b"pwspec_there" if c.wrong("foreign_function_has_no_results") => Vec::new(),
        b"pwspec_there" => [MARK, &arguments].concat(),
        b"pwspec_back" => match arguments.strip_prefix(MARK) {
            Some(before) => before.to_vec(),
            None => Vec::new(),
        },
        b"pwspec_silent" => Vec::new(),
        _ if c.wrong("foreign_function_unknown_is_ok") => return Ok(()),
        _ => return Err(Status::NotFound.into()),
    };
    c.out_bytes("results", &results)
}

impl Player {
    /// Something outside the plugin calls its foreign callback `function`.
    pub(super) fn foreign(&mut self, function: u32, arguments: &[u8]) {
        let faults = self.faults;
        let Some(context) = self.world().vms.first().and_then(|vm| {
            let plugin = vm.plugins.first()?;
            (vm.dead.is_none()).then_some(plugin.context)
        }) else {
            return;
        };
        if faults.is("foreign_callback_never_comes") {
            return;
        }
        let mut kept = arguments.to_vec();
        if faults.is("foreign_arguments_are_cut") {
            kept.pop();
        }
        let another = u64::from(faults.is("foreign_callback_has_another_number"));
        let more = u64::from(faults.is("foreign_callback_size_is_one_more"));
        let args = [
            ("plugin_context_id", u64::from(context)),
            ("function_id", u64::from(function) + another),
            ("arguments_size", arguments.len() as u64 + more),
        ];
        self.world().foreign = Some(kept);
        self.call(0, "proxy_on_foreign_function", context, &args);
        self.world().foreign = None;
        self.settle();
    }
}
