//! `kubectl ciosync run`: a run now.

use jiff::Timestamp;

use super::args::RunArgs;
use super::suspend::Suspension;
use super::target::{Failure, Target};
use super::wait;
use crate::cli::exit::Exit;
use crate::cli::{console, output};
use crate::controller::requests::Request;

/// Asks for a run, and waits for its end where that was asked for.
pub(super) async fn run(target: &Target, args: &RunArgs) -> Result<Exit, Failure> {
    let object = target.read().await?;
    let sync = &target.sync;
    if object.metadata.deletion_timestamp.is_some() {
        return Ok(console::fail(&format_args!("{sync} is being deleted"), None));
    }
    let suspension = Suspension::of(&object);
    match &suspension {
        Some(own @ Suspension::Own(_)) if !args.force => {
            let hint = "use --force to resume it and run";
            return Ok(console::fail(&refused(sync, own), Some(hint.to_owned())));
        }
        Some(inherited @ Suspension::Inherited(_)) => {
            return Ok(console::fail(&refused(sync, inherited), None));
        }
        Some(Suspension::Own(_)) | None => {}
    }
    // The time to the nanosecond: nobody asks twice in one.
    let token = Timestamp::now().to_string();
    let request = Request::Run {
        token: token.clone(),
        full_resync: args.full_resync,
        resume: suspension.is_some(),
    };
    target.ask(&request).await?;
    if !args.wait {
        output::print(&format!("{sync}: a run is asked for, as {token}\n"))?;
        return Ok(Exit::Done);
    }
    output::note(format_args!("{sync}: a run is asked for, as {token}"));
    wait::for_end(target, &token, args).await
}

fn refused(sync: &crate::model::SyncId, suspension: &Suspension) -> String {
    format!("{sync} {}", suspension.words())
}
