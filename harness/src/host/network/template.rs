//! Arguments and files of a host from the profile's templates.
//!
//! Does not know what the host makes of them. The variables are listed in `harness/README.md`.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use serde::Serialize;

use crate::abi::PluginType;
use crate::case::Start;
use crate::host::network::backend::BACKEND;
use crate::host::network::upstream::{NAMES, NOWHERE};
use crate::host::{Job, Trouble, TroubleKind};

/// Everything that a template can name.
#[derive(Debug, Clone, Serialize)]
pub struct Vars {
    /// The working folder: all paths below are relative to it.
    pub dir: String,
    /// Grows with each new file.
    pub version: u64,
    /// The fence.
    pub fence: FenceVars,
    /// Upstreams that answer.
    pub upstreams: Vec<UpstreamVars>,
    /// gRPC upstreams.
    pub grpc: Vec<UpstreamVars>,
    /// Upstreams at which nobody listens.
    pub nowhere: Vec<UpstreamVars>,
    /// The upstream of TCP streams.
    pub backend: UpstreamVars,
    /// Cases that are in the host now: one listener each.
    pub cases: Vec<CaseVars>,
}

/// The fence's listener.
#[derive(Debug, Clone, Serialize)]
pub struct FenceVars {
    /// Its socket.
    pub socket: String,
    /// The id of its VM.
    pub vm_id: String,
    /// The file of its module.
    pub module: String,
}

/// One upstream.
#[derive(Debug, Clone, Serialize)]
pub struct UpstreamVars {
    /// The case's word for it.
    pub name: String,
    /// Its socket.
    pub socket: String,
    /// Its port of the loopback interface; 0 where plugins do not name upstreams by one.
    pub port: u16,
}

/// One case.
#[derive(Debug, Clone, Serialize)]
pub struct CaseVars {
    /// The name of its listener.
    pub name: String,
    /// The case's id, for comments and logs.
    pub id: String,
    /// Its socket.
    pub socket: String,
    /// `http`, `tcp`, `service`.
    #[serde(rename = "type")]
    pub plugin_type: String,
    /// Where its streams go: `main`, or of TCP streams `backend`, or `nowhere` where nobody is to listen.
    pub upstream: String,
    /// Its plugins, in order.
    pub plugins: Vec<PluginVars>,
}

/// One plugin.
#[derive(Debug, Clone, Serialize)]
pub struct PluginVars {
    /// Its name.
    pub name: String,
    /// Its root id.
    pub root_id: String,
    /// The id of its VM.
    pub vm_id: String,
    /// The file of its VM's module.
    pub module: String,
    /// Configuration of the VM in base64.
    pub vm_config: String,
    /// The VM's environment variables by name.
    pub environment: BTreeMap<String, String>,
    /// Configuration of the plugin in base64.
    pub config: String,
}

impl CaseVars {
    /// A job's variables; its modules are in the files `modules`, one a VM.
    pub fn new(job: &Job, name: &str, socket: &str, modules: &[String]) -> CaseVars {
        let plugins = job.vms.iter().zip(modules).flat_map(|(vm, module)| {
            vm.plugins.iter().map(|plugin| PluginVars {
                name: plugin.name.clone(),
                root_id: plugin.root_id.clone(),
                vm_id: vm.vm_id.clone(),
                module: module.clone(),
                vm_config: BASE64.encode(&vm.config),
                environment: vm.environment.iter().cloned().collect(),
                config: BASE64.encode(&plugin.config),
            })
        });
        CaseVars {
            name: name.to_owned(),
            id: job.case_id.clone(),
            socket: socket.to_owned(),
            plugin_type: match job.plugin_type {
                PluginType::Http => "http",
                PluginType::Tcp => "tcp",
                PluginType::Service => "service",
            }
            .to_owned(),
            upstream: match job.exchange.connections.first() {
                None => NAMES[0],
                Some(c) if c.refused => NOWHERE,
                Some(_) => BACKEND,
            }
            .to_owned(),
            plugins: plugins.collect(),
        }
    }
}

/// The templates of one profile.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
    args: usize,
    files: Vec<String>,
}

impl Templates {
    /// Reads all templates.
    ///
    /// # Errors
    /// One of them is no template.
    pub fn new(start: &Start) -> Result<Templates, Trouble> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|name| {
            let json = [".yaml", ".yml", ".json"].iter().any(|e| name.ends_with(e));
            if json {
                AutoEscape::Json
            } else {
                AutoEscape::None
            }
        });
        let args = start.args.iter().enumerate();
        let args = args.map(|(n, text)| (format!("argument {}", n + 1), text.clone()));
        let files = start.files.iter().map(|(n, t)| (n.clone(), t.clone()));
        for (name, text) in args.chain(files) {
            environment
                .add_template_owned(name, text)
                .map_err(|e| trouble(&e))?;
        }
        Ok(Templates {
            environment,
            args: start.args.len(),
            files: start.files.keys().cloned().collect(),
        })
    }

    /// All arguments.
    ///
    /// # Errors
    /// A template names something that there is not.
    pub fn args(&self, vars: &Vars) -> Result<Vec<String>, Trouble> {
        (1..=self.args)
            .map(|n| self.render(&format!("argument {n}"), vars))
            .collect()
    }

    /// The text of one file or argument.
    ///
    /// # Errors
    /// A template names something that there is not.
    pub fn render(&self, name: &str, vars: &Vars) -> Result<String, Trouble> {
        self.environment
            .get_template(name)
            .and_then(|t| t.render(context(vars)))
            .map_err(|e| trouble(&e))
    }

    /// Writes all files into `dir`.
    ///
    /// # Errors
    /// A template names something that there is not, or a file can't be written.
    pub fn write_all(&self, dir: &Path, vars: &Vars) -> Result<(), Trouble> {
        for name in &self.files {
            self.write(dir, name, vars)?;
        }
        Ok(())
    }

    /// Writes one file into `dir` under another name, then renames it: whoever watches the file
    /// never sees half of it.
    ///
    /// # Errors
    /// As [`Templates::write_all`].
    pub fn write(&self, dir: &Path, name: &str, vars: &Vars) -> Result<(), Trouble> {
        let text = self.render(name, vars)?;
        let (draft, file) = (dir.join(format!("{name}.new")), dir.join(name));
        std::fs::write(&draft, text)
            .and_then(|()| std::fs::rename(&draft, &file))
            .map_err(|e| Trouble::new(TroubleKind::DidNotStart, format!("writing {name}: {e}")))
    }
}

/// The variables as the template engine wants them.
fn context(vars: &Vars) -> Value {
    value(&serde_json::to_value(vars).unwrap_or_default())
}

fn value(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::from(()),
        serde_json::Value::Bool(b) => Value::from(*b),
        serde_json::Value::Number(n) => Value::from(n.as_u64().unwrap_or_default()),
        serde_json::Value::String(s) => Value::from(s.as_str()),
        serde_json::Value::Array(all) => Value::from(all.iter().map(value).collect::<Vec<_>>()),
        serde_json::Value::Object(map) => {
            let entries = map.iter().map(|(k, v)| (k.clone(), value(v)));
            Value::from(entries.collect::<BTreeMap<String, Value>>())
        }
    }
}

fn trouble(error: &minijinja::Error) -> Trouble {
    let place = match (error.name(), error.line()) {
        (Some(name), Some(line)) => format!(" ({name}, line {line})"),
        _ => String::new(),
    };
    let detail = error.detail().unwrap_or_default();
    Trouble::new(
        TroubleKind::DidNotStart,
        format!("template of the profile{place}: {} {detail}", error.kind()),
    )
}
