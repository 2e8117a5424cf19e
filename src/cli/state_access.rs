//! The state store of the command line.

use std::sync::Arc;

use crate::state::{self, StateError, StateStore};

/// The installation that laptops are.
pub const OWNER: &str = "local";

/// Opens the store, and makes it where there is none.
///
/// # Errors
/// As [`state::open`].
pub async fn open(url: &str) -> Result<Arc<dyn StateStore>, StateError> {
    state::open(url, OWNER).await
}

/// Returns a store's URL as it may be shown: without a password.
pub fn shown(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    match rest.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://…@{host}"),
        None => url.to_owned(),
    }
}
