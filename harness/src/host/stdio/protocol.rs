//! The messages between harness and adapter, version 1.
//!
//! Does not know when which one is sent.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The version that this harness speaks.
pub const PROTOCOL: u32 = 1;

/// Bytes; base64 on the line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

/// A field's name and value.
pub type Field = (Bytes, Bytes);

/// What the harness asks for: one object, one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase", deny_unknown_fields)]
pub enum Request {
    /// Who is there? The first message.
    Hello {
        /// The version that the harness speaks.
        protocol: u32,
    },
    /// Make a VM of this module and the plugin's context.
    Load {
        /// The module.
        module: Bytes,
        /// VM configuration.
        vm_config: Bytes,
        /// Plugin configuration.
        plugin_config: Bytes,
    },
    /// Have the library call the plugin.
    Call(Call),
    /// Forget the VM. What comes next is like after the start.
    Unload {},
}

/// One callback, by the text's name, with the state that the stream has now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The text's name.
    pub callback: String,
    /// The context that the adapter named.
    pub context: u32,
    /// Whether nothing of this message follows.
    pub end_of_stream: bool,
    /// Headers or trailers.
    pub fields: Vec<Field>,
    /// A piece of a body.
    pub body: Bytes,
}

/// The answer to one request: one object, one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// Who is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hello: Option<Hello>,
    /// It was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<Done>,
    /// The library has no way to do it: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsupported: Option<String>,
    /// The library does not take the module: its words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// The plugin trapped, or the library failed while it ran: its words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trapped: Option<String>,
    /// What the plugin logged meanwhile, in order.
    pub logs: Vec<Line>,
}

/// An adapter introduces itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// The version that the adapter speaks.
    pub protocol: u32,
    /// The library and its version.
    pub library: String,
    /// The callbacks that it can have the library call; for others it answers `unsupported`.
    pub callbacks: Vec<String>,
}

/// What came of it, and the state after it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Done {
    /// The context that was made or called.
    #[serde(default)]
    pub context: Option<u32>,
    /// What the library makes of the callback's result: an action, or 0 and 1.
    #[serde(default)]
    pub value: Option<u32>,
    /// The map after it.
    #[serde(default)]
    pub fields: Option<Vec<Field>>,
    /// The buffer after it.
    #[serde(default)]
    pub body: Option<Bytes>,
    /// The plugin sent a response of its own.
    #[serde(default)]
    pub local_response: Option<Local>,
}

/// A response that the plugin sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Local {
    /// `403`.
    pub status: u32,
    /// Its fields.
    #[serde(default)]
    pub fields: Option<Vec<Field>>,
    /// Its body.
    #[serde(default)]
    pub body: Option<Bytes>,
}

/// A line that the plugin logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The library's word for the level.
    pub level: String,
    /// The text.
    pub text: Bytes,
}

impl Reply {
    /// How many of the five answers it holds: a proper one holds one.
    pub fn answers(&self) -> usize {
        let words = [&self.unsupported, &self.refused, &self.trapped];
        usize::from(self.hello.is_some())
            + usize::from(self.done.is_some())
            + words.iter().filter(|w| w.is_some()).count()
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&BASE64.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Bytes, D::Error> {
        let text = String::deserialize(from)?;
        BASE64.decode(text).map(Bytes).map_err(D::Error::custom)
    }
}
