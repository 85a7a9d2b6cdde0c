//! The parts of a profile that a derive can't express: `true` or a reason, maps without duplicates.
//!
//! Does not know what the parts are for.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde::{Serialize, Serializer};

/// Whether something is offered: `true`, or why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offer {
    /// It is.
    Yes,
    /// It is not: the reason.
    No(String),
}

impl Serialize for Offer {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Offer::Yes => s.serialize_bool(true),
            Offer::No(why) => s.serialize_str(why),
        }
    }
}

impl<'de> Deserialize<'de> for Offer {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Offer, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = Offer;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`true`, or a sentence that says why not")
            }
            fn visit_bool<E: serde::de::Error>(self, yes: bool) -> Result<Offer, E> {
                match yes {
                    true => Ok(Offer::Yes),
                    false => Err(E::custom("expected a sentence that says why not")),
                }
            }
            fn visit_str<E: serde::de::Error>(self, why: &str) -> Result<Offer, E> {
                match why.trim() {
                    "" => Err(E::custom("expected a sentence that says why not")),
                    why => Ok(Offer::No(why.to_owned())),
                }
            }
        }
        d.deserialize_any(Either)
    }
}

impl JsonSchema for Offer {
    fn schema_name() -> Cow<'static, str> {
        "Offer".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "`true`, or a sentence that says why not",
            "oneOf": [{"const": true}, {"type": "string", "minLength": 1}]
        })
    }
}

/// Reads a map and refuses a key that comes twice.
pub fn unique<'de, D, V>(d: D) -> Result<BTreeMap<String, V>, D::Error>
where
    D: Deserializer<'de>,
    V: Deserialize<'de>,
{
    struct Unique<V>(PhantomData<V>);
    impl<'de, V: Deserialize<'de>> Visitor<'de> for Unique<V> {
        type Value = BTreeMap<String, V>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut out = BTreeMap::new();
            while let Some(key) = map.next_key::<String>()? {
                if out.contains_key(&key) {
                    return Err(A::Error::custom(format_args!("duplicate key `{key}`")));
                }
                let value = map.next_value()?;
                out.insert(key, value);
            }
            Ok(out)
        }
    }
    d.deserialize_map(Unique(PhantomData))
}
