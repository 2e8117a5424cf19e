//! PostgreSQL with the table, the two destinations, and the binary under test.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures_util::TryStreamExt as _;
use serde_json::{Value, json};
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection as _, Row as _};

use crate::postgres::{Database, postgres};
use crate::sink::Sink;

/// Where state is kept.
#[derive(Clone, Copy)]
pub enum State {
    /// A file.
    Sqlite,
    /// The database the rows are in.
    Postgres,
}

/// Where rows go.
#[derive(Clone, Copy)]
pub enum Destination {
    /// A server that reads and says yes.
    Sink,
    /// A whole workspace, in a process of its own.
    Emulator,
}

/// How fast the connection may go.
#[derive(Clone, Copy)]
pub enum Speed {
    /// As fast as both sides can.
    Unlimited,
    /// [`SLOW_RATE`] requests a second.
    Slow,
}

/// Requests a second of [`Speed::Slow`].
pub const SLOW_RATE: u32 = 100;
/// Requests that it lets go at once. One would measure how late timers fire.
pub const SLOW_BURST: u32 = 10;

/// How a run is made.
#[derive(Clone, Copy)]
pub struct Setting {
    /// Where state is kept.
    pub state: State,
    /// Where rows go.
    pub destination: Destination,
    /// How fast.
    pub speed: Speed,
}

/// What most rows are measured with.
pub const USUAL: Setting =
    Setting { state: State::Sqlite, destination: Destination::Sink, speed: Speed::Unlimited };

/// One run's figures.
pub struct Run {
    /// Seconds, the whole process.
    pub wall: f64,
    /// Largest resident size of the process, in MiB.
    pub peak_mib: f64,
    /// Rows accepted.
    pub delivered: u64,
    /// Requests made.
    pub requests: u64,
}

/// Everything the benchmark runs on.
pub struct World {
    /// Rows of the table.
    pub rows: u64,
    /// What accepts everything.
    pub sink: Sink,
    database: Database,
    emulator: Emulator,
    folder: tempfile::TempDir,
    http: reqwest::Client,
    changes: u64,
}

struct Emulator {
    process: Child,
    url: String,
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // Gone already is as good as ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const COLUMNS: &str = "id, email, first_name, last_name, plan, mrr, seats, is_admin, score, country, \
    city, signed_up_at, last_seen_at, birthday, orders, revenue, segment, referrer";

impl World {
    /// Makes the table and starts the destinations.
    pub async fn new(rows: u64) -> anyhow::Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let database = postgres().await.database().await;
        database.execute(TABLE).await;
        database.execute(&FILL.replace("$rows", &rows.to_string())).await;
        database.execute("analyze people").await;
        let folder = tempfile::tempdir()?;
        let emulator = Emulator::start(folder.path())?;
        let sink = Sink::start().await?;
        let http = reqwest::Client::new();
        Ok(Self { rows, sink, database, emulator, folder, http, changes: 0 })
    }

    /// Empties the workspace and forgets the state in both stores.
    pub async fn reset(&mut self) -> anyhow::Result<()> {
        self.sink.reset();
        self.database.execute("drop schema if exists ciosync cascade").await;
        let url = format!("{}/_emulator/reset", self.emulator.url);
        self.http.post(url).send().await?.error_for_status()?;
        for suffix in ["", "-wal", "-shm"] {
            let file = self.folder.path().join(format!("state.db{suffix}"));
            if file.exists() {
                std::fs::remove_file(file)?;
            }
        }
        Ok(())
    }

    /// Returns the seconds that a loop over all rows of the same query takes, doing nothing else.
    pub async fn plain_read(&self) -> anyhow::Result<f64> {
        let mut connection = PgConnection::connect(&self.database.url()).await?;
        let query = format!("select {COLUMNS} from people order by id");
        let started = Instant::now();
        let mut rows = sqlx::raw_sql(AssertSqlSafe("select 1".to_owned())).fetch(&mut connection);
        while rows.try_next().await?.is_some() {}
        drop(rows);
        let mut rows = sqlx::query(AssertSqlSafe(query)).fetch(&mut connection);
        let mut count = 0u64;
        while let Some(row) = rows.try_next().await? {
            count += u64::from(row.len() == 18);
        }
        let seconds = started.elapsed().as_secs_f64();
        anyhow::ensure!(count == self.rows, "the loop read every row");
        Ok(seconds)
    }

    /// Changes one row in `every`, others than the last time; returns how many that are.
    pub async fn change_one_in(&mut self, every: u64) -> u64 {
        self.changes += 1;
        let (rest, score) = (self.changes % every, self.changes);
        let update =
            format!("update people set score = score + {score} where id % {every} = {rest}");
        self.database.execute(&update).await;
        // A table twice as large would be a slower one.
        let vacuum = if every == 1 { "vacuum (full, analyze) people" } else { "vacuum people" };
        self.database.execute(vacuum).await;
        (1..=self.rows).filter(|id| id % every == rest).count() as u64
    }

    /// Runs the Sync once.
    pub async fn run(&self, setting: Setting) -> anyhow::Result<Run> {
        let manifest = self.folder.path().join("sync.yaml");
        std::fs::write(&manifest, self.manifest(setting))?;
        let state = match setting.state {
            State::Postgres => format!("{}?sslmode=disable", self.database.url()),
            State::Sqlite => format!("sqlite:{}", self.state_file().display()),
        };
        let started = Instant::now();
        let mut process = Command::new(env!("CARGO_BIN_EXE_ciosync"))
            .args(["run", "-o", "json", "--state", &state, "-f"])
            .arg(&manifest)
            .current_dir(self.folder.path())
            .stdout(Stdio::piped())
            .spawn()?;
        let peak_mib = watch_peak(&mut process)?;
        let wall = started.elapsed().as_secs_f64();
        let output = process.wait_with_output()?;
        let report: Value = serde_json::from_slice(&output.stdout)
            .with_context(|| format!("the run ended with {}", output.status))?;
        let figure = |name: &str| report.pointer(&format!("/0/{name}")).and_then(Value::as_u64);
        anyhow::ensure!(output.status.success(), "the run failed: {report}");
        Ok(Run {
            wall,
            peak_mib,
            delivered: figure("delivered").unwrap_or(0),
            requests: figure("requests").unwrap_or(0),
        })
    }

    /// Returns the size of the state file, in bytes, its log contained.
    pub async fn state_bytes(&self) -> anyhow::Result<u64> {
        let options = SqliteConnectOptions::new().filename(self.state_file());
        let mut connection = SqliteConnection::connect_with(&options).await?;
        sqlx::raw_sql("pragma wal_checkpoint(truncate)").execute(&mut connection).await?;
        connection.close().await?;
        Ok(std::fs::metadata(self.state_file())?.len())
    }

    fn state_file(&self) -> PathBuf {
        self.folder.path().join("state.db")
    }

    fn manifest(&self, setting: Setting) -> String {
        let rate = match setting.speed {
            Speed::Unlimited => json!({
                "requestsPerSecond": 1000, "burst": 3000, "recordsPerSecond": 1_000_000,
            }),
            Speed::Slow => json!({
                "requestsPerSecond": SLOW_RATE, "burst": SLOW_BURST,
                "recordsPerSecond": 1_000_000,
            }),
        };
        let endpoint = match setting.destination {
            Destination::Sink => self.sink.url(),
            Destination::Emulator => &self.emulator.url,
        };
        let mappings: Vec<Value> = COLUMNS
            .split(',')
            .map(str::trim)
            .filter(|name| *name != "id")
            .map(|name| json!({"from": name}))
            .collect();
        let documents = [
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"},
                   "stringData": {"url": format!("{}?sslmode=disable", self.database.url()),
                                  "key": "emulator-api-key"}}),
            json!({"apiVersion": "ciosync.dev/v1alpha1", "kind": "Source",
                   "metadata": {"name": "warehouse"},
                   "spec": {"postgres": {"url": {"secretKeyRef": {"name": "keys", "key": "url"}},
                                         "tls": {"mode": "disable"}}}}),
            json!({"apiVersion": "ciosync.dev/v1alpha1", "kind": "CustomerIoConnection",
                   "metadata": {"name": "workspace"},
                   "spec": {"siteId": {"value": "emulator-site-id"},
                            "apiKey": {"secretKeyRef": {"name": "keys", "key": "key"}},
                            "endpoint": endpoint, "rateLimit": rate}}),
            json!({"apiVersion": "ciosync.dev/v1alpha1", "kind": "Sync",
                   "metadata": {"name": "people"},
                   "spec": {"sourceRef": {"name": "warehouse"},
                            "connectionRef": {"name": "workspace"},
                            "model": {"sql": format!("select {COLUMNS} from people"),
                                      "primaryKey": ["id"]},
                            "entity": "person", "behavior": "updateOrCreate",
                            "identifiers": {"id": "id"}, "mappings": mappings}}),
        ];
        documents.map(|document| document.to_string()).join("\n---\n")
    }
}

impl Emulator {
    fn start(folder: &Path) -> anyhow::Result<Self> {
        let mut process = Command::new(env!("CARGO_BIN_EXE_ciosync"))
            .args(["emulator", "--listen", "127.0.0.1:0"])
            .current_dir(folder)
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = process.stdout.take().context("the emulator has a stdout")?;
        for line in BufReader::new(stdout).lines() {
            if let Some(url) = line?.strip_prefix("listening on ") {
                return Ok(Self { process, url: url.to_owned() });
            }
        }
        anyhow::bail!("the emulator did not start")
    }
}

/// Waits for the process to end and returns its largest resident size, as Linux keeps it.
fn watch_peak(process: &mut Child) -> anyhow::Result<f64> {
    const LOOK_EVERY: Duration = Duration::from_millis(5);
    let path = format!("/proc/{}/status", process.id());
    let mut peak_kib = 0.0_f64;
    while process.try_wait()?.is_none() {
        let status = std::fs::read_to_string(&path).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        peak_kib = peak_kib.max(kib.unwrap_or(0.0));
        std::thread::sleep(LOOK_EVERY); // sleep: the kernel tells of no change of this figure
    }
    Ok(peak_kib / 1024.0)
}

const TABLE: &str = "
create table people (
    id bigint primary key, email text, first_name text, last_name text, plan text,
    mrr numeric(10, 2), seats integer, is_admin boolean, score double precision, country text,
    city text, signed_up_at timestamptz, last_seen_at timestamptz, birthday date, orders integer,
    revenue numeric(12, 2), segment text, referrer text
)";

const FILL: &str = "
insert into people
select n, 'person.' || n || '@example.com', 'First' || n % 1000, 'Last' || n % 5000,
    (array['free', 'pro', 'team', 'enterprise'])[1 + n % 4], (n % 500) + 0.99, n % 50, n % 100 = 0,
    (n % 1000) / 7.0, (array['DE', 'FR', 'IT', 'US'])[1 + n % 4], 'City ' || n % 300,
    timestamptz '2020-01-01' + n * interval '1 minute',
    timestamptz '2025-01-01' + n * interval '7 seconds', date '1960-01-01' + (n % 15000)::int,
    n % 40, (n % 90000) / 3.0, 'segment-' || n % 12, null
from generate_series(1, $rows) n";
