//! What the world does: streams, answers, the order of play.

use std::time::Duration;

use crate::abi::PluginType;
use crate::case::lenient::List;
use crate::case::resolve::resolver::{Resolver, single};
use crate::case::resolve::tcp::{tcp_play, whole};
use crate::case::schema::{AnswerFile, ExchangeFile, ForeignFile, RequestFile, WaitFile};
use crate::case::yaml::{Node, Path};
use crate::case::{Answer, AnswerKind, Chunk, Exchange, Fields, Play, Request, Stream};

impl Resolver<'_> {
    /// The exchange of a case; what it leaves out depends on where the plugin sits.
    pub(super) fn exchange(
        &mut self,
        file: Option<&ExchangeFile>,
        of: PluginType,
        path: &Path,
    ) -> Exchange {
        let none = ExchangeFile::default();
        let file = file.unwrap_or(&none);
        let mut out = Exchange::default();
        let http = of == PluginType::Http;
        let has_http = file.streams.is_some() || file.request.is_some() || file.upstream.is_some();
        if !http && has_http {
            let help = match of {
                PluginType::Tcp => "a TCP plugin has `connections`",
                _ => "a background plugin has no streams",
            };
            self.note(
                path,
                "HTTP streams do not pass this plugin",
                Some(help.to_owned()),
            );
        }
        if of != PluginType::Tcp && file.connections.is_some() {
            let at = path.key("connections");
            self.note(
                &at,
                "TCP streams do not pass this plugin",
                Some("plugin_type: tcp".to_owned()),
            );
        }
        match &file.streams {
            _ if !http => {}
            Some(streams) => {
                if file.request.is_some() || file.upstream.is_some() {
                    self.note(
                        path,
                        "`streams` and `request`/`upstream` exclude each other",
                        None,
                    );
                }
                for (i, s) in &streams.0 {
                    let at = path.key("streams").index(*i);
                    out.streams.push(Stream {
                        request: self.request(&s.request, &at.key("request")),
                        answer: self.answer(&s.upstream, &at.key("upstream")),
                    });
                }
            }
            None => {
                let request = file.request.clone().unwrap_or_default();
                let upstream = file.upstream.clone().unwrap_or_default();
                out.streams.push(Stream {
                    request: self.request(&request, &path.key("request")),
                    answer: self.answer(&upstream, &path.key("upstream")),
                });
            }
        }
        if of == PluginType::Tcp {
            out.connections = self.connections(file, path);
        }
        self.stream_count = out.streams.len().max(out.connections.len()) as u32;
        for (name, answers) in &file.upstreams.0 {
            let at = path.key("upstreams").key(name);
            if !["a", "b"].contains(&name.as_str()) {
                self.note(&at, "upstreams of callouts are called `a` and `b`", None);
            }
            let answers = answers
                .0
                .iter()
                .map(|(i, a)| self.answer(a, &at.index(*i)))
                .collect();
            out.upstreams.insert(name.clone(), answers);
        }
        for (name, scripts) in &file.grpc.0 {
            let at = path.key("grpc").key(name);
            let scripts = self.grpc_scripts(name, scripts, &at);
            out.grpc.insert(name.clone(), scripts);
        }
        match &file.play {
            Some(play) => self.play(play, &path.key("play"), &mut out.play),
            None if http => {
                for n in 1..=self.stream_count {
                    out.play
                        .extend([Play::Head(n), Play::Rest(n), Play::Finish(n)]);
                }
            }
            None => out.play = whole(&out.connections),
        }
        if let Some(wait) = &file.wait {
            out.play.extend(self.wait(wait, &path.key("wait")));
        }
        for (i, word) in &file.then.0 {
            out.play
                .extend(self.ending(word, &path.key("then").index(*i)));
        }
        out
    }

    fn request(&mut self, file: &RequestFile, path: &Path) -> Request {
        let body = self.chunks(file.body.as_ref(), &path.key("body"));
        let method = if body.is_empty() { "GET" } else { "POST" };
        Request {
            http2: file.http2,
            method: file.method.clone().unwrap_or_else(|| method.to_owned()),
            path: file.path.clone().unwrap_or_else(|| "/".to_owned()),
            authority: file
                .authority
                .clone()
                .unwrap_or_else(|| "pwspec.test".to_owned()),
            headers: self.fields(&file.headers, &path.key("headers")),
            body,
            trailers: self.fields(&file.trailers, &path.key("trailers")),
        }
    }

    fn answer(&mut self, file: &AnswerFile, path: &Path) -> Answer {
        if usize::from(file.hang) + usize::from(file.close) + usize::from(file.early) > 1 {
            self.note(path, "`hang`, `close` and `early` exclude each other", None);
        }
        if file.early && file.body.is_none() {
            let help = "the body is what comes when the request has ended";
            self.note(path, "an early answer needs a body", Some(help.to_owned()));
        }
        Answer {
            kind: match (file.hang, file.close) {
                (true, _) => AnswerKind::Hang,
                (_, true) => AnswerKind::Close,
                _ => AnswerKind::Reply,
            },
            early: file.early,
            status: file.status.unwrap_or(200),
            headers: self.fields(&file.headers, &path.key("headers")),
            body: self.chunks(file.body.as_ref(), &path.key("body")),
            trailers: self.fields(&file.trailers, &path.key("trailers")),
        }
    }

    pub(super) fn fields(&mut self, list: &List<Node>, path: &Path) -> Fields {
        list.0
            .iter()
            .filter_map(|(i, n)| self.pair(n, &path.index(*i)))
            .collect()
    }

    pub(super) fn chunks(&mut self, node: Option<&Node>, path: &Path) -> Vec<Chunk> {
        match node {
            None => Vec::new(),
            Some(Node::Seq(items)) => items
                .iter()
                .enumerate()
                .map(|(i, n)| self.chunk(n, &path.index(i)))
                .collect(),
            Some(node) => vec![self.chunk(node, path)],
        }
    }

    fn play(&mut self, list: &List<Node>, path: &Path, out: &mut Vec<Play>) {
        for (i, node) in &list.0 {
            let at = path.index(*i);
            if let Node::Str(word) = node {
                out.extend(self.ending(word, &at));
                continue;
            }
            match single(node) {
                Some(("wait", w)) => {
                    let (wait, notes) = crate::case::tree::read::<WaitFile>(w);
                    for n in notes {
                        self.note(&at.key("wait"), n.message, n.help);
                    }
                    out.extend(wait.and_then(|w| self.wait(&w, &at.key("wait"))));
                }
                Some(("foreign", file)) => out.extend(self.foreign(file, &at.key("foreign"))),
                Some(("go", Node::Str(name))) => {
                    self.grpc_name(name, &at.key("go"));
                    out.push(Play::Go(name.clone()));
                }
                Some((word, Node::Int(n))) if (1..=i128::from(self.stream_count)).contains(n) => {
                    let n = *n as u32;
                    match if self.tcp {
                        tcp_play(word, n)
                    } else {
                        http_play(word, n)
                    } {
                        Some(play) => out.push(play),
                        None => self.unknown_play(word, &at),
                    }
                }
                Some((_, Node::Int(n))) => {
                    let message =
                        format!("there is no stream {n}: there are {}", self.stream_count);
                    self.note(&at, message, None);
                }
                _ => self.unknown_play("", &at),
            }
        }
    }

    fn unknown_play(&mut self, word: &str, path: &Path) {
        let streams = match self.tcp {
            true => {
                "open, downstream, upstream, end_downstream, end_upstream, close_downstream, \
                 close_upstream, ended_downstream, ended_upstream, finish: N"
            }
            false => "head, chunk, rest, finish, abort: N",
        };
        let help =
            format!("{streams}; go: NAME; wait: {{…}}; foreign: {{…}}; reload; remove; shutdown");
        self.note(path, format!("unknown play `{word}`"), Some(help));
    }

    /// `{function_id: 7, arguments: …}`.
    fn foreign(&mut self, file: &Node, path: &Path) -> Option<Play> {
        let (file, notes) = crate::case::tree::read::<ForeignFile>(file);
        for n in notes {
            self.note(path, n.message, n.help);
        }
        let file = file?;
        let arguments = file.arguments.as_ref();
        Some(Play::Foreign {
            function: file.function_id,
            arguments: arguments
                .map(|n| self.bytes(n, &path.key("arguments")))
                .unwrap_or_default(),
        })
    }

    fn ending(&mut self, word: &str, path: &Path) -> Option<Play> {
        match word {
            "reload" => Some(Play::Reload),
            "remove" => Some(Play::Remove),
            "shutdown" => Some(Play::Shutdown),
            _ => {
                self.unknown_play(word, path);
                None
            }
        }
    }

    fn wait(&mut self, file: &WaitFile, path: &Path) -> Option<Play> {
        let callback = self.callback_name(&file.callback, &path.key("callback"))?;
        let within = match file.within.as_deref().map(parse_duration) {
            None => Duration::from_secs(2),
            Some(Some(d)) => d,
            Some(None) => {
                self.note(
                    &path.key("within"),
                    "expected a time like `500ms` or `2s`",
                    None,
                );
                return None;
            }
        };
        Some(Play::Wait {
            callback,
            times: file.times.unwrap_or(1),
            within,
        })
    }
}

fn http_play(word: &str, n: u32) -> Option<Play> {
    Some(match word {
        "head" => Play::Head(n),
        "chunk" => Play::Chunk(n),
        "rest" => Play::Rest(n),
        "finish" => Play::Finish(n),
        "abort" => Play::Abort(n),
        _ => return None,
    })
}

/// `500ms`, `2s`.
fn parse_duration(text: &str) -> Option<Duration> {
    if let Some(ms) = text.strip_suffix("ms") {
        return ms.trim().parse().ok().map(Duration::from_millis);
    }
    text.strip_suffix('s')?
        .trim()
        .parse()
        .ok()
        .map(Duration::from_secs)
}
