//! Snapshots: the canonical traces of earlier runs, one insta file per column and suite.
//!
//! They remember, they do not judge. Does not know verdicts.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::record::Drift;
use crate::runner::{Specs, varies};
use crate::trace;

/// Cases of one snapshot file, in order of their ids.
pub type Sections = BTreeMap<String, String>;

/// Where the snapshot of a suite in a column stands, below `specs/`.
pub fn path(column: &str, suite: &str) -> String {
    format!("snapshots/{column}/{suite}.snap")
}

/// The sections of a snapshot, if there is one.
pub fn load(specs: &Specs, column: &str, suite: &str) -> Sections {
    let text = specs.snapshot(&path(column, suite));
    text.map(|text| sections(&text)).unwrap_or_default()
}

/// The sections of a snapshot file.
pub fn sections(text: &str) -> Sections {
    parse(body(text))
}

/// Compares one case with its section, in which `‹varies›` stands for anything.
pub fn compare(known: &Sections, case: &str, now: &str) -> Option<Drift> {
    match known.get(case) {
        Some(then) if varies::same(then, now) => None,
        Some(then) => Some(Drift {
            new: false,
            diff: trace::diff(then, now),
        }),
        None => Some(Drift {
            new: true,
            diff: String::new(),
        }),
    }
}

/// The text of a snapshot file: the header that insta reads, then a section per case.
pub fn render(column: &str, suite: &str, sections: &Sections) -> String {
    let head = format!("---\nsource: specs/cases/{suite}.yaml\nexpression: {column}\n---\n");
    with_head(&head, sections)
}

fn with_head(head: &str, sections: &Sections) -> String {
    let mut out = head.to_owned();
    for (case, text) in sections {
        out.push_str(&format!("=== {case}\n{}\n\n", text.trim_end()));
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// The contents below insta's header: what follows the second line that is `---`.
fn body(text: &str) -> &str {
    let Some(rest) = text.strip_prefix("---\n") else {
        return text;
    };
    rest.split_once("\n---\n").map_or("", |(_, body)| body)
}

fn parse(body: &str) -> Sections {
    let mut out = Sections::new();
    for part in format!("\n{body}").split("\n=== ").skip(1) {
        let (case, text) = part.split_once('\n').unwrap_or((part, ""));
        out.insert(case.trim().to_owned(), format!("{}\n", text.trim_end()));
    }
    out
}

/// Writes `FILE.snap.new` beside a snapshot for the cases that were run and are not as in it; other
/// sections stay.
///
/// # Errors
/// The folder is not writable.
pub fn write_new(
    folder: &Path,
    column: &str,
    suite: &str,
    mut known: Sections,
    now: &Sections,
) -> Result<PathBuf, String> {
    for (case, text) in now {
        if compare(&known, case, text).is_some() {
            known.insert(case.clone(), text.clone());
        }
    }
    let file = folder.join(format!("{}.new", path(column, suite)));
    write_atomically(&file, render(column, suite, &known).as_bytes())?;
    Ok(file)
}

/// Writes down that a case's trace is another one from run to run: in `FILE.snap.new`, which is made from
/// the snapshot where there is none, what differs becomes `‹varies›`.
///
/// # Errors
/// The folder is not writable.
pub fn write_varying(
    folder: &Path,
    column: &str,
    suite: &str,
    case: &str,
    now: &str,
) -> Result<(), String> {
    let file = folder.join(format!("{}.new", path(column, suite)));
    let text = fs::read_to_string(&file).or_else(|_| fs::read_to_string(settled(&file)));
    let mut known = text.map(|text| sections(&text)).unwrap_or_default();
    let Some(marked) = known.get(case).and_then(|then| varies::mark(then, now)) else {
        return Ok(());
    };
    known.insert(case.to_owned(), marked);
    write_atomically(&file, render(column, suite, &known).as_bytes())
}

/// Writes a file so that nobody ever sees half of it.
///
/// # Errors
/// The folder is not writable.
pub fn write_atomically(file: &Path, bytes: &[u8]) -> Result<(), String> {
    let failed = |e: std::io::Error| format!("failed to write {}: {e}", file.display());
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(failed)?;
    let mut temp = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    temp.write_all(bytes).map_err(failed)?;
    // Temporary files are private; what is published follows the usual rights.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        temp.as_file()
            .set_permissions(fs::Permissions::from_mode(0o644))
            .map_err(failed)?;
    }
    temp.persist(file).map_err(|e| failed(e.error))?;
    Ok(())
}

/// All `.snap.new` files below a specs folder, as `(column, file)`, sorted.
///
/// # Errors
/// A folder that cannot be read.
pub fn pending(folder: &Path) -> Result<Vec<(String, PathBuf)>, String> {
    let root = folder.join("snapshots");
    let mut out = Vec::new();
    if root.is_dir() {
        walk(&root, &root, &mut out)?;
    }
    out.sort();
    Ok(out)
}

fn walk(root: &Path, dir: &Path, out: &mut Vec<(String, PathBuf)>) -> Result<(), String> {
    let failed = |e: std::io::Error| format!("failed to read {}: {e}", dir.display());
    for entry in fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            walk(root, &path, out)?;
        } else if path.to_string_lossy().ends_with(".snap.new") {
            let below = path.strip_prefix(root).unwrap_or(&path);
            let column = below
                .components()
                .next()
                .map(|c| c.as_os_str().to_string_lossy().into_owned());
            out.push((column.unwrap_or_default(), path));
        }
    }
    Ok(())
}

/// Takes a pending snapshot: `FILE.snap.new` becomes `FILE.snap`.
///
/// # Errors
/// The file cannot be renamed.
pub fn accept(new: &Path) -> Result<PathBuf, String> {
    let old = settled(new);
    fs::rename(new, &old).map_err(|e| format!("failed to accept {}: {e}", new.display()))?;
    Ok(old)
}

/// Drops a pending snapshot.
///
/// # Errors
/// The file cannot be removed.
pub fn reject(new: &Path) -> Result<(), String> {
    fs::remove_file(new).map_err(|e| format!("failed to reject {}: {e}", new.display()))
}

/// What changed, case by case: `(case, diff)`.
///
/// # Errors
/// A file that cannot be read.
pub fn changes(new: &Path) -> Result<Vec<(String, Drift)>, String> {
    let read = |p: &Path| fs::read_to_string(p);
    let now = read(new).map_err(|e| format!("failed to read {}: {e}", new.display()))?;
    let then = read(&settled(new)).unwrap_or_default();
    let (now, then) = (parse(body(&now)), parse(body(&then)));
    Ok(now
        .iter()
        .filter_map(|(case, text)| {
            let mut drift = compare(&then, case, text)?;
            // Who takes a new one reads all of it.
            if drift.new {
                drift.diff = trace::diff("", text);
            }
            Some((case.clone(), drift))
        })
        .collect())
}

/// Settles one case of a pending snapshot and leaves the others pending; without a change that is left
/// the pending file goes.
///
/// # Errors
/// A file that cannot be read or written.
pub fn settle_case(new: &Path, case: &str, take: bool) -> Result<(), String> {
    let old = settled(new);
    let text =
        fs::read_to_string(new).map_err(|e| format!("failed to read {}: {e}", new.display()))?;
    let head = &text[..text.len() - body(&text).len()];
    let mut now = sections(&text);
    let mut then = fs::read_to_string(&old)
        .map(|t| sections(&t))
        .unwrap_or_default();
    match (take, now.get(case).cloned(), then.get(case).cloned()) {
        (true, Some(text), _) => {
            then.insert(case.to_owned(), text);
        }
        (false, Some(_), Some(text)) => {
            now.insert(case.to_owned(), text);
        }
        (false, Some(_), None) => {
            now.remove(case);
        }
        (_, None, _) => return Err(format!("{} has no case {case}", new.display())),
    }
    if take {
        write_atomically(&old, with_head(head, &then).as_bytes())?;
    }
    let open = now
        .iter()
        .any(|(case, text)| compare(&then, case, text).is_some());
    match open {
        true => write_atomically(new, with_head(head, &now).as_bytes()),
        false => reject(new),
    }
}

fn settled(new: &Path) -> PathBuf {
    let text = new.to_string_lossy();
    PathBuf::from(text.trim_end_matches(".new"))
}
