//! Loading a suite: every file, every case, every problem at once.
//!
//! Does no I/O: it gets paths and texts.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::abi::Abi;
use crate::case::FixedGuest;
use crate::case::load_file::{Loaded, load_file};
use crate::case::model::{Case, Env, Resolved, Unavailable};
use crate::case::problem::Problem;
use crate::case::resolve::{Known, resolve};
use crate::case::yaml;

/// All cases and all ABIs.
#[derive(Debug, Clone)]
pub struct Suite {
    /// The suite's version, from `suite.yaml`.
    pub version: String,
    /// SHA-256 of `suite.yaml`, the cases and the tables, hexadecimal: what is asked of a host.
    pub digest: String,
    /// ABI versions and dialects, in the order of loading.
    pub abis: Vec<Arc<Abi>>,
    /// Cases in the order of files and of the cases in them.
    pub cases: Vec<Case>,
    /// The guests that may take the place of the scripted one.
    pub guests: Arc<[FixedGuest]>,
}

/// `specs/suite.yaml`.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct SuiteVersion {
    version: u32,
    suite: String,
}

impl Suite {
    /// Reads `suite.yaml` and `cases/**/*.yaml` among `files` (path below `specs/`, text). `guests` are
    /// those that a case may name.
    ///
    /// # Errors
    /// Every problem of every file.
    pub fn load(
        files: &[(String, String)],
        abis: Vec<Arc<Abi>>,
        guests: Arc<[FixedGuest]>,
    ) -> Result<Suite, Vec<Problem>> {
        let all: Vec<&Abi> = abis.iter().map(AsRef::as_ref).collect();
        let known = Known {
            abis: &all,
            guests: &guests,
        };
        let mut problems = Vec::new();
        let mut cases = Vec::new();
        let mut version = String::new();
        let mut sorted: Vec<&(String, String)> = files.iter().collect();
        sorted.sort_by_key(|(path, _)| path);
        let mut hash = Sha256::new();
        for (path, text) in &sorted {
            if path == "suite.yaml" || path.starts_with("cases/") || path.starts_with("abi/") {
                hash.update(path);
                hash.update([0]);
                hash.update(text);
            }
            if path == "suite.yaml" {
                version = suite_version(text, "specs/suite.yaml", &mut problems);
            }
        }
        sorted.retain(|(path, _)| path.starts_with("cases/") && path.ends_with(".yaml"));
        // They are read beside each other: every command waits for this.
        let read = |(path, text): &&(String, String)| load_file(path, text, &known);
        let loaded: Vec<Loaded> = sorted.par_iter().map(read).collect();
        for (more, wrong) in loaded {
            cases.extend(more);
            problems.extend(wrong);
        }
        let mut seen: BTreeMap<&str, &Case> = BTreeMap::new();
        for case in &cases {
            if let Some(first) = seen.insert(&case.id, case) {
                problems.push(Problem {
                    file: case.file.clone(),
                    line: case.line,
                    column: 5,
                    message: format!("duplicate case id `{}`", case.id),
                    help: Some(format!("first at {}:{}", first.file, first.line)),
                });
            }
        }
        if !problems.is_empty() {
            problems.sort();
            problems.dedup();
            return Err(problems);
        }
        let digest = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
        Ok(Suite {
            version,
            digest,
            abis,
            cases,
            guests,
        })
    }

    /// A case by id.
    pub fn case(&self, id: &str) -> Option<&Case> {
        self.cases.iter().find(|c| c.id == id)
    }

    /// An ABI version or dialect by id.
    pub fn abi(&self, id: &str) -> Option<&Arc<Abi>> {
        self.abis.iter().find(|a| a.id == id)
    }

    /// The case in one column.
    ///
    /// # Errors
    /// It does not exist there, and why.
    pub fn resolve(&self, case: &Case, abi: &Abi, env: &Env) -> Result<Resolved, Unavailable> {
        if !case.abi.iter().any(|v| v == abi.text_version()) {
            return Err(Unavailable::NotInVersion(format!(
                "the case is not for {}",
                abi.text_version()
            )));
        }
        let all: Vec<&Abi> = self.abis.iter().map(AsRef::as_ref).collect();
        let known = Known {
            abis: &all,
            guests: &self.guests,
        };
        resolve(&case.source.file, &case.source.path, abi, &known, env).resolved
    }
}

impl Case {
    /// Whether it says itself how long it may take, which only cases do that take long.
    pub fn is_long(&self) -> bool {
        self.source.file.deadline_ms.is_some()
    }

    /// Line and column of a check in the case's file, from 1.
    pub fn place(&self, resolved: &Resolved, check: usize) -> (u32, u32) {
        match resolved.paths.get(check) {
            Some(path) => yaml::locate(&self.source.text, path),
            None => (self.line, 1),
        }
    }

    /// The text of a line of the case's file.
    pub fn source_line(&self, line: u32) -> &str {
        self.source
            .text
            .lines()
            .nth(line.saturating_sub(1) as usize)
            .unwrap_or("")
    }

    /// SHA-256 of its YAML, 16 hexadecimal digits.
    pub fn digest(&self) -> String {
        Sha256::digest(&self.yaml)
            .iter()
            .take(8)
            .map(|b| format!("{b:02x}"))
            .collect()
    }
}

fn suite_version(text: &str, file: &str, problems: &mut Vec<Problem>) -> String {
    match serde_yaml::from_str::<SuiteVersion>(text) {
        Ok(v) if v.version == 1 => v.suite,
        Ok(_) => {
            problems.push(whole(file, "expected `version: 1`"));
            String::new()
        }
        Err(e) => {
            problems.push(whole(file, &e.to_string()));
            String::new()
        }
    }
}

fn whole(file: &str, message: &str) -> Problem {
    Problem {
        file: file.to_owned(),
        line: 1,
        column: 1,
        message: message.to_owned(),
        help: None,
    }
}
