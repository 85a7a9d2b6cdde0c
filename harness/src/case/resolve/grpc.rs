//! gRPC upstreams: their scripts, and what is expected that they saw.

use crate::abi::Type;
use crate::case::lenient::List;
use crate::case::resolve::resolver::Resolver;
use crate::case::schema::{GrpcFile, GrpcTurnFile};
use crate::case::yaml::{Node, Path};
use crate::case::{
    CheckKind, GRPC_UPSTREAMS, GrpcAfter, GrpcEnd, GrpcExpect, GrpcScript, GrpcTurn, Observe,
};

impl Resolver<'_> {
    /// The scripts of one upstream.
    pub(super) fn grpc_scripts(
        &mut self,
        name: &str,
        scripts: &List<List<GrpcTurnFile>>,
        path: &Path,
    ) -> Vec<GrpcScript> {
        self.grpc_name(name, path);
        let mut out = Vec::new();
        for (i, script) in &scripts.0 {
            let at = path.index(*i);
            let mut turns = Vec::new();
            let mut over = false;
            for (n, turn) in &script.0 {
                let at = at.index(*n);
                if over {
                    self.note(&at, "the call has ended before", None);
                }
                let turn = self.grpc_turn(turn, &at);
                over |= turn.end.is_some();
                turns.push(turn);
            }
            out.push(turns);
        }
        if out.is_empty() {
            self.note(path, "a gRPC upstream needs a script", None);
        }
        out
    }

    /// Notes a name that no gRPC upstream has.
    pub(super) fn grpc_name(&mut self, name: &str, path: &Path) {
        if !GRPC_UPSTREAMS.contains(&name) {
            let known = GRPC_UPSTREAMS.join("` and `");
            self.note(path, format!("gRPC upstreams are called `{known}`"), None);
        }
    }

    fn grpc_turn(&mut self, file: &GrpcTurnFile, path: &Path) -> GrpcTurn {
        let after = match &file.after {
            None => GrpcAfter::Open,
            Some(Node::Int(n)) if (1..=1000).contains(n) => GrpcAfter::Messages(*n as u32),
            Some(Node::Str(word)) if word == "open" => GrpcAfter::Open,
            Some(Node::Str(word)) if word == "end" => GrpcAfter::End,
            Some(Node::Str(word)) if word == "go" => GrpcAfter::Go,
            Some(_) => {
                let help = "`open`, a number of messages, `end`, `go`";
                self.note(
                    &path.key("after"),
                    "unknown point of a call",
                    Some(help.to_owned()),
                );
                GrpcAfter::Open
            }
        };
        let list = file.initial_metadata.as_ref();
        let initial_metadata = list.map(|l| self.fields(l, &path.key("initial_metadata")));
        let at = path.key("messages");
        let messages = file.messages.0.iter();
        let messages = messages
            .map(|(i, n)| self.bytes(n, &at.index(*i)))
            .collect();
        let trailing = self.fields(&file.trailing_metadata, &path.key("trailing_metadata"));
        let ends = [file.status.is_some(), file.reset, file.close];
        if ends.iter().filter(|e| **e).count() > 1 {
            self.note(
                path,
                "`status`, `reset` and `close` exclude each other",
                None,
            );
        }
        if file.status.is_none() && (!trailing.is_empty() || file.status_message.is_some()) {
            let message = "`trailing_metadata` and `status_message` come with `status`";
            self.note(path, message, None);
        }
        let end = match file.status {
            Some(code) => Some(GrpcEnd::Status {
                code,
                message: file.status_message.clone().unwrap_or_default(),
                trailing_metadata: trailing,
            }),
            None if file.reset => Some(GrpcEnd::Reset),
            None if file.close => Some(GrpcEnd::Close),
            None => None,
        };
        let turn = GrpcTurn {
            after,
            initial_metadata,
            messages,
            end,
        };
        if turn.initial_metadata.is_none() && turn.messages.is_empty() && turn.end.is_none() {
            self.note(path, "nothing is done here", None);
        }
        turn
    }

    /// An entry of `expect.grpc`.
    pub(super) fn grpc(&mut self, f: &GrpcFile, i: usize, path: &Path) {
        let upstream = f.name.clone().unwrap_or_else(|| "grpc_a".to_owned());
        self.grpc_name(&upstream, &path.key("name"));
        let kind = match &f.count {
            Some(n) => CheckKind::GrpcCount {
                upstream,
                expect: self.matcher(n, &Type::U32, 0, &path.key("count")),
            },
            None => CheckKind::Grpc {
                upstream,
                nth: f.nth.unwrap_or(1),
                expect: self.grpc_expect(f, path),
            },
        };
        self.listed("grpc", i, &f.req, f.level, f.control, kind, path);
    }

    fn grpc_expect(&mut self, f: &GrpcFile, path: &Path) -> GrpcExpect {
        let mut text = |node: &Option<Node>, key: &str| {
            node.as_ref()
                .map(|n| self.matcher(n, &Type::Bytes, 0, &path.key(key)))
        };
        let (service, method) = (text(&f.service, "service"), text(&f.method, "method"));
        let at = path.key("metadata");
        let metadata = f.metadata.0.iter();
        let metadata = metadata.map(|(k, n)| (k.clone(), self.field(n, &at.key(k))));
        let metadata = metadata.collect();
        let at = path.key("messages");
        let messages = f.messages.as_ref().map(|list| {
            let all = list.0.iter();
            all.map(|(i, n)| self.matcher(n, &Type::Bytes, 0, &at.index(*i)))
                .collect()
        });
        let out = GrpcExpect {
            service,
            method,
            metadata,
            messages,
            ended: f.ended,
            cancelled: f.cancelled,
            over: f.over,
            present: f.present,
        };
        if out == GrpcExpect::default() {
            self.note(path, "nothing is expected here", None);
        }
        out
    }

    /// `grpc NAME …`: what a survey looks at.
    pub(super) fn grpc_observe(&self, words: &[&str]) -> Option<Observe> {
        let (name, rest) = words.split_first()?;
        GRPC_UPSTREAMS.contains(name).then_some(())?;
        let name = (*name).to_owned();
        Some(match rest {
            ["count"] => Observe::GrpcCount(name),
            ["metadata", key] => Observe::GrpcMetadata(name, (*key).to_owned()),
            ["messages"] => Observe::GrpcMessages(name),
            ["over"] => Observe::GrpcOver(name),
            _ => return None,
        })
    }
}
