//! What the work list consists of.
//!
//! Does not know how it is found out, nor how it is shown.

/// The work on one column of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// The column's name.
    pub column: String,
    /// The profile's name.
    pub host: String,
    /// The version of the text.
    pub abi: String,
    /// The dialect that it is held against, if the record has a column of one.
    pub own: Option<String>,
    /// The column's verdict line.
    pub line: String,
    /// Its must cases in all.
    pub sums: Sums,
    /// By area, in the order of the cases.
    pub areas: Vec<Area>,
    /// What is to be done, what unlocks most first.
    pub steps: Vec<Step>,
    /// Numbers that are others in the dialect.
    pub numbers: Vec<Numbers>,
    /// Cases that pass in the dialect's column only, and those that pass in neither, and so on, are
    /// counted in `sums`; these could not be run and are nobody's work.
    pub not_run: Vec<String>,
}

/// Must cases by what they need.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// In scope.
    pub all: u32,
    /// They pass.
    pub pass: u32,
    /// They pass in the host's own names and numbers: nothing else is missing.
    pub words: u32,
    /// What they are about is there, and does something else.
    pub behaviour: u32,
    /// What they are about is not there in any form.
    pub missing: u32,
    /// They need something else first.
    pub behind: u32,
    /// They could not be run.
    pub not_run: u32,
}

/// One area of cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area {
    /// Its name.
    pub name: String,
    /// Its must cases.
    pub sums: Sums,
    /// What its cases are about, in the order in which they come.
    pub topics: Vec<Topic>,
}

/// What some cases of an area are about: a hostcall, a callback, or another part of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// The text's name.
    pub name: String,
    /// Its must cases.
    pub sums: Sums,
    /// Is it there under the text's name?
    pub links: Answer,
    /// Has it the text's name, parameters and numbers?
    pub number: Answer,
    /// Does it do what the text says?
    pub behaviour: Answer,
    /// The step that deals with it, from 1.
    pub step: Option<usize>,
}

/// The answer to one of the three questions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// In a word.
    pub state: State,
    /// In full; may be empty.
    pub words: String,
    /// The case that shows it.
    pub case: Option<String>,
}

/// An answer in a word.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum State {
    /// Yes.
    Yes,
    /// No.
    No,
    /// Not seen so far: something else comes first.
    Open,
    /// The question has no sense here.
    #[default]
    Unasked,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it is about, by the text's name.
    pub topic: String,
    /// The same for people: the marker by its own name.
    pub title: String,
    /// The area in which most of its own cases are.
    pub area: String,
    /// Must cases that fail for it or wait for it.
    pub unlocks: u32,
    /// Those of them that pass in the dialect as it is.
    pub own_pass: u32,
    /// Those of them that are about it; the others wait.
    pub direct: u32,
    /// Where no module is taken: another version of the text under which the host passes some of them.
    pub elsewhere: Option<(String, u32)>,
    /// Is it there under the text's name?
    pub links: Answer,
    /// Has it the text's name, parameters and numbers?
    pub number: Answer,
    /// Does it do what the text says?
    pub behaviour: Answer,
    /// What is to be done, in order.
    pub todo: Vec<String>,
    /// Rows of the text that fail.
    pub rows: Vec<Row>,
    /// The case to run, and the filter that selects all of its own cases.
    pub case: String,
}

/// A row of the text that fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its id.
    pub req: String,
    /// Its wording.
    pub text: String,
    /// What came instead, by the first failing case.
    pub got: String,
    /// That case.
    pub case: String,
    /// How many cases fail it.
    pub cases: u32,
    /// Whether that case passes in the dialect: the numbers are all that is wrong.
    pub own_passes: bool,
    /// It was seen in the dialect: under the text's name nothing could be seen.
    pub seen_in_own: bool,
    /// Why, as far as the profile's known failures tell.
    pub why: Option<String>,
}

/// The numbers of one enum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbers {
    /// The enum's name.
    pub name: String,
    /// Member, the text's number, the host's number (`None`: it has none).
    pub rows: Vec<(String, u64, Option<u64>)>,
    /// Members that only the host has.
    pub foreign: Vec<(String, u64)>,
}

impl Sums {
    /// What is left to do.
    pub fn left(&self) -> u32 {
        self.all - self.pass
    }
}

impl State {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            State::Yes => "yes",
            State::No => "no",
            State::Open => "not seen",
            State::Unasked => "",
        }
    }
}

impl Step {
    /// The command that shows it, in the text's words and the host's own.
    pub fn command(&self, work: &Work) -> String {
        work.run(&self.case)
    }
}

impl Work {
    /// The command that runs one case in this column and beside it in the dialect's.
    pub fn run(&self, case: &str) -> String {
        let own = match &self.own {
            Some(own) => format!(",{own}"),
            None => String::new(),
        };
        format!(
            "pwspec run {case} --host {} --abi {}{own}",
            self.host, self.abi
        )
    }
}
