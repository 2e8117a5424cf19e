//! From words to the command they name.

use super::args::{Cli, Command};
use super::exit::Exit;
use super::{plan, run, validate};

/// Carries out what a person typed.
///
/// # Errors
/// Where a command failed in a way that it has no words of its own for.
pub async fn dispatch(cli: Cli) -> anyhow::Result<Exit> {
    match cli.command {
        Command::Run(args) => run::run(args).await,
        Command::Plan(args) => plan::run(args).await,
        Command::Validate(args) => validate::run(args).await,
        _ => Ok(Exit::Failed),
    }
}
