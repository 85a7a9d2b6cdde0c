//! Programs: callback keys with selectors, steps, and the checks that stand on steps.
//!
//! Does not know how a guest runs them.

use crate::abi::{Hostcall, Returns, Type};
use crate::case::lenient::{List, Table};
use crate::case::problem::nearest;
use crate::case::resolve::resolver::{NewCheck, Resolver, Saved, keys};
use crate::case::resolve::value::Place;
use crate::case::schema::StepFile;
use crate::case::yaml::{Node, Path};
use crate::case::{
    Act, ArgValue, Call, CheckKind, Handler, Matcher, Operand, Select, Step, StepRef,
};

impl Resolver<'_> {
    pub(super) fn program(
        &mut self,
        vm: u32,
        plugin: u32,
        program: &Table<List<StepFile>>,
        path: &Path,
    ) -> Vec<Handler> {
        let mut out = Vec::new();
        for (key, steps) in &program.0 {
            let at = path.key(key);
            let here = path.key_itself(key, 0);
            let Some((name, select)) = self.callback_key(key, &here) else {
                continue;
            };
            let Some(callback) = self.callback_name(name, &here) else {
                continue;
            };
            let place = Place {
                vm,
                callback: callback.clone(),
            };
            let mut handler = Handler {
                plugin,
                callback,
                select,
                steps: Vec::new(),
            };
            for (i, step) in &steps.0 {
                self.step(step, &place, &at.index(*i), &mut handler.steps);
            }
            out.push(handler);
        }
        out
    }

    /// `request_body[stream=2, nth=1]`.
    fn callback_key<'k>(&mut self, key: &'k str, path: &Path) -> Option<(&'k str, Select)> {
        let mut select = Select::default();
        let Some((name, rest)) = key.split_once('[') else {
            return Some((key, select));
        };
        let Some(inside) = rest.strip_suffix(']') else {
            self.note(path, "expected `]` at the end", None);
            return None;
        };
        for part in inside.split(',') {
            let (word, value) = part.split_once('=').unwrap_or((part, ""));
            let (word, value) = (word.trim(), value.trim());
            match (word, value.parse::<u32>(), value.parse::<bool>()) {
                ("stream", Ok(n), _) if n > 0 => select.stream = Some(n),
                ("nth", Ok(n), _) if n > 0 => select.nth = Some(n),
                ("end_of_stream", _, Ok(b)) => select.end_of_stream = Some(b),
                _ => {
                    let help = "stream=N, nth=N, end_of_stream=true|false";
                    self.note(
                        path,
                        format!("unknown selector `{}`", part.trim()),
                        Some(help.to_owned()),
                    );
                }
            }
        }
        Some((name.trim(), select))
    }

    fn step(&mut self, file: &StepFile, place: &Place, path: &Path, out: &mut Vec<Step>) {
        let patch = file
            .per_abi
            .get(self.abi.text_version())
            .cloned()
            .unwrap_or_default();
        for (key, _) in &file.per_abi.0 {
            if !self.all.iter().any(|a| a.id == *key) {
                let known: Vec<_> = self.all.iter().map(|a| a.id.as_str()).collect();
                let help = nearest(key, known);
                self.note(
                    &path.key("per_abi").key_itself(key, 0),
                    format!("unknown ABI version `{key}`"),
                    help,
                );
            }
        }
        if patch.skip {
            return;
        }
        let call = patch.call.clone().or_else(|| file.call.clone());
        let when = self.when(&file.when, place, &path.key("when"));
        let kinds = [
            call.is_some(),
            file.returns.is_some(),
            file.resume.is_some(),
            file.trap,
            file.spin,
            file.recurse,
            file.grow.is_some(),
        ];
        if kinds.iter().filter(|k| **k).count() != 1 {
            let help = "one of call, return, resume, trap, spin, recurse, grow";
            self.note(path, "a step does exactly one thing", Some(help.to_owned()));
            return;
        }
        self.alone |= file.spin || file.recurse || file.grow.is_some();
        if let Some(call) = call {
            let with = patch.with.as_ref().unwrap_or(&file.with);
            let expect = patch.expect.as_ref().unwrap_or(&file.expect);
            let req = patch.req.as_ref().or(file.req.as_ref());
            let written = Written {
                call: &call,
                with,
                expect,
                req,
                file,
                path,
            };
            let none = Table::default();
            let variants: Vec<&Table<Node>> = if file.each.0.is_empty() {
                vec![&none]
            } else {
                file.each.items().collect()
            };
            for variant in variants {
                if let Some(act) = self.call(&written, variant, place) {
                    out.push(Step { when, act });
                }
            }
            return;
        }
        let act = if let Some(value) = &file.returns {
            let returns = self
                .abi
                .callback(&place.callback)
                .map(|c| c.returns.clone());
            let ty = match returns {
                Some(Returns::Enum(e)) => Type::Enum(e),
                Some(Returns::Bool) => Type::Bool,
                Some(Returns::Nothing) => {
                    self.note(path, format!("{} returns nothing", place.callback), None);
                    Type::U32
                }
                _ => Type::U32,
            };
            Act::Return(self.operand(value, &ty, place, &path.key("return")))
        } else if let Some(which) = &file.resume {
            match self.resume(which, place, path) {
                Some(act) => act,
                None => return,
            }
        } else if file.trap {
            Act::Trap
        } else if file.spin {
            Act::Spin
        } else if file.recurse {
            Act::Recurse
        } else {
            self.grow(file.grow.as_ref(), &path.key("grow"))
        };
        out.push(Step { when, act });
    }

    fn grow(&mut self, pages: Option<&Node>, path: &Path) -> Act {
        match pages {
            Some(Node::Int(n)) if (1..=65536).contains(n) => Act::Grow(Some(*n as u32)),
            Some(Node::Str(s)) if s == "forever" => Act::Grow(None),
            _ => {
                self.note(path, "expected a number of pages, or `forever`", None);
                Act::Grow(Some(1))
            }
        }
    }

    fn when(&mut self, when: &Table<String>, place: &Place, path: &Path) -> Option<(u32, u32)> {
        let (arg, name) = when.0.first()?;
        let at = path.key(arg);
        let Operand::CallbackArg(arg) = self.callback_arg(arg, place, &at) else {
            return None;
        };
        match self.saved.get(&(place.vm, name.clone())) {
            Some(saved) => Some((arg, saved.slot)),
            None => {
                self.note(
                    &at,
                    format!("nothing was saved as `{name}` before this step"),
                    None,
                );
                None
            }
        }
    }

    /// `resume: request`: the call that this ABI version has for it.
    fn resume(&mut self, which: &str, place: &Place, path: &Path) -> Option<Act> {
        let stream = match which {
            "request" => "HTTP_REQUEST",
            "response" => "HTTP_RESPONSE",
            "downstream" => "DOWNSTREAM",
            "upstream" => "UPSTREAM",
            _ => {
                let help = "request, response, downstream or upstream";
                self.note(
                    &path.key("resume"),
                    format!("cannot resume `{which}`"),
                    Some(help.to_owned()),
                );
                return None;
            }
        };
        let old = format!("proxy_continue_{which}");
        // Before `proxy_continue_stream` there was none for TCP.
        let tcp = ["downstream", "upstream"].contains(&which);
        let (name, with) = if tcp || self.abi.hostcall("proxy_continue_stream").is_some() {
            let stream = Node::Str(stream.to_owned());
            (
                "proxy_continue_stream",
                Table(vec![("stream_type".to_owned(), stream)]),
            )
        } else {
            (old.as_str(), Table::default())
        };
        let (expect, file) = (Table::default(), StepFile::default());
        let written = Written {
            call: name,
            with: &with,
            expect: &expect,
            req: None,
            file: &file,
            path,
        };
        self.call(&written, &Table::default(), place)
    }

    fn call(&mut self, w: &Written, variant: &Table<Node>, place: &Place) -> Option<Act> {
        let hostcall = self.hostcall(w.call, &w.path.key("call"))?;
        self.hostcalls.insert(hostcall.name.clone());
        let known: Vec<&str> = hostcall.params.iter().map(|p| p.name.as_str()).collect();
        let written = keys(w.with).map(|k| (k, w.path.key("with")));
        for (key, at) in written.chain(keys(variant).map(|k| (k, w.path.key("each")))) {
            if !known.contains(&key) {
                let help = nearest(key, known.iter().copied())
                    .or_else(|| Some(format!("it has {}", known.join(", "))));
                let message = format!("{} has no parameter `{key}`", hostcall.name);
                self.note(&at.key_itself(key, 0), message, help);
            }
        }
        let index = self.calls.iter().filter(|c| c.vm == place.vm).count() as u32;
        let step = StepRef {
            vm: place.vm,
            index,
            call: self.calls.len() as u32 + 1,
            hostcall: hostcall.name.clone(),
            callback: place.callback.clone(),
        };
        self.calls.push(step.clone());
        let mut args: Vec<ArgValue> = Vec::new();
        for param in &hostcall.params {
            let node = variant.get(&param.name).or_else(|| w.with.get(&param.name));
            args.push(self.arg(node, param, place, &w.path.key("with").key(&param.name)));
        }
        let saves = self.saves(w, &hostcall, &step);
        // What a dialect's call does not take cannot lie outside memory there.
        let dropped = |(key, value): &(String, Node)| {
            !known.contains(&key.as_str()) && value.get("ptr").is_some()
        };
        if !(self.abi.dialect_of.is_some() && variant.0.iter().any(dropped)) {
            self.step_checks(w, &hostcall, &step);
        }
        Some(Act::Call(Call {
            hostcall: hostcall.name,
            args,
            saves,
            repeat: w.file.repeat.unwrap_or(1).max(1),
        }))
    }

    fn hostcall(&mut self, name: &str, path: &Path) -> Option<Hostcall> {
        if let Some(h) = self.abi.hostcall(name) {
            if let Some(why) = &h.absent {
                self.no_counterpart(name, why);
            }
            return Some(h.clone());
        }
        let all = self.all.to_vec();
        let known = all
            .iter()
            .flat_map(|a| a.hostcalls.iter().map(|h| h.name.as_str()));
        self.unknown(path, "hostcall", name, known);
        None
    }

    fn saves(&mut self, w: &Written, hostcall: &Hostcall, step: &StepRef) -> Vec<(u32, u32)> {
        let mut saves = Vec::new();
        for (out, name) in &w.file.save.0 {
            let at = w.path.key("save").key_itself(out, 0);
            let found = hostcall
                .params
                .iter()
                .position(|p| p.name == *out && p.ty.is_out());
            let Some(index) = found else {
                self.note(
                    &at,
                    format!("{} has no output `{out}`", hostcall.name),
                    None,
                );
                continue;
            };
            let slots = self.saved.keys().filter(|(vm, _)| *vm == step.vm).count() as u32;
            let key = (step.vm, name.clone());
            let slot = self.saved.get(&key).map_or(slots, |s| s.slot);
            self.saved.insert(
                key,
                Saved {
                    slot,
                    step: step.clone(),
                    out: out.clone(),
                },
            );
            saves.push((index as u32, slot));
        }
        saves
    }

    fn step_checks(&mut self, w: &Written, hostcall: &Hostcall, step: &StepRef) {
        let path = w.path.key("expect");
        let status = w.expect.get("status");
        if w.expect.0.is_empty() {
            if w.file.control || w.file.req.is_some() {
                self.note(
                    w.path,
                    "nothing is expected here",
                    Some("add `expect`".to_owned()),
                );
            }
            return;
        }
        let word = match status {
            Some(Node::Str(s)) => s.clone(),
            None => if hostcall.name.starts_with("proxy_") {
                "OK"
            } else {
                "SUCCESS"
            }
            .to_owned(),
            Some(_) if w.req.is_some() => String::new(),
            Some(_) => {
                self.note(&path.key("status"), "this expectation needs a `req`", None);
                return;
            }
        };
        let req = w
            .req
            .cloned()
            .unwrap_or_else(|| format!("{}/{word}", hostcall.name));
        let req_path = w.req.map(|_| w.path.key("req"));
        for (key, node) in &w.expect.0 {
            let at = path.key(key);
            let kind = if key == "status" {
                let Returns::Enum(e) = &hostcall.returns else {
                    self.note(&at, format!("{} returns nothing", hostcall.name), None);
                    continue;
                };
                let expect = self.matcher(node, &Type::Enum(e.clone()), step.vm, &at);
                CheckKind::Status {
                    step: step.clone(),
                    expect,
                }
            } else {
                let param = hostcall
                    .params
                    .iter()
                    .find(|p| p.name == *key && p.ty.is_out());
                let Some(param) = param else {
                    let known: Vec<&str> = hostcall
                        .params
                        .iter()
                        .filter(|p| p.ty.is_out())
                        .map(|p| p.name.as_str())
                        .collect();
                    let help = format!(
                        "status{}{}",
                        if known.is_empty() { "" } else { ", " },
                        known.join(", ")
                    );
                    let message = format!("{} has no output `{key}`", hostcall.name);
                    self.note(&path.key_itself(key, 0), message, Some(help));
                    continue;
                };
                let ty = param.ty.clone();
                let expect = self.matcher(node, &ty, step.vm, &at);
                if let Matcher::CountIs(arg) = &expect {
                    let place = Place {
                        vm: step.vm,
                        callback: step.callback.clone(),
                    };
                    self.callback_arg(arg, &place, &at.key("count").key("arg"));
                }
                CheckKind::Out {
                    step: step.clone(),
                    out: key.clone(),
                    expect,
                }
            };
            let check = NewCheck {
                name: format!("call {} {key}", step.call),
                req: req.clone(),
                req_path: req_path.as_ref(),
                level: w.file.level,
                control: w.file.control,
                kind,
            };
            self.check(check, &at);
        }
    }
}

/// A `call` step as written, with what its ABI version changes.
struct Written<'w> {
    call: &'w str,
    with: &'w Table<Node>,
    expect: &'w Table<Node>,
    req: Option<&'w String>,
    file: &'w StepFile,
    path: &'w Path,
}
