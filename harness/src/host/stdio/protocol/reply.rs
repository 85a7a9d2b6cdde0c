//! What the adapter answers.
//!
//! Does not know what follows from it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::host::stdio::protocol::{Bytes, Caused, State};

/// One line from the adapter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// The number of the request.
    pub id: u64,
    /// The answer.
    pub answer: Answer,
    /// What plugins logged meanwhile, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub logs: Vec<Line>,
    /// What plugins asked for meanwhile and the library left to the embedder, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub effects: Vec<Caused>,
}

/// An answer. `entered` is followed by another one; each of the others ends the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Answer {
    /// To `hello`.
    Hello(Hello),
    /// The library has control from now on: what hangs or dies is the library.
    Entered {},
    /// It was done.
    Done(Done),
    /// The library offers no way to do it, or the adapter does not know the operation.
    Unsupported {
        /// Why.
        reason: String,
    },
    /// The library does not take the module or the plugin.
    Refused {
        /// The library's words.
        words: String,
        /// The function that it lacks, where it is about one and the library says so in data.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        import: Option<String>,
    },
    /// The plugin trapped.
    Trapped {
        /// The library's words.
        words: String,
    },
    /// The library gave an error that is no trap: whether the plugin ran is not known.
    Failed {
        /// The library's words.
        words: String,
    },
}

/// An adapter introduces itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// The version that the adapter speaks.
    pub protocol: u32,
    /// The library behind it.
    pub library: Library,
    /// The ABI versions and dialects that modules may be of.
    pub abi: Vec<String>,
    /// The callbacks that it can have the library make by `call`, by the text's names. The harness asks
    /// for no other.
    pub callbacks: Vec<String>,
    /// Who answers a hostcall, a callback or a requirement, by the text's name or the requirement's id;
    /// what is not named is the library's.
    #[serde(default)]
    pub answers: BTreeMap<String, Who>,
    /// What it does not offer of what a case may need (`tcp`, `grpc`, `several_vms` …), and why.
    #[serde(default)]
    pub lacks: BTreeMap<String, String>,
    /// Regular expressions for the library's words about a missing import; group `import`.
    #[serde(default)]
    pub unlinked: Vec<String>,
}

/// A host library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Library {
    /// Its name: lower-case letters, digits and hyphens.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// The library: it is judged.
    Library,
    /// The code that embeds the library; here that is the adapter.
    Embedder,
    /// Nobody.
    None,
}

/// What came of it, and what has changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Done {
    /// The context that was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<u32>,
    /// What the library makes of the action that the plugin returned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// What the library makes of the yes or no that the plugin returned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted: Option<bool>,
    /// What of the stream has changed meanwhile. The buffer that a callback was about may be named
    /// though it has not changed, what is gone may not.
    pub state: State,
}

/// What a plugin wants with the message that it was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// CONTINUE.
    Continue,
    /// PAUSE.
    Pause,
}

/// A line that a plugin logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The VM.
    pub vm: String,
    /// The library's word for the level.
    pub level: String,
    /// The text.
    pub text: Bytes,
}
