//! Stdout for what was asked for, stderr for everything else.

use std::fmt::Display;
use std::io::{self, Write as _};

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::exit::Exit;
use super::render::complaints;
use crate::manifest::Complaint;

/// Prints text to stdout; colours only on a terminal.
///
/// # Errors
/// Where stdout can't be written. A reader that went away is no error.
pub fn text(text: &str) -> io::Result<()> {
    unless_broken(anstream::stdout().write_all(text.as_bytes()))
}

/// Prints text to stderr.
///
/// # Errors
/// Where stderr can't be written.
pub fn error(text: &str) -> io::Result<()> {
    unless_broken(anstream::stderr().write_all(text.as_bytes()))
}

/// Prints data as JSON to stdout.
///
/// # Errors
/// As [`text`].
pub fn json(data: &impl Serialize) -> anyhow::Result<()> {
    let mut document = serde_json::to_string_pretty(data)?;
    document.push('\n');
    Ok(text(&document)?)
}

fn unless_broken(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Prints complaints that stop the command.
///
/// # Errors
/// As [`error`].
pub fn refuse(complaints: &[Complaint]) -> anyhow::Result<Exit> {
    error(&complaints::render(complaints))?;
    error(&complaints::summary(complaints.len()))?;
    Ok(Exit::InvalidInput)
}

/// Prints what is wrong with the command's own words.
///
/// # Errors
/// As [`error`].
pub fn refuse_text(message: &str) -> anyhow::Result<Exit> {
    error(&complaints::error_line(message, None))?;
    Ok(Exit::InvalidInput)
}

/// Prints why the command failed, and what to do.
///
/// # Errors
/// As [`error`].
pub fn fail(message: &impl Display, hint: Option<String>) -> anyhow::Result<Exit> {
    error(&complaints::error_line(&message.to_string(), hint.as_deref()))?;
    Ok(Exit::Failed)
}

/// Returns a token that is cancelled by Ctrl-C or SIGTERM: what is in flight is then committed.
/// A second signal ends the process at once.
pub fn cancel_on_signal() -> CancellationToken {
    let token = CancellationToken::new();
    let cancel = token.clone();
    tokio::spawn(async move {
        signalled().await;
        cancel.cancel();
        // Nothing can be told to a person whose terminal is gone.
        let _ = error("stopping: what is in flight is committed; press Ctrl-C again to stop now\n");
        signalled().await;
        std::process::exit(i32::from(Exit::Interrupted.code()));
    });
    token
}

/// Waits for Ctrl-C or SIGTERM.
pub async fn signalled() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}
