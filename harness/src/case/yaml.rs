//! YAML as a tree that keeps duplicate keys, and the place of any path in it.
//!
//! The only module that speaks to `serde_yaml` for cases. Values have no positions there, so
//! a place is found when it is asked for: a second pass walks to the path and lets the parser
//! report where it stands.

use std::fmt;
use std::sync::Arc;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

/// A YAML value.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Node {
    /// `null`, `~`, nothing.
    #[default]
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A whole number.
    Int(i128),
    /// Any other number.
    Float(f64),
    /// Text.
    Str(String),
    /// A list.
    Seq(Vec<Node>),
    /// A map with its keys in order, duplicates too.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// The text of a scalar: numbers and truths as they are usually written.
    pub fn scalar(&self) -> Option<String> {
        match self {
            Node::Str(s) => Some(s.clone()),
            Node::Int(n) => Some(n.to_string()),
            Node::Float(n) => Some(n.to_string()),
            Node::Bool(b) => Some(b.to_string()),
            Node::Null | Node::Seq(_) | Node::Map(_) => None,
        }
    }

    /// The entry of a map.
    pub fn get(&self, key: &str) -> Option<&Node> {
        match self {
            Node::Map(m) => m.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// What it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Node::Null => "nothing",
            Node::Bool(_) => "a truth value",
            Node::Int(_) | Node::Float(_) => "a number",
            Node::Str(_) => "text",
            Node::Seq(_) => "a list",
            Node::Map(_) => "a map",
        }
    }
}

/// A step of a path into a document.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Seg {
    /// The value of a key; of several equal keys the nth, from 0.
    Key(String, usize),
    /// An element of a list.
    Index(usize),
}

/// A path into a document. The last segment may mean the key itself: see [`Path::key`]. A path is made
/// for every value of every file, so paths share what they have in common.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Path {
    last: Option<Arc<Link>>,
    at_key: bool,
}

/// The last segment of a path and those before it.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Link {
    seg: Seg,
    before: Option<Arc<Link>>,
}

impl Path {
    /// The value under `key`.
    #[must_use]
    pub fn key(&self, key: &str) -> Path {
        self.with(Seg::Key(key.to_owned(), 0), false)
    }

    /// The element `i`.
    #[must_use]
    pub fn index(&self, i: usize) -> Path {
        self.with(Seg::Index(i), false)
    }

    /// The nth key of this name itself, not its value.
    #[must_use]
    pub fn key_itself(&self, key: &str, nth: usize) -> Path {
        self.with(Seg::Key(key.to_owned(), nth), true)
    }

    fn with(&self, seg: Seg, at_key: bool) -> Path {
        let before = self.last.clone();
        let last = Some(Arc::new(Link { seg, before }));
        Path { last, at_key }
    }

    /// From the document's root on.
    fn segs(&self) -> Vec<&Seg> {
        let mut out = Vec::new();
        let mut at = self.last.as_ref();
        while let Some(link) = at {
            out.push(&link.seg);
            at = link.before.as_ref();
        }
        out.reverse();
        out
    }
}

/// Reads a document.
///
/// # Errors
/// It is no YAML: message, line and column from 1.
pub fn parse(text: &str) -> Result<Node, (String, u32, u32)> {
    serde_yaml::from_str::<Node>(text).map_err(|e| {
        let (line, column) = e
            .location()
            .map_or((0, 0), |l| (l.line() as u32, l.column() as u32));
        let text = e.to_string();
        let message = text.split(" at line ").next().unwrap_or(&text).to_owned();
        (message, line, column)
    })
}

/// Line and column (from 1) of `path` in `text`; of the deepest part of it that exists.
pub fn locate(text: &str, path: &Path) -> (u32, u32) {
    let all = path.segs();
    let mut segs = &all[..];
    let mut at_key = path.at_key;
    loop {
        let walk = Walk { segs, at_key };
        if let Err(e) = walk.deserialize(serde_yaml::Deserializer::from_str(text))
            && let Some(l) = e.location()
        {
            return (l.line() as u32, l.column() as u32);
        }
        let Some((_, rest)) = segs.split_last() else {
            return (1, 1);
        };
        segs = rest;
        at_key = false;
    }
}

/// Walks to a path and fails there on purpose: the parser adds the place to the error.
#[derive(Clone, Copy)]
struct Walk<'a> {
    segs: &'a [&'a Seg],
    at_key: bool,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        match self.segs {
            [] => d.deserialize_any(Here),
            _ => d.deserialize_any(self),
        }
    }
}

/// Refuses everything.
struct Here;

impl Visitor<'_> for Here {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this place")
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a path")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut i = 0;
        loop {
            let more = match self.segs[0] {
                Seg::Index(n) if *n == i => seq
                    .next_element_seed(Walk {
                        segs: &self.segs[1..],
                        at_key: self.at_key,
                    })?
                    .is_some(),
                _ => seq.next_element::<de::IgnoredAny>()?.is_some(),
            };
            if !more {
                return Ok(());
            }
            i += 1;
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Seg::Key(want, nth) = self.segs[0] else {
            while map
                .next_entry::<de::IgnoredAny, de::IgnoredAny>()?
                .is_some()
            {}
            return Ok(());
        };
        let mut met = 0;
        let stop = |met| self.at_key && self.segs.len() == 1 && met == *nth;
        while let Some(found) = map.next_key_seed(KeyIs {
            want,
            fail: stop(met),
        })? {
            if found && met == *nth {
                map.next_value_seed(Walk {
                    segs: &self.segs[1..],
                    at_key: self.at_key,
                })?;
            } else {
                map.next_value::<de::IgnoredAny>()?;
            }
            met += usize::from(found);
        }
        Ok(())
    }
}

/// Compares a key; fails on it on purpose when asked to.
struct KeyIs<'a> {
    want: &'a str,
    fail: bool,
}

impl<'de> DeserializeSeed<'de> for KeyIs<'_> {
    type Value = bool;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<bool, D::Error> {
        d.deserialize_any(self)
    }
}

impl KeyIs<'_> {
    fn is<E: de::Error>(&self, key: &str) -> Result<bool, E> {
        let same = key == self.want;
        if same && self.fail {
            Err(E::custom("this key"))
        } else {
            Ok(same)
        }
    }
}

impl Visitor<'_> for KeyIs<'_> {
    type Value = bool;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }
    fn visit_str<E: de::Error>(self, v: &str) -> Result<bool, E> {
        self.is(v)
    }
    fn visit_bool<E: de::Error>(self, v: bool) -> Result<bool, E> {
        self.is(&v.to_string())
    }
    fn visit_i64<E: de::Error>(self, v: i64) -> Result<bool, E> {
        self.is(&v.to_string())
    }
    fn visit_u64<E: de::Error>(self, v: u64) -> Result<bool, E> {
        self.is(&v.to_string())
    }
    fn visit_f64<E: de::Error>(self, v: f64) -> Result<bool, E> {
        self.is(&v.to_string())
    }
    fn visit_unit<E: de::Error>(self) -> Result<bool, E> {
        self.is("null")
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Node, D::Error> {
        d.deserialize_any(Build)
    }
}

impl Serialize for Node {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Node::Null => s.serialize_unit(),
            Node::Bool(b) => s.serialize_bool(*b),
            Node::Int(n) => s.serialize_i128(*n),
            Node::Float(n) => s.serialize_f64(*n),
            Node::Str(t) => s.serialize_str(t),
            Node::Seq(v) => s.collect_seq(v),
            Node::Map(m) => s.collect_map(m.iter().map(|(k, v)| (k, v))),
        }
    }
}

/// Builds a tree.
struct Build;

impl<'de> Visitor<'de> for Build {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_bool<E>(self, v: bool) -> Result<Node, E> {
        Ok(Node::Bool(v))
    }
    fn visit_i64<E>(self, v: i64) -> Result<Node, E> {
        Ok(Node::Int(v.into()))
    }
    fn visit_u64<E>(self, v: u64) -> Result<Node, E> {
        Ok(Node::Int(v.into()))
    }
    fn visit_i128<E>(self, v: i128) -> Result<Node, E> {
        Ok(Node::Int(v))
    }
    fn visit_f64<E>(self, v: f64) -> Result<Node, E> {
        Ok(Node::Float(v))
    }
    fn visit_str<E>(self, v: &str) -> Result<Node, E> {
        Ok(Node::Str(v.to_owned()))
    }
    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut out = Vec::new();
        while let Some(v) = seq.next_element()? {
            out.push(v);
        }
        Ok(Node::Seq(out))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut out = Vec::new();
        while let Some(key) = map.next_key::<Node>()? {
            let key = match key {
                Node::Null => "null".to_owned(),
                k => k
                    .scalar()
                    .ok_or_else(|| de::Error::custom("a key must be a scalar"))?,
            };
            out.push((key, map.next_value()?));
        }
        Ok(Node::Map(out))
    }
}
