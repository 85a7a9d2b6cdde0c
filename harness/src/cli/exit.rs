//! Exit codes: one meaning each.

/// How the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Every result is as expected.
    Fine = 0,
    /// The gate is unexpected.
    Unexpected = 1,
    /// Usage, case, profile or filter error.
    Usage = 2,
    /// Host or adapter trouble.
    Host = 3,
    /// Nothing was selected.
    Nothing = 4,
    /// Nothing unexpected, but a must-level case could not be run.
    Incomplete = 5,
    /// A bug in the harness itself.
    Bug = 70,
    /// Interrupted; what was done is written.
    Interrupted = 130,
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The meaning of a number that a record holds.
    pub fn of(code: u8) -> Exit {
        use Exit::{Bug, Host, Incomplete, Interrupted, Nothing, Unexpected, Usage};
        let all = [
            Unexpected,
            Usage,
            Host,
            Nothing,
            Incomplete,
            Bug,
            Interrupted,
        ];
        all.into_iter()
            .find(|e| e.code() == code)
            .unwrap_or(Exit::Fine)
    }

    /// When several apply: 70, 2, 130, 3, 1, 4, 5, 0.
    pub fn worst(all: impl IntoIterator<Item = Exit>) -> Exit {
        use Exit::{Bug, Fine, Host, Incomplete, Interrupted, Nothing, Unexpected, Usage};
        let order = [
            Bug,
            Usage,
            Interrupted,
            Host,
            Unexpected,
            Nothing,
            Incomplete,
            Fine,
        ];
        let rank = |e: &Exit| order.iter().position(|o| o == e).unwrap_or(order.len());
        all.into_iter().min_by_key(rank).unwrap_or(Fine)
    }
}

#[cfg(test)]
mod tests;
