//! Exit codes: part of the command line's promise, in one place.

use std::process::ExitCode;

/// How a command ended, for the shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// Something failed.
    Failed,
    /// The input was found wrong before any source, workspace or state was opened.
    InvalidInput,
    /// Done, with rows that were invalid or rejected.
    DoneWithRejections,
    /// A guard stopped it before it sent anything.
    Blocked,
    /// There is something to deliver (`plan --exit-code`).
    WouldDeliver,
    /// A person pressed Ctrl-C; what was in flight is committed.
    Interrupted,
}

impl Exit {
    /// Returns the code.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::InvalidInput => 2,
            Self::DoneWithRejections => 3,
            Self::Blocked => 4,
            Self::WouldDeliver => 5,
            Self::Interrupted => 130,
        }
    }

    /// Returns the exit of a command with several outcomes: an interruption, then the first of
    /// 1, 4, 5, 3, 0.
    pub fn of_all(exits: impl IntoIterator<Item = Self>) -> Self {
        let rank = |exit: &Self| match exit {
            Self::Interrupted => 0,
            Self::InvalidInput => 1,
            Self::Failed => 2,
            Self::Blocked => 3,
            Self::WouldDeliver => 4,
            Self::DoneWithRejections => 5,
            Self::Done => 6,
        };
        exits.into_iter().min_by_key(rank).unwrap_or(Self::Done)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gravest_outcome_counts() {
        use Exit::{Blocked, Done, DoneWithRejections, Failed, WouldDeliver};

        assert_eq!(Exit::of_all([]), Done);
        assert_eq!(Exit::of_all([Done, DoneWithRejections, WouldDeliver]), WouldDeliver);
        assert_eq!(Exit::of_all([WouldDeliver, Blocked]), Blocked);
        assert_eq!(Exit::of_all([Blocked, Failed, Done]), Failed);
    }
}
