//! The form of `specs/abi/v*.yaml` as it stands in the file.
//!
//! Knows the keys and nothing of their meaning: `build` turns a file into a whole [`Abi`].
//!
//! [`Abi`]: crate::abi::Abi

use schemars::JsonSchema;
use serde::Deserialize;

use crate::abi::{Entries, ExportKind, Level, PluginType, Seat};

/// One version of the ABI, or its difference to the version that it extends.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TableFile {
    /// The version of this form: 1.
    pub version: u32,
    /// The version of the ABI: `0.2.1`.
    pub abi: String,
    /// The version that this one is described against; rows of the same name replace its rows.
    pub extends: Option<String>,
    /// The export by which a plugin says that it speaks this version.
    pub marker: String,
    /// What the extended version has and this one has not.
    #[serde(default)]
    pub drop: Dropped,
    /// Enums with their numbers.
    #[serde(default)]
    pub enums: Entries<Entries<u64>>,
    /// Functions that the host exposes, in the text's order.
    #[serde(default)]
    pub hostcalls: Vec<HostcallRow>,
    /// Functions that the plugin exposes, in the text's order, the marker first.
    #[serde(default)]
    pub callbacks: Vec<CallbackRow>,
    /// What the text asks of a host.
    #[serde(default)]
    pub requirements: Vec<RequirementRow>,
    /// Planted wrong behaviours of the reference host.
    #[serde(default)]
    pub faults: Vec<FaultEntry>,
}

/// Names that the extended version has and this one has not. A function takes the requirements
/// that bear its name with it.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dropped {
    /// Hostcalls.
    #[serde(default)]
    pub hostcalls: Vec<String>,
    /// Callbacks.
    #[serde(default)]
    pub callbacks: Vec<String>,
    /// Enums.
    #[serde(default)]
    pub enums: Vec<String>,
    /// Requirements; `x/y*` drops all ids that begin with `x/y`.
    #[serde(default)]
    pub requirements: Vec<String>,
}

/// One hostcall.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostcallRow {
    /// The text's name without its module.
    pub name: String,
    /// The module; `env` where it is left out.
    pub module: Option<String>,
    /// The heading of the text under which it stands.
    pub section: String,
    /// In an extending file: the hostcall behind which the text has it.
    pub after: Option<String>,
    /// `[name, type]`: the words of a type stand at the head of `v0_2_1.yaml`.
    #[serde(default)]
    pub params: Vec<(String, String)>,
    /// The enum of its result; left out where it has none.
    pub returns: Option<String>,
}

/// One export of the plugin.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallbackRow {
    /// The text's name.
    pub name: String,
    /// What part it plays; `callback` where it is left out.
    pub kind: Option<ExportKind>,
    /// The plugin types that it belongs to; left out: all.
    #[serde(default)]
    pub plugin_types: Vec<PluginType>,
    /// The heading of the text under which it stands.
    pub section: String,
    /// `[name, type]`.
    #[serde(default)]
    pub params: Vec<(String, String)>,
    /// `bool`, `pointer`, `u32` or the name of an enum; left out where it has none.
    pub returns: Option<String>,
}

/// One requirement.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequirementRow {
    /// Its stable id; the part before `/` names the function that it belongs to, or an area.
    pub id: String,
    /// In an extending file: the requirement behind which it stands; at the end where it is left out.
    pub after: Option<String>,
    /// `must` where it is left out.
    pub level: Option<Level>,
    /// `boundary` where it is left out.
    pub seat: Option<Seat>,
    /// "when …, the host …", in our own words; one observable result.
    pub text: String,
    /// The heading of the text; the function's where it is left out.
    pub section: Option<String>,
    /// How we read the text where it is silent or wrong, and why.
    pub ruling: Option<String>,
    /// Why no black-box case can reach it.
    pub excluded: Option<String>,
}

/// One planted wrong behaviour.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultEntry {
    /// Its name in the reference host.
    pub fault: String,
    /// The requirement that it breaks.
    pub req: String,
    /// What the host does instead.
    pub says: String,
    /// Requirements that cannot but break with it, each with its reason.
    #[serde(default)]
    pub also: Entries<String>,
}
