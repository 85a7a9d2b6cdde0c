//! The JSON that other programs read, and the schemas of it. Objects carry `"version": 1`, lists of
//! rows do not.
//!
//! Does not know where the rows come from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::abi::{Level, Seat};
use crate::record::Summary;
use crate::report::diff::Diff;

/// The version that the objects carry.
pub const JSON_VERSION: u32 = 1;

/// A row of `list --what cases`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaseRow {
    /// `fields/get_value/absent`.
    pub id: String,
    /// `fields/get_value`.
    pub suite: String,
    /// `fields`.
    pub area: String,
    /// The highest level of its checks.
    pub level: Level,
    /// ABI versions and dialects in which it runs.
    pub abi: Vec<String>,
    /// The requirements of its checks.
    pub covers: Vec<String>,
    /// The case file.
    pub file: String,
    /// Line of the case in the file, from 1.
    pub line: u32,
}

/// A row of `list --what requirements`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequirementRow {
    /// Stable id.
    pub id: String,
    /// ABI version.
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

/// A row of `list --abi A..B`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeRow {
    /// What kind of thing.
    pub what: ChangedThing,
    /// What became of it from A to B.
    pub change: ChangeKind,
    /// Its name or id; of an enum's member, enum and member.
    pub name: String,
    /// What A says of it: a signature, a number, wording, what a case is about.
    pub before: Option<String>,
    /// What B says of it.
    pub after: Option<String>,
}

impl ChangeRow {
    /// A row; the change follows from which of the two says something.
    pub fn new(
        what: ChangedThing,
        name: String,
        before: Option<String>,
        after: Option<String>,
    ) -> ChangeRow {
        let change = match (&before, &after) {
            (None, _) => ChangeKind::Added,
            (_, None) => ChangeKind::Removed,
            _ => ChangeKind::Changed,
        };
        ChangeRow {
            what,
            change,
            name,
            before,
            after,
        }
    }
}

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChangedThing {
    /// A function that the host exposes.
    Hostcall,
    /// A function that the plugin exposes.
    Callback,
    /// A member of an enum.
    EnumValue,
    /// A row of the catalogue.
    Requirement,
    /// A case that does not run in both.
    Case,
}

/// How it changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// Only B has it.
    Added,
    /// Only A has it.
    Removed,
    /// Both have it, each otherwise.
    Changed,
}

/// `coverage`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    /// [`JSON_VERSION`].
    pub version: u32,
    /// ABI version.
    pub abi: String,
    /// How many there are.
    pub requirements: u32,
    /// How many a case tests.
    pub tested: u32,
    /// Those that no black-box case can reach.
    pub excluded: Vec<Excluded>,
    /// Those that no case tests though it could.
    pub gaps: Vec<String>,
}

/// A requirement that no black-box case can reach.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Excluded {
    /// Requirement id.
    pub id: String,
    /// Why.
    pub reason: String,
}

/// `coverage --text`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CoverageText {
    /// [`JSON_VERSION`].
    pub version: u32,
    /// ABI version.
    pub abi: String,
    /// Where the text that the map was made for lies.
    pub text: String,
    /// Whether the file that was given is that text, byte by byte.
    pub known: bool,
    /// Every line of the file.
    pub lines: Vec<CoverageLine>,
    /// What does not fit.
    pub problems: Vec<CoverageProblem>,
}

/// A line of the specification's text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CoverageLine {
    /// From 1.
    pub line: u32,
    /// The requirements that it is behind.
    pub reqs: Vec<String>,
    /// Why it asks nothing of a host.
    pub informative: Option<String>,
}

/// What does not fit between a text, its map and the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CoverageProblem {
    /// From 1; null: the whole text.
    pub line: Option<u32>,
    /// What.
    pub message: String,
}

/// `prove`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Prove {
    /// [`JSON_VERSION`].
    pub version: u32,
    /// How many faults were planted.
    pub faults: u32,
    /// Faults that a check of their own requirement notices.
    pub killed: Vec<Killed>,
    /// Faults that checks of other requirements notice too.
    pub coarse: Vec<String>,
    /// Faults that nothing notices.
    pub survived: Vec<String>,
    /// Must and should checks that nothing makes fail.
    pub unproved_checks: Vec<CheckRef>,
    /// Must and should cases none of whose checks was killed.
    pub idle_cases: Vec<String>,
    /// Surveys that no change moved.
    pub idle_surveys: Vec<String>,
    /// Must requirements that are tested and that no fault breaks.
    #[serde(default)]
    pub without_fault: Vec<String>,
}

/// A fault that was noticed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Killed {
    /// Its name in the reference host.
    pub fault: String,
    /// By which checks.
    pub by: Vec<KilledBy>,
}

/// A check that noticed a fault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KilledBy {
    /// Case id.
    pub case: String,
    /// The check's name in the case.
    pub check: String,
    /// Its requirement.
    pub req: String,
}

/// A check of a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckRef {
    /// Case id.
    pub case: String,
    /// The check's name in the case.
    pub check: String,
}

/// A row of `hosts`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostRow {
    /// The profile's name.
    pub name: String,
    /// Whether it is here.
    pub found: bool,
    /// Its version, if it is here and says it.
    pub version: Option<String>,
    /// Where, if it is here.
    pub path: Option<String>,
    /// The command that gets it.
    pub how_to_get: Option<String>,
}

/// A row of `probe`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProbeRow {
    /// The column.
    pub column: String,
    /// By the text's name.
    pub function: String,
    /// `hostcall` or `callback`.
    pub kind: String,
    /// `answers`, `unimplemented`, `called`, `not called`, `unlinked`, `refused`, `traps`, `crashes`,
    /// `hangs`, `out of scope`, `unknown`.
    pub state: String,
    /// The status, the host's words, or why not.
    pub what: String,
}

/// What `fuzz` prints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fuzz {
    /// The format's version.
    pub version: u32,
    /// The two hosts, with their versions.
    pub hosts: Vec<String>,
    /// The ABI version.
    pub abi: String,
    /// The seed of the programs.
    pub seed: u64,
    /// How many programs were played.
    pub programs: u64,
    /// Differences in what the text asks for.
    pub found: Vec<FuzzFound>,
    /// Programs that differed in nothing but requirements that a host is known to miss.
    pub known: u64,
    /// Programs that differed in nothing but what the text leaves free.
    pub free: u64,
    /// Programs that differed once and not again.
    pub unsteady: u64,
    /// Programs whose attempts could not be compared.
    pub unfit: u64,
    /// Programs of which a host died. Nothing else is said of them.
    pub died: Vec<FuzzDied>,
}

/// A difference that `fuzz` found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FuzzFound {
    /// The suite file that shows it.
    pub file: String,
    /// The number of the program that showed it first.
    pub program: u64,
    /// The requirement that it touches.
    pub requirement: String,
    /// That requirement's level.
    pub level: String,
    /// What of it the case observes.
    pub observed: String,
    /// What differs.
    pub what: String,
    /// What each host did, shortened.
    pub answers: Vec<String>,
    /// How many steps are left of the program.
    pub steps: u64,
    /// How many more programs showed it.
    pub more: u64,
}

/// A program of which a host died.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FuzzDied {
    /// The host, with its version.
    pub host: String,
    /// The program's number.
    pub program: u64,
}

/// A row of `pending`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PendingRow {
    /// The column.
    pub column: String,
    /// Case id.
    pub case: String,
    /// The file that waits: `….snap.new`.
    pub file: String,
    /// The snapshot has no section for this case yet.
    pub new: bool,
    /// A unified diff from the snapshot to now.
    pub diff: String,
}

/// A JSON text for a program's standard output or a file: indented, with a newline at the end. What a
/// terminal would obey or hide is escaped as JSON escapes it, so it reads the same.
pub fn text(value: &impl Serialize) -> String {
    // The types here have string keys and no maps of foreign types: nothing can fail.
    let made = serde_json::to_string_pretty(value).unwrap_or_default();
    // A command of a CI system's log, wherever in a line it stands; only strings can hold it.
    let made = made.replace("##[", "\\u0023#[");
    let mut text = String::with_capacity(made.len() + 1);
    for c in made.chars() {
        if c != '\n' && crate::report::is_hidden(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            text.push(c);
        }
    }
    text.push('\n');
    text
}

/// The schemas, by the name that `pwspec schema` takes.
pub fn schemas() -> Vec<(&'static str, serde_json::Value)> {
    vec![
        ("summary", schemars::schema_for!(Summary).to_value()),
        ("cases", schemars::schema_for!(Vec<CaseRow>).to_value()),
        (
            "requirements",
            schemars::schema_for!(Vec<RequirementRow>).to_value(),
        ),
        ("changes", schemars::schema_for!(Vec<ChangeRow>).to_value()),
        ("coverage", schemars::schema_for!(Coverage).to_value()),
        (
            "coverage-text",
            schemars::schema_for!(CoverageText).to_value(),
        ),
        ("prove", schemars::schema_for!(Prove).to_value()),
        ("hosts", schemars::schema_for!(Vec<HostRow>).to_value()),
        ("pending", schemars::schema_for!(Vec<PendingRow>).to_value()),
        ("probe", schemars::schema_for!(Vec<ProbeRow>).to_value()),
        ("fuzz", schemars::schema_for!(Fuzz).to_value()),
        ("diff", schemars::schema_for!(Diff).to_value()),
        (
            "badge",
            schemars::schema_for!(crate::report::machine::Badge).to_value(),
        ),
    ]
}
