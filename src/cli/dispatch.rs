//! From words to the command they name.

use super::args::{Cli, Command};
use super::exit::Exit;
use super::{
    completions, controller, crds, emulator, get, plan, plugin, retry, run, state, validate, verify,
};

/// Carries out what a person typed.
///
/// # Errors
/// Where a command failed in a way that it has no words of its own for.
pub async fn dispatch(cli: Cli) -> anyhow::Result<Exit> {
    match cli.command {
        Command::Run(args) => Box::pin(run::run(args)).await,
        Command::Plan(args) => Box::pin(plan::run(args)).await,
        Command::Controller(args) => Box::pin(controller::run(*args)).await,
        Command::Validate(args) => validate::run(args).await,
        Command::Get(command) => get::run(command).await,
        Command::Retry(args) => retry::run(args).await,
        Command::Verify(args) => Box::pin(verify::run(args)).await,
        Command::State(command) => state::run(command).await,
        Command::Emulator(args) => emulator::run(args).await,
        Command::Kubectl(command) => Box::pin(plugin::carry_out(command)).await,
        Command::Crds(args) => crds::run(args),
        Command::Completions { shell } => completions::run(shell),
    }
}
