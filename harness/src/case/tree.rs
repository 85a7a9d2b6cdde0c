//! From a YAML tree to typed values, collecting every problem instead of stopping at the first.
//!
//! A `serde::Deserializer` over [`Node`]: unknown and duplicate keys are noted and skipped, a
//! list element or optional value that does not fit is noted and left out. Does not know the schema.

use std::cell::RefCell;
use std::fmt;

use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor,
};

use crate::case::problem::nearest;
use crate::case::yaml::{Node, Path};

/// A problem before its place is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// Where.
    pub path: Path,
    /// What.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// Reads `node` as a `T`. The notes are complete also when there is no value.
pub fn read<T: DeserializeOwned>(node: &Node) -> (Option<T>, Vec<Note>) {
    let notes = RefCell::new(Vec::new());
    let de = Tree {
        node,
        path: Path::default(),
        notes: &notes,
    };
    let out = T::deserialize(de.clone());
    let out = out.map_err(|e| de.note(e)).ok();
    (out, notes.into_inner())
}

#[derive(Clone)]
struct Tree<'a> {
    node: &'a Node,
    path: Path,
    notes: &'a RefCell<Vec<Note>>,
}

/// An error on its way up; `noted` once it stands in the notes.
#[derive(Debug)]
struct TreeError {
    message: String,
    noted: bool,
}

impl fmt::Display for TreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for TreeError {}

impl de::Error for TreeError {
    fn custom<T: fmt::Display>(msg: T) -> Self {
        TreeError {
            message: msg.to_string(),
            noted: false,
        }
    }
}

impl<'a> Tree<'a> {
    fn child(&self, node: &'a Node, path: Path) -> Tree<'a> {
        Tree {
            node,
            path,
            notes: self.notes,
        }
    }

    /// Writes the error down at this place, once.
    fn note(&self, e: TreeError) -> TreeError {
        if !e.noted {
            self.notes.borrow_mut().push(Note {
                path: self.path.clone(),
                message: e.message.clone(),
                help: None,
            });
        }
        TreeError { noted: true, ..e }
    }

    fn expected(&self, what: &str) -> TreeError {
        self.note(de::Error::custom(format!(
            "expected {what}, found {}",
            self.node.kind()
        )))
    }

    fn map<V: Visitor<'a>>(
        self,
        fields: Option<&'static [&'static str]>,
        visitor: V,
    ) -> Result<V::Value, TreeError> {
        let Node::Map(entries) = self.node else {
            return Err(self.expected("a map"));
        };
        let access = Entries {
            tree: &self,
            entries,
            next: 0,
            fields,
        };
        visitor.visit_map(access).map_err(|e| self.note(e))
    }
}

impl<'de> Deserializer<'de> for Tree<'de> {
    type Error = TreeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        let out = match self.node {
            Node::Null => visitor.visit_unit(),
            Node::Bool(b) => visitor.visit_bool(*b),
            Node::Int(n) => match (u64::try_from(*n), i64::try_from(*n)) {
                (Ok(n), _) => visitor.visit_u64(n),
                (_, Ok(n)) => visitor.visit_i64(n),
                _ => visitor.visit_i128(*n),
            },
            Node::Float(n) => visitor.visit_f64(*n),
            Node::Str(s) => visitor.visit_str(s),
            Node::Seq(_) => return self.deserialize_seq(visitor),
            Node::Map(_) => return self.map(None, visitor),
        };
        out.map_err(|e| self.note(e))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        // An optional value that does not fit is noted inside and then left out by `Entries`.
        match self.node {
            Node::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        let Node::Seq(items) = self.node else {
            return Err(self.expected("a list"));
        };
        visitor
            .visit_seq(Items {
                tree: &self,
                items,
                next: 0,
            })
            .map_err(|e| self.note(e))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        match self.node.scalar() {
            Some(s) => visitor.visit_string(s).map_err(|e| self.note(e)),
            None => Err(self.expected("text")),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        self.map(None, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TreeError> {
        self.map(Some(fields), visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TreeError> {
        let Node::Str(s) = self.node else {
            return Err(self.expected("a word"));
        };
        if !variants.contains(&s.as_str()) {
            self.notes.borrow_mut().push(Note {
                path: self.path.clone(),
                message: format!("unknown word `{s}`"),
                help: Some(format!("one of {}", variants.join(", "))),
            });
            return Err(TreeError {
                message: String::new(),
                noted: true,
            });
        }
        visitor
            .visit_enum(de::value::StrDeserializer::<TreeError>::new(s))
            .map_err(|e| self.note(e))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, TreeError> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str bytes byte_buf unit
        unit_struct tuple tuple_struct identifier ignored_any
    }
}

struct Items<'a, 't> {
    tree: &'t Tree<'a>,
    items: &'a [Node],
    next: usize,
}

impl<'a> SeqAccess<'a> for Items<'a, '_> {
    type Error = TreeError;

    fn next_element_seed<T: DeserializeSeed<'a> + Sized>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, TreeError> {
        let Some(node) = self.items.get(self.next) else {
            return Ok(None);
        };
        let path = self.tree.path.index(self.next);
        self.next += 1;
        let child = self.tree.child(node, path);
        seed.deserialize(child.clone())
            .map(Some)
            .map_err(|e| child.note(e))
    }
}

struct Entries<'a, 't> {
    tree: &'t Tree<'a>,
    entries: &'a [(String, Node)],
    next: usize,
    fields: Option<&'static [&'static str]>,
}

impl<'a> Entries<'a, '_> {
    /// Notes an unknown or repeated key; `false`: skip it.
    fn acceptable(&self, at: usize) -> bool {
        let key = &self.entries[at].0;
        let nth = self.entries[..at].iter().filter(|(k, _)| k == key).count();
        let note = |message: String, help: Option<String>| {
            let path = self.tree.path.key_itself(key, nth);
            self.tree.notes.borrow_mut().push(Note {
                path,
                message,
                help,
            });
            false
        };
        if nth > 0 {
            return note(format!("duplicate key `{key}`"), None);
        }
        match self.fields {
            Some(known) if !known.contains(&key.as_str()) => {
                let help = nearest(key, known.iter().copied())
                    .unwrap_or_else(|| format!("known keys: {}", known.join(", ")));
                note(format!("unknown key `{key}`"), Some(help))
            }
            _ => true,
        }
    }
}

impl<'a> MapAccess<'a> for Entries<'a, '_> {
    type Error = TreeError;

    fn next_key_seed<K: DeserializeSeed<'a>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, TreeError> {
        while self.next < self.entries.len() {
            if self.acceptable(self.next) {
                let key = self.entries[self.next].0.as_str();
                return seed
                    .deserialize(de::value::StrDeserializer::new(key))
                    .map(Some);
            }
            self.next += 1;
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, TreeError> {
        let (key, node) = &self.entries[self.next];
        self.next += 1;
        let child = self.tree.child(node, self.tree.path.key(key));
        seed.deserialize(child.clone()).map_err(|e| child.note(e))
    }
}
