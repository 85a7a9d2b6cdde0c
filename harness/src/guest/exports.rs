//! Which functions a module exports, and what the guest must know of each.
//!
//! Does not know programs.

use std::collections::BTreeMap;

use crate::abi::{Abi, Callback, ExportKind, IdKind, Returns, Type};
use crate::case::ModuleSpec;
use crate::guest::{GuestError, GuestErrorKind};

/// The exported functions of a module, without its markers.
pub(super) struct Exports<'a> {
    /// In the ABI's order; the place is the export's number in frames.
    pub list: Vec<&'a Callback>,
    /// Names of the markers.
    pub markers: Vec<String>,
}

impl<'a> Exports<'a> {
    /// What `spec` asks for.
    pub fn choose(spec: &ModuleSpec, abi: &'a Abi) -> Result<Exports<'a>, GuestError> {
        let wishes = &spec.exports;
        for name in wishes
            .only
            .iter()
            .chain(&wishes.without)
            .chain(&wishes.also)
        {
            if abi.callback(name).is_none() {
                return Err(GuestError::new(
                    GuestErrorKind::Unknown,
                    format!("export {name}: ABI {} has no such function", abi.id),
                ));
            }
        }
        let by_default = |c: &Callback| match c.kind {
            ExportKind::Marker => false,
            ExportKind::Entry => c.name == "_initialize",
            ExportKind::Allocator => true,
            ExportKind::Callback => {
                c.plugin_types.is_empty() || c.plugin_types.contains(&spec.plugin_type)
            }
        };
        let wanted = |c: &&Callback| {
            if c.kind == ExportKind::Marker || c.absent.is_some() {
                return false;
            }
            let base = if wishes.only.is_empty() {
                by_default(c)
            } else {
                wishes.only.contains(&c.name)
            };
            (base || wishes.also.contains(&c.name)) && !wishes.without.contains(&c.name)
        };
        Ok(Exports {
            list: abi.callbacks.iter().filter(wanted).collect(),
            markers: match (wishes.no_marker, wishes.markers.is_empty()) {
                (true, _) => Vec::new(),
                (false, true) => vec![abi.marker.clone()],
                (false, false) => wishes.markers.clone(),
            },
        })
    }

    /// The number of the export with this name.
    pub fn index(&self, name: &str) -> Option<u32> {
        self.list
            .iter()
            .position(|c| c.name == name)
            .map(|i| i as u32)
    }

    /// Whether the export with this number has an `end_of_stream`.
    pub fn has_end(&self, index: u32) -> bool {
        let export = self.list.get(index as usize);
        export.is_some_and(|c| position(c, END) > 0)
    }

    /// The guest's table: flags, default result, position of `end_of_stream`, row of counters.
    pub fn table(&self, abi: &Abi, counters: &BTreeMap<u32, u32>) -> Vec<[u32; 4]> {
        let row = |(i, c): (usize, &&Callback)| {
            [
                flags(c),
                default_result(&c.returns, abi),
                position(c, END),
                counters.get(&(i as u32)).map_or(0, |n| n + 1),
            ]
        };
        self.list.iter().enumerate().map(row).collect()
    }
}

/// The parameter by which handlers can be selected.
const END: &str = "end_of_stream";

const CALLBACK: u32 = 1;
const ALLOCATOR: u32 = 2;
const CREATES: u32 = 4;
const IN_CONTEXT: u32 = 8;

fn flags(c: &Callback) -> u32 {
    let mut flags = match c.kind {
        ExportKind::Callback => CALLBACK,
        ExportKind::Allocator => ALLOCATOR,
        ExportKind::Entry | ExportKind::Marker => 0,
    };
    let first_is_context = c
        .params
        .first()
        .is_some_and(|p| p.ty == Type::Id(IdKind::Context));
    if c.name == "proxy_on_context_create" {
        flags |= CREATES;
    } else if first_is_context && c.name != "proxy_on_vm_start" {
        // The text calls the first parameter of `proxy_on_vm_start` unused.
        flags |= IN_CONTEXT;
    }
    flags
}

/// CONTINUE, true, or nothing.
fn default_result(returns: &Returns, abi: &Abi) -> u32 {
    match returns {
        Returns::Bool => 1,
        Returns::Enum(name) => {
            let goes_on = abi.enumeration(name).and_then(|e| e.number("CONTINUE"));
            goes_on.unwrap_or(0) as u32
        }
        Returns::Nothing | Returns::Pointer | Returns::U32 => 0,
    }
}

/// The first word of a parameter among all words, from 1; 0 if there is none of that name.
fn position(c: &Callback, name: &str) -> u32 {
    let mut at = 0;
    for p in &c.params {
        if p.name == name {
            return at + 1;
        }
        at += p.ty.words().len() as u32;
    }
    0
}
