//! The case file: what people write, as `serde` types. The JSON Schema is made from these.
//!
//! Read through [`crate::case::tree`] only, which notes what does not fit; optional values that do
//! not fit are left out here. Does not know the ABI: names and values are resolved elsewhere.

mod exchange;
mod expect;
mod module;

pub use exchange::*;
pub use expect::*;
pub use module::*;

use schemars::JsonSchema;

use crate::abi::{Level, PluginType};
use crate::case::lenient::{List, Table, lenient};
use crate::case::yaml::Node;

/// One suite: one file under `specs/cases`.
#[derive(Debug, Clone, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuiteFile {
    /// The format's version: 1.
    pub version: u32,
    /// The file's path without `.yaml`: `fields/get_value`.
    pub suite: String,
    /// What its cases have in common.
    pub about: String,
    /// The suite version in which it appeared.
    pub since: String,
    /// The cases.
    pub cases: List<CaseFile>,
}

/// One case.
#[derive(Debug, Clone, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaseFile {
    /// Unique in the suite; never renamed.
    pub id: String,
    /// The one behaviour that it is about.
    pub about: String,
    /// The suite version in which it appeared, when newer than its file's.
    #[serde(default, deserialize_with = "lenient")]
    pub since: Option<String>,
    /// Only in these ABI versions; a hostcall or requirement that one of them lacks is an error.
    #[serde(default, deserialize_with = "lenient")]
    pub abi: Option<List<String>>,
    /// Lowers the level of every check.
    #[serde(default, deserialize_with = "lenient")]
    pub level: Option<Level>,
    /// Free words for selection; `crasher` keeps a case away from real hosts.
    #[serde(default, deserialize_with = "lenient")]
    pub tags: List<String>,
    /// What the host must offer; the loader adds what it can see.
    #[serde(default, deserialize_with = "lenient")]
    pub needs: List<Need>,
    /// Where the plugin sits; default `http`.
    #[serde(default, deserialize_with = "lenient")]
    pub plugin_type: Option<PluginType>,
    /// Milliseconds until the attempt counts as timed out.
    #[serde(default, deserialize_with = "lenient")]
    pub deadline_ms: Option<u64>,
    /// Short for one plugin `main`: what it does in each callback.
    #[serde(default, deserialize_with = "lenient")]
    pub program: Option<Table<List<StepFile>>>,
    /// Its plugin configuration.
    #[serde(default, deserialize_with = "lenient")]
    pub config: Option<Node>,
    /// Its VM configuration.
    #[serde(default, deserialize_with = "lenient")]
    pub vm_config: Option<Node>,
    /// The environment variables of its VM, by name.
    #[serde(default, deserialize_with = "lenient")]
    pub environment: Option<Table<Node>>,
    /// Changes to what its module exports.
    #[serde(default, deserialize_with = "lenient")]
    pub exports: Option<ExportsFile>,
    /// What is odd about its module.
    #[serde(default, deserialize_with = "lenient")]
    pub module: Option<ModuleFile>,
    /// A guest that takes the place of the program: `handmade/empty.wasm`, `sdk/headers.wasm`.
    #[serde(default, deserialize_with = "lenient")]
    pub guest: Option<String>,
    /// Several plugins, by name.
    #[serde(default, deserialize_with = "lenient")]
    pub plugins: Option<Table<PluginFile>>,
    /// What the world does; default one `GET /` that the upstream answers with 200.
    #[serde(default, deserialize_with = "lenient")]
    pub exchange: Option<ExchangeFile>,
    /// What is expected beside the expectations on steps.
    #[serde(default, deserialize_with = "lenient")]
    pub expect: ExpectFile,
    /// Surveys: what is looked at.
    #[serde(default, deserialize_with = "lenient")]
    pub observe: List<ObserveFile>,
}

/// What a host may or may not offer.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// TCP plugins.
    Tcp,
    /// Background plugins.
    Service,
    /// gRPC callouts.
    Grpc,
    /// HTTP/2 from the client.
    Http2,
    /// Trailers of requests.
    RequestTrailers,
    /// Trailers of responses.
    ResponseTrailers,
    /// Body chunks reach the plugin one by one.
    ChunkedDelivery,
    /// Several plugins in one VM.
    SeveralPlugins,
    /// Several VMs.
    SeveralVms,
    /// Loading a plugin again while the host runs.
    Reload,
    /// Taking a plugin out while the host runs.
    Remove,
    /// A foreign function to call.
    ForeignFunction,
    /// A foreign callback that the host calls.
    ForeignCallback,
    /// Environment variables.
    Environment,
    /// Bytes of one's own as the configuration of a VM.
    VmConfiguration,
    /// Bytes of one's own as the configuration of a plugin.
    PluginConfiguration,
    /// A way to provoke a host's internal failures.
    Trigger,
}

impl Need {
    /// The word, as in YAML.
    pub fn word(self) -> String {
        serde_json::to_value(self)
            .ok()
            .and_then(|v| v.as_str().map(str::to_owned))
            .unwrap_or_default()
    }
}

/// One plugin of several.
#[derive(Debug, Clone, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PluginFile {
    /// The VM in which it lives; default `main`.
    #[serde(default, deserialize_with = "lenient")]
    pub vm: Option<String>,
    /// Its root id; default its name.
    #[serde(default, deserialize_with = "lenient")]
    pub root: Option<String>,
    /// Its plugin configuration.
    #[serde(default, deserialize_with = "lenient")]
    pub config: Option<Node>,
    /// The VM configuration of its VM.
    #[serde(default, deserialize_with = "lenient")]
    pub vm_config: Option<Node>,
    /// The environment variables of its VM, by name.
    #[serde(default, deserialize_with = "lenient")]
    pub environment: Option<Table<Node>>,
    /// Changes to what the VM's module exports.
    #[serde(default, deserialize_with = "lenient")]
    pub exports: Option<ExportsFile>,
    /// What is odd about the VM's module.
    #[serde(default, deserialize_with = "lenient")]
    pub module: Option<ModuleFile>,
    /// A guest that takes the place of the VM's programs.
    #[serde(default, deserialize_with = "lenient")]
    pub guest: Option<String>,
    /// What it does in each callback.
    #[serde(default, deserialize_with = "lenient")]
    pub program: Table<List<StepFile>>,
}

/// Changes to what a module exports.
#[derive(Debug, Clone, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportsFile {
    /// Only these, besides `memory` and the marker.
    #[serde(default, deserialize_with = "lenient")]
    pub only: List<String>,
    /// The default without these.
    #[serde(default, deserialize_with = "lenient")]
    pub without: List<String>,
    /// The default and these.
    #[serde(default, deserialize_with = "lenient")]
    pub also: List<String>,
    /// These markers instead of the column's own; an empty list: none.
    #[serde(default, deserialize_with = "lenient")]
    pub markers: Option<List<String>>,
}

/// One step: one of `call`, `return`, `resume`, `trap`, `spin`, `recurse`, `grow`.
#[derive(Debug, Clone, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepFile {
    /// Make this hostcall.
    #[serde(default, deserialize_with = "lenient")]
    pub call: Option<String>,
    /// Its parameters by name.
    #[serde(default, deserialize_with = "lenient")]
    pub with: Table<Node>,
    /// Once more for each of these, laid over `with`.
    #[serde(default, deserialize_with = "lenient")]
    pub each: List<Table<Node>>,
    /// What must come back: `status` and outputs by name.
    #[serde(default, deserialize_with = "lenient")]
    pub expect: Table<Node>,
    /// The requirement of the expectation; default `<hostcall>/<STATUS>`.
    #[serde(default, deserialize_with = "lenient")]
    pub req: Option<String>,
    /// Is the set-up as we think? If not, the case is blocked, not failed.
    #[serde(default, deserialize_with = "lenient")]
    pub control: bool,
    /// Lowers the level of the check.
    #[serde(default, deserialize_with = "lenient")]
    pub level: Option<Level>,
    /// Keep an output under a name: `{call_id: first}`.
    #[serde(default, deserialize_with = "lenient")]
    pub save: Table<String>,
    /// Make the call this many times; announced once and summarised.
    #[serde(default, deserialize_with = "lenient")]
    pub repeat: Option<u32>,
    /// Only when this argument of the callback equals a saved value: `{call_id: first}`.
    #[serde(default, deserialize_with = "lenient")]
    pub when: Table<String>,
    /// Return this value from the callback.
    #[serde(default, rename = "return", deserialize_with = "lenient")]
    pub returns: Option<Node>,
    /// Resume `request` or `response` with the call that the ABI version has for it.
    #[serde(default, deserialize_with = "lenient")]
    pub resume: Option<String>,
    /// Execute `unreachable`.
    #[serde(default, deserialize_with = "lenient")]
    pub trap: bool,
    /// Loop for ever.
    #[serde(default, deserialize_with = "lenient")]
    pub spin: bool,
    /// Call itself for ever.
    #[serde(default, deserialize_with = "lenient")]
    pub recurse: bool,
    /// Grow memory: by this many pages, or `forever`.
    #[serde(default, deserialize_with = "lenient")]
    pub grow: Option<Node>,
    /// Other words in some ABI versions.
    #[serde(default, deserialize_with = "lenient")]
    pub per_abi: Table<StepPatch>,
}

/// What is different about a step in one ABI version.
#[derive(Debug, Clone, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepPatch {
    /// There is no such step.
    #[serde(default, deserialize_with = "lenient")]
    pub skip: bool,
    /// Instead of the step's.
    #[serde(default, deserialize_with = "lenient")]
    pub call: Option<String>,
    /// Instead of the step's.
    #[serde(default, deserialize_with = "lenient")]
    pub with: Option<Table<Node>>,
    /// Instead of the step's.
    #[serde(default, deserialize_with = "lenient")]
    pub expect: Option<Table<Node>>,
    /// Instead of the step's.
    #[serde(default, deserialize_with = "lenient")]
    pub req: Option<String>,
}
