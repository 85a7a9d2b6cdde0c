//! Values: literals, generators, saved values, positions; and matchers.
//!
//! Does not know steps.

use crate::abi::{Param, Type};
use crate::case::resolve::resolver::{Resolver, single};
use crate::case::yaml::{Node, Path};
use crate::case::{
    ArgValue, Chunk, FUNCTIONS, FieldExpect, Matcher, OUT_OF_BOUNDS, Operand, fill, filled,
};

impl Resolver<'_> {
    /// Text, `{hex: …}`, `{fill: …, len: …}` (up to 64 MiB), `{unique: …}`, `{upstream: …}`,
    /// `{function: …}`.
    pub(super) fn bytes(&mut self, node: &Node, path: &Path) -> Vec<u8> {
        if let Some((pattern, len)) = self.fill(node, path) {
            return filled(&pattern, len);
        }
        match single(node) {
            Some(("hex", hex)) => return self.hex(hex, &path.key("hex")),
            Some(("unique", Node::Str(name))) => return self.unique(name).into_bytes(),
            Some(("upstream", Node::Str(name))) => return (self.env.upstream)(name).into_bytes(),
            Some(("function", Node::Str(name))) => return self.function(name, path).into_bytes(),
            _ => {}
        }
        match node.scalar() {
            Some(text) => text.into_bytes(),
            None => {
                let help = "text, {hex: …}, {fill: …, len: …}, {unique: …}, {upstream: …} or \
                            {function: …}";
                self.note(
                    path,
                    format!("expected bytes, found {}", node.kind()),
                    Some(help.to_owned()),
                );
                Vec::new()
            }
        }
    }

    /// [`Self::bytes`] as a piece of a body.
    pub(super) fn chunk(&mut self, node: &Node, path: &Path) -> Chunk {
        match self.fill(node, path) {
            Some((pattern, len)) => fill::shared(&pattern, len),
            None => self.bytes(node, path).into(),
        }
    }

    /// What the host calls a foreign function.
    fn function(&mut self, name: &str, path: &Path) -> String {
        self.functions = true;
        if !FUNCTIONS.contains(&name) {
            let help = Some(format!("one of {}", FUNCTIONS.join(", ")));
            self.note(
                &path.key("function"),
                format!("unknown function `{name}`"),
                help,
            );
        }
        (self.env.function)(name)
    }

    fn unique(&self, name: &str) -> String {
        format!("{name}-{}", self.env.token)
    }

    fn hex(&mut self, node: &Node, path: &Path) -> Vec<u8> {
        let text: String = node
            .scalar()
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        let digits: Option<Vec<u8>> = text
            .chars()
            .map(|c| c.to_digit(16).map(|d| d as u8))
            .collect();
        match digits {
            Some(d) if d.len() % 2 == 0 => d.chunks(2).map(|p| p[0] << 4 | p[1]).collect(),
            _ => {
                self.note(path, "expected pairs of hexadecimal digits", None);
                Vec::new()
            }
        }
    }

    /// `{fill: ab, len: 10MiB}`.
    fn fill(&mut self, node: &Node, path: &Path) -> Option<(Vec<u8>, u64)> {
        let pattern = node.get("fill")?;
        let pattern = self.bytes(pattern, &path.key("fill"));
        let len = node
            .get("len")
            .and_then(Node::scalar)
            .and_then(|t| parse_size(&t));
        match len {
            Some(len) if !pattern.is_empty() && len <= 64 << 20 => Some((pattern, len)),
            _ => {
                self.note(path, "expected {fill: TEXT, len: up to 64MiB}", None);
                Some((vec![b'?'], 0))
            }
        }
    }

    /// A list of `[name, value]`.
    pub(super) fn pairs(&mut self, node: &Node, path: &Path) -> Vec<(Vec<u8>, Vec<u8>)> {
        let Node::Seq(items) = node else {
            self.note(path, "expected a list of [name, value]", None);
            return Vec::new();
        };
        items
            .iter()
            .enumerate()
            .filter_map(|(i, item)| self.pair(item, &path.index(i)))
            .collect()
    }

    pub(super) fn pair(&mut self, node: &Node, path: &Path) -> Option<(Vec<u8>, Vec<u8>)> {
        match node {
            Node::Seq(kv) if kv.len() == 2 => Some((
                self.bytes(&kv[0], &path.index(0)),
                self.bytes(&kv[1], &path.index(1)),
            )),
            _ => {
                self.note(path, "expected [name, value]", None);
                None
            }
        }
    }

    /// A scalar for a Wasm word.
    pub(super) fn operand(&mut self, node: &Node, ty: &Type, at: &Place, path: &Path) -> Operand {
        match single(node) {
            Some(("saved", Node::Str(name))) => return self.saved_operand(name, at, path),
            Some(("saved_len", Node::Str(name))) => {
                return match self.saved_operand(name, at, path) {
                    Operand::Saved(slot) => Operand::SavedLen(slot),
                    other => other,
                };
            }
            Some(("arg", Node::Str(name))) => return self.callback_arg(name, at, path),
            Some(("context", who)) => return self.context(who, &path.key("context")),
            _ => {}
        }
        Operand::Const(self.number(node, ty, path))
    }

    fn saved_operand(&mut self, name: &str, at: &Place, path: &Path) -> Operand {
        match self.saved.get(&(at.vm, name.to_owned())) {
            Some(s) => Operand::Saved(s.slot),
            None => {
                self.note(
                    path,
                    format!("nothing was saved as `{name}` before this step"),
                    None,
                );
                Operand::Const(0)
            }
        }
    }

    pub(super) fn callback_arg(&mut self, name: &str, at: &Place, path: &Path) -> Operand {
        let params = self
            .abi
            .callback(&at.callback)
            .map(|c| &c.params[..])
            .unwrap_or_default();
        match params.iter().position(|p| p.name == name) {
            Some(i) => Operand::CallbackArg(i as u32),
            None => {
                let known: Vec<_> = params.iter().map(|p| p.name.clone()).collect();
                let message = format!("{} has no argument `{name}`", at.callback);
                self.note(path, message, Some(format!("it has {}", known.join(", "))));
                Operand::Const(0)
            }
        }
    }

    fn context(&mut self, who: &Node, path: &Path) -> Operand {
        match parse_who(&who.scalar().unwrap_or_default()) {
            Some(("plugin", n)) => Operand::PluginContext(n),
            Some(("stream", n)) => Operand::StreamContext(n),
            _ => {
                self.note(
                    path,
                    "expected `plugin`, `plugin N`, `stream` or `stream N`",
                    None,
                );
                Operand::Const(0)
            }
        }
    }

    /// A literal number, truth or enum name, as the two's complement bits of its Wasm word.
    pub(super) fn number(&mut self, node: &Node, ty: &Type, path: &Path) -> u64 {
        match (node, ty) {
            (Node::Bool(b), _) => u64::from(*b),
            (Node::Int(n), _) => *n as u64,
            (Node::Str(s), Type::Enum(e) | Type::OutEnum(e)) => self.enum_number(e, s, path),
            (Node::Str(s), _) if parse_size(s).is_some() => parse_size(s).unwrap_or(0),
            _ => {
                self.note(
                    path,
                    format!("expected a number, found {}", node.kind()),
                    None,
                );
                0
            }
        }
    }

    fn enum_number(&mut self, enumeration: &str, name: &str, path: &Path) -> u64 {
        if let Some(n) = self
            .abi
            .enumeration(enumeration)
            .and_then(|e| e.number(name))
        {
            return n;
        }
        let all = self.all.to_vec();
        let known = all
            .iter()
            .flat_map(|a| a.enumeration(enumeration))
            .flat_map(|e| e.values.iter().map(|(n, _)| n.as_str()));
        self.unknown(path, &format!("value of {enumeration}"), name, known);
        0
    }

    /// The value of one parameter of a hostcall; `None`: it was not written.
    pub(super) fn arg(
        &mut self,
        node: Option<&Node>,
        param: &Param,
        at: &Place,
        path: &Path,
    ) -> ArgValue {
        let ty = &param.ty;
        let Some(node) = node else {
            return self.default_arg(param, path);
        };
        match ty {
            Type::Bytes | Type::Pairs | Type::Iovec => self.bytes_arg(node, ty, at, path),
            Type::Fill => match node.get("ptr") {
                Some(_) => self.pointer(node, at, path),
                None => ArgValue::Buffer(self.number(node, &Type::Size, path)),
            },
            _ if ty.is_out() => self.out_arg(node, ty, at, path),
            _ => ArgValue::Word(self.operand(node, ty, at, path)),
        }
    }

    fn default_arg(&mut self, param: &Param, path: &Path) -> ArgValue {
        match (&param.ty, param.default) {
            (Type::Fill, _) => ArgValue::Buffer(16),
            (ty, _) if ty.is_out() => ArgValue::Out,
            (_, Some(n)) => ArgValue::Word(Operand::Const(n)),
            (Type::Bytes | Type::Pairs, None) => ArgValue::Data(Vec::new()),
            (Type::Iovec, None) => ArgValue::Iovec(Vec::new()),
            (_, None) => {
                self.note(path, format!("parameter `{}` is missing", param.name), None);
                ArgValue::Word(Operand::Const(0))
            }
        }
    }

    fn bytes_arg(&mut self, node: &Node, ty: &Type, at: &Place, path: &Path) -> ArgValue {
        if node.get("ptr").is_some() {
            return self.pointer(node, at, path);
        }
        if let Some(("saved", Node::Str(name))) = single(node) {
            return match self.saved_operand(name, at, path) {
                Operand::Saved(slot) => ArgValue::SavedBytes(slot),
                _ => ArgValue::Data(Vec::new()),
            };
        }
        match (ty, node) {
            (Type::Pairs, Node::Seq(_)) => {
                ArgValue::Data(crate::abi::encode_pairs(&self.pairs(node, path)))
            }
            (Type::Pairs, Node::Map(_)) => ArgValue::Data(self.bytes(node, path)),
            (Type::Pairs, _) => {
                self.note(path, "expected a list of [name, value], or {hex: …}", None);
                ArgValue::Data(Vec::new())
            }
            (Type::Iovec, Node::Seq(items)) => ArgValue::Iovec(
                items
                    .iter()
                    .enumerate()
                    .map(|(i, n)| self.bytes(n, &path.index(i)))
                    .collect(),
            ),
            (Type::Iovec, _) => ArgValue::Iovec(vec![self.bytes(node, path)]),
            _ => match self.fill(node, path) {
                Some((pattern, len)) if len > 4096 => ArgValue::Fill { pattern, len },
                Some((pattern, len)) => ArgValue::Data(filled(&pattern, len)),
                None => ArgValue::Data(self.bytes(node, path)),
            },
        }
    }

    /// `{ptr: out_of_bounds | NUMBER | {saved: x}, len: NUMBER}`.
    fn pointer(&mut self, node: &Node, at: &Place, path: &Path) -> ArgValue {
        let ptr = node
            .get("ptr")
            .map(|n| self.address(n, at, &path.key("ptr")));
        let len = node
            .get("len")
            .map(|n| self.operand(n, &Type::Size, at, &path.key("len")));
        ArgValue::Pointer {
            ptr: ptr.unwrap_or(Operand::Const(0)),
            len: len.unwrap_or(Operand::Const(16)),
        }
    }

    fn address(&mut self, node: &Node, at: &Place, path: &Path) -> Operand {
        match node {
            Node::Str(s) if s == "out_of_bounds" => Operand::Const(OUT_OF_BOUNDS),
            _ => self.operand(node, &Type::U32, at, path),
        }
    }

    /// Where an output goes: `{ptr: …}` (its first word), `{size_ptr: …}` (the size of bytes).
    fn out_arg(&mut self, node: &Node, ty: &Type, at: &Place, path: &Path) -> ArgValue {
        let mut words = Vec::new();
        for key in &["ptr", "size_ptr"][..ty.words().len()] {
            words.push(node.get(key).map(|n| self.address(n, at, &path.key(key))));
        }
        if words.iter().all(Option::is_none) {
            let help = "an output takes {ptr: …} or, for bytes, {size_ptr: …}";
            self.note(
                path,
                "expected where the output goes",
                Some(help.to_owned()),
            );
        }
        ArgValue::OutAt(words)
    }

    /// What a value of type `ty` must be.
    pub(super) fn matcher(&mut self, node: &Node, ty: &Type, vm: u32, path: &Path) -> Matcher {
        if let Some((pattern, len)) = self.fill(node, path) {
            return Matcher::Fill { pattern, len };
        }
        if let Some((key, inner)) = single(node) {
            let at = path.key(key);
            match key {
                "any_of" => {
                    let Node::Seq(items) = inner else {
                        self.note(&at, "expected a list", None);
                        return Matcher::Present;
                    };
                    let each = items.iter().enumerate();
                    return Matcher::AnyOf(
                        each.map(|(i, n)| self.matcher(n, ty, vm, &at.index(i)))
                            .collect(),
                    );
                }
                "not" => return Matcher::Not(Box::new(self.matcher(inner, ty, vm, &at))),
                "absent" => return Matcher::Absent,
                "present" => return Matcher::Present,
                "untouched" => return Matcher::Untouched,
                "prefix" => return Matcher::Prefix(self.bytes(inner, &at)),
                "contains" => return Matcher::Contains(self.bytes(inner, &at)),
                "has" => return Matcher::HasPairs(self.pairs(inner, &at)),
                "between" => match inner {
                    Node::Seq(ab) if ab.len() == 2 => {
                        let a = self.number(&ab[0], ty, &at.index(0));
                        return Matcher::Between(a, self.number(&ab[1], ty, &at.index(1)));
                    }
                    _ => self.note(&at, "expected [FROM, TO]", None),
                },
                "saved" => {
                    let name = inner.scalar().unwrap_or_default();
                    let saved = self.saved.get(&(vm, name.clone())).cloned();
                    match saved {
                        Some(s) => {
                            return Matcher::Saved {
                                step: s.step,
                                out: s.out,
                            };
                        }
                        None => self.note(&at, format!("nothing was saved as `{name}`"), None),
                    }
                }
                "at_least" => match self.matcher(inner, ty, vm, &at) {
                    Matcher::Saved { step, out } => return Matcher::AtLeast { step, out },
                    _ => self.note(&at, "expected {saved: NAME}", None),
                },
                "count" => match single(inner) {
                    Some(("arg", Node::Str(name))) => return Matcher::CountIs(name.clone()),
                    _ => self.note(&at, "expected {arg: NAME}", None),
                },
                "context" => match self.context(inner, &at) {
                    Operand::PluginContext(n) => return Matcher::PluginContext(n),
                    Operand::StreamContext(n) => return Matcher::StreamContext(n),
                    _ => {}
                },
                "hex" | "unique" | "upstream" => return Matcher::Bytes(self.bytes(node, path)),
                _ => {
                    let known = [
                        "any_of",
                        "not",
                        "absent",
                        "present",
                        "untouched",
                        "prefix",
                        "contains",
                        "has",
                        "between",
                        "at_least",
                        "count",
                        "saved",
                        "context",
                        "hex",
                        "unique",
                        "upstream",
                        "fill",
                    ];
                    let help = crate::case::problem::nearest(key, known);
                    self.note(
                        &path.key_itself(key, 0),
                        format!("unknown matcher `{key}`"),
                        help,
                    );
                }
            }
            return Matcher::Present;
        }
        match ty {
            Type::Bytes | Type::OutBytes | Type::Fill | Type::OutArray => {
                Matcher::Bytes(self.bytes(node, path))
            }
            Type::Pairs | Type::OutPairs => Matcher::Pairs(self.pairs(node, path)),
            Type::Enum(e) | Type::OutEnum(e) => match node {
                Node::Str(name) => Matcher::Enum(name.clone(), self.enum_number(e, name, path)),
                _ => Matcher::Number(self.number(node, ty, path)),
            },
            Type::Bool => Matcher::Bool(self.number(node, ty, path) != 0),
            Type::I64 => Matcher::Signed(self.number(node, ty, path) as i64),
            _ => Matcher::Number(self.number(node, ty, path)),
        }
    }

    /// What a field on the wire must be.
    pub(super) fn field(&mut self, node: &Node, path: &Path) -> FieldExpect {
        match node {
            Node::Seq(items) => FieldExpect::List(items.iter().filter_map(Node::scalar).collect()),
            _ => FieldExpect::Value(self.matcher(node, &Type::Bytes, 0, path)),
        }
    }
}

/// Where a step stands.
pub(super) struct Place {
    /// Index of the VM.
    pub vm: u32,
    /// The text's name of the callback.
    pub callback: String,
}

/// `plugin`, `plugin 2`, `stream 1`: the word and the number, default 1.
pub(super) fn parse_who(text: &str) -> Option<(&'static str, u32)> {
    let mut words = text.split_whitespace();
    let word = match words.next()? {
        "plugin" => "plugin",
        "stream" => "stream",
        _ => return None,
    };
    let nth = words
        .next()
        .map_or(Some(1), |n| n.parse().ok().filter(|n| *n > 0))?;
    words.next().is_none().then_some((word, nth))
}

/// `4096`, `64KiB`, `10MiB`, `0x7f`.
pub(super) fn parse_size(text: &str) -> Option<u64> {
    if let Some(hex) = text.strip_prefix("0x") {
        return u64::from_str_radix(hex, 16).ok();
    }
    let (number, shift) = match text {
        t if t.ends_with("MiB") => (&t[..t.len() - 3], 20),
        t if t.ends_with("KiB") => (&t[..t.len() - 3], 10),
        t => (t, 0),
    };
    number.trim().parse::<u64>().ok()?.checked_shl(shift)
}
