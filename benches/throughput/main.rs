//! `make bench`: a million rows of 18 columns from PostgreSQL into Customer.io's place, as ratios.
//!
//! Every figure is a ratio of two things measured in turn in this one call, median of several,
//! because machines are shared and noisy. The numbers before the names are those of docs/speed.md.
//!
//! `CIOSYNC_BENCH_ROWS` and `CIOSYNC_BENCH_REPEATS` make it smaller for a quick look, or larger.

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
mod sink;
mod world;

use std::process::ExitCode;

use measure::{Pairs, Verdict, median};
use world::{Destination, Setting, Speed, State, USUAL, World};

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
    let mut bench = Bench { world: World::new(rows).await?, repeats, verdicts: Vec::new() };

    bench.first_run().await?;
    bench.few_changed(0).await?;
    bench.few_changed(10_000).await?;
    bench.few_changed(100).await?;
    bench.states().await?;
    bench.slow().await?;
    bench.python().await?;
    bench.emulator().await?;
    bench.all_changed().await?;

    say("");
    for verdict in &bench.verdicts {
        say(&verdict.line());
    }
    Ok(())
}

struct Bench {
    world: World,
    repeats: usize,
    verdicts: Vec<Verdict>,
}

impl Bench {
    /// Most memory that a run of so many rows may take, in MiB.
    fn memory_max(&self) -> f64 {
        if self.world.rows > ROWS { 96.0 } else { 64.0 }
    }

    fn at_most(&mut self, name: &str, figure: f64, target: f64) {
        self.verdicts.push(Verdict::at_most(name, figure, target));
    }

    /// Rows 3, 5 and 8, and 7 where all rows are new.
    async fn first_run(&mut self) -> anyhow::Result<()> {
        let (mut pairs, mut peaks, mut fills) = (Pairs::default(), vec![], vec![]);
        for _ in 0..self.repeats {
            self.world.reset().await?;
            let read = self.world.plain_read().await?;
            let run = self.world.run(USUAL).await?;
            anyhow::ensure!(run.delivered == self.world.rows, "a first run delivers every row");
            fills.push(self.world.sink.mean_body() / 475_000.0);
            peaks.push(run.peak_mib);
            pairs.push(run.wall, read);
        }
        self.at_most("3 first run / plain read", pairs.ratio("first run, plain read"), 1.5);
        self.verdicts.push(Verdict::at_least("5 mean body / 475,000 bytes", median(&fills), 0.95));
        self.at_most("7 peak MiB, all new", median(&peaks), self.memory_max());
        let size = self.world.state_bytes().await? as f64 / self.world.rows as f64;
        self.at_most("8 state bytes a row", size, 24.0);
        Ok(())
    }

    /// Rows 1, 2 and 7, with one row in `every` changed since the run before, or none for 0.
    async fn few_changed(&mut self, every: u64) -> anyhow::Result<()> {
        let (mut pairs, mut peaks) = (Pairs::default(), vec![]);
        for _ in 0..self.repeats {
            let (base, changed) = match every {
                0 => (self.world.plain_read().await?, 0),
                _ => (self.world.run(USUAL).await?.wall, self.world.change_one_in(every).await),
            };
            let run = self.world.run(USUAL).await?;
            anyhow::ensure!(run.delivered == changed, "what changed is sent and nothing else");
            pairs.push(run.wall, base);
            peaks.push(run.peak_mib);
        }
        match every {
            0 => {
                let ratio = pairs.ratio("no change, plain read");
                self.at_most("1 no change / plain read", ratio, 1.15);
            }
            100 => {
                let ratio = pairs.ratio("1 % changed, no change");
                self.at_most("2 1 % changed / no change", ratio, 1.2);
            }
            _ => {}
        }
        let share = if every == 0 { 0.0 } else { 100.0 / every as f64 };
        let name = format!("7 peak MiB, {share} % changed");
        self.at_most(&name, median(&peaks), self.memory_max());
        Ok(())
    }

    /// Row 9.
    async fn states(&mut self) -> anyhow::Result<()> {
        let elsewhere = Setting { state: State::Postgres, ..USUAL };
        let mut pairs = Pairs::default();
        self.world.run(elsewhere).await?;
        for _ in 0..self.repeats {
            let sqlite = self.world.run(USUAL).await?.wall;
            pairs.push(self.world.run(elsewhere).await?.wall, sqlite);
        }
        let ratio = pairs.ratio("no change with PostgreSQL state, with SQLite state");
        self.at_most("9 PostgreSQL state / SQLite state", ratio, 1.1);
        Ok(())
    }

    /// Row 4. A burst goes at once, so it is no part of what must take its time.
    async fn slow(&mut self) -> anyhow::Result<()> {
        self.world.reset().await?;
        let run = self.world.run(Setting { speed: Speed::Slow, ..USUAL }).await?;
        let paced = run.requests.saturating_sub(world::SLOW_BURST.into());
        let ideal = paced as f64 / f64::from(world::SLOW_RATE);
        say(&format!("{} requests at 100 a second: {:.2} s", run.requests, run.wall));
        self.at_most("4 wall / (requests / 100) at 100/s", run.wall / ideal, 1.1);
        Ok(())
    }

    /// Row 6.
    async fn python(&mut self) -> anyhow::Result<()> {
        let Some(client) = python::Client::prepare()? else {
            say("6 is left out: no Python with the official client (make bench installs it)");
            return Ok(());
        };
        let mut pairs = Pairs::default();
        for _ in 0..self.repeats {
            self.world.reset().await?;
            let theirs = client.records_per_second(self.world.sink.url()).await?;
            let run = self.world.run(USUAL).await?;
            pairs.push(run.delivered as f64 / run.wall, theirs);
        }
        let ratio = pairs.ratio("records a second, the Python client's");
        self.verdicts.push(Verdict::at_least("6 records/s over the Python client's", ratio, 100.0));
        Ok(())
    }

    /// Row 3 again, bounded by how fast the emulator takes items apart: for the record.
    async fn emulator(&mut self) -> anyhow::Result<()> {
        let whole = Setting { destination: Destination::Emulator, ..USUAL };
        let mut pairs = Pairs::default();
        for _ in 0..self.repeats {
            self.world.reset().await?;
            let read = self.world.plain_read().await?;
            pairs.push(self.world.run(whole).await?.wall, read);
        }
        let ratio = pairs.ratio("first run into the emulator, plain read");
        say(&format!("first run into the emulator / plain read: {ratio:.3}"));
        Ok(())
    }

    /// Row 7 where every row is known and has changed.
    async fn all_changed(&mut self) -> anyhow::Result<()> {
        let changed = self.world.change_one_in(1).await;
        let whole = Setting { destination: Destination::Emulator, ..USUAL };
        let run = self.world.run(whole).await?;
        anyhow::ensure!(run.delivered == changed, "every row is sent");
        say(&format!("all rows changed: {:.2} s", run.wall));
        self.at_most("7 peak MiB, 100 % changed", run.peak_mib, self.memory_max());
        Ok(())
    }
}
