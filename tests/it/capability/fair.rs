//! Two Syncs of one connection: one that has everything to send, and one that has a little of it
//! again and again. The second must not wait for the first.
//!
//! At full size, two million people against 50 requests a second: `make fair PEOPLE=2000000`.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ciosync::cli::args::ManifestArgs;
use ciosync::cli::load::{self, Workshop};
use ciosync::engine::{self, Pipeline, Progress, RunOptions, RunOutcome, RunRequest};
use ciosync::model::RunResult;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, SqliteConnection};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::laptop::install_tls;
use super::{Laptop, in_process};

/// People of the Sync that has little to send; all of them change each time.
const FEW: u64 = 200;

/// How much is sent, how fast, and how long a slot of the small Sync is.
struct Scale {
    people: u64,
    slot: Duration,
    /// After so many slots enough was seen; `None`: only the end of the backfill is the end.
    slots: Option<usize>,
    connection: &'static str,
}

/// So many requests wait for their turn that standing behind them once takes 25 s, and a run asks
/// for a turn twice at least. A slot is that long because the machine may be busy too.
const SMALL: Scale = Scale {
    people: 100_000,
    slot: Duration::from_secs(30),
    slots: Some(3),
    connection: "rateLimit: {requestsPerSecond: 10, burst: 10, recordsPerSecond: 1000000, maxInFlight: 256}\n\
                 limits: {itemBytes: 1000, batchBytes: 10000}",
};

/// What is promised: batches as large as they get, and a Sync of every minute.
const FULL: Scale = Scale {
    people: 0,
    slot: Duration::from_secs(60),
    slots: None,
    connection: "rateLimit: {requestsPerSecond: 50, burst: 50, recordsPerSecond: 20000, maxInFlight: 32}",
};

fn scale() -> Scale {
    let asked = std::env::var("FAIR_PEOPLE").ok().filter(|text| !text.is_empty());
    match asked {
        Some(people) => Scale { people: people.parse().expect("FAIR_PEOPLE is a number"), ..FULL },
        None => SMALL,
    }
}

fn spec(table: &str, source: &str, attribute: &str) -> String {
    format!(
        "sourceRef: {{name: {source}}}\nconnectionRef: {{name: production}}\nentity: person\n\
         behavior: updateOrCreate\nmodel: {{table: {table}, primaryKey: [id]}}\n\
         identifiers: {{id: id}}\nmappings: [{{from: {attribute}}}]\ntimeout: 1h"
    )
}

/// Makes the two Syncs; returns the warehouse of the small one.
async fn syncs(laptop: &Laptop) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(laptop.dir.path().join("few.db"));
    let mut few = options.create_if_missing(true).connect().await.unwrap();
    let rows = numbered(FEW, "select 's' || i, 0 from n");
    let schema =
        format!("create table few (id text primary key, visits integer); insert into few {rows};");
    sqlx::raw_sql(AssertSqlSafe(schema)).execute(&mut few).await.unwrap();
    laptop.resource("few.yaml", "Source", "few", "sqlite: {path: few.db}");
    laptop.resource("syncs/bulk.yaml", "Sync", "bulk", &spec("people", "warehouse", "plan"));
    laptop.resource("syncs/small.yaml", "Sync", "small", &spec("few", "few", "visits"));
    few
}

fn numbered(count: u64, select: &str) -> String {
    format!(
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < {count}) {select}"
    )
}

/// Returns the two pipelines, which share one client and with it one limiter.
async fn pipelines(laptop: &Laptop) -> (Arc<Pipeline>, Arc<Pipeline>) {
    install_tls();
    let paths = vec![laptop.dir.path().to_owned()];
    let args = ManifestArgs { paths, namespace: "default".to_owned(), secrets: None };
    let Ok(loaded) = load::load(&args) else { panic!("the manifests can't be read") };
    let syncs: Vec<_> = loaded.manifests.syncs.iter().collect();
    let Ok(ready) = Workshop::new(&loaded, None).make(&syncs).await else {
        panic!("the manifests can't be resolved")
    };
    let of = |name: &str| {
        let found = ready.iter().find(|ready| ready.id.name == name);
        Arc::clone(&found.unwrap().pipeline)
    };
    (of("bulk"), of("small"))
}

/// Runs a Sync once, on a thread of its own as the operator does.
async fn run(laptop: &Laptop, pipeline: &Arc<Pipeline>, cancel: &CancellationToken) -> RunOutcome {
    let request = RunRequest {
        pipeline: Arc::clone(pipeline),
        store: in_process::store(laptop).await,
        options: RunOptions::default(),
        cancel: cancel.clone(),
        progress: watch::Sender::new(Progress::default()),
        spill_dir: laptop.dir.path().to_owned(),
    };
    let runtime = Handle::current();
    let run = tokio::task::spawn_blocking(move || runtime.block_on(engine::run(request)));
    run.await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backfill_does_not_keep_a_small_sync_of_its_connection_waiting() {
    let Scale { people, slot, slots, connection } = scale();
    let rows = numbered(people, "select 'b' || i, 'plan ' || (i % 7) from n");
    let schema =
        format!("create table people (id text primary key, plan text); insert into people {rows};");
    let laptop = Laptop::new(&schema).await;
    laptop.connection(connection);
    let mut few = syncs(&laptop).await;
    let (bulk, small) = pipelines(&laptop).await;
    let (is_over, enough) = (Cell::new(false), CancellationToken::new());

    let backfill = async {
        let begun = Instant::now();
        let outcome = run(&laptop, &bulk, &enough).await;
        is_over.set(true);
        (outcome, begun.elapsed())
    };
    let every_slot = async {
        laptop.workspace().wait_for(|stats| stats.items_accepted > FEW).await;
        let mut took = Vec::new();
        while !is_over.get() && slots.is_none_or(|slots| took.len() < slots) {
            let change = "update few set visits = visits + 1";
            sqlx::raw_sql(change).execute(&mut few).await.unwrap();
            let begun = Instant::now();
            let outcome = run(&laptop, &small, &CancellationToken::new()).await;
            took.push(begun.elapsed());
            assert!(outcome.error.is_none(), "{:?}", outcome.report);
            assert_eq!(outcome.report.counts.delivered, FEW);
        }
        // Whoever is asserted on below went on until here.
        enough.cancel();
        took
    };
    let ((outcome, backfill), took) = tokio::join!(backfill, every_slot);

    let worst = took.iter().max().copied().unwrap_or_default();
    announce(&format!(
        "fair: {} of {people} people in {backfill:.1?}; {} slots of {FEW} people beside them, \
         the longest took {worst:.1?}",
        outcome.report.counts.delivered,
        took.len()
    ));
    assert!(worst < slot, "a slot of {slot:?} took {worst:?}");
    match slots {
        Some(slots) => {
            assert_eq!(took.len(), slots, "the backfill was over too soon");
            assert_eq!(outcome.report.result, RunResult::Interrupted, "{:?}", outcome.report);
        }
        None => {
            assert!(outcome.error.is_none(), "{:?}", outcome.report);
            let everybody = usize::try_from(people + FEW).unwrap();
            assert_eq!(laptop.workspace().people_count(), everybody);
        }
    }
}

#[expect(clippy::print_stderr, reason = "the figures of a run at full size")]
fn announce(text: &str) {
    eprintln!("{text}");
}
