//! The account behind a key: its region and its workspace.

use serde_json::Value;

use super::config::ConnectionConfig;
use super::error::DeliveryError;
use super::spec::Region;

/// Whose key a connection has.
/// Source: Track API v1 `/accounts/region`, which answers on either region's host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The region that the account is in.
    pub region: Region,
    /// The workspace that the key belongs to; the API calls it `environment_id`.
    pub workspace_id: u64,
}

/// Why an answer names no account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoAccount {
    /// No JSON object: a proxy's page, or half an answer.
    Unreadable,
    /// JSON, but not the Track API's.
    Strange(&'static str),
}

impl Account {
    /// Reads the answer to the question for the account.
    pub(super) fn from_answer(body: &[u8]) -> Result<Self, NoAccount> {
        let answer = serde_json::from_slice(body).ok().filter(Value::is_object);
        let answer = answer.ok_or(NoAccount::Unreadable)?;
        let region = answer
            .get("region")
            .and_then(Value::as_str)
            .ok_or(NoAccount::Strange("the answer names no region"))?;
        let region = Region::from_word(region).ok_or(NoAccount::Strange(
            "the answer names a region that this version doesn't know",
        ))?;
        let workspace_id = answer
            .get("environment_id")
            .and_then(Value::as_u64)
            .ok_or(NoAccount::Strange("the answer names no workspace"))?;
        Ok(Self { region, workspace_id })
    }

    /// Compares the account with what the connection says.
    ///
    /// # Errors
    /// Where the region or the workspace is another one.
    pub(super) fn check(&self, config: &ConnectionConfig) -> Result<(), DeliveryError> {
        if let Some(expected) = config.workspace_id.filter(|id| *id != self.workspace_id) {
            return Err(DeliveryError::WorkspaceMismatch { expected, found: self.workspace_id });
        }
        match config.region.filter(|region| *region != self.region) {
            Some(expected) => Err(DeliveryError::RegionMismatch { expected, found: self.region }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_of_the_track_api_names_region_and_workspace() {
        let body = br#"{"url":"https://track-eu.customer.io","region":"eu","environment_id":3}"#;

        let account = Account::from_answer(body);

        assert_eq!(account, Ok(Account { region: Region::Eu, workspace_id: 3 }));
    }

    #[test]
    fn anything_else_names_no_account() {
        assert_eq!(Account::from_answer(b"<html>"), Err(NoAccount::Unreadable));
        assert_eq!(Account::from_answer(b"[]"), Err(NoAccount::Unreadable));
        for body in [
            r"{}",
            r#"{"region":"ap","environment_id":3}"#,
            r#"{"region":"eu"}"#,
            r#"{"region":"eu","environment_id":-3}"#,
        ] {
            let answer = Account::from_answer(body.as_bytes());
            assert!(matches!(answer, Err(NoAccount::Strange(_))), "{body}");
        }
    }
}
