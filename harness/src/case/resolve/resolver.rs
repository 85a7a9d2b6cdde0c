//! The resolver: what it knows of a case so far, VMs and plugins, names, requirements, checks.
//!
//! Does not know the parts: programs, exchanges and expectations have a file each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::abi::{Abi, Level};
use crate::case::lenient::{List, Table};
use crate::case::model::{Env, PluginSpec, Resolved, Unavailable, VmSpec};
use crate::case::problem::nearest;
use crate::case::schema::{CaseFile, ExportsFile, PluginFile};
use crate::case::tree::Note;
use crate::case::yaml::{Node, Path};
use crate::case::{Check, Exports, FixedGuest, ModuleSpec, StepRef};

/// What came of resolving.
pub(crate) struct Outcome {
    /// The case, if it exists in this column.
    pub resolved: Result<Resolved, Unavailable>,
    /// Problems of the file.
    pub notes: Vec<Note>,
}

/// What there is beside the column: every ABI (a name that another version has makes the case
/// unavailable here, a name that none has is a problem), and every fixed guest.
pub(crate) struct Known<'a> {
    pub abis: &'a [&'a Abi],
    pub guests: &'a [FixedGuest],
}

/// Resolves a case for one column.
pub(crate) fn resolve(
    file: &CaseFile,
    path: &Path,
    abi: &Abi,
    known: &Known<'_>,
    env: &Env,
) -> Outcome {
    let mut r = Resolver {
        abi,
        all: known.abis,
        guests: known.guests,
        env,
        notes: Vec::new(),
        missing: None,
        checks: Vec::new(),
        paths: Vec::new(),
        case_level: file.level,
        calls: Vec::new(),
        saved: BTreeMap::new(),
        vm_names: Vec::new(),
        stream_count: 0,
        tcp: file.plugin_type == Some(crate::abi::PluginType::Tcp),
        alone: false,
        functions: false,
        hostcalls: BTreeSet::new(),
    };
    let resolved = r.case(file, path);
    Outcome {
        resolved: match r.missing.take() {
            Some(why) => Err(why),
            None => Ok(resolved),
        },
        notes: r.notes,
    }
}

pub(super) struct Resolver<'a> {
    pub(super) abi: &'a Abi,
    pub(super) all: &'a [&'a Abi],
    pub(super) guests: &'a [FixedGuest],
    pub(super) env: &'a Env<'a>,
    pub(super) notes: Vec<Note>,
    pub(super) missing: Option<Unavailable>,
    pub(super) checks: Vec<Check>,
    pub(super) paths: Vec<Path>,
    pub(super) case_level: Option<Level>,
    /// Every hostcall step so far, for `call N`.
    pub(super) calls: Vec<StepRef>,
    /// `(vm, name)` → slot, step, output.
    pub(super) saved: BTreeMap<(u32, String), Saved>,
    pub(super) vm_names: Vec<String>,
    pub(super) stream_count: u32,
    /// The streams are TCP streams.
    pub(super) tcp: bool,
    pub(super) alone: bool,
    /// A foreign function of the host is named.
    pub(super) functions: bool,
    pub(super) hostcalls: BTreeSet<String>,
}

#[derive(Clone)]
pub(super) struct Saved {
    pub(super) slot: u32,
    pub(super) step: StepRef,
    pub(super) out: String,
}

impl Resolver<'_> {
    pub(super) fn note(&mut self, path: &Path, message: impl Into<String>, help: Option<String>) {
        self.notes.push(Note {
            path: path.clone(),
            message: message.into(),
            help,
        });
    }

    /// Something that this column lacks and another version has. What the text itself lacks is no
    /// matter of a dialect.
    pub(super) fn lacks(&mut self, what: String) {
        if !matches!(self.missing, Some(Unavailable::NotInVersion(_))) {
            self.missing = Some(Unavailable::NotInVersion(what));
        }
    }

    /// Something that this dialect has in no form.
    pub(super) fn no_counterpart(&mut self, what: &str, why: &str) {
        let words = format!("no counterpart in {}: {what} ({why})", self.abi.id);
        self.missing
            .get_or_insert(Unavailable::NoCounterpart(words));
    }

    /// A name that some ABI must know: lacking here, or a problem.
    pub(super) fn unknown<'n>(
        &mut self,
        path: &Path,
        what: &str,
        name: &str,
        known: impl Iterator<Item = &'n str> + Clone,
    ) {
        if known.clone().any(|k| k == name) {
            self.lacks(format!("{what} {name}"));
        } else {
            self.note(
                path,
                format!("unknown {what} `{name}`"),
                nearest(name, known),
            );
        }
    }

    fn case(&mut self, file: &CaseFile, path: &Path) -> Resolved {
        let plugin_type = file.plugin_type.unwrap_or(crate::abi::PluginType::Http);
        let exchange = self.exchange(file.exchange.as_ref(), plugin_type, &path.key("exchange"));
        let vms = self.vms(file, path, plugin_type);
        self.expectations(&file.expect, &path.key("expect"));
        let observations = self.observations(&file.observe, &path.key("observe"));
        if vms.iter().any(|vm| vm.module.guest.is_some()) {
            self.only_outside(&observations, path);
        }
        let checked = self.checks.iter().any(|c| !c.control) || !observations.is_empty();
        if !checked && self.missing.is_none() {
            self.note(
                path,
                "a case without a check",
                Some("add `expect` or `observe`".to_owned()),
            );
        }
        Resolved {
            plugin_type,
            vms,
            exchange: Arc::new(exchange),
            checks: std::mem::take(&mut self.checks),
            paths: std::mem::take(&mut self.paths),
            observations,
            deadline_ms: file.deadline_ms,
            alone: self.alone,
            functions: self.functions,
            hostcalls: std::mem::take(&mut self.hostcalls),
        }
    }

    fn vms(
        &mut self,
        file: &CaseFile,
        path: &Path,
        plugin_type: crate::abi::PluginType,
    ) -> Vec<VmSpec> {
        let main;
        let (plugins, at): (Vec<(&str, &PluginFile)>, Path) = match (&file.program, &file.plugins) {
            (None, Some(plugins)) => (
                plugins.0.iter().map(|(n, p)| (n.as_str(), p)).collect(),
                path.key("plugins"),
            ),
            (program, plugins) => {
                if program.is_some() && plugins.is_some() {
                    self.note(
                        &path.key("plugins"),
                        "`program` and `plugins` exclude each other",
                        None,
                    );
                }
                main = PluginFile {
                    vm: None,
                    root: None,
                    config: file.config.clone(),
                    vm_config: file.vm_config.clone(),
                    environment: file.environment.clone(),
                    exports: file.exports.clone(),
                    module: file.module.clone(),
                    guest: file.guest.clone(),
                    program: program.clone().unwrap_or_default(),
                };
                (vec![("main", &main)], path.clone())
            }
        };
        let short = file.plugins.is_none();
        let mut vms: Vec<VmSpec> = Vec::new();
        for (name, plugin) in plugins {
            let at = if short { at.clone() } else { at.key(name) };
            let vm_name = plugin.vm.clone().unwrap_or_else(|| "main".to_owned());
            let vm = match vms.iter().position(|v| v.name == vm_name) {
                Some(i) => i,
                None => {
                    self.vm_names.push(vm_name.clone());
                    vms.push(VmSpec {
                        name: vm_name,
                        module: ModuleSpec {
                            token: token_of(self.env.token, vms.len()),
                            plugin_type,
                            ..ModuleSpec::default()
                        },
                        config: Vec::new(),
                        environment: Vec::new(),
                        plugins: Vec::new(),
                    });
                    vms.len() - 1
                }
            };
            if let Some(exports) = &plugin.exports {
                vms[vm].module.exports = self.exports(exports, &at.key("exports"));
            }
            if let Some(module) = &plugin.module {
                vms[vm].module.oddities = self.oddities(module, &at.key("module"));
            }
            if plugin.guest.is_some() {
                vms[vm].module.guest = self.fixed(plugin, &at);
            }
            if let Some(config) = &plugin.vm_config {
                vms[vm].config = self.bytes(config, &at.key("vm_config"));
            }
            if let Some(variables) = &plugin.environment {
                vms[vm].environment = self.environment(variables, &at.key("environment"));
            }
            let config = plugin
                .config
                .as_ref()
                .map(|c| self.bytes(c, &at.key("config")));
            let nth = vms[vm].plugins.len() as u32;
            vms[vm].plugins.push(PluginSpec {
                name: name.to_owned(),
                root: plugin.root.clone().unwrap_or_else(|| name.to_owned()),
                config: config.unwrap_or_default(),
            });
            let handlers = self.program(vm as u32, nth, &plugin.program, &at.key("program"));
            vms[vm].module.handlers.extend(handlers);
        }
        for (i, vm) in vms.iter_mut().enumerate() {
            vm.module.slots = self.saved.keys().filter(|(v, _)| *v == i as u32).count() as u32;
        }
        vms
    }

    fn environment(&mut self, file: &Table<Node>, path: &Path) -> Vec<(String, String)> {
        let mut out = Vec::new();
        for (name, value) in &file.0 {
            match value.scalar() {
                Some(text) => out.push((name.clone(), text)),
                None => self.note(&path.key(name), "expected text", None),
            }
        }
        out
    }

    fn exports(&mut self, file: &ExportsFile, path: &Path) -> Exports {
        let mut names = |list: &List<String>, key: &str| -> Vec<String> {
            let at = path.key(key);
            list.0
                .iter()
                .filter_map(|(i, n)| self.callback_name(n, &at.index(*i)))
                .collect()
        };
        Exports {
            only: names(&file.only, "only"),
            without: names(&file.without, "without"),
            also: names(&file.also, "also"),
            no_marker: file.markers.as_ref().is_some_and(|m| m.0.is_empty()),
            markers: file
                .markers
                .iter()
                .flat_map(|m| m.items().cloned())
                .collect(),
        }
    }

    /// The text's name of a callback written with or without `proxy_on_`.
    pub(super) fn callback_name(&mut self, name: &str, path: &Path) -> Option<String> {
        let long = format!("proxy_on_{name}");
        for n in [name, long.as_str()] {
            if let Some(callback) = self.abi.callback(n) {
                if let Some(why) = &callback.absent {
                    self.no_counterpart(n, why);
                }
                return Some(n.to_owned());
            }
        }
        let all = self.all.to_vec();
        let known = all
            .iter()
            .flat_map(|a| a.callbacks.iter().map(|c| c.name.as_str()));
        let full = known
            .clone()
            .find(|k| *k == name || *k == long)
            .unwrap_or(&long);
        self.unknown(path, "callback", full, known.clone());
        None
    }

    /// A requirement of this column, with the level that a check of it has.
    pub(super) fn requirement(
        &mut self,
        id: &str,
        path: &Path,
        lowered: Option<Level>,
    ) -> Option<Level> {
        let absent = self.abi.absent.iter().find(|(absent, _)| absent == id);
        if let Some((_, why)) = absent.cloned() {
            self.no_counterpart(id, &why);
        }
        if let Some(r) = self.abi.requirement(id) {
            let level = [Some(r.level), lowered, self.case_level]
                .into_iter()
                .flatten()
                .min();
            return level;
        }
        let all = self.all.to_vec();
        let known = all
            .iter()
            .flat_map(|a| a.requirements.iter().map(|r| r.id.as_str()));
        self.unknown(path, "requirement", id, known);
        None
    }

    /// Adds a check at `path`.
    pub(super) fn check(&mut self, check: NewCheck, path: &Path) {
        let Some(level) = self.requirement(&check.req, check.req_path.unwrap_or(path), check.level)
        else {
            return;
        };
        if level == Level::Survey && !check.control {
            self.note(
                path,
                format!("`{}` is a survey here: nothing can be demanded", check.req),
                Some("use `observe`".to_owned()),
            );
        }
        self.checks.push(Check {
            name: check.name,
            req: check.req,
            level,
            line: 0,
            column: 0,
            control: check.control,
            kind: check.kind,
        });
        self.paths.push(path.clone());
    }
}

/// A check about to be added.
pub(super) struct NewCheck<'p> {
    pub(super) name: String,
    pub(super) req: String,
    pub(super) req_path: Option<&'p Path>,
    pub(super) level: Option<Level>,
    pub(super) control: bool,
    pub(super) kind: crate::case::CheckKind,
}

/// The token that the frames of the nth VM carry, from 0: a host's log need not say whose a line is.
fn token_of(token: &str, nth: usize) -> String {
    match nth {
        0 => token.to_owned(),
        n => format!("{token}{n}"),
    }
}

/// The single entry of a map with one key.
pub(super) fn single(node: &Node) -> Option<(&str, &Node)> {
    match node {
        Node::Map(m) if m.len() == 1 => Some((m[0].0.as_str(), &m[0].1)),
        _ => None,
    }
}

/// The keys of a table.
pub(super) fn keys<V>(table: &Table<V>) -> impl Iterator<Item = &str> {
    table.0.iter().map(|(k, _)| k.as_str())
}
