//! Row values, e-mails, keys and credentials are in the workspace and nowhere else: not in what is
//! printed, logged at any level or remembered, whether runs end well or not.

use std::path::Path;

use base64::Engine as _;
use ciosync::emulator::{Action, Body, Emulator, Fault, Options, Pick, Rejection, Report};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Executor};

use crate::support::cli::{Ciosync, Output, Workdir};
use crate::support::postgres::{Database, postgres};

const KEY: &str = "zq7key";
const MAIL: &str = "zq7mail";
const VALUE: &str = "zq7value";
const SITE_ID: &str = "zq7credsite";
const API_KEY: &str = "zq7credapikey";

/// Words that a run prints of its own accord, so that a search that finds nothing has searched.
const PRINTED: [&str; 2] = ["people", "\"result\""];

/// What must come out nowhere.
struct Marks(Vec<String>);

impl Marks {
    fn new(database: Option<&Database>) -> Self {
        let credentials = format!("{SITE_ID}:{API_KEY}");
        let encoded = base64::engine::general_purpose::STANDARD.encode(&credentials);
        let mut marks: Vec<String> =
            [KEY, MAIL, VALUE, SITE_ID, API_KEY, &encoded].map(str::to_owned).to_vec();
        marks.extend(database.map(|database| database.password.clone()));
        Self(marks)
    }

    fn without(&self, known: &str) -> Self {
        Self(self.0.iter().filter(|mark| *mark != known).cloned().collect())
    }

    /// Fails where one of the marks is in the bytes, as it is or in hexadecimal.
    #[track_caller]
    fn expect_none_in(&self, bytes: &[u8], what: &str) {
        let text = String::from_utf8_lossy(bytes).to_lowercase();
        for mark in &self.0 {
            let hex: String = mark.bytes().map(|byte| format!("{byte:02x}")).collect();
            for form in [&mark.to_lowercase(), &hex] {
                if let Some(at) = text.find(form) {
                    let start = text.floor_char_boundary(at.saturating_sub(300));
                    let end = text.ceil_char_boundary((at + 100).min(text.len()));
                    panic!("{what} tells {mark}: …{}…", &text[start..end]);
                }
            }
        }
    }

    #[track_caller]
    fn expect_none_said(&self, output: &Output) {
        self.expect_none_in(output.stdout().as_bytes(), "stdout");
        self.expect_none_in(output.stderr().as_bytes(), "stderr");
    }
}

fn connection(endpoint: &str) -> String {
    format!(
        "apiVersion: ciosync.dev/v1alpha1
kind: CustomerIoConnection
metadata: {{name: workspace}}
spec:
  siteId: {{secretKeyRef: {{name: customerio, key: site-id}}}}
  apiKey: {{secretKeyRef: {{name: customerio, key: api-key}}}}
  endpoint: {endpoint}
  limits: {{itemBytes: 1000, batchBytes: 2100}}
---
apiVersion: v1
kind: Secret
metadata: {{name: customerio}}
stringData: {{site-id: {SITE_ID}, api-key: {API_KEY}}}
---
apiVersion: ciosync.dev/v1alpha1
kind: Sync
metadata: {{name: people}}
spec:
  sourceRef: {{name: warehouse}}
  connectionRef: {{name: workspace}}
  model: {{sql: select * from people, primaryKey: [id]}}
  entity: person
  behavior: mirror
  onRemove: delete
  identifiers: {{id: id}}
  mappings: [{{from: email}}, {{from: note}}, {{from: amount, type: number}}, {{from: born, type: date}}]
  guards: {{maxInvalid: 100%, maxRejected: 100%, maxRemoved: 100%}}
"
    )
}

async fn emulator() -> Emulator {
    let options =
        Options { site_id: SITE_ID.to_owned(), api_key: API_KEY.to_owned(), ..Options::default() };
    Emulator::start(options).await.unwrap()
}

/// Rows of every fate: accepted, invalid in several ways, and refused by the workspace.
fn rows(version: u32) -> String {
    let mut sql = "begin; drop table if exists people;
        create table people (id text, email text, note text, amount text, born text); "
        .to_owned();
    for number in 1..=60 {
        sql.push_str(&format!(
            "insert into people values
             ('{KEY}{number}', '{MAIL}{number}@example.test', '{VALUE} {version}', '7', '2020-01-01'); "
        ));
    }
    let long = KEY.repeat(40);
    sql.push_str(&format!(
        "insert into people values ('{KEY}a', '{MAIL}', '{VALUE}', '{VALUE}', '2020-01-01');
         insert into people values ('{KEY}b', '{MAIL}', '{VALUE}', '1', '{VALUE}');
         insert into people values ('{KEY}c', '{MAIL}', '{VALUE}', '1', null), ('{KEY}c', '', '', '1', null);
         insert into people values (null, '{MAIL}', '{VALUE}', '1', null);
         insert into people values ('{long}', '{MAIL}', '{VALUE}', '1', null);
         insert into people values ('{KEY}d', '{MAIL}', '{}', '1', null);
         commit",
        VALUE.repeat(300)
    ));
    sql
}

async fn fill(file: &Path, sql: String) {
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
    let mut connection = options.connect().await.unwrap();
    connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(sql))).await.unwrap();
    sqlx::Connection::close(connection).await.unwrap();
}

/// The workspace refuses some rows, and quotes them in every field of its answer that it has.
fn refuse_and_quote(emulator: &Emulator) {
    let error = Rejection {
        reason: format!("{VALUE} is refused"),
        field: format!("attributes.note.{VALUE}"),
        message: format!("{KEY}7 has {VALUE} for {MAIL}7@example.test"),
    };
    for number in [7, 17] {
        let items = Pick::Identifier(format!("{KEY}{number}"));
        let action = Action::Reject { items, report: Report::default(), error: error.clone() };
        emulator.faults().add(Fault::new(action));
    }
}

async fn said(dir: &Workdir, words: &[&str]) -> Output {
    let all = ["--log", "trace"].into_iter().chain(words.iter().copied());
    Ciosync::new(dir.path()).args(all).env("TMPDIR", "tmp").run().await
}

const RUN: [&str; 6] = ["run", "-f", "sync.yaml", "-o", "json", "--spool-dir"];

async fn sqlite_world(emulator: &Emulator) -> Workdir {
    let dir = Workdir::new();
    let source = "apiVersion: ciosync.dev/v1alpha1
kind: Source
metadata: {name: warehouse}
spec:
  sqlite: {path: source.db}
---
";
    dir.write("sync.yaml", &format!("{source}{}", connection(emulator.url())));
    dir.write("tmp/.keep", "");
    fill(&dir.path().join("source.db"), rows(1)).await;
    dir
}

#[tokio::test]
async fn runs_that_end_well_tell_nothing_of_rows_and_credentials() {
    let (emulator, marks) = (emulator().await, Marks::new(None));
    let dir = sqlite_world(&emulator).await;
    refuse_and_quote(&emulator);

    let mut printed = String::new();
    for version in 1..=3 {
        fill(&dir.path().join("source.db"), rows(version)).await;
        for words in [
            &["validate", "-f", "sync.yaml", "--connect"][..],
            &["plan", "-f", "sync.yaml"],
            &["plan", "-f", "sync.yaml", "-o", "json"],
            &["plan", "-f", "sync.yaml", "-o", "markdown"],
            &[&RUN[..], &["tmp"]].concat(),
            &["run", "-f", "sync.yaml"],
            &["get", "syncs"],
            &["get", "runs", "-o", "json"],
            &["get", "rejections"],
            &["get", "rejections", "-o", "json"],
        ] {
            let output = said(&dir, words).await;
            marks.expect_none_said(&output);
            assert!([0, 3].contains(&output.code()), "{words:?}: {output}");
            printed.push_str(output.stdout());
        }
    }

    assert!(PRINTED.iter().all(|word| printed.contains(word)), "{printed}");
    let person = emulator.workspace().attributes(&format!("{KEY}1")).unwrap();
    assert!(person["note"].as_str().unwrap().contains(VALUE), "nothing was there to tell");
    expect_none_remembered(&dir, &marks);
}

/// Keys are remembered; what rows say is not, nor is who refused them with which words.
fn expect_none_remembered(dir: &Workdir, marks: &Marks) {
    let mut bytes = 0;
    for entry in std::fs::read_dir(dir.path().join(".ciosync")).unwrap() {
        let path = entry.unwrap().path();
        let content = std::fs::read(&path).unwrap();
        marks.without(KEY).expect_none_in(&content, &path.display().to_string());
        bytes += content.len();
    }
    assert!(bytes > 4_096, "no state was searched");
    let left: Vec<_> = std::fs::read_dir(dir.path().join("tmp")).unwrap().collect();
    assert_eq!(left.len(), 1, "temporary files were left: {left:?}");
}

#[tokio::test]
async fn runs_that_fail_tell_nothing_of_rows_and_credentials() {
    let (emulator, marks) = (emulator().await, Marks::new(None));
    let dir = sqlite_world(&emulator).await;
    let batches = "/api/v2/batch";

    // Rows that a 400 refused one by one in the run before are not due yet, which is a 3.
    for (fault, codes) in [
        (Fault::fail(401, Body::Json), &[1][..]),
        (Fault::fail(403, Body::Html), &[1]),
        (Fault::fail(404, Body::Json), &[1]),
        (Fault::redirect(302, &format!("https://elsewhere.test/{KEY}?{VALUE}")), &[1]),
        (Fault::fail(400, Body::Json), &[1, 3]),
    ] {
        let id = emulator.faults().add(fault.path(batches));
        for words in [&[&RUN[..], &["tmp"]].concat()[..], &["run", "-f", "sync.yaml"]] {
            let output = said(&dir, words).await;
            marks.expect_none_said(&output);
            assert!(codes.contains(&output.code()), "{output}");
        }
        emulator.faults().remove(id);
    }

    let wrong = dir.read("sync.yaml").replace(API_KEY, &format!("{API_KEY}-wrong"));
    dir.write("sync.yaml", &wrong);
    let output = said(&dir, &["run", "-f", "sync.yaml"]).await.expect_code(1);
    marks.expect_none_said(&output);
    expect_none_remembered(&dir, &marks);
}

/// A warehouse in PostgreSQL whose rows speak up, and whose server quotes them where it fails.
async fn postgres_world(emulator: &Emulator, database: &Database) -> Workdir {
    let Database { port, name, user, password, .. } = database;
    let dir = Workdir::new();
    let source = format!(
        "apiVersion: ciosync.dev/v1alpha1
kind: Source
metadata: {{name: warehouse}}
spec:
  postgres:
    host: 127.0.0.1
    port: {port}
    database: {name}
    user: {user}
    password: {{secretKeyRef: {{name: warehouse, key: password}}}}
    tls: {{mode: disable}}
---
apiVersion: v1
kind: Secret
metadata: {{name: warehouse}}
stringData: {{password: {password}}}
---
"
    );
    let rest = connection(emulator.url()).replace("select * from people", "select * from loud");
    dir.write("sync.yaml", &format!("{source}{rest}"));
    dir.write("tmp/.keep", "");
    let sql = rows(1);
    database
        .execute(&format!(
            "{sql};
            create function speak(t text) returns text language plpgsql as $$ begin
                perform set_config('client_min_messages', 'debug1', true);
                raise warning 'warning: %', t; raise notice 'notice: %', t;
                raise log 'log: %', t; raise debug 'debug: %', t; return t;
            end $$;
            create view loud as select id, email, speak(note) as note, amount, born from people;"
        ))
        .await;
    dir
}

#[tokio::test]
async fn a_server_that_quotes_rows_is_not_passed_on() {
    let database = postgres().await.database().await;
    let (emulator, marks) = (emulator().await, Marks::new(Some(&database)));
    let dir = postgres_world(&emulator, &database).await;
    let url = database.url();
    let run = [&RUN[..], &["tmp", "--state", &url]].concat();

    let output = said(&dir, &run).await.expect_code(3);
    marks.expect_none_said(&output);
    let by_default = Ciosync::new(dir.path()).args(&run).run().await.expect_code(3);
    marks.expect_none_said(&by_default);

    database
        .execute(
            "create or replace view loud as
             select id, email, cast(cast(note as integer) as text) as note, amount, born from people",
        )
        .await;
    let output = said(&dir, &run).await.expect_code(1);
    marks.expect_none_said(&output);
    let wrong = dir.read("sync.yaml").replace(&database.password, "zq7credwrong");
    dir.write("sync.yaml", &wrong);
    let output = said(&dir, &run).await.expect_code(1);
    marks.expect_none_said(&output);
    Marks(vec!["zq7credwrong".to_owned()]).expect_none_said(&output);
    let lost = url.replace(&database.name, "nowhere");
    let output = said(&dir, &[&RUN[..], &["tmp", "--state", &lost]].concat()).await;
    marks.expect_none_said(&output.expect_code(1));

    let mut searched = 0;
    let tables = "select table_name from information_schema.tables where table_schema = 'ciosync'";
    for table in database.query_text(tables).await.into_iter().flatten().flatten() {
        let rows = database.query_text(&format!("select t::text from ciosync.{table} t")).await;
        for row in rows.into_iter().flatten().flatten() {
            marks.without(KEY).expect_none_in(row.as_bytes(), &table);
            searched += row.len();
        }
    }
    assert!(searched > 1_000, "no state was searched");
}
