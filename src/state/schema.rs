//! Versions of the tables, and whose store it is: what both stores check before anything else.
//!
//! A version only ever adds. Each names the oldest version that a binary must know to use tables
//! of that version, so that an older binary may go on beside a newer one, or is refused.

use super::error::StateError;

/// The version of the tables that this binary writes.
pub const VERSION: i64 = 2;

/// One step from a version of the tables to the next.
pub(super) struct Migration {
    /// The version that it leads to.
    pub(super) version: i64,
    /// The oldest version that a binary must know to use the tables afterwards.
    pub(super) oldest_binary: i64,
    /// The statements, which only add.
    pub(super) sql: &'static str,
}

/// What a store says of itself.
pub(super) struct Found {
    pub(super) version: i64,
    pub(super) oldest_binary: i64,
    /// `None` only while the store is being made.
    pub(super) owner: Option<String>,
}

impl Found {
    /// Returns whether the tables are of an older version and must be migrated first.
    ///
    /// # Errors
    /// Where the store is too new for this binary, or belongs to another installation than
    /// `owner` (which is not asked about where it is `None`).
    pub(super) fn is_older(&self, location: &str, owner: Option<&str>) -> Result<bool, StateError> {
        let refused = |problem: String, hint: &str| {
            Err(StateError::Refused {
                location: location.to_owned(),
                problem,
                hint: hint.to_owned(),
            })
        };
        if self.oldest_binary > VERSION {
            return refused(
                format!(
                    "was written by a newer ciosync: its tables have version {}, this one knows \
                     up to {VERSION}",
                    self.version,
                ),
                "use the version of ciosync that wrote it, or a newer one",
            );
        }
        if let (Some(found), Some(owner)) = (self.owner.as_deref(), owner)
            && found != owner
        {
            return refused(
                format!("belongs to the installation `{found}`, not to `{owner}`"),
                "a store serves one installation: name another one, or move single Syncs with \
                 `ciosync state export` and `import`",
            );
        }
        Ok(self.version < VERSION)
    }
}

/// Returns the error of a store that would have to be migrated but was opened for reading.
pub(super) fn must_be_migrated(location: &str) -> StateError {
    StateError::Refused {
        location: location.to_owned(),
        problem: "was written by an older ciosync, and is only read here".to_owned(),
        hint: "`ciosync run` brings it up to date".to_owned(),
    }
}

/// Returns those steps of `all` that lead on from `version`.
pub(super) fn steps_from(all: &[Migration], version: i64) -> impl Iterator<Item = &Migration> {
    all.iter().filter(move |step| step.version > version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(version: i64, oldest_binary: i64) -> Found {
        Found { version, oldest_binary, owner: Some("local".to_owned()) }
    }

    #[test]
    fn a_newer_store_is_used_only_where_it_says_that_it_can_be() {
        assert!(!found(VERSION + 1, VERSION).is_older("there", Some("local")).unwrap());
        assert!(found(VERSION + 1, VERSION + 1).is_older("there", Some("local")).is_err());
    }

    #[test]
    fn an_older_store_must_be_migrated() {
        assert!(found(VERSION - 1, 0).is_older("there", None).unwrap());
        assert!(!found(VERSION, VERSION).is_older("there", None).unwrap());
    }
}
