//! Where cases, tables and profiles come from: the copy inside the binary, or a folder.
//!
//! Does not know what the files mean.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use include_dir::{Dir, include_dir};

use crate::abi::{self, TextMap};
use crate::case::{Problem, Profile, Suite, load_profile, load_profile_over};
use crate::guest;

static EMBEDDED: Dir = include_dir!("$CARGO_MANIFEST_DIR/../specs");

/// All files of `specs/` that people write, with their texts. Snapshots are read when they are asked for.
#[derive(Debug, Clone)]
pub struct Specs {
    /// `(path below specs/, text)`, sorted by path.
    pub files: Vec<(String, String)>,
    /// The folder, when they come from one.
    pub folder: Option<PathBuf>,
}

impl Specs {
    /// The copy inside the binary.
    pub fn embedded() -> Specs {
        let mut files = Vec::new();
        collect_embedded(&EMBEDDED, &mut files);
        files.sort();
        Specs {
            files,
            folder: None,
        }
    }

    /// A folder laid out like `specs/`.
    ///
    /// # Errors
    /// A file or folder that cannot be read.
    pub fn folder(path: &Path) -> Result<Specs, String> {
        let mut files = Vec::new();
        collect_folder(path, path, &mut files)?;
        files.sort();
        Ok(Specs {
            files,
            folder: Some(path.to_owned()),
        })
    }

    /// Every file inside the binary, those too that no run reads: path below `specs/`, bytes.
    pub fn whole() -> Vec<(String, Vec<u8>)> {
        let mut out = Vec::new();
        collect_whole(&EMBEDDED, &mut out);
        out.sort();
        out
    }

    /// The text of one file.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files
            .iter()
            .find(|(p, _)| p == path)
            .map(|(_, t)| t.as_str())
    }

    /// The text of a snapshot, by its path below `specs/`; `None` where there is none.
    pub fn snapshot(&self, path: &str) -> Option<Cow<'static, str>> {
        match &self.folder {
            Some(folder) => fs::read_to_string(folder.join(path)).ok().map(Cow::Owned),
            None => Some(Cow::Borrowed(EMBEDDED.get_file(path)?.contents_utf8()?)),
        }
    }

    /// All tables and all cases.
    ///
    /// # Errors
    /// Every problem of every file; the tables first, since cases mean nothing without them.
    pub fn suite(&self) -> Result<Suite, Vec<Problem>> {
        Suite::load(&self.files, self.abis()?, guest::fixed_guests())
    }

    /// All ABI tables and dialects.
    ///
    /// # Errors
    /// Every problem of every table.
    pub fn abis(&self) -> Result<Vec<Arc<abi::Abi>>, Vec<Problem>> {
        let tables: Vec<_> = self
            .files
            .iter()
            .filter(|(p, _)| p.starts_with("abi/"))
            .cloned()
            .collect();
        match abi::load(&tables) {
            Ok(abis) => Ok(abis.into_iter().map(Arc::new).collect()),
            Err(problems) => Err(problems.into_iter().map(of_table).collect()),
        }
    }

    /// The line map of a version's text.
    ///
    /// # Errors
    /// Every problem of the maps; that there is none for this version.
    pub fn text_map(&self, abi: &str) -> Result<TextMap, Vec<Problem>> {
        let map = TextMap::load(&self.files, abi);
        map.map_err(|problems| problems.into_iter().map(of_table).collect())
    }

    /// All host profiles, by name.
    ///
    /// # Errors
    /// Every problem of every profile.
    pub fn profiles(&self) -> Result<Vec<Profile>, Vec<Problem>> {
        let mut out = Vec::new();
        let mut problems = Vec::new();
        for (path, text) in self.files.iter().filter(|(p, _)| p.starts_with("hosts/")) {
            match load_profile(&format!("specs/{path}"), text) {
                Ok(profile) => out.push(Profile {
                    file: self.folder.as_ref().map(|f| f.join(path)),
                    ..profile
                }),
                Err(more) => problems.extend(more.into_iter().map(|p| Problem {
                    file: p.file,
                    line: p.line,
                    column: p.column,
                    message: p.message,
                    help: None,
                })),
            }
        }
        if problems.is_empty() {
            Ok(out)
        } else {
            Err(problems)
        }
    }
}

/// A problem of a table or a line map.
fn of_table(p: abi::Problem) -> Problem {
    Problem {
        file: format!("specs/{}", p.file),
        line: p.line as u32,
        column: p.column as u32,
        message: p.message,
        help: None,
    }
}

/// The folder of a user's own profiles, in the working folder.
pub const OWN: &str = "pwspec";

impl Specs {
    /// All host profiles: those of [`OWN`] first, in place of others of their name.
    ///
    /// # Errors
    /// Every problem of every profile.
    pub fn all_profiles(&self) -> Result<Vec<Profile>, Vec<Problem>> {
        let bases = self.profiles()?;
        let mut own = Vec::new();
        let mut problems = Vec::new();
        let files = fs::read_dir(OWN).into_iter().flatten().flatten();
        let mut files: Vec<PathBuf> = files.map(|e| e.path()).collect();
        files.retain(|p| p.extension().is_some_and(|e| e == "yaml") && p.is_file());
        files.sort();
        for file in files {
            let name = file.display().to_string();
            let text = match fs::read_to_string(&file) {
                Ok(text) => text,
                Err(e) => {
                    problems.push(Problem {
                        file: name,
                        line: 1,
                        column: 1,
                        message: format!("cannot be read: {e}"),
                        help: None,
                    });
                    continue;
                }
            };
            match load_profile_over(&name, &text, &bases) {
                Ok(profile) => own.push(Profile {
                    file: Some(file),
                    ..profile
                }),
                Err(more) => problems.extend(more.into_iter().map(|p| Problem {
                    file: p.file,
                    line: p.line,
                    column: p.column,
                    message: p.message,
                    help: None,
                })),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let rest = bases.into_iter();
        let rest = rest.filter(|b| !own.iter().any(|o| o.name == b.name));
        let rest: Vec<Profile> = rest.collect();
        own.extend(rest);
        Ok(own)
    }
}

fn is_spec(path: &str) -> bool {
    path.ends_with(".yaml")
}

fn collect_embedded(dir: &Dir, out: &mut Vec<(String, String)>) {
    for file in dir.files() {
        let path = file.path().to_string_lossy().replace('\\', "/");
        if is_spec(&path)
            && let Some(text) = file.contents_utf8()
        {
            out.push((path, text.to_owned()));
        }
    }
    for sub in dir.dirs() {
        collect_embedded(sub, out);
    }
}

fn collect_whole(dir: &Dir, out: &mut Vec<(String, Vec<u8>)>) {
    let files = dir.files().map(|f| {
        let path = f.path().to_string_lossy().replace('\\', "/");
        (path, f.contents().to_vec())
    });
    out.extend(files);
    dir.dirs().for_each(|sub| collect_whole(sub, out));
}

fn collect_folder(root: &Path, dir: &Path, out: &mut Vec<(String, String)>) -> Result<(), String> {
    let failed = |e: std::io::Error| format!("failed to read {}: {e}", dir.display());
    for entry in fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            if path != root.join("snapshots") {
                collect_folder(root, &path, out)?;
            }
            continue;
        }
        let below = path
            .strip_prefix(root)
            .unwrap_or(&path)
            .to_string_lossy()
            .replace('\\', "/");
        if is_spec(&below) {
            let text = fs::read_to_string(&path)
                .map_err(|e| format!("failed to read {}: {e}", path.display()))?;
            out.push((below, text));
        }
    }
    Ok(())
}
