//! A source that breaks: nothing is removed for it, nothing is lost, and the next run goes on.

use std::sync::Arc;

use async_trait::async_trait;
use ciosync::cli::args::ManifestArgs;
use ciosync::cli::load::{self, Workshop};
use ciosync::engine::{Pipeline, Progress, RunOptions, RunOutcome, RunRequest, run};
use ciosync::model::{Column, Disposition, Reason, RowBatch, Value, ValueKind};
use ciosync::sources::{Model, ReadRequest, RowStream, Source, SourceError};
use ciosync::state;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::wire::Wire;
use super::world::{People, Setup, Store, Style, World, email, failure, people};
use crate::support::cli::Output;
use crate::support::postgres::{Database, postgres};

const ROWS: i64 = 3_000;

/// A world whose source is a PostgreSQL server at the end of a line.
struct Remote {
    world: World,
    database: Database,
    wire: Wire,
    columns: &'static str,
    /// The manifests but for the source.
    manifest: String,
}

impl Remote {
    async fn new(style: Style, columns: &'static str) -> Self {
        let database = postgres().await.database().await;
        let wire = Wire::to(database.port).await;
        let world = World::new(Setup::new(style, Store::Sqlite), people(ROWS)).await;
        let manifest = world.dir.read("sync.yaml");
        let mut remote = Self { world, database, wire, columns, manifest };
        remote
            .database
            .execute("create table pace (seconds float); insert into pace values (0)")
            .await;
        remote.change(|_| {}).await;
        remote.write_manifest("1m");
        remote
    }

    async fn change(&mut self, change: impl FnOnce(&mut People)) {
        self.world.change(change).await;
        let mut sql = "drop table if exists people; create table people
            (id bigint primary key, email text, version int, note text);"
            .to_owned();
        sql.push_str("insert into people values ");
        for (index, (id, person)) in self.world.source.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let version = person.version;
            let note = format!("note {version} of row {id}, as long as such notes are");
            sql.push_str(&format!("{comma}({id},'{}',{version},'{note}')", email(*id, *person)));
        }
        self.database.execute(&sql).await;
    }

    fn write_manifest(&self, statement_timeout: &str) {
        let (_, rest) = self.manifest.split_once("---").unwrap();
        let Database { name, user, password, .. } = &self.database;
        let rest = rest.replace(
            "select id, email, version, note from people",
            &format!(
                "with pause as materialized (select pg_sleep(seconds) from pace)
             select id, email, version, {} from people, pause",
                self.columns
            ),
        );
        self.world.dir.write(
            "sync.yaml",
            &format!(
                "apiVersion: ciosync.dev/v1alpha1
kind: Source
metadata: {{name: warehouse}}
spec:
  postgres:
    host: 127.0.0.1
    port: {}
    database: {name}
    user: {user}
    password: {{secretKeyRef: {{name: warehouse, key: password}}}}
    tls: {{mode: disable}}
    statementTimeout: {statement_timeout}
---
apiVersion: v1
kind: Secret
metadata: {{name: warehouse}}
stringData: {{password: {password}}}
---{rest}",
                self.wire.port()
            ),
        );
    }

    /// Lets every read take so long before its first row.
    async fn pause(&self, seconds: f64) {
        self.database.execute(&format!("update pace set seconds = {seconds}")).await;
    }

    /// Changes some rows and takes some away, so that a read that is taken for whole would remove.
    async fn change_some(&mut self) {
        self.change(|people| {
            people.retain(|id, _| id % 100 != 0);
            people.values_mut().for_each(|person| person.version += 1);
        })
        .await;
    }

    /// A run that must fail without having sent anything.
    async fn fail(&mut self) -> Output {
        let before = self.world.ledger.remembered().clone();
        let sent = self.world.recorder.count();
        let output = self.world.run().await.expect_code(1);
        self.expect_nothing_happened(&before, sent);
        output
    }

    fn expect_nothing_happened(&self, before: &super::ledger::Snapshot, sent: usize) {
        assert_eq!(self.world.recorder.count(), sent, "something was sent");
        assert_eq!(self.world.ledger.remembered(), before);
    }

    /// The next run goes on as if nothing had happened.
    async fn recover(mut self) {
        self.world.run().await.expect_code(0);
        self.world.expect_workspace_equals_source();
        let count = self.world.recorder.count();
        self.world.run().await.expect_code(0);
        assert_eq!(self.world.recorder.count(), count);
    }
}

#[tokio::test]
async fn a_read_that_breaks_off_removes_and_sends_nothing() {
    let mut remote = Remote::new(Style::Mirror, "note").await;
    remote.world.run().await.expect_code(0);
    let whole_read = remote.wire.carried();
    remote.change_some().await;

    for part in [3, 2] {
        remote.wire.cut_after(whole_read / part);
        let output = remote.fail().await;
        assert_eq!(failure(&output).0, "SourceNotReady", "{output}");
    }

    remote.wire.mend();
    remote.recover().await;
}

#[tokio::test]
async fn a_first_read_that_breaks_off_keeps_what_was_delivered() {
    let mut remote = Remote::new(Style::Keep, "note").await;
    remote.wire.cut_after(150_000);

    let output = remote.world.start().wait().await.expect_code(1);
    let left = remote.world.enter().await;

    assert_eq!(failure(&output).0, "SourceNotReady", "{output}");
    assert_eq!(left.accepted, 0, "what was accepted is remembered");
    remote.wire.mend();
    remote.recover().await;
}

#[tokio::test]
async fn a_server_that_ends_the_query_is_an_error_and_no_end() {
    let mut remote = Remote::new(Style::Mirror, "note").await;
    remote.world.run().await.expect_code(0);
    remote.change_some().await;
    remote.pause(60.0).await;
    let (before, sent) = (remote.world.ledger.remembered().clone(), remote.world.recorder.count());

    let running = remote.world.start();
    remote.database.terminate_query("pg_sleep(seconds)").await;
    let output = running.wait().await.expect_code(1);
    remote.world.enter().await;

    assert_eq!(failure(&output).0, "SourceNotReady", "{output}");
    remote.expect_nothing_happened(&before, sent);
    remote.pause(0.0).await;
    remote.recover().await;
}

#[tokio::test]
async fn a_query_over_its_time_says_so_and_the_next_goes_on() {
    let mut remote = Remote::new(Style::Mirror, "note").await;
    remote.world.run().await.expect_code(0);
    remote.change_some().await;
    remote.pause(30.0).await;
    remote.write_manifest("1s");

    let output = remote.fail().await;

    let hint = output.json()[0]["hint"].as_str().unwrap_or_default().to_owned();
    assert!(hint.contains("statementTimeout"), "{output}");
    remote.pause(0.0).await;
    // A busy machine may need longer for the whole query.
    remote.write_manifest("60s");
    remote.recover().await;
}

#[tokio::test]
async fn a_row_that_the_server_fails_to_work_out_ends_the_run_without_its_values() {
    let columns = "case when id = 1500 then cast(note as integer)::text else note end as note";
    let mut remote = Remote::new(Style::Mirror, columns).await;

    let output = remote.fail().await;

    let (reason, message) = failure(&output);
    assert_eq!(reason, "InvalidQuery", "{output}");
    assert!(message.contains("22P02") && !message.contains("of row"), "{output}");
}

/// A source that breaks its promise: what its stream gives is scripted.
struct Scripted {
    ids: Vec<i64>,
    /// Breaks behind the last row instead of ending.
    breaks: bool,
}

#[async_trait]
impl Source for Scripted {
    async fn probe(&self) -> Result<(), SourceError> {
        Ok(())
    }

    async fn describe(&self, _model: &Model) -> Result<Vec<Column>, SourceError> {
        let column = |name: &str, kind| Column { name: name.into(), kind, type_name: "x".into() };
        Ok(vec![
            column("id", ValueKind::Integer),
            column("email", ValueKind::Text),
            column("version", ValueKind::Integer),
            column("note", ValueKind::Text),
        ])
    }

    async fn open(&self, request: &ReadRequest) -> Result<Box<dyn RowStream>, SourceError> {
        let all = self.describe(&request.model).await?;
        let columns = request
            .columns
            .iter()
            .map(|name| all.iter().find(|column| column.name == *name).unwrap().clone());
        let columns = columns.collect();
        Ok(Box::new(Script { columns, ids: self.ids.clone().into_iter(), breaks: self.breaks }))
    }
}

struct Script {
    columns: Vec<Column>,
    ids: std::vec::IntoIter<i64>,
    breaks: bool,
}

#[async_trait]
impl RowStream for Script {
    fn columns(&self) -> &[Column] {
        &self.columns
    }

    async fn next(&mut self, batch: &mut RowBatch) -> Result<(), SourceError> {
        batch.reset(self.columns.len());
        for id in self.ids.by_ref().take(100) {
            for column in &self.columns {
                batch.push(match column.name.as_str() {
                    "id" => Value::Int(id),
                    "version" => Value::Int(5),
                    _ => Value::Text("text"),
                });
            }
        }
        if batch.is_empty() && self.breaks {
            let kind = ciosync::sources::error::SourceErrorKind::Unreachable;
            return Err(SourceError::new(kind, "the line is dead"));
        }
        Ok(())
    }
}

/// Runs the world's Sync over another source, inside this process.
async fn run_over(world: &World, source: Scripted) -> RunOutcome {
    let args = ManifestArgs {
        paths: vec![world.dir.path().join("sync.yaml")],
        namespace: "default".to_owned(),
        secrets: None,
    };
    // Only the first call in the process installs it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let loaded = load::load(&args).unwrap();
    let syncs: Vec<_> = loaded.manifests.syncs.iter().collect();
    let ready = Workshop::new(&loaded, None).make(&syncs).await.unwrap().remove(0);
    let Ok(pipeline) = Arc::try_unwrap(ready.pipeline) else { panic!("it is shared") };
    run(RunRequest {
        pipeline: Arc::new(Pipeline { source: Arc::new(source), ..pipeline }),
        store: state::open(&world.state_url(), "local").await.unwrap(),
        options: RunOptions::default(),
        cancel: CancellationToken::new(),
        progress: watch::channel(Progress::default()).0,
        spill_dir: world.dir.path().to_owned(),
    })
    .await
}

#[tokio::test]
async fn rows_out_of_order_end_the_run_before_anybody_is_removed() {
    let mut world = World::new(Setup::new(Style::Mirror, Store::Sqlite), people(500)).await;
    world.run().await.expect_code(0);
    let sent = world.recorder.count();

    let swapped = (1..300).chain([301, 300]).chain(302..=500).collect();
    let outcome = run_over(&world, Scripted { ids: swapped, breaks: false }).await;

    let error = outcome.error.unwrap();
    assert_eq!((error.reason(), error.disposition()), (Reason::Internal, Disposition::Bug));
    assert!(error.to_string().contains("out of order"), "{error}");
    assert_eq!(world.recorder.count(), sent);
    world.enter().await;
    world.expect_undisturbed_end().await;
}

#[tokio::test]
async fn a_source_that_breaks_behind_its_last_row_was_not_read_to_its_end() {
    let mut world = World::new(Setup::new(Style::Mirror, Store::Sqlite), people(500)).await;
    world.run().await.expect_code(0);
    let sent = world.recorder.count();

    let outcome = run_over(&world, Scripted { ids: (1..=450).collect(), breaks: true }).await;

    assert_eq!(outcome.error.unwrap().reason(), Reason::SourceNotReady);
    assert_eq!(world.recorder.count(), sent);
    world.enter().await;
    world.expect_undisturbed_end().await;
}
