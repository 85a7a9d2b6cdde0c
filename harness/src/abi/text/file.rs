//! The form of `specs/abi/text/*.yaml` as it stands in the file.
//!
//! Knows the keys and nothing of the text that they speak of.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

use crate::abi::Entries;

/// What each line of one version's text means, or the difference to the version that it extends.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TextMapFile {
    /// The version of this form: 1.
    pub version: u32,
    /// The version of the ABI: `0.2.1`.
    pub abi: String,
    /// The version whose sections hold here too, where they are not given again.
    pub extends: Option<String>,
    /// Where the text lies.
    pub text: String,
    /// The SHA-256 of the text, in hexadecimal.
    pub sha256: String,
    /// Sections of the extended version that this text has not.
    #[serde(default)]
    pub drop: Vec<String>,
    /// What the heading and the signature of a hostcall mean where its section does not say.
    pub signature: Option<Vec<String>>,
    /// Functions whose signature in the table is not that of the text, each with the reason.
    #[serde(default)]
    pub departs: Entries<String>,
    /// By heading; a heading that comes several times with the one above it in front:
    /// `Buffers: Functions exposed by the host`. In a section: `4` or `4-6`, lines counted from its
    /// heading, which is 0; `signature`, the heading and signature of a function; `rest`, every
    /// line that nothing else speaks of.
    pub sections: Entries<Entries<Meaning>>,
}

/// What a line means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// It is behind these requirements; `x/y*` is every id that begins with `x/y`.
    Reqs(Vec<String>),
    /// It asks nothing of a host, for this reason.
    Informative(String),
}

impl<'de> Deserialize<'de> for Meaning {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListOrReason)
    }
}

struct ListOrReason;

impl<'de> Visitor<'de> for ListOrReason {
    type Value = Meaning;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of requirements, or the reason why a line asks nothing")
    }

    fn visit_str<E: Error>(self, reason: &str) -> Result<Meaning, E> {
        if reason.trim().is_empty() {
            return Err(E::custom("the reason is empty"));
        }
        Ok(Meaning::Informative(reason.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Meaning, A::Error> {
        let mut ids = Vec::new();
        while let Some(id) = list.next_element()? {
            ids.push(id);
        }
        if ids.is_empty() {
            return Err(A::Error::custom("the list is empty"));
        }
        Ok(Meaning::Reqs(ids))
    }
}

impl JsonSchema for Meaning {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Meaning".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"oneOf": [
            {"type": "array", "items": {"type": "string"}, "minItems": 1},
            {"type": "string", "minLength": 1},
        ]})
    }
}
