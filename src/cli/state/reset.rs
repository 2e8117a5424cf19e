//! `ciosync state reset`: forget what is remembered of a Sync.

use std::io::{self, BufRead, IsTerminal as _, Write};

use super::{lock, release};
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::cli::render::table::grouped;
use crate::cli::store::Wanted;
use crate::state::Access;

/// Forgets all that is remembered, after asking, unless `yes`. The history of runs stays.
/// Where there is nobody to ask, that is invalid input.
///
/// # Errors
/// Where the Sync is unknown or running, or the state can't be written.
pub(super) async fn run(wanted: &Wanted, yes: bool) -> anyhow::Result<Exit> {
    if !yes && !io::stdin().is_terminal() {
        return Ok(output::refuse(
            "`state reset` asks first, and there is no terminal to ask on: add --yes",
        ));
    }
    let (store, state) = wanted.find(Access::Write).await?;
    let sync = &wanted.sync;
    let rows = format!("{} remembered rows", grouped(state.segment_rows));
    let question = format!(
        "Forget {rows} of {sync} in {}? The next run sends as its initialRun says. [y/N] ",
        store.location(),
    );
    if !yes && !confirm(&question, &mut io::stdin().lock(), &mut anstream::stderr().lock())? {
        output::note("nothing was forgotten");
        return Ok(Exit::Failed);
    }
    let lock = lock(store.as_ref(), sync).await?;
    let outcome = store.reset(&lock).await;
    release(store.as_ref(), &lock, outcome).await?;
    output::print(&format!("forgot {rows} of {sync}; the next run follows its initialRun\n"))?;
    Ok(Exit::Done)
}

/// Asks, and returns whether the answer was yes. An empty answer, or none, is no.
fn confirm(question: &str, answers: &mut dyn BufRead, out: &mut dyn Write) -> io::Result<bool> {
    out.write_all(question.as_bytes())?;
    out.flush()?;
    let mut answer = String::new();
    answers.read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_a_yes() {
        let answered = |answer: &str| {
            let mut asked = Vec::new();
            let answer = confirm("Forget? ", &mut answer.as_bytes(), &mut asked).unwrap();
            assert_eq!(asked, b"Forget? ");
            answer
        };

        assert!(["y\n", "YES\n", " yes "].map(answered).iter().all(|yes| *yes));
        assert!(["", "\n", "n\n", "yesterday\n"].map(answered).iter().all(|yes| !yes));
    }
}
