//! One hostcall while it is answered: its arguments by name, the guest's memory, its allocator.
//!
//! Every address of the guest is checked before anything is allocated or written; outputs are
//! written only when the call succeeds. Does not know any particular hostcall.

use std::sync::Arc;

use wasmer::{FunctionEnvMut, MemoryView, Value};

use crate::abi::{Abi, Param, Type};
use crate::host::reference::faults::Faults;
use crate::host::reference::link::Sig;
use crate::host::reference::status::{Fail, Status};
use crate::host::reference::world::{Running, World};

/// An address that only a guest reaches that has nearly all memory that there can be.
const FAR: u64 = 0xe000_0000;

/// Addresses from here on are high up: the scripted guest uses them only where its program says so.
const HIGH: u64 = 0x6_0000;

/// Fault: a place in the guest's memory that it did not give.
const UNASKED: u32 = 0x6_8000;

/// Faults of memory show in small values.
const SMALL: usize = 16;

/// What a hostcall's implementation gets.
pub(super) struct Call<'a, 'e> {
    env: &'a mut FunctionEnvMut<'e, World>,
    /// Which VM calls.
    pub(super) vm: usize,
    sig: &'a Sig,
    faults: Faults,
    words: &'a [u64],
}

impl<'a, 'e> Call<'a, 'e> {
    /// A call with its Wasm words.
    pub(super) fn new(
        env: &'a mut FunctionEnvMut<'e, World>,
        vm: usize,
        sig: &'a Sig,
        faults: Faults,
        words: &'a [u64],
    ) -> Call<'a, 'e> {
        Call {
            env,
            vm,
            sig,
            faults,
            words,
        }
    }

    /// What the host knows.
    pub(super) fn world(&mut self) -> &mut World {
        self.env.data_mut()
    }

    /// The ABI of the job.
    pub(super) fn abi(&self) -> Arc<Abi> {
        Arc::clone(&self.sig.abi)
    }

    /// The planted faults.
    pub(super) fn faults(&self) -> Faults {
        self.faults
    }

    /// Whether this fault is planted.
    pub(super) fn wrong(&self, fault: &str) -> bool {
        self.faults.is(fault)
    }

    fn param(&self, name: &str) -> Option<(&'a Param, usize)> {
        let at = self
            .sig
            .hostcall()
            .params
            .iter()
            .position(|p| p.name == name)?;
        Some((&self.sig.hostcall().params[at], self.sig.first[at]))
    }

    /// The first word of a parameter; 0 where the dialect lacks it.
    pub(super) fn word(&self, name: &str) -> u64 {
        self.param(name).map_or(0, |(_, first)| self.words[first])
    }

    /// The same as 32 bits.
    pub(super) fn u32(&self, name: &str) -> u32 {
        self.word(name) as u32
    }

    /// The text's name of an enum parameter's number; `None`: the number is unknown.
    pub(super) fn member(&self, name: &str) -> Option<&'a str> {
        let (param, first) = self.param(name)?;
        let Type::Enum(of) = &param.ty else {
            return None;
        };
        let number = self.words[first];
        let values = &self.sig.abi.enumeration(of)?.values;
        let found = values.iter().find(|(_, n)| *n == number);
        found.map(|(name, _)| name.as_str())
    }

    /// The guest's memory; `None`: it exports none.
    fn memory(&self) -> Option<MemoryView<'_>> {
        let memory = self.env.data().vms[self.vm].memory.as_ref();
        memory.map(|m| m.view(&*self.env))
    }

    /// Checks that `len` bytes at `at` lie in the guest's memory.
    ///
    /// Silent (S23): an empty range beyond the end of memory is invalid too; address 0 is an address
    /// like any other; no alignment is asked for.
    pub(super) fn check(&self, at: u64, len: u64) -> Result<(), Status> {
        self.range(at, len).map(drop)
    }

    /// The memory in which `len` bytes at `at` lie.
    fn range(&self, at: u64, len: u64) -> Result<Option<MemoryView<'_>>, Status> {
        let end = at.checked_add(len).ok_or(Status::InvalidMemoryAccess)?;
        let memory = self.memory();
        let there = end <= memory.as_ref().map_or(0, MemoryView::data_size);
        // Fault: the guest has all that it asks for.
        let far = !there && at >= FAR && len > 0;
        if there || far && self.wrong("memory_is_unlimited") {
            Ok(memory)
        } else {
            Err(Status::InvalidMemoryAccess)
        }
    }

    /// Copies bytes out of the guest's memory.
    pub(super) fn read(&self, at: u64, len: u64) -> Result<Vec<u8>, Status> {
        let memory = self.range(at, len)?.ok_or(Status::InvalidMemoryAccess)?;
        let len = usize::try_from(len).map_err(|_| Status::InvalidMemoryAccess)?;
        let mut out = vec![0; len];
        if at < FAR {
            let read = memory.read(at, &mut out);
            read.map_err(|_| Status::InvalidMemoryAccess)?;
        }
        Ok(out)
    }

    /// Writes bytes into the guest's memory.
    pub(super) fn write(&mut self, at: u64, bytes: &[u8]) -> Result<(), Status> {
        let memory = self.range(at, bytes.len() as u64)?;
        let memory = memory.ok_or(Status::InvalidMemoryAccess)?;
        let written = memory.write(at, bytes);
        written.map_err(|_| Status::InvalidMemoryAccess)
    }

    /// The bytes that the guest passes in this parameter; empty where the dialect lacks it.
    pub(super) fn bytes(&self, name: &str) -> Result<Vec<u8>, Status> {
        match self.param(name) {
            Some((_, first)) => self.read(self.words[first], self.words[first + 1]),
            None => Ok(Vec::new()),
        }
    }

    /// The second word of a parameter.
    pub(super) fn second(&self, name: &str) -> u64 {
        self.param(name)
            .and_then(|(_, first)| self.words.get(first + 1).copied())
            .unwrap_or(0)
    }

    /// Checks the addresses of an output of `width` bytes a word before anything else is done.
    pub(super) fn check_out(&self, name: &str) -> Result<(), Status> {
        let Some((param, first)) = self.param(name) else {
            return Ok(());
        };
        match param.ty {
            Type::OutU64 => self.check(self.words[first], 8),
            Type::OutBytes | Type::OutPairs | Type::OutArray => {
                self.check(self.words[first], 4)?;
                self.check(self.words[first + 1], 4)
            }
            _ => self.check(self.words[first], 4),
        }
    }

    /// Where an output goes: to the address that the guest gave.
    fn place(&self, at: u64) -> u64 {
        // Fault: somewhat further.
        let astray = at >= HIGH && self.wrong("outputs_high_up_go_astray");
        if astray { at + 16 } else { at }
    }

    /// Writes a 32-bit output.
    pub(super) fn out_u32(&mut self, name: &str, value: u32) -> Result<(), Status> {
        match self.param(name) {
            Some((_, first)) => self.write(self.place(self.words[first]), &value.to_le_bytes()),
            None => Ok(()),
        }
    }

    /// Writes a 64-bit output.
    pub(super) fn out_u64(&mut self, name: &str, value: u64) -> Result<(), Status> {
        match self.param(name) {
            Some((_, first)) => self.write(self.words[first], &value.to_le_bytes()),
            None => Ok(()),
        }
    }

    /// Returns bytes through the guest's allocator.
    ///
    /// Silent (S13): for an empty value nothing is allocated, the address is 0.
    pub(super) fn out_bytes(&mut self, name: &str, value: &[u8]) -> Result<(), Fail> {
        let Some((_, first)) = self.param(name) else {
            return Ok(());
        };
        self.check_out(name)?;
        let small = value.len() <= SMALL;
        let at = if value.is_empty() {
            0
        } else if small && self.wrong("small_values_are_not_allocated") && self.allocates() {
            UNASKED
        } else {
            self.allocate(value.len())?
        };
        // Fault: behind the address that the guest returned.
        let beside = small && u64::from(at) >= HIGH && self.wrong("allocated_place_is_not_used");
        let at = if beside { at + 8 } else { at };
        self.write(u64::from(at), value)?;
        let (data, size) = (
            self.place(self.words[first]),
            self.place(self.words[first + 1]),
        );
        self.write(data, &at.to_le_bytes())?;
        self.write(size, &(value.len() as u32).to_le_bytes())?;
        Ok(())
    }

    /// Whether the guest has the allocator that goes first.
    fn allocates(&self) -> bool {
        let of = &self.env.data().vms[self.vm].instance;
        of.as_ref().is_some_and(|i| {
            let export = i.exports.get_function("proxy_on_memory_allocate");
            export.is_ok()
        })
    }

    /// Fault: calls the guest back while it waits for this hostcall.
    pub(super) fn call_back(
        &mut self,
        callback: &'static str,
        context: u32,
        args: &[u32],
    ) -> Result<(), Fail> {
        let vm = self.vm;
        let running = Running {
            vm,
            callback,
            context,
            effective: context,
        };
        let (world, mut store) = self.env.data_and_store_mut();
        let before = world.running.replace(running);
        let of = &mut world.vms[vm];
        of.entered.count(callback);
        let instance = of.instance.as_ref();
        let export = instance.and_then(|i| i.exports.get_function(callback).ok().cloned());
        let args: Vec<Value> = args.iter().map(|a| Value::I32(a.cast_signed())).collect();
        if let Some(export) = export {
            export.call(&mut store, &args).map_err(Fail::Stop)?;
        }
        self.world().running = before;
        Ok(())
    }

    /// Asks the guest for `len` bytes.
    ///
    /// Silent (S26): a guest without an allocator, or one that returns 0, gave no memory to write to:
    /// `INVALID_MEMORY_ACCESS`.
    fn allocate(&mut self, len: usize) -> Result<u32, Fail> {
        let size = u32::try_from(len).map_err(|_| Status::InternalFailure)?;
        let asked = size - u32::from(self.wrong("allocates_too_little"));
        let (world, mut store) = self.env.data_and_store_mut();
        let allocator = world.vms[self.vm].allocator.clone();
        let allocator = allocator.ok_or(Status::InvalidMemoryAccess)?;
        let returned = allocator.call(&mut store, asked.cast_signed());
        let at = returned.map_err(Fail::Stop)?.cast_unsigned();
        if at == 0 {
            return Err(Status::InvalidMemoryAccess.into());
        }
        self.check(u64::from(at), u64::from(size))?;
        Ok(at)
    }
}
