//! The JSON that other programs read.

use schemars::JsonSchema;
use serde::Serialize;

use crate::abi::{Level, Requirement, Seat};
use crate::case::Case;

/// One case of `list --what cases`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct CaseRow {
    /// Its id.
    pub id: String,
    /// Its suite.
    pub suite: String,
    /// Its area.
    pub area: String,
    /// The highest level of its checks.
    pub level: Level,
    /// The ABI versions in which it runs.
    pub abi: Vec<String>,
    /// The requirements of its checks.
    pub covers: Vec<String>,
    /// Its file.
    pub file: String,
    /// Its line, from 1.
    pub line: u32,
}

impl From<&Case> for CaseRow {
    fn from(c: &Case) -> CaseRow {
        CaseRow {
            id: c.id.clone(),
            suite: c.suite.clone(),
            area: c.area.clone(),
            level: c.level,
            abi: c.abi.clone(),
            covers: c.covers.clone(),
            file: c.file.clone(),
            line: c.line,
        }
    }
}

/// One requirement of `list --what requirements`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RequirementRow {
    /// Its id.
    pub id: String,
    /// The ABI version.
    pub abi: String,
    /// The heading of the text.
    pub section: String,
    /// How binding.
    pub level: Level,
    /// Who answers for it.
    pub seat: Seat,
    /// Our wording.
    pub text: String,
    /// How we read the text where it is silent or wrong.
    pub ruling: Option<String>,
    /// Why no black-box case can reach it.
    pub excluded: Option<String>,
}

impl RequirementRow {
    /// The row of a requirement in an ABI version.
    pub fn new(abi: &str, r: &Requirement) -> RequirementRow {
        RequirementRow {
            id: r.id.clone(),
            abi: abi.to_owned(),
            section: r.section.clone(),
            level: r.level,
            seat: r.seat,
            text: r.text.clone(),
            ruling: r.ruling.clone(),
            excluded: r.excluded.clone(),
        }
    }
}
