//! Reads all tables: YAML, the versions that others extend first, dialects last, then the check.
//!
//! Gets texts, not a directory: who calls knows where `specs` lies.

use serde::de::DeserializeOwned;

use crate::abi::problem::Problems;
use crate::abi::{Abi, DialectFile, Problem, TableFile, build, check, dialect};

/// The version of the form that this room reads.
const FORM: u32 = 1;

/// Every version and dialect among `files`, each a path that begins with `abi/` and its text;
/// paths elsewhere are passed over. Versions come first, in the order of their paths, then
/// dialects. All problems of all files come at once, as far as one does not hide another.
pub fn load(files: &[(String, String)]) -> Result<Vec<Abi>, Vec<Problem>> {
    let mut files: Vec<&(String, String)> = files
        .iter()
        .filter(|(path, _)| path.starts_with("abi/") && path.ends_with(".yaml"))
        .collect();
    files.sort();
    let (dialects, versions): (Vec<_>, Vec<_>) = files
        .into_iter()
        .partition(|(path, _)| path.starts_with("abi/dialects/"));

    let mut found = Vec::new();
    let mut waiting: Vec<Read<'_, TableFile>> = versions
        .into_iter()
        .filter_map(|file| read(file, |f: &TableFile| f.version, &mut found))
        .collect();
    let mut ready: Vec<(&str, Abi)> = Vec::new();
    let mut faulty: Vec<String> = Vec::new();
    while !waiting.is_empty() {
        let known = |read: &Read<'_, TableFile>| match &read.file.extends {
            Some(base) => ready.iter().any(|(_, abi)| abi.id == *base),
            None => true,
        };
        let Some(next) = waiting.iter().position(known) else {
            for Read { path, text, file } in &waiting {
                let base = file.extends.as_deref().unwrap_or_default();
                let mut problems = Problems::new(path, text);
                problems.at(&["extends", base], format!("no version `{base}` to extend"));
                found.extend(problems.into_sorted());
            }
            break;
        };
        let Read { path, text, file } = waiting.swap_remove(next);
        let mut problems = Problems::new(path, text);
        if ready.iter().any(|(_, abi)| abi.id == file.abi) {
            problems.at(
                &["abi"],
                format!("`{}` is described in another file too", file.abi),
            );
        }
        let base = file.extends.clone();
        let base = ready
            .iter()
            .find(|(_, abi)| Some(&abi.id) == base.as_ref())
            .map(|(_, abi)| abi);
        let abi = build::version(file, base, &mut problems);
        // A version that extends a faulty one would only repeat its faults.
        if base.is_none_or(|base| !faulty.contains(&base.id)) {
            check::check(&abi, &mut problems);
        }
        if base.is_some_and(|base| faulty.contains(&base.id)) || !problems.is_empty() {
            faulty.push(abi.id.clone());
        }
        found.extend(problems.into_sorted());
        ready.push((path, abi));
    }
    ready.sort_by_key(|(path, _)| *path);
    let mut all: Vec<Abi> = ready.into_iter().map(|(_, abi)| abi).collect();

    for source in dialects {
        let Some(Read { path, text, file }) = read(source, |f: &DialectFile| f.version, &mut found)
        else {
            continue;
        };
        let mut problems = Problems::new(path, text);
        if all.iter().any(|abi| abi.id == file.dialect) {
            problems.at(
                &["dialect"],
                format!("`{}` is described in another file too", file.dialect),
            );
        }
        match all
            .iter()
            .find(|abi| abi.id == file.base && abi.dialect_of.is_none())
        {
            Some(base) => {
                let abi = dialect::over(file, base, &mut problems);
                if !faulty.contains(&base.id) {
                    check::check(&abi, &mut problems);
                }
                all.push(abi);
            }
            None => problems.at(&["base", &file.base], format!("no version `{}`", file.base)),
        }
        found.extend(problems.into_sorted());
    }
    if found.is_empty() {
        Ok(all)
    } else {
        Err(found)
    }
}

/// A file that is good YAML of the right form.
struct Read<'a, T> {
    path: &'a str,
    text: &'a str,
    file: T,
}

fn read<'a, T: DeserializeOwned>(
    (path, text): &'a (String, String),
    version: impl Fn(&T) -> u32,
    found: &mut Vec<Problem>,
) -> Option<Read<'a, T>> {
    let mut problems = Problems::new(path, text);
    let file = serde_yaml::from_str::<T>(text)
        .map_err(|error| problems.yaml(&error))
        .ok();
    if let Some(version) = file
        .as_ref()
        .map(version)
        .filter(|version| *version != FORM)
    {
        problems.at(
            &["version"],
            format!("version {version} of this form is unknown: it is {FORM}"),
        );
    }
    let good = problems.is_empty();
    found.extend(problems.into_sorted());
    file.filter(|_| good).map(|file| Read { path, text, file })
}
