//! Reads all tables: YAML, the versions that others extend first, dialects last, then the check.
//!
//! Gets texts, not a directory: who calls knows where `specs` lies.

use serde::de::DeserializeOwned;

use crate::abi::problem::Problems;
use crate::abi::{Abi, DialectFile, Problem, TableFile, build, check, dialect, text};

/// The version of the form that this room reads.
const FORM: u32 = 1;

/// Every version and dialect among `files`, each a path that begins with `abi/` and its text;
/// paths elsewhere and line maps are passed over. Versions come first, in the order of their paths, then
/// dialects. All problems of all files come at once, as far as one does not hide another.
pub fn load(files: &[(String, String)]) -> Result<Vec<Abi>, Vec<Problem>> {
    let mut files: Vec<&(String, String)> = files
        .iter()
        .filter(|(path, _)| path.starts_with("abi/") && path.ends_with(".yaml"))
        .filter(|(path, _)| !path.starts_with(text::FOLDER))
        .collect();
    files.sort();
    let (dialects, versions): (Vec<_>, Vec<_>) = files
        .into_iter()
        .partition(|(path, _)| path.starts_with("abi/dialects/"));

    let mut loading = Loading::default();
    loading.versions(&versions);
    loading.dialects(&dialects);
    if loading.found.is_empty() {
        Ok(loading.ready.into_iter().map(|ready| ready.abi).collect())
    } else {
        Err(loading.found)
    }
}

/// What has been read so far.
#[derive(Default)]
struct Loading<'a> {
    ready: Vec<Ready<'a>>,
    found: Vec<Problem>,
    /// A file could not be read as YAML, so that a version may be missing for this reason alone.
    unread: bool,
}

/// A version or dialect, and whether it was free of problems.
struct Ready<'a> {
    path: &'a str,
    abi: Abi,
    sound: bool,
}

/// A file that is good YAML of the right form.
struct Read<'a, T> {
    path: &'a str,
    text: &'a str,
    file: T,
}

impl<'a> Loading<'a> {
    fn versions(&mut self, files: &[&'a (String, String)]) {
        let mut waiting: Vec<Read<'a, TableFile>> = Vec::new();
        for file in files {
            waiting.extend(self.read(file, |table: &TableFile| table.version));
        }
        let can_go = |read: &Read<'a, TableFile>, ready: &[Ready<'a>]| match &read.file.extends {
            Some(base) => ready.iter().any(|ready| ready.abi.id == *base),
            None => true,
        };
        while let Some(next) = waiting.iter().position(|read| can_go(read, &self.ready)) {
            let Read { path, text, file } = waiting.swap_remove(next);
            let mut problems = Problems::new(path, text);
            self.refuse_second(&file.abi, "abi", &mut problems);
            let named = |ready: &&Ready<'_>| Some(&ready.abi.id) == file.extends.as_ref();
            let base = self.ready.iter().find(named);
            // What extends a faulty version would only repeat its faults.
            let on_rock = base.is_none_or(|base| base.sound);
            let abi = build::version(file, base.map(|base| &base.abi), &mut problems);
            self.finish(path, abi, on_rock, problems);
        }
        for Read { path, text, file } in waiting.iter().filter(|_| !self.unread) {
            let base = file.extends.as_deref().unwrap_or_default();
            let mut problems = Problems::new(path, text);
            problems.at(&["extends", base], format!("no version `{base}` to extend"));
            self.found.extend(problems.into_sorted());
        }
        self.ready.sort_by_key(|ready| ready.path);
    }

    fn dialects(&mut self, files: &[&'a (String, String)]) {
        for source in files {
            let Some(Read { path, text, file }) = self.read(source, |d: &DialectFile| d.version)
            else {
                continue;
            };
            let mut problems = Problems::new(path, text);
            self.refuse_second(&file.dialect, "dialect", &mut problems);
            let is_base =
                |ready: &&Ready<'_>| ready.abi.id == file.base && ready.abi.dialect_of.is_none();
            match self.ready.iter().find(is_base) {
                Some(base) => {
                    let on_rock = base.sound;
                    let abi = dialect::over(file, &base.abi, &mut problems);
                    self.finish(path, abi, on_rock, problems);
                }
                None if self.unread => {}
                None => {
                    problems.at(&["base", &file.base], format!("no version `{}`", file.base));
                    self.found.extend(problems.into_sorted());
                }
            }
        }
    }

    fn read<T: DeserializeOwned>(
        &mut self,
        (path, text): &'a (String, String),
        version: impl Fn(&T) -> u32,
    ) -> Option<Read<'a, T>> {
        let mut problems = Problems::new(path, text);
        match serde_yaml::from_str::<T>(text) {
            Ok(file) if version(&file) == FORM => return Some(Read { path, text, file }),
            Ok(file) => {
                let other = version(&file);
                let message = format!("version {other} of this form is unknown: it is {FORM}");
                problems.at(&["version"], message);
            }
            Err(error) => problems.yaml(&error),
        }
        self.unread = true;
        self.found.extend(problems.into_sorted());
        None
    }

    fn refuse_second(&self, id: &str, key: &str, problems: &mut Problems<'_>) {
        if self.ready.iter().any(|ready| ready.abi.id == id) {
            problems.at(&[key], format!("`{id}` is described in another file too"));
        }
    }

    fn finish(&mut self, path: &'a str, abi: Abi, on_rock: bool, mut problems: Problems<'a>) {
        if on_rock {
            check::check(&abi, &mut problems);
        }
        let sound = on_rock && problems.is_empty();
        self.found.extend(problems.into_sorted());
        let abi = abi.indexed();
        self.ready.push(Ready { path, abi, sound });
    }
}
