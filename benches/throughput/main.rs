//! `make bench`: a million rows of 18 columns from PostgreSQL into the emulator, as ratios.
//!
//! Every figure is a ratio of two things measured in turn in this one call, median of several,
//! because machines are shared and noisy. Rows and targets are those of ARCHITECTURE.md.
//!
//! `CIOSYNC_BENCH_ROWS` and `CIOSYNC_BENCH_REPEATS` make it smaller for a quick look.

mod measure;
#[path = "../../tests/it/support/postgres/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    clippy::panic,
    reason = "made for tests, which use all of it and may panic"
)]
mod postgres;
mod python;
mod world;

use std::process::ExitCode;

use measure::{Verdict, median, ratios};
use world::{Speed, World};

/// Rows of the benchmark table.
const ROWS: u64 = 1_000_000;

/// Pairs that are measured for each ratio.
const REPEATS: usize = 5;

fn main() -> ExitCode {
    // `cargo test --benches` passes this flag to have the benchmark compiled and not run.
    if std::env::args().any(|argument| argument == "--test") {
        return ExitCode::SUCCESS;
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.to_string()),
    };
    match runtime.block_on(bench()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&format!("{error:#}")),
    }
}

#[expect(clippy::print_stderr, reason = "a benchmark reports to who runs it")]
fn failed(error: &str) -> ExitCode {
    eprintln!("bench failed: {error}");
    ExitCode::FAILURE
}

#[expect(clippy::print_stdout, reason = "a benchmark reports to who runs it")]
fn say(line: &str) {
    println!("{line}");
}

async fn bench() -> anyhow::Result<()> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let rows = number("CIOSYNC_BENCH_ROWS").unwrap_or(ROWS);
    let repeats = number("CIOSYNC_BENCH_REPEATS").map_or(REPEATS, |repeats| repeats as usize);
    say(&format!("{rows} rows of 18 columns, {repeats} pairs a ratio\n"));
    let mut world = World::new(rows).await?;
    let mut verdicts = Vec::new();

    first_run(&mut world, repeats, &mut verdicts).await?;
    no_change(&mut world, repeats, &mut verdicts).await?;
    one_percent(&mut world, repeats, &mut verdicts).await?;
    states(&mut world, repeats, &mut verdicts).await?;
    throttled(&mut world, &mut verdicts).await?;
    python(&mut world, &mut verdicts).await?;

    say("");
    for verdict in &verdicts {
        say(&verdict.line());
    }
    Ok(())
}

/// Rows 3, 5, 7 (100 %) and 8.
async fn first_run(
    world: &mut World,
    repeats: usize,
    verdicts: &mut Vec<Verdict>,
) -> anyhow::Result<()> {
    let (mut runs, mut reads, mut peaks, mut fills) = (vec![], vec![], vec![], vec![]);
    for _ in 0..repeats {
        world.reset().await?;
        reads.push(world.plain_read().await?);
        let run = world.run(Speed::Unlimited, world::SQLITE).await?;
        anyhow::ensure!(run.delivered == world.rows, "a first run delivers every row");
        fills.push(world.mean_body().await? / 475_000.0);
        runs.push(run.wall);
        peaks.push(run.peak_mib);
    }
    verdicts.push(Verdict::at_most(
        "3 first run / plain read",
        median(&ratios(&runs, &reads)),
        1.5,
    ));
    verdicts.push(Verdict::at_least("5 mean body / 475,000 bytes", median(&fills), 0.95));
    verdicts.push(Verdict::at_most("7 peak MiB, 100 % changed", median(&peaks), 64.0));
    let size = world.state_bytes()? as f64 / world.rows as f64;
    verdicts.push(Verdict::at_most("8 state bytes a row", size, 24.0));
    Ok(())
}

/// Rows 1 and 7 (0 %).
async fn no_change(
    world: &mut World,
    repeats: usize,
    verdicts: &mut Vec<Verdict>,
) -> anyhow::Result<()> {
    let (mut runs, mut reads, mut peaks) = (vec![], vec![], vec![]);
    for _ in 0..repeats {
        reads.push(world.plain_read().await?);
        let run = world.run(Speed::Unlimited, world::SQLITE).await?;
        anyhow::ensure!(run.delivered == 0, "nothing changed, nothing is sent");
        runs.push(run.wall);
        peaks.push(run.peak_mib);
    }
    verdicts.push(Verdict::at_most(
        "1 no change / plain read",
        median(&ratios(&runs, &reads)),
        1.15,
    ));
    verdicts.push(Verdict::at_most("7 peak MiB, 0 % changed", median(&peaks), 64.0));
    Ok(())
}

/// Rows 2 and 7 (1 %).
async fn one_percent(
    world: &mut World,
    repeats: usize,
    verdicts: &mut Vec<Verdict>,
) -> anyhow::Result<()> {
    let (mut changed, mut still, mut peaks) = (vec![], vec![], vec![]);
    for _ in 0..repeats {
        still.push(world.run(Speed::Unlimited, world::SQLITE).await?.wall);
        world.change_one_percent().await?;
        let run = world.run(Speed::Unlimited, world::SQLITE).await?;
        anyhow::ensure!(run.delivered == world.rows / 100, "one row in a hundred is sent");
        changed.push(run.wall);
        peaks.push(run.peak_mib);
    }
    verdicts.push(Verdict::at_most(
        "2 1 % changed / no change",
        median(&ratios(&changed, &still)),
        1.2,
    ));
    verdicts.push(Verdict::at_most("7 peak MiB, 1 % changed", median(&peaks), 64.0));
    Ok(())
}

/// Row 9.
async fn states(
    world: &mut World,
    repeats: usize,
    verdicts: &mut Vec<Verdict>,
) -> anyhow::Result<()> {
    let (mut postgres, mut sqlite) = (vec![], vec![]);
    world.run(Speed::Unlimited, world::POSTGRES).await?;
    for _ in 0..repeats {
        sqlite.push(world.run(Speed::Unlimited, world::SQLITE).await?.wall);
        postgres.push(world.run(Speed::Unlimited, world::POSTGRES).await?.wall);
    }
    let ratio = median(&ratios(&postgres, &sqlite));
    verdicts.push(Verdict::at_most("9 PostgreSQL state / SQLite state", ratio, 1.1));
    Ok(())
}

/// Row 4.
async fn throttled(world: &mut World, verdicts: &mut Vec<Verdict>) -> anyhow::Result<()> {
    world.reset().await?;
    let run = world.run(Speed::Requests100, world::SQLITE).await?;
    let ideal = run.requests as f64 / 100.0;
    verdicts.push(Verdict::at_most("4 wall / (requests / 100) at 100/s", run.wall / ideal, 1.1));
    Ok(())
}

/// Row 6.
async fn python(world: &mut World, verdicts: &mut Vec<Verdict>) -> anyhow::Result<()> {
    let Some(client) = python::Client::prepare()? else {
        say("6 is left out: no Python with the official client (make bench installs it)");
        return Ok(());
    };
    let theirs = client.records_per_second(world.emulator_url())?;
    world.reset().await?;
    let run = world.run(Speed::Unlimited, world::SQLITE).await?;
    let ours = run.delivered as f64 / run.wall;
    verdicts.push(Verdict::at_least("6 records/s over the Python client's", ours / theirs, 100.0));
    Ok(())
}
