//! The module of a VM where it is not simply the scripted guest: what is odd about it, or the guest
//! that takes its place.
//!
//! Does not know what is in a guest beyond what the loader was told.

use crate::abi::Word;
use crate::case::lenient::List;
use crate::case::model::Unavailable;
use crate::case::problem::nearest;
use crate::case::resolve::resolver::Resolver;
use crate::case::schema::{ModuleFile, PluginFile};
use crate::case::yaml::Path;
use crate::case::{CheckKind, FixedRef, Observe, OddImport, Oddities, Section, Signature};

impl Resolver<'_> {
    pub(super) fn oddities(&mut self, file: &ModuleFile, path: &Path) -> Oddities {
        if file.memory.pages == Some(0) || file.memory.pages.is_some_and(|p| p > 65536) {
            let at = path.key("memory").key("pages");
            self.note(&at, "expected 1 to 65536 pages", None);
        }
        let at = path.key("sections");
        let sections = file.sections.0.iter().map(|(i, s)| Section {
            name: s.name.clone(),
            bytes: self.bytes(&s.bytes, &at.index(*i).key("bytes")),
            first: s.first,
        });
        let sections: Vec<Section> = sections.collect();
        let imports = file.imports.items().map(|i| OddImport {
            module: i.from.clone(),
            name: i.name.clone(),
            signature: signature(&i.params, &i.results),
        });
        let imports = imports.collect();
        let at = path.key("signatures");
        let mut signatures = Vec::new();
        for (name, s) in &file.signatures.0 {
            if let Some(name) = self.callback_name(name, &at.key_itself(name, 0)) {
                signatures.push((name, signature(&s.params, &s.results)));
            }
        }
        Oddities {
            pages: file.memory.pages,
            hidden_memory: file.memory.hidden,
            start: file.start,
            sections,
            imports,
            signatures,
        }
    }

    /// The guest of this name, for this column.
    pub(super) fn fixed(&mut self, plugin: &PluginFile, path: &Path) -> Option<FixedRef> {
        let name = plugin.guest.as_deref()?;
        let at = path.key("guest");
        let others = [
            ("exports", plugin.exports.is_some()),
            ("module", plugin.module.is_some()),
            ("program", !plugin.program.0.is_empty()),
        ];
        for (key, _) in others.into_iter().filter(|(_, there)| *there) {
            let message = format!("`guest` takes the place of `{key}`");
            self.note(&path.key(key), message, None);
        }
        let guests = self.guests;
        let Some(guest) = guests.iter().find(|g| g.name == name) else {
            let help = nearest(name, guests.iter().map(|g| g.name.as_str()));
            self.note(&at, format!("unknown guest `{name}`"), help);
            return None;
        };
        let dialect = self.abi.dialect_of.is_some();
        if dialect && !guest.imports.is_empty() {
            let why = "the guest imports hostcalls by the text's names";
            let why = Unavailable::NoCounterpart(why.to_owned());
            self.missing.get_or_insert(why);
        } else if !guest.handmade() && !guest.markers.contains(&self.abi.marker) {
            self.lacks(format!("marker of {name}"));
        }
        let abi = self.abi;
        let own = abi
            .hostcalls
            .iter()
            .filter(|h| guest.imports.contains(&h.import));
        self.hostcalls.extend(own.map(|h| h.name.clone()));
        let marked = guest.handmade() && !guest.markers.is_empty();
        Some(FixedRef {
            name: name.to_owned(),
            digest: guest.digest.clone(),
            marker: marked.then(|| abi.marker.clone()),
        })
    }

    /// A fixed guest sends no frames: nothing can be said of what crossed its boundary.
    pub(super) fn only_outside(&mut self, observed: &[crate::case::Observation], path: &Path) {
        let inside = |k: &CheckKind| {
            matches!(
                k,
                CheckKind::Status { .. }
                    | CheckKind::Out { .. }
                    | CheckKind::Callbacks { .. }
                    | CheckKind::Never { .. }
                    | CheckKind::Body { .. }
            )
        };
        let checks = self.checks.iter().zip(&self.paths);
        let checks = checks.filter(|(c, _)| inside(&c.kind));
        let mut wrong: Vec<Path> = checks.map(|(_, p)| p.clone()).collect();
        let boundary = |w: &Observe| {
            matches!(
                w,
                Observe::Status(_) | Observe::Out(..) | Observe::Callbacks(_)
            )
        };
        if observed.iter().any(|o| boundary(&o.what)) {
            wrong.push(path.key("observe"));
        }
        for path in wrong {
            let message = "a guest that is not the scripted one records nothing: look at client, upstream, log, load or ends";
            self.note(&path, message, None);
        }
    }
}

fn signature(params: &List<Word>, results: &List<Word>) -> Signature {
    Signature {
        params: params.items().copied().collect(),
        results: results.items().copied().collect(),
    }
}
