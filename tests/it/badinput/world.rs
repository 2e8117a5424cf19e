//! A Sync of thirty customers from a SQLite file into an emulator, in files that a test breaks and
//! mends. Whatever the binary writes, no value of a row and no credential may be in it.

use std::path::PathBuf;

use ciosync::emulator::{Emulator, Options};
use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use crate::support::cli::{Ciosync, Output, Workdir};

/// Stands in every value of a row and in every credential, and nowhere else.
pub const MARK: &str = "marked";

const SOURCE: &str = "\
apiVersion: ciosync.dev/v1alpha1
kind: Source
metadata: {name: warehouse}
spec:
  sqlite: {path: warehouse.db}
";

const CONNECTION: &str = "\
apiVersion: ciosync.dev/v1alpha1
kind: CustomerIoConnection
metadata: {name: production}
spec:
  siteId: {secretKeyRef: {name: customerio, key: site-id}}
  apiKey: {secretKeyRef: {name: customerio, key: api-key}}
  endpoint: ENDPOINT
";

const SECRET: &str = "\
apiVersion: v1
kind: Secret
metadata: {name: customerio}
stringData:
  site-id: marked-site-id
  api-key: marked-api-key
";

const SYNC: &str = "\
apiVersion: ciosync.dev/v1alpha1
kind: Sync
metadata: {name: customers}
spec:
  sourceRef: {name: warehouse}
  connectionRef: {name: production}
  model:
    sql: |
      select user_id, email, plan, signed_up_at
      from customers
    primaryKey: [user_id]
  entity: person
  behavior: mirror
  onRemove: delete
  identifiers: {id: user_id}
  mappings:
    - {from: email}
    - {from: plan}
    - {from: signed_up_at, to: created_at, type: timestamp}
  timeout: 60s
";

const ROWS: &str = "
create table customers (user_id, email text, plan, signed_up_at);
with recursive n(id) as (select 1 union all select id + 1 from n where id < 30)
insert into customers
select id, 'marked-' || id || '@example.com', 'marked', '2024-01-31 10:00:00' from n;
";

/// The files, the warehouse and the workspace of one test.
pub struct World {
    pub dir: Workdir,
    pub emulator: Emulator,
    /// What must not be told, and what stands in messages for what differs from run to run.
    hidden: Vec<String>,
    masks: Vec<(String, &'static str)>,
}

impl World {
    pub async fn new() -> Self {
        let world = Self::empty(start_emulator().await);
        world.execute(ROWS).await;
        world
    }

    fn empty(emulator: Emulator) -> Self {
        let dir = Workdir::new();
        let masks = vec![(host_of(&emulator), "HOST")];
        let world = Self { dir, emulator, hidden: vec![MARK.to_owned()], masks };
        world.write("source.yaml", SOURCE);
        world.write("connection.yaml", &CONNECTION.replace("ENDPOINT", world.emulator.url()));
        world.write("secret.yaml", SECRET);
        world.write("sync.yaml", SYNC);
        world
    }

    /// Writes a manifest.
    pub fn write(&self, file: &str, text: &str) -> PathBuf {
        self.dir.write(&format!("sync/{file}"), text)
    }

    /// Replaces a text that stands once in a manifest.
    #[track_caller]
    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let text = self.dir.read(&format!("sync/{file}"));
        assert_eq!(text.matches(from).count(), 1, "{from:?} in {file}:\n{text}");
        self.write(file, &text.replace(from, to));
    }

    /// Runs statements in the warehouse.
    pub async fn execute(&self, sql: &str) {
        execute(&self.dir.path().join("sync/warehouse.db"), sql).await;
    }

    /// Runs statements in the state.
    pub async fn execute_in_state(&self, sql: &str) {
        execute(&self.state_file(), sql).await;
    }

    pub fn state_file(&self) -> PathBuf {
        self.dir.path().join(".ciosync/state.db")
    }

    /// Has it checked that a text is never told.
    pub fn hide(&mut self, text: &str) {
        self.hidden.push(text.to_owned());
    }

    /// Has a text that differs from run to run shown as a word.
    pub fn mask(&mut self, text: &str, word: &'static str) {
        self.masks.push((text.to_owned(), word));
    }

    /// Returns an invocation of the binary with words separated by spaces.
    pub fn command(&self, words: &str) -> Ciosync {
        Ciosync::new(self.dir.path()).args(words.split_whitespace())
    }

    /// Runs an invocation and checks that it tells no value.
    pub async fn carry_out(&self, command: Ciosync) -> Output {
        let output = command.run().await;
        self.assert_discreet(&output);
        output
    }

    #[track_caller]
    pub fn assert_discreet(&self, output: &Output) {
        for text in &self.hidden {
            let is_told = output.stdout().contains(text) || output.stderr().contains(text);
            assert!(!is_told, "a value of a row or a credential was told\n{output}");
        }
    }

    /// Runs the Sync, with further words.
    pub async fn run(&self, words: &str) -> Output {
        self.carry_out(self.command(&format!("run -f sync {words}"))).await
    }

    /// Runs the Sync, which must end with `code` and leave the workspace as it is. Returns what it
    /// says about that.
    pub async fn refused(&self, code: i32, words: &str) -> String {
        let before = self.people();
        let output = self.run(words).await.expect_code(code);
        assert_eq!(self.people(), before, "the workspace changed\n{output}");
        self.told(&output)
    }

    /// Runs the commands that read manifests: each must refuse its input with the same words before
    /// it opens anything. Returns the words.
    pub async fn unopened(&self, commands: &[&str]) -> String {
        let mut said = Vec::new();
        for words in commands {
            let output = self.carry_out(self.command(words)).await.expect_code(2);
            said.push(self.told(&output));
        }
        assert!(!self.dir.path().join(".ciosync").exists(), "a state was made");
        assert!(self.emulator.workspace().requests().is_empty(), "the workspace was reached");
        assert!(said.iter().all(|other| *other == said[0]), "{said:#?}");
        said.swap_remove(0)
    }

    /// Runs the Sync to a good end, after which the workspace holds just these customers.
    pub async fn delivers(&self, ids: impl IntoIterator<Item = i64>) -> Output {
        let output = self.run("").await.expect_code(0);
        let expected: Vec<i64> = ids.into_iter().collect();
        assert_eq!(self.ids(), expected, "{output}");
        output
    }

    /// Returns the ids of the people in the workspace in their order.
    pub fn ids(&self) -> Vec<i64> {
        let mut ids: Vec<i64> =
            self.people().iter().map(|(id, _)| id.as_deref().unwrap().parse().unwrap()).collect();
        ids.sort_unstable();
        ids
    }

    /// Returns everybody in the workspace, with all that is known of them.
    pub fn people(&self) -> Vec<(Option<String>, Value)> {
        let people = self.emulator.workspace().people();
        people.into_iter().map(|person| (person.id, person.attributes)).collect()
    }

    /// Returns what a command says of its end: standard error, what stopped the run, and the rows
    /// that were not accepted.
    pub fn told(&self, output: &Output) -> String {
        let is_log = |line: &&str| line.contains(" WARN ");
        let mut lines: Vec<&str> = output.stderr().lines().filter(|line| !is_log(line)).collect();
        let body = output.stdout().lines().take_while(|line| !line.starts_with("NAME"));
        let stopped = ["Failed: ", "Blocked: ", "Interrupted: ", "error: "];
        let is_stop = |line: &&str| stopped.iter().any(|word| line.trim_start().starts_with(word));
        lines.extend(body.skip_while(|line| !is_stop(line)));
        lines.extend(output.stdout().lines().filter(|line| is_about_rows(line)));
        let mut text: String = lines
            .iter()
            .map(|line| format!("{}\n", line.strip_prefix("            ").unwrap_or(line)))
            .collect();
        for (found, word) in &self.masks {
            text = text.replace(found, word);
        }
        while let Some(id) = run_id(&text) {
            text = text.replace(&id, "RUN");
        }
        text
    }
}

fn is_about_rows(line: &str) -> bool {
    line.starts_with(|first: char| first.is_ascii_digit()) && line.contains(" row")
}

/// Returns the first id of a run in a text.
pub fn run_id(text: &str) -> Option<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words.into_iter().find(|word| word.len() == 26 && word.starts_with("01")).map(str::to_owned)
}

/// Starts a workspace that knows the credentials of the files.
pub async fn start_emulator() -> Emulator {
    let options = Options {
        site_id: "marked-site-id".to_owned(),
        api_key: "marked-api-key".to_owned(),
        ..Options::default()
    };
    Emulator::start(options).await.unwrap()
}

fn host_of(emulator: &Emulator) -> String {
    emulator.url().trim_start_matches("http://").to_owned()
}

async fn execute(file: &std::path::Path, sql: &str) {
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
    let mut connection = options.connect().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
