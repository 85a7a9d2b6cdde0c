//! Expectations beside those on steps.

use crate::abi::Type;
use crate::case::resolve::resolver::{NewCheck, Resolver, single};
use crate::case::schema::{BodyFile, CallbacksFile, ExpectFile, LogFile, MessageFile, NeverFile};
use crate::case::yaml::{Node, Path};
use crate::case::{BodyExpect, CallbackPattern, CheckKind, Matcher, MessageExpect, Who};

impl Resolver<'_> {
    pub(super) fn expectations(&mut self, file: &ExpectFile, path: &Path) {
        for (i, f) in &file.callbacks.0 {
            self.callbacks(f, *i, &path.key("callbacks").index(*i));
        }
        for (i, f) in &file.never.0 {
            self.never(f, *i, &path.key("never").index(*i));
        }
        for (i, f) in &file.body.0 {
            self.body(f, *i, &path.key("body").index(*i));
        }
        for (i, f) in &file.upstream.0 {
            self.upstream(f, *i, &path.key("upstream").index(*i));
        }
        for (i, f) in &file.grpc.0 {
            self.grpc(f, *i, &path.key("grpc").index(*i));
        }
        for (i, f) in &file.client.0 {
            self.client(f, *i, &path.key("client").index(*i));
        }
        for (i, f) in &file.log.0 {
            self.log(f, *i, &path.key("log").index(*i));
        }
        for (i, f) in &file.load.0 {
            let at = path.key("load").index(*i);
            let kind = CheckKind::Load { loaded: f.loaded };
            self.listed("load", *i, &f.req, f.level, false, kind, &at);
        }
        for (i, f) in &file.ends.0 {
            let at = path.key("ends").index(*i);
            let any_of: Vec<String> = f.any_of.items().cloned().collect();
            if any_of.is_empty()
                || any_of
                    .iter()
                    .any(|w| !["normal", "trap", "timeout"].contains(&w.as_str()))
            {
                self.note(
                    &at.key("any_of"),
                    "expected some of normal, trap, timeout",
                    None,
                );
            }
            let kind = CheckKind::Ends { any_of };
            self.listed("ends", *i, &f.req, f.level, false, kind, &at);
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one line per list of the case format"
    )]
    pub(super) fn listed(
        &mut self,
        what: &str,
        i: usize,
        req: &str,
        level: Option<crate::abi::Level>,
        control: bool,
        kind: CheckKind,
        path: &Path,
    ) {
        let req_path = path.key("req");
        let check = NewCheck {
            name: format!("{what} {}", i + 1),
            req: req.to_owned(),
            req_path: Some(&req_path),
            level,
            control,
            kind,
        };
        self.check(check, path);
    }

    fn who(
        &mut self,
        (stream, plugin, any): (Option<u32>, Option<u32>, bool),
        vm: Option<&String>,
        path: &Path,
    ) -> Who {
        let vm = match vm {
            None => 0,
            Some(name) => match self.vm_names.iter().position(|n| n == name) {
                Some(i) => i as u32,
                None => {
                    self.note(&path.key("vm"), format!("there is no VM `{name}`"), None);
                    0
                }
            },
        };
        if u8::from(stream.is_some()) + u8::from(plugin.is_some()) + u8::from(any) > 1 {
            self.note(
                path,
                "`stream`, `plugin` and `any` exclude each other",
                None,
            );
        }
        match (plugin, any) {
            (_, true) => Who::Vm { vm },
            (Some(nth), _) => Who::Plugin { vm, nth },
            _ => Who::Stream {
                vm,
                nth: stream.unwrap_or(1),
            },
        }
    }

    /// `request_headers`, `request_body+`, `{request_headers: {end_of_stream: true}}`.
    fn pattern(&mut self, node: &Node, path: &Path) -> Option<CallbackPattern> {
        let (written, args) = match (node, single(node)) {
            (Node::Str(s), _) => (s.as_str(), None),
            (_, Some((name, args))) => (name, Some(args)),
            _ => {
                self.note(
                    path,
                    "expected a callback, or {callback: {argument: value}}",
                    None,
                );
                return None;
            }
        };
        let (bare, plus) = match written.strip_suffix('+') {
            Some(bare) => (bare, true),
            None => (written, false),
        };
        let name = self.callback_name(bare, path)?;
        let params = self.abi.callback(&name)?.params.clone();
        let mut patterns = Vec::new();
        if let Some(Node::Map(entries)) = args {
            for (key, value) in entries {
                let at = path.key(written);
                match params.iter().find(|p| p.name == *key) {
                    Some(p) => {
                        patterns.push((key.clone(), self.matcher(value, &p.ty, 0, &at.key(key))))
                    }
                    // 0.1.0's header callbacks have no end_of_stream: the column lacks the argument.
                    None if self.other_version_has(&name, key) => {
                        self.lacks(format!("argument {key} of {name}"));
                    }
                    None => {
                        let known: Vec<_> = params.iter().map(|p| p.name.as_str()).collect();
                        let help = Some(format!("it has {}", known.join(", ")));
                        self.note(
                            &at.key_itself(key, 0),
                            format!("{name} has no argument `{key}`"),
                            help,
                        );
                    }
                }
            }
        }
        Some(CallbackPattern {
            name,
            plus,
            args: patterns,
        })
    }

    fn other_version_has(&self, callback: &str, param: &str) -> bool {
        let mut params = self
            .all
            .iter()
            .flat_map(|a| a.callback(callback))
            .flat_map(|c| &c.params);
        params.any(|p| p.name == param)
    }

    fn callbacks(&mut self, f: &CallbacksFile, i: usize, path: &Path) {
        let who = self.who((f.stream, f.plugin, f.any), f.vm.as_ref(), path);
        let at = path.key("order");
        let order: Vec<_> = f
            .order
            .0
            .iter()
            .filter_map(|(i, n)| self.pattern(n, &at.index(*i)))
            .collect();
        if f.order.0.is_empty() {
            self.note(&at, "nothing is expected here", None);
        }
        let kind = CheckKind::Callbacks { who, order };
        self.listed("callbacks", i, &f.req, f.level, f.control, kind, path);
    }

    fn never(&mut self, f: &NeverFile, i: usize, path: &Path) {
        let who = self.who((f.stream, f.plugin, f.any), f.vm.as_ref(), path);
        let after = f
            .after
            .as_ref()
            .and_then(|n| self.pattern(n, &path.key("after")));
        if let Some(pattern) = self.pattern(&f.callback, &path.key("callback")) {
            let kind = CheckKind::Never {
                who,
                pattern,
                after,
            };
            self.listed("never", i, &f.req, f.level, false, kind, path);
        }
    }

    fn body(&mut self, f: &BodyFile, i: usize, path: &Path) {
        let who = Who::Stream {
            vm: 0,
            nth: f.stream.unwrap_or(1),
        };
        let last = match f.direction.as_str() {
            "downstream" | "upstream" => "data",
            _ => "body",
        };
        let name = format!("{}_{last}", f.direction);
        let Some(callback) = self.callback_name(&name, &path.key("direction")) else {
            return;
        };
        let mut found = Vec::new();
        if let Some(n) = &f.bytes {
            found.push(BodyExpect::Bytes(self.bytes(n, &path.key("bytes"))));
        }
        if let Some(n) = &f.total {
            found.push(BodyExpect::Total(self.number(
                n,
                &Type::Size,
                &path.key("total"),
            )));
        }
        if let Some(n) = &f.grows_to {
            found.push(BodyExpect::GrowsTo(self.number(
                n,
                &Type::Size,
                &path.key("grows_to"),
            )));
        }
        if f.ends_once {
            found.push(BodyExpect::EndsOnce);
        }
        match (found.pop(), found.is_empty()) {
            (Some(expect), true) => {
                let kind = CheckKind::Body {
                    who,
                    callback,
                    expect,
                };
                self.listed("body", i, &f.req, f.level, false, kind, path);
            }
            _ => self.note(
                path,
                "expected one of bytes, total, grows_to, ends_once",
                None,
            ),
        }
    }

    fn message(&mut self, f: &MessageFile, tcp: bool, path: &Path) -> MessageExpect {
        let mut opt = |node: &Option<Node>, key: &str, ty: Type| {
            node.as_ref()
                .map(|n| self.matcher(n, &ty, 0, &path.key(key)))
        };
        let (method, url) = (
            opt(&f.method, "method", Type::Bytes),
            opt(&f.path, "path", Type::Bytes),
        );
        let (status, body) = (
            opt(&f.status, "status", Type::U32),
            opt(&f.body, "body", Type::Bytes),
        );
        let mut fields = |table: &crate::case::lenient::Table<Node>, key: &str| {
            let at = path.key(key);
            table
                .0
                .iter()
                .map(|(k, n)| (k.clone(), self.field(n, &at.key(k))))
                .collect::<Vec<_>>()
        };
        let (headers, trailers) = (
            fields(&f.headers, "headers"),
            fields(&f.trailers, "trailers"),
        );
        let out = MessageExpect {
            method,
            path: url,
            status,
            headers,
            body,
            trailers,
            complete: f.complete,
            closed: f.closed,
            optional: f.optional,
            present: f.present,
        };
        let nothing = MessageExpect {
            optional: f.optional,
            ..MessageExpect::default()
        };
        let foreign = match tcp {
            true => {
                let fields = out.headers.len() + out.trailers.len();
                let words = [&out.method, &out.path, &out.status];
                fields > 0 || out.complete.is_some() || words.iter().any(|w| w.is_some())
            }
            false => out.closed.is_some(),
        };
        if foreign {
            let help = match tcp {
                true => "TCP streams have `body`, `closed`, `present`",
                false => "HTTP messages have `complete`",
            };
            self.note(path, "not of this kind of stream", Some(help.to_owned()));
        }
        if out == nothing && f.count.is_none() {
            self.note(path, "nothing is expected here", None);
        }
        out
    }

    fn upstream(&mut self, f: &MessageFile, i: usize, path: &Path) {
        let upstream = f.name.clone().unwrap_or_else(|| "main".to_owned());
        let kind = match &f.count {
            Some(n) => {
                let expect = self.matcher(n, &Type::U32, 0, &path.key("count"));
                CheckKind::UpstreamCount { upstream, expect }
            }
            None => {
                // Callouts are HTTP, whatever the streams are.
                let tcp = self.tcp && upstream == "main";
                let expect = self.message(f, tcp, path);
                CheckKind::Upstream {
                    upstream,
                    nth: f.nth.unwrap_or(1),
                    expect,
                }
            }
        };
        self.listed("upstream", i, &f.req, f.level, f.control, kind, path);
    }

    fn client(&mut self, f: &MessageFile, i: usize, path: &Path) {
        let stream = f.stream.unwrap_or(1);
        if stream == 0 || stream > self.stream_count {
            self.note(path, format!("there is no stream {stream}"), None);
        }
        let expect = self.message(f, self.tcp, path);
        let kind = CheckKind::Client { stream, expect };
        self.listed("client", i, &f.req, f.level, f.control, kind, path);
    }

    fn log(&mut self, f: &LogFile, i: usize, path: &Path) {
        let text = self.matcher(&f.text, &Type::Bytes, 0, &path.key("text"));
        let log_level = f.log_level.as_ref().map_or_else(Vec::new, |level| {
            let ty = Type::Enum("proxy_log_level_t".to_owned());
            let at = path.key("log_level");
            let any_of = match self.matcher(level, &ty, 0, &at) {
                Matcher::AnyOf(all) => all,
                one => vec![one],
            };
            let names = any_of.into_iter().map(|m| match m {
                Matcher::Enum(name, _) => Some(name),
                _ => None,
            });
            names.collect::<Option<Vec<_>>>().unwrap_or_else(|| {
                self.note(&at, "expected a log level, or {any_of: […]} of them", None);
                Vec::new()
            })
        });
        let kind = CheckKind::Log {
            text,
            log_level,
            times: f.times,
        };
        self.listed("log", i, &f.req, f.level, false, kind, path);
    }
}
