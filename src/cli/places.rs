//! The places that flags name, looked at before anything is opened.

use std::path::Path;

use super::console;
use super::exit::Exit;
use crate::state;

/// Checks that `state_url` names a store and that temporary files can be made in `spool_dir`: a
/// mistyped folder would otherwise show only when a plan outgrows memory.
///
/// # Errors
/// The exit of invalid input, where one of them can't be meant; the person was told.
pub fn check(state_url: &str, spool_dir: Option<&Path>) -> Result<(), Exit> {
    if let Err(error) = state::open::check_url(state_url) {
        return Err(console::refuse_flag(&error, error.hint()));
    }
    let Some(folder) = spool_dir else { return Ok(()) };
    match tempfile::tempfile_in(folder) {
        Ok(_) => Ok(()),
        Err(error) => {
            let (folder, kind) = (folder.display(), error.kind());
            let message = format!("no temporary file can be made in --spool-dir {folder}: {kind}");
            let hint = "name a folder that exists and that this user may write to";
            Err(console::refuse_flag(&message, Some(hint.to_owned())))
        }
    }
}
