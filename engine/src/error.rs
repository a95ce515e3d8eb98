//! The kinds of trouble, each with its exit code and its Java exception: one table for the
//! command, the crate and the bridge.
//!
//! Stages own their error types; this module only sorts them, and no stage imports it.

use crate::verdict::RunVerdict;

/// What kind of trouble ended a call.
///
/// ```
/// use rasher::error::ErrorKind;
/// assert_eq!(ErrorKind::Incomplete.exit_code(), 4);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The verdict blocks the merge.
    Blocked,
    /// Wrong usage or configuration.
    Usage,
    /// The budget cannot be met; the plan is still written.
    Budget,
    /// Results are missing, doubled or unknown.
    Incomplete,
    /// The environment failed, not the tests.
    Environment,
    /// Trouble with the store, the queue or a file.
    Store,
    /// A defect in Rasher.
    Defect,
}

impl ErrorKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Blocked,
        Self::Usage,
        Self::Budget,
        Self::Incomplete,
        Self::Environment,
        Self::Store,
        Self::Defect,
    ];

    /// The kind of a run's verdict; none where it lets the commit through.
    pub const fn of_run(verdict: RunVerdict) -> Option<Self> {
        match verdict {
            RunVerdict::Passed | RunVerdict::Flaky => None,
            RunVerdict::Failed => Some(Self::Blocked),
            RunVerdict::Incomplete => Some(Self::Incomplete),
            RunVerdict::Environment => Some(Self::Environment),
        }
    }

    /// The exit code of the command.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Blocked => 1,
            Self::Usage => 2,
            Self::Budget => 3,
            Self::Incomplete => 4,
            Self::Environment => 5,
            Self::Store => 6,
            Self::Defect => 70,
        }
    }

    /// The simple name of the Java exception.
    pub const fn java_exception(self) -> &'static str {
        match self {
            Self::Blocked => "BlockedException",
            Self::Usage => "UsageException",
            Self::Budget => "BudgetException",
            Self::Incomplete => "IncompleteException",
            Self::Environment => "EnvironmentException",
            Self::Store => "StoreException",
            Self::Defect => "DefectException",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_those_of_the_design() {
        let codes = ErrorKind::ALL.map(ErrorKind::exit_code);
        assert_eq!(codes, [1, 2, 3, 4, 5, 6, 70]);
    }
}
