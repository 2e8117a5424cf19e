//! A source, a workspace, a state store and the real binary between them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ciosync::emulator::{Emulator, Options};
use ciosync::model::SyncId;
use ciosync::state::{self, Access, EntryChunk, SnapshotReader};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};

use super::ledger::{Ledger, Remembered, Snapshot, Traces, Unremembered};
use super::recorder::Recorder;
pub use super::style::Style;
use super::style::{long, second};
use crate::support::cli::{Ciosync, Output, Running, Workdir};
use crate::support::postgres::{Database, postgres};

/// What a row says besides its key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Person {
    pub version: u32,
    /// Part of the e-mail; with another one the row is about another person.
    pub address: u32,
}

/// The rows of the source, by key.
pub type People = BTreeMap<i64, Person>;

/// Returns so many rows.
pub fn people(count: i64) -> People {
    (1..=count).map(|id| (id, Person::default())).collect()
}

/// Returns the e-mail that a row has.
pub fn email(id: i64, person: Person) -> String {
    format!("k{id}.{}@example.test", person.address)
}

/// Where the state is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    Sqlite,
    Postgres,
}

/// How a world is set up.
#[derive(Clone, Debug)]
pub struct Setup {
    pub style: Style,
    pub store: Store,
    /// More of the connection's spec.
    pub connection: &'static str,
    /// More of the Sync's spec.
    pub sync: &'static str,
    /// The body of the model's select list beyond the table's columns.
    pub extra_columns: String,
    /// Mappings of the extra columns.
    pub extra_mappings: String,
}

/// Requests that may be on their way at once.
pub const IN_FLIGHT_MAX: usize = 4;

/// Small batches, so that a run has many moments; no brake.
pub const SMALL_BATCHES: &str = "limits: {itemBytes: 1000, batchBytes: 2100}
  rateLimit: {requestsPerSecond: 1000, burst: 3000, recordsPerSecond: 1000000, maxInFlight: 4}";

/// About how many rows one of the small batches takes.
pub const ROWS_IN_A_BATCH: usize = 9;

impl Setup {
    pub fn new(style: Style, store: Store) -> Self {
        let sync = if style.mirrors() { "guards: {maxRemoved: 100%}" } else { "" };
        let none = String::new;
        Self {
            style,
            store,
            connection: SMALL_BATCHES,
            sync,
            extra_columns: none(),
            extra_mappings: none(),
        }
    }

    fn manifest(&self, endpoint: &str) -> String {
        let Self { connection, sync, extra_columns, extra_mappings, .. } = self;
        let (what, columns) = (self.style.spec(extra_mappings), self.style.columns());
        format!(
            "apiVersion: ciosync.dev/v1alpha1
kind: Source
metadata: {{name: warehouse}}
spec:
  sqlite: {{path: source.db}}
---
apiVersion: ciosync.dev/v1alpha1
kind: CustomerIoConnection
metadata: {{name: workspace}}
spec:
  siteId: {{value: emulator-site-id}}
  apiKey: {{secretKeyRef: {{name: customerio, key: api-key}}}}
  endpoint: {endpoint}
  {connection}
---
apiVersion: v1
kind: Secret
metadata: {{name: customerio}}
stringData: {{api-key: emulator-api-key}}
---
apiVersion: ciosync.dev/v1alpha1
kind: Sync
metadata: {{name: people}}
spec:
  sourceRef: {{name: warehouse}}
  connectionRef: {{name: workspace}}
  model:
    sql: select id, email{columns}, version, note{extra_columns} from people
    primaryKey: [id]
  {what}
  {sync}
"
        )
    }
}

/// Everything one test needs, and the books of what happened.
pub struct World {
    pub dir: Workdir,
    pub emulator: Emulator,
    pub recorder: Recorder,
    pub setup: Setup,
    pub source: People,
    pub ledger: Ledger,
    pub database: Option<Database>,
    state_url: String,
    entered: usize,
}

impl World {
    /// Makes a world with these rows in its source.
    pub async fn new(setup: Setup, rows: People) -> Self {
        let database = match setup.store {
            Store::Sqlite => None,
            Store::Postgres => Some(postgres().await.database().await),
        };
        let state_url = match &database {
            None => "sqlite:state/state.db".to_owned(),
            Some(database) => database.url(),
        };
        let emulator = Emulator::start(Options::default()).await.unwrap();
        setup.style.prepare(&emulator);
        let recorder = Recorder::start(emulator.url()).await;
        let dir = Workdir::new();
        dir.write("sync.yaml", &setup.manifest(&recorder.url()));
        let (source, ledger) = (People::new(), Ledger::new(setup.style));
        let mut world = Self {
            dir,
            emulator,
            recorder,
            setup,
            source,
            ledger,
            database,
            state_url,
            entered: 0,
        };
        world.change(|people| *people = rows).await;
        world
    }

    /// Changes the rows of the source.
    pub async fn change(&mut self, change: impl FnOnce(&mut People)) {
        change(&mut self.source);
        let mut sql = "begin; drop table if exists people; create table people
            (id integer primary key, email text, second text, long text, version integer, note text); "
            .to_owned();
        let rows: Vec<(&i64, &Person)> = self.source.iter().collect();
        for chunk in rows.chunks(500) {
            sql.push_str("insert into people values ");
            for (index, (id, person)) in chunk.iter().enumerate() {
                let comma = if index == 0 { "" } else { "," };
                let (email, second) = (email(**id, **person), second(**id, **person));
                let (long, note, version) = (long(**id), note(**id, **person), person.version);
                write!(sql, "{comma}({id},'{email}','{second}','{long}',{version},'{note}')")
                    .unwrap();
            }
            sql.push_str("; ");
        }
        sql.push_str("commit");
        let file = self.dir.path().join("source.db");
        let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
        let mut connection = options.connect().await.unwrap();
        connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.unwrap();
        sqlx::Connection::close(connection).await.unwrap();
    }

    /// Changes what the manifests say of connection or Sync.
    pub fn set_up(&mut self, change: impl FnOnce(&mut Setup)) {
        change(&mut self.setup);
        self.dir.write("sync.yaml", &self.setup.manifest(&self.recorder.url()));
    }

    /// Keeps the state elsewhere from now on, at the end of a line that can be cut for one.
    pub fn keep_state_at(&mut self, url: String) {
        self.state_url = url;
    }

    /// Returns where the state is kept.
    pub fn state_url(&self) -> String {
        match self.state_url.strip_prefix("sqlite:") {
            Some(path) => format!("sqlite:{}", self.dir.path().join(path).display()),
            None => self.state_url.clone(),
        }
    }

    /// The words of a run that reports in JSON.
    pub fn run_words(&self) -> Vec<String> {
        let words = ["run", "-f", "sync.yaml", "-o", "json", "--state"];
        words.into_iter().map(str::to_owned).chain([self.state_url()]).collect()
    }

    /// Starts a run.
    pub fn start(&self) -> Running {
        Ciosync::new(self.dir.path()).args(self.run_words()).spawn()
    }

    /// Runs to the end and enters what was seen in the books.
    pub async fn run(&mut self) -> Output {
        let output = self.start().wait().await;
        self.enter().await;
        output
    }

    /// Enters what the runs since the last call did; fails where they broke a promise.
    pub async fn enter(&mut self) -> Unremembered {
        let exchanges = self.recorder.since(self.entered);
        self.entered += exchanges.len();
        let after = self.snapshot().await;
        let traces = Traces { source: &self.source, exchanges: &exchanges, after };
        self.ledger.enter(traces)
    }

    /// Returns what the state remembers, journal included.
    pub async fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot::new();
        let opened = state::open_existing(&self.state_url(), None, Access::Read).await.unwrap();
        let Some(store) = opened else { return snapshot };
        let sync = SyncId::new("default", "people");
        let memo = store.sync(&sync).await.unwrap().map(|state| state.memo).unwrap_or_default();
        let Some(shape) = memo.key_shape else { return snapshot };
        let mut reader = SnapshotReader::open_with_journal(store, sync).await.unwrap();
        let (mut chunk, mut text) = (EntryChunk::default(), String::new());
        while reader.next_chunk(&mut chunk).await.unwrap() {
            for entry in chunk.iter() {
                text.clear();
                shape.write_text(entry.key, 0, &mut text).unwrap();
                let id = text.parse().unwrap();
                entry.write_target(&shape, &mut text).unwrap();
                let fingerprint = entry.fingerprint.map(|it| it.to_bytes());
                snapshot.insert(id, Remembered { fingerprint, target: text.clone() });
            }
        }
        snapshot
    }

    /// Runs undisturbed until nothing is left to send, and proves that everything is as if nothing
    /// had ever happened.
    pub async fn expect_undisturbed_end(&mut self) {
        self.emulator.faults().clear();
        self.run_until_nothing_is_left(4).await;
        self.expect_workspace_equals_source();
        if self.setup.style == Style::Events {
            // Rows that changed or left since are remembered as they were sent.
            let known = self.ledger.remembered();
            assert!(self.source.keys().all(|id| known.contains_key(id)));
            return;
        }
        let twin = Setup { store: Store::Sqlite, ..self.setup.clone() };
        let mut twin = Box::pin(World::new(twin, self.source.clone())).await;
        twin.run().await.expect_code(0);
        assert_eq!(self.ledger.remembered(), twin.ledger.remembered());
    }

    /// Runs until a run has nothing to send.
    pub async fn run_until_nothing_is_left(&mut self, runs_max: usize) {
        let mut last = None;
        for _ in 0..runs_max {
            let before = self.recorder.count();
            let output = self.run().await;
            if result(&output) == "NoChanges" {
                assert_eq!(self.recorder.count(), before, "{output}");
                return;
            }
            last = Some(output);
        }
        panic!("something is left to send after {runs_max} runs; the last was\n{}", last.unwrap());
    }

    /// Fails unless the workspace holds what the source holds, and, under a mirror, nothing else but
    /// what nobody could know of.
    pub fn expect_workspace_equals_source(&self) {
        let style = self.setup.style;
        let mut found = style.found(&self.emulator);
        for (id, person) in &self.source {
            let name = style.target(*id, *person);
            let Some(attributes) = found.remove(&name) else { panic!("nothing is called {name}") };
            // An event says what its row said when it was sent.
            if style.says() && style != Style::Events {
                let version = attributes["version"].to_string();
                assert_eq!(version.trim_matches('"'), person.version.to_string(), "{name}");
                assert_eq!(attributes["note"], note(*id, *person), "{name}: {attributes}");
            }
        }
        if style.mirrors() {
            found.retain(|name, _| !self.ledger.is_unheard_of(name));
            assert_eq!(found, BTreeMap::new(), "what is in no source was left");
        }
    }
}

fn note(id: i64, person: Person) -> String {
    format!("note {} of row {id}, as long as such notes are", person.version)
}

/// Returns how the one run of the output ended.
#[track_caller]
pub fn result(output: &Output) -> String {
    output.json()[0]["result"].as_str().unwrap().to_owned()
}

/// Returns why the one run of the output did not end well, and what it says.
#[track_caller]
pub fn failure(output: &Output) -> (String, String) {
    let report = &output.json()[0];
    let text = |field: &str| report[field].as_str().unwrap_or_default().to_owned();
    (text("reason"), text("message"))
}
