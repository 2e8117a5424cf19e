//! What the commands that read manifests say besides their output, and when they stop.

use std::fmt::Display;

use tokio_util::sync::CancellationToken;

use super::exit::Exit;
use super::output;
use super::render::complaints;
use crate::manifest::Complaint;

/// Says complaints and notes about files on standard error.
pub fn complain(complaints: &[Complaint]) {
    if !complaints.is_empty() {
        output::note(complaints::render(complaints).trim_end());
    }
}

/// Says complaints that stop the command, and returns the exit for them.
pub fn refuse(complaints: &[Complaint]) -> Exit {
    complain(complaints);
    output::note(complaints::summary(complaints.len()));
    Exit::InvalidInput
}

/// Says what is wrong with the command's own words, and returns the exit for it.
pub fn refuse_text(message: &str) -> Exit {
    output::note(complaints::error_line(message, None));
    Exit::InvalidInput
}

/// Says what is wrong with a flag and what to write instead, and returns the exit for it.
pub fn refuse_flag(message: &impl Display, hint: Option<String>) -> Exit {
    output::note(complaints::error_line(&message.to_string(), hint.as_deref()));
    Exit::InvalidInput
}

/// Says why the command failed, and what to do.
pub fn fail(message: &impl Display, hint: Option<String>) -> Exit {
    output::note(complaints::error_line(&message.to_string(), hint.as_deref()));
    Exit::Failed
}

/// Returns a token that is cancelled by Ctrl-C or SIGTERM: what is in flight is then committed.
/// A second signal ends the process at once.
pub fn cancel_on_signal() -> CancellationToken {
    let token = CancellationToken::new();
    let cancel = token.clone();
    tokio::spawn(async move {
        signalled().await;
        cancel.cancel();
        output::note("stopping: what is in flight is committed; press Ctrl-C again to stop now");
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
