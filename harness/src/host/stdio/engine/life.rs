//! The life of VMs, plugins and contexts: loading, starting, finishing.
//!
//! The adapter does each as the library's users do it; in which order is decided here only where it
//! decides nothing else.

use crate::host::stdio::engine::ask::text;
use crate::host::stdio::engine::time::PATIENCE;
use crate::host::stdio::engine::{Engine, Over};
use crate::host::stdio::protocol::{
    Answer, Ask, Bytes, Finish, Function, Load as LoadVm, Plugin as Planned, Start, State,
};
use crate::trace::Load;

/// One VM: one instance of a module.
#[derive(Debug)]
pub(super) struct Vm {
    /// Index into the job's VMs.
    pub(super) job: usize,
    /// By which the adapter knows it, and lines are told apart.
    pub(super) label: String,
    pub(super) plugins: Vec<Plugin>,
    /// It was not taken.
    pub(super) dead: bool,
    /// It is no longer configured and ends with its last stream.
    pub(super) retired: bool,
}

/// The foreign functions that cases speak of: two that give their arguments back, so that the second
/// undoes the first, and one that gives nothing.
fn functions() -> Vec<Function> {
    let function = |(name, gives): (&str, Option<&[u8]>)| Function {
        name: format!("pwspec_{name}"),
        gives: gives.map(Bytes::of),
    };
    [("there", None), ("back", None), ("silent", Some(&b""[..]))]
        .map(function)
        .into()
}

/// One plugin of a VM.
#[derive(Debug)]
pub(super) struct Plugin {
    pub(super) name: String,
    pub(super) context: u32,
    /// It was started and may be used.
    pub(super) usable: bool,
    /// It was told that its end has come.
    told: bool,
    /// Its context is gone.
    pub(super) over: bool,
    /// Counts the settings of the timer: a tick of an older setting is void.
    pub(super) timer: u64,
    /// In nanoseconds.
    pub(super) period: u64,
}

impl Engine<'_> {
    /// Loads all VMs of the job; the first that is not taken speaks for the attempt.
    pub(super) fn load_all(&mut self) -> Result<Load, Over> {
        let mut load = Load::Loaded;
        for job in 0..self.job.vms.len() {
            let one = self.load(job)?;
            if load == Load::Loaded {
                load = one;
            }
        }
        self.settle()?;
        Ok(load)
    }

    fn load(&mut self, job: usize) -> Result<Load, Over> {
        let turn = self.vms.iter().filter(|vm| vm.job == job).count();
        let label = format!("vm {}.{}", job + 1, turn + 1);
        let of = &self.job.vms[job];
        let planned = of.plugins.iter().map(|p| Planned {
            name: p.name.clone(),
            root_id: p.root_id.clone(),
            config: Bytes::of(&p.config),
        });
        let mut upstreams = vec!["main".to_owned()];
        upstreams.extend(self.job.exchange.upstreams.keys().cloned());
        upstreams.extend(self.job.exchange.grpc.keys().cloned());
        let ask = Ask::Load(LoadVm {
            vm: label.clone(),
            vm_id: of.vm_id.clone(),
            abi: self.job.abi.id.clone(),
            module: Bytes::of(of.wasm.as_slice()),
            vm_config: Bytes::of(&of.config),
            plugins: planned.collect(),
            upstreams,
            functions: functions(),
        });
        let vm = self.vms.len();
        self.vms.push(Vm {
            job,
            label: label.clone(),
            plugins: Vec::new(),
            dead: false,
            retired: false,
        });
        if let Err(load) = self.taken(ask)? {
            self.vms[vm].dead = true;
            return Ok(load);
        }
        let mut load = Load::Loaded;
        for (n, plugin) in of.plugins.iter().enumerate() {
            let ask = Ask::Start(Start {
                vm: label.clone(),
                plugin: n as u32,
            });
            let (context, usable, one) = match self.taken(ask)? {
                Ok((context, accepted)) if accepted != Some(false) => (context, true, Load::Loaded),
                Ok((context, _)) => {
                    let words = "proxy_on_vm_start or proxy_on_configure returned false";
                    let refused = Load::Refused { text: text(words) };
                    (context, false, refused)
                }
                Err(load) => (None, false, load),
            };
            if load == Load::Loaded {
                load = one;
            }
            self.vms[vm].plugins.push(Plugin {
                name: plugin.name.clone(),
                context: context.unwrap_or_default(),
                usable,
                told: context.is_none(),
                over: context.is_none(),
                timer: 0,
                period: 0,
            });
            self.work()?;
        }
        Ok(load)
    }

    /// Asks for what may be refused: the context that was made and whether the plugin agreed, or the
    /// refusal.
    #[expect(
        clippy::type_complexity,
        reason = "both are read at once, in one place"
    )]
    fn taken(&mut self, ask: Ask) -> Result<Result<(Option<u32>, Option<bool>), Load>, Over> {
        match self.ask(ask)? {
            Answer::Done(done) => Ok(Ok((done.context, done.accepted))),
            Answer::Refused { words, import } => {
                self.notes.push(format!("not taken: {words}"));
                let text = text(&words);
                Ok(Err(
                    match import.or_else(|| (self.abilities.unlinked)(&words)) {
                        Some(import) => Load::Unlinked { import, text },
                        None => Load::Refused { text },
                    },
                ))
            }
            Answer::Failed { words } => Ok(Err(Load::Refused { text: text(&words) })),
            other => Err(self.fault(format!("`done` or `refused` was due, not {other:?}"))),
        }
    }

    /// The plugin that a context of a VM belongs to: its own, or that of a stream.
    pub(super) fn plugin_of(&self, vm: usize, context: u32) -> Option<usize> {
        let mut plugins = self.vms.get(vm)?.plugins.iter();
        let own = plugins.position(|p| p.context == context);
        own.or_else(|| {
            let mut stages = self.streams.iter().flat_map(|s| &s.stages);
            let stage = stages.find(|s| s.vm == vm && s.context == context);
            stage.map(|s| s.plugin)
        })
    }

    /// A stream is over: each plugin's context is finished.
    pub(super) fn finish(&mut self, stream: usize) -> Result<(), Over> {
        let of = &mut self.streams[stream];
        if std::mem::replace(&mut of.over, true) {
            return Ok(());
        }
        for stage in 0..self.streams[stream].stages.len() {
            let stage = &mut self.streams[stream].stages[stage];
            let (vm, context) = (stage.vm, stage.context);
            let state = std::mem::take(&mut stage.untold);
            self.finish_context(vm, context, state)?;
        }
        self.end_retired()
    }

    /// Has the library end a context. Whether it waits for `proxy_done`.
    fn finish_context(&mut self, vm: usize, context: u32, state: State) -> Result<bool, Over> {
        let ask = Ask::Finish(Finish {
            vm: self.vms[vm].label.clone(),
            context,
            state,
        });
        let done = self.done(ask)?;
        Ok(done.is_some_and(|d| d.accepted == Some(false)))
    }

    /// A context that waited was ended.
    pub(super) fn finished(&mut self, vm: usize, context: u32) {
        let plugins = &mut self.vms[vm].plugins;
        if let Some(plugin) = plugins.iter_mut().find(|p| p.context == context) {
            plugin.over = true;
        }
    }

    /// VMs that are no longer configured end with their last stream.
    pub(super) fn end_retired(&mut self) -> Result<(), Over> {
        for vm in 0..self.vms.len() {
            let busy = self
                .streams
                .iter()
                .any(|s| !s.over && s.stages.iter().any(|s| s.vm == vm));
            if !self.vms[vm].retired || busy || self.vms[vm].dead {
                continue;
            }
            for plugin in 0..self.vms[vm].plugins.len() {
                let of = &mut self.vms[vm].plugins[plugin];
                let context = of.context;
                if std::mem::replace(&mut of.told, true) {
                    continue;
                }
                let waits = self.finish_context(vm, context, State::default())?;
                self.vms[vm].plugins[plugin].over = !waits;
            }
        }
        Ok(())
    }

    /// The first `count` VMs are no longer configured.
    pub(super) fn retire(&mut self, count: usize) -> Result<(), Over> {
        for vm in self.vms.iter_mut().take(count) {
            vm.retired = true;
        }
        self.end_retired()?;
        self.settle()
    }

    /// The host shuts down: streams are cut off, then plugins finish, some only after `proxy_done`.
    pub(super) fn shut_down(&mut self) -> Result<(), Over> {
        for stream in 0..self.streams.len() {
            self.reset(stream, "the host shut down")?;
        }
        let all = self.vms.len();
        self.retire(all)?;
        let until = self.time.now + PATIENCE;
        let gone = |e: &Engine<'_>| e.vms.iter().all(|vm| vm.plugins.iter().all(|p| p.over));
        self.pass(until, &gone)
    }
}
