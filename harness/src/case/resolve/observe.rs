//! What surveys observe.
//!
//! Does not know what was seen.

use crate::case::lenient::List;
use crate::case::resolve::resolver::Resolver;
use crate::case::resolve::value::parse_who;
use crate::case::schema::ObserveFile;
use crate::case::yaml::Path;
use crate::case::{Observation, Observe, StepRef, Who};

impl Resolver<'_> {
    pub(super) fn observations(
        &mut self,
        list: &List<ObserveFile>,
        path: &Path,
    ) -> Vec<Observation> {
        let mut out = Vec::new();
        for (i, f) in &list.0 {
            let at = path.index(*i);
            self.requirement(&f.req, &at.key("req"), None);
            match self.observe(&f.what) {
                Some(what) => {
                    out.push(Observation {
                        req: f.req.clone(),
                        name: f.what.clone(),
                        what,
                    });
                }
                // A call that this version lacks is not counted here.
                None if self.missing.is_some() => {}
                None => {
                    let help = "`call N status`, `call N OUTPUT`, `call N OUTPUT after call M`, \
                                `callbacks stream N`, `callbacks plugin N`, `callbacks any`, \
                                `callbacks vm NAME …`, `log TEXT`, `client N status|body|closed|header NAME|trailer NAME`, \
                                `upstream NAME header NAME|trailer NAME|body|closed|count`, \
                                `grpc NAME metadata NAME|messages|over|count`, `load`, `end`";
                    let message = format!("cannot observe `{}`", f.what);
                    self.note(&at.key("what"), message, Some(help.to_owned()));
                }
            }
        }
        out
    }

    fn observe(&self, what: &str) -> Option<Observe> {
        let words: Vec<&str> = what.split_whitespace().collect();
        let stream = |n: &str| {
            n.parse()
                .ok()
                .filter(|n| (1..=self.stream_count).contains(n))
        };
        Some(match words[..] {
            ["call", n, "status"] => Observe::Status(self.nth_call(n)?),
            ["call", n, out] => Observe::Out(self.with_out(n, out)?, out.to_owned()),
            ["call", n, out, "after", "call", m] => Observe::Against(
                self.with_out(n, out)?,
                self.with_out(m, out)?,
                out.to_owned(),
            ),
            ["callbacks", "vm", name, ref who @ ..] => {
                let vm = self.vm_names.iter().position(|n| n == name)?;
                Observe::Callbacks(observed(vm as u32, who)?)
            }
            ["callbacks", ref who @ ..] => Observe::Callbacks(observed(0, who)?),
            ["log", _, ..] => Observe::Log(what.trim_start().get(3..)?.trim().to_owned()),
            ["client", n, "status"] => Observe::ClientStatus(stream(n)?),
            ["client", n, "body"] => Observe::ClientBody(stream(n)?),
            ["client", n, "closed"] => Observe::ClientClosed(stream(n)?),
            ["client", n, "header", name] => Observe::ClientHeader(stream(n)?, name.to_owned()),
            ["client", n, "trailer", name] => Observe::ClientTrailer(stream(n)?, name.to_owned()),
            ["upstream", at, "trailer", name] => {
                Observe::UpstreamTrailer(at.to_owned(), name.to_owned())
            }
            ["upstream", at, "header", name] => {
                Observe::UpstreamHeader(at.to_owned(), name.to_owned())
            }
            ["upstream", at, "body"] => Observe::UpstreamBody(at.to_owned()),
            ["upstream", at, "closed"] => Observe::UpstreamClosed(at.to_owned()),
            ["upstream", at, "count"] => Observe::UpstreamCount(at.to_owned()),
            ["grpc", ref rest @ ..] => self.grpc_observe(rest)?,
            ["load"] => Observe::Load,
            ["end"] => Observe::End,
            _ => return None,
        })
    }

    fn nth_call(&self, n: &str) -> Option<StepRef> {
        let n: usize = n.parse().ok()?;
        self.calls.get(n.checked_sub(1)?).cloned()
    }

    /// A step whose hostcall has this output.
    fn with_out(&self, n: &str, out: &str) -> Option<StepRef> {
        let step = self.nth_call(n)?;
        let hostcall = self.abi.hostcall(&step.hostcall)?;
        let mut params = hostcall.params.iter();
        params
            .any(|p| p.name == out && p.ty.is_out())
            .then_some(step)
    }
}

/// `any`, `plugin 1`, `stream 2`.
fn observed(vm: u32, words: &[&str]) -> Option<Who> {
    if *words == ["any"] {
        return Some(Who::Vm { vm });
    }
    Some(match parse_who(&words.join(" "))? {
        ("plugin", nth) => Who::Plugin { vm, nth },
        (_, nth) => Who::Stream { vm, nth },
    })
}
