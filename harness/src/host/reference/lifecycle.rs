//! The life of VMs, plugins and contexts: loading, starting, finishing.

use wasmer::{ExternType, FunctionType, Instance, Module};

use crate::abi::Abi;
use crate::host::VmJob;
use crate::host::reference::code::{MEMORY_PAGES, Outside};
use crate::host::reference::direct::keeps;
use crate::host::reference::engine::Compiler;
use crate::host::reference::link::{Unlinkable, link, resolve, results, words};
use crate::host::reference::player::{Called, PATIENCE, Player};
use crate::host::reference::world::{Entered, Event, Exports, Life, MILLI, Plugin, Vm};
use crate::trace::{Blob, Load};

/// The versions that this host speaks.
const MARKERS: [&str; 3] = [
    "proxy_abi_version_0_1_0",
    "proxy_abi_version_0_2_0",
    "proxy_abi_version_0_2_1",
];

impl Player {
    /// Loads one VM of the job and starts its plugins.
    pub(super) fn load(&mut self, code: &Compiler, job: usize, of: &VmJob, turn: u32) -> Load {
        let plugins = of.plugins.iter().map(|p| Plugin {
            name: p.name.clone(),
            root_id: p.root_id.clone(),
            config: p.config.clone(),
            context: 0,
            usable: false,
            timer: 0,
        });
        let vm = Vm {
            job,
            turn,
            label: format!("vm {}.{}", job + 1, turn + 1),
            vm_id: of.vm_id.clone(),
            config: of.config.clone(),
            environment: of.environment.clone(),
            plugins: plugins.collect(),
            instance: None,
            exports: Exports::default(),
            memory: None,
            allocator: None,
            dead: None,
            crashed: false,
            started: false,
            retired: false,
            entered: Entered::default(),
            contexts: std::collections::BTreeMap::new(),
            next_context: 1,
        };
        self.world().vms.push(vm);
        let vm = self.world().vms.len() - 1;
        let instantiated = self.instantiate(code, vm, of);
        // Compiling is no part of the attempt.
        self.deadline = std::time::Instant::now() + self.allowed;
        match instantiated.and_then(|()| self.start(vm)) {
            Ok(load) => {
                self.world().vms[vm].started = true;
                load
            }
            Err(load) => {
                let text = match &load {
                    Load::Unlinked { text, .. } | Load::Refused { text } => text.display(),
                    Load::Loaded | Load::Unknown => String::new(),
                };
                self.world().own_log.push(format!("not loaded: {text}"));
                self.world().vms[vm].dead.get_or_insert(text);
                load
            }
        }
    }

    fn instantiate(&mut self, code: &Compiler, vm: usize, of: &VmJob) -> Result<(), Load> {
        let abi = std::sync::Arc::clone(&self.world().abi);
        let (ready, data) = code
            .load(&of.wasm, of.code_key.as_deref(), &abi.id)
            .map_err(|e| refused(format!("no WebAssembly module: {e}")))?;
        self.acceptable(&ready.seen, &abi)?;
        let module = ready.module.as_ref().map_err(|e| refused(e.clone()))?;
        let fits = ready.fits.get_or_init(|| exports(module, &abi));
        fits.clone().map_err(refused)?;
        let links = ready.links.get_or_init(|| resolve(&abi, module));
        let links = links.as_ref().map_err(|e| unlinkable(e.clone()))?;
        let imports = link(&mut self.store, &self.env, links, vm).map_err(unlinkable)?;
        let instance = Instance::new_by_index(&mut self.store, module, &imports);
        let instance = instance.map_err(|e| refused(format!("instantiation failed: {e}")))?;
        let memory = instance.exports.get_memory("memory").ok().cloned();
        if let (Some(memory), false) = (&memory, data.is_empty()) {
            let view = memory.view(&self.store);
            for (at, bytes) in data {
                let written = view.write(u64::from(at), bytes);
                written
                    .map_err(|_| refused("a data segment does not fit the memory".to_owned()))?;
            }
        } else if !data.is_empty() {
            // Nobody could read a memory that is not exported, the guest apart.
            return Err(refused("the module does not export its memory".to_owned()));
        }
        let order = if self.faults.is("malloc_goes_first") {
            ["malloc", "proxy_on_memory_allocate"]
        } else {
            ["proxy_on_memory_allocate", "malloc"]
        };
        let none = self.faults.is("malloc_is_not_called");
        let named = |name| {
            if none && name == "malloc" {
                return None;
            }
            instance.exports.get_function(name).ok().cloned()
        };
        let allocator = order.into_iter().find_map(named);
        let allocator = allocator.and_then(|f| f.typed(&self.store).ok());
        let done = instance.exports.get_function("proxy_on_done");
        if done.is_err() && self.faults.is("missing_done_is_refused") {
            return Err(refused(
                "the module does not export proxy_on_done".to_owned(),
            ));
        }
        let of = &mut self.world().vms[vm];
        of.memory = memory;
        of.allocator = allocator;
        of.instance = Some(instance);
        Ok(())
    }

    /// A module with exactly one marker, of a version that this host speaks or of the job's dialect,
    /// and with no more memory than a guest may have.
    fn acceptable(&self, seen: &Outside, abi: &Abi) -> Result<(), Load> {
        if seen.pages > MEMORY_PAGES {
            return Err(refused(format!(
                "the module begins with {} pages of memory, {MEMORY_PAGES} are the most",
                seen.pages
            )));
        }
        if seen.custom > 0 && self.faults.is("custom_sections_are_refused") {
            return Err(refused("the module has a custom section".to_owned()));
        }
        match seen.markers.as_slice() {
            [] => Err(refused(
                "the module does not say which ABI version it is for".to_owned(),
            )),
            [one] if *one == abi.marker || MARKERS.contains(&one.as_str()) => Ok(()),
            [one] => Err(refused(format!("unknown ABI version {one}"))),
            more => Err(refused(format!(
                "the module names several ABI versions: {}",
                more.join(", ")
            ))),
        }
    }

    /// Entry points, then the VM's start, then each plugin's.
    ///
    /// Silent: `proxy_on_vm_start` comes once a VM, on the first plugin's context, which exists by then.
    fn start(&mut self, vm: usize) -> Result<Load, Load> {
        let mut load = Load::Loaded;
        let has = |p: &mut Player, name: &str| {
            let instance = p.world().vms[vm].instance.as_ref();
            instance.is_some_and(|i| i.exports.get_function(name).is_ok())
        };
        let reactor = has(self, "_initialize");
        if self.faults.is("marker_is_called") {
            for marker in MARKERS {
                self.entry(vm, marker, &[])?;
            }
        }
        if reactor && !self.faults.is("initialize_is_not_called") {
            self.entry(vm, "_initialize", &[])?;
            if self.faults.is("initialize_is_called_twice") {
                self.entry(vm, "_initialize", &[])?;
            }
        }
        if (reactor || self.faults.is("main_without_initialize"))
            && !self.faults.is("main_is_not_called")
        {
            self.entry(vm, "main", &[0, 0])?;
        }
        if (!reactor || self.faults.is("start_despite_initialize"))
            && !self.faults.is("start_is_not_called")
        {
            self.entry(vm, "_start", &[])?;
        }
        for plugin in 0..self.world().vms[vm].plugins.len() {
            let of = &mut self.world().vms[vm];
            let context = of.new_context(plugin, None);
            of.plugins[plugin].context = context;
            let id = u64::from(context);
            let args = [("context_id", id), ("parent_context_id", 0)];
            let created_late = self.faults.is("plugin_context_is_created_late");
            if !created_late {
                self.call(vm, "proxy_on_context_create", context, &args);
                self.settled(vm)?;
            }
            let late = self.faults.is("vm_start_comes_after_configure");
            if plugin == 0 && !late {
                self.vm_start(vm, context)?;
            }
            if let Err(refusal) = self.configure(vm, plugin, context)? {
                // The other plugins of this VM go on; the first refusal speaks for the VM.
                if load == Load::Loaded {
                    load = refusal;
                }
            }
            if plugin == 0 && late {
                self.vm_start(vm, context)?;
            }
            if created_late {
                self.call(vm, "proxy_on_context_create", context, &args);
                self.settled(vm)?;
            }
        }
        if self.faults.is("tick_comes_unasked") {
            let tick = Event::Tick {
                vm,
                plugin: 0,
                timer: 0,
                period: 10 * MILLI,
            };
            self.world().schedule(10 * MILLI, tick);
        }
        Ok(load)
    }

    fn vm_start(&mut self, vm: usize, context: u32) -> Result<(), Load> {
        let mut size = self.world().vms[vm].config.len() as u64;
        size += u64::from(self.faults.is("vm_configuration_size_is_one_more"));
        let args = [
            ("unused", u64::from(context)),
            ("vm_configuration_size", size),
        ];
        let called = self.call(vm, "proxy_on_vm_start", context, &args);
        self.settled(vm)?;
        if self.faults.is("vm_start_is_called_twice") {
            self.call(vm, "proxy_on_vm_start", context, &args);
            self.settled(vm)?;
        }
        let configured = !self.world().vms[vm].config.is_empty();
        if configured && called != Called::Missing && self.faults.is("vm_start_true_is_refused") {
            return Err(refused("proxy_on_vm_start returned true".to_owned()));
        }
        if !Player::agreed(called) && !self.faults.is("vm_start_false_is_ignored") {
            return Err(refused("proxy_on_vm_start returned false".to_owned()));
        }
        Ok(())
    }

    /// `proxy_on_configure`; the inner error: the plugin cannot be used, the VM can.
    fn configure(
        &mut self,
        vm: usize,
        plugin: usize,
        context: u32,
    ) -> Result<Result<(), Load>, Load> {
        let mut size = self.world().vms[vm].plugins[plugin].config.len() as u64;
        size += u64::from(self.faults.is("plugin_configuration_size_is_one_more"));
        let args = [
            ("plugin_context_id", u64::from(context)),
            ("plugin_configuration_size", size),
        ];
        let called = if self.faults.is("configure_is_not_called") {
            Called::Missing
        } else {
            self.call(vm, "proxy_on_configure", context, &args)
        };
        self.settled(vm)?;
        let configured = !self.world().vms[vm].plugins[plugin].config.is_empty();
        let denied =
            configured && called != Called::Missing && self.faults.is("configure_true_is_refused");
        let agreed =
            Player::agreed(called) && !denied || self.faults.is("configure_false_is_ignored");
        self.world().vms[vm].plugins[plugin].usable = agreed;
        if !agreed {
            let name = &self.world().vms[vm].plugins[plugin].name;
            let text = format!("proxy_on_configure of {name} returned false");
            self.world().own_log.push(text.clone());
            return Ok(Err(refused(text)));
        }
        Ok(Ok(()))
    }

    fn entry(&mut self, vm: usize, name: &'static str, words: &[u64]) -> Result<(), Load> {
        self.enter(vm, name, None, words);
        self.settled(vm)
    }

    fn settled(&mut self, vm: usize) -> Result<(), Load> {
        self.work();
        match &self.world().vms[vm].dead {
            Some(why) => Err(refused(why.clone())),
            None => Ok(()),
        }
    }

    /// A stream is over: each plugin's context is finalised.
    pub(super) fn finish(&mut self, stream: usize) {
        let of = &mut self.world().streams[stream];
        if std::mem::replace(&mut of.over, true) {
            return;
        }
        let stages: Vec<(usize, u32)> = of.stages.iter().map(|s| (s.vm, s.context)).collect();
        for (vm, context) in stages {
            self.done(vm, context);
        }
        self.end_retired();
    }

    /// `proxy_on_done`, and what follows from its answer.
    fn done(&mut self, vm: usize, context: u32) {
        let faults = self.faults;
        let args = [("context_id", u64::from(context))];
        let plugin = self
            .world()
            .context(vm, context)
            .is_some_and(|c| c.stage.is_none());
        if faults.is("log_comes_before_done") {
            self.call(vm, "proxy_on_log", context, &args);
        }
        let aborted = self.faults.planted() && self.is_aborted(vm, context);
        let skip = plugin && faults.is("plugin_done_is_not_called")
            || aborted && faults.is("done_is_not_called_after_an_abort");
        let called = if skip {
            Called::Missing
        } else {
            self.call(vm, "proxy_on_done", context, &args)
        };
        if faults.is("done_is_called_twice") {
            self.call(vm, "proxy_on_done", context, &args);
        }
        if aborted && faults.is("response_headers_come_after_done") {
            let id = [("stream_context_id", u64::from(context))];
            self.call(vm, "proxy_on_response_headers", context, &id);
        }
        if called == Called::Dead {
            return;
        }
        let waits = called != Called::Missing && faults.is("done_true_waits");
        if Player::agreed(called) && !waits || faults.is("done_false_is_ignored") {
            return self.finalise(vm, context);
        }
        if let Some(of) = self.world().vms[vm].contexts.get_mut(&context) {
            of.life = Life::Pending;
            of.waited = true;
        }
        if faults.is("delete_comes_before_proxy_done") {
            self.call(vm, "proxy_on_delete", context, &args);
        }
    }

    /// Whether a context is that of an HTTP stream whose client has gone away.
    fn is_aborted(&mut self, vm: usize, context: u32) -> bool {
        let world = self.world();
        let stage = world.context(vm, context).and_then(|c| c.stage);
        stage.is_some_and(|(stream, _)| {
            let of = &world.streams[stream];
            of.trouble.is_some() && of.tcp.is_none()
        })
    }

    /// `proxy_on_log`, then `proxy_on_delete`, then the context is gone. Both come for plugin contexts
    /// as well: the text makes no difference.
    pub(super) fn finalise(&mut self, vm: usize, context: u32) {
        let faults = self.faults;
        let Some(of) = self.world().vms[vm].contexts.get_mut(&context) else {
            return;
        };
        // It waited for `proxy_done`.
        let waited = of.waited;
        of.life = Life::Done;
        let args = [("context_id", u64::from(context))];
        let no_log = faults.is("log_comes_before_done")
            || !waited && faults.is("log_is_not_called")
            || waited && faults.is("log_is_not_called_after_proxy_done");
        let no_delete = faults.is(if waited {
            "delete_is_not_called_after_proxy_done"
        } else {
            "delete_is_not_called"
        });
        let deleted = waited && faults.is("delete_comes_before_proxy_done");
        let early = faults.is("delete_comes_before_log");
        if early {
            self.call(vm, "proxy_on_delete", context, &args);
        }
        if !no_log {
            self.call(vm, "proxy_on_log", context, &args);
        }
        if faults.is("log_is_called_twice") {
            self.call(vm, "proxy_on_log", context, &args);
        }
        if !(no_delete || deleted || early) {
            self.call(vm, "proxy_on_delete", context, &args);
        }
        if faults.is("done_is_called_after_delete") {
            self.call(vm, "proxy_on_done", context, &args);
        }
        self.world().vms[vm].contexts.remove(&context);
    }

    /// VMs that are no longer configured end with their last stream.
    pub(super) fn end_retired(&mut self) {
        for vm in 0..self.world().vms.len() {
            let world = self.world();
            let busy = world
                .streams
                .iter()
                .any(|s| !s.over && s.stages.iter().any(|s| s.vm == vm));
            let of = &world.vms[vm];
            if !of.retired || busy || of.dead.is_some() {
                continue;
            }
            let plugins: Vec<u32> = of.plugins.iter().map(|p| p.context).collect();
            for context in plugins {
                let life = self.world().context(vm, context).map(|c| c.life);
                if life == Some(Life::Active) {
                    // It is asked once.
                    self.mark_done(vm, context);
                    self.done(vm, context);
                }
            }
        }
    }

    fn mark_done(&mut self, vm: usize, context: u32) {
        if let Some(of) = self.world().vms[vm].contexts.get_mut(&context) {
            of.life = Life::Done;
        }
    }

    /// The first `count` VMs are no longer configured.
    pub(super) fn retire(&mut self, count: usize) {
        for vm in self.world().vms.iter_mut().take(count) {
            vm.retired = true;
        }
        self.end_retired();
        self.settle();
    }

    /// The host shuts down: streams are cut off, then plugins finish, some only after `proxy_done`.
    pub(super) fn shut_down(&mut self) {
        for stream in 0..self.world().streams.len() {
            self.reset(stream, "the host shut down");
        }
        let all = self.world().vms.len();
        self.retire(all);
        let until = self.world().now + PATIENCE;
        self.pass(until, &|w| {
            w.vms
                .iter()
                .all(|vm| vm.dead.is_some() || vm.contexts.is_empty())
        });
    }
}

fn unlinkable(why: Unlinkable) -> Load {
    match why {
        Unlinkable::Missing { import, text } => Load::Unlinked {
            import,
            text: Blob::with_limit(text.as_bytes(), 2048),
        },
        Unlinkable::Signature(text) => refused(text),
    }
}

fn refused(text: String) -> Load {
    Load::Refused {
        text: Blob::with_limit(text.as_bytes(), 2048),
    }
}

/// Every export of the ABI's names has the ABI's signature.
fn exports(module: &Module, abi: &Abi) -> Result<(), String> {
    for export in module.exports() {
        let mut all = abi.callbacks.iter();
        let Some(ours) = all.find(|c| c.exported() == export.name()) else {
            continue;
        };
        let ExternType::Function(theirs) = export.ty() else {
            continue;
        };
        if !keeps(ours) {
            continue;
        }
        let wanted = FunctionType::new(words(&ours.params), results(&ours.returns));
        if *theirs != wanted {
            let name = export.name();
            return Err(format!(
                "export {name} has the signature {theirs}, the ABI says {wanted}"
            ));
        }
    }
    Ok(())
}
