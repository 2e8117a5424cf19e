//! What these tests stand on: a SQLite warehouse, manifests, an emulated workspace, and the binary
//! between them. Knows the words of manifests and of JSON output, nothing of how a run works.

use std::collections::BTreeMap;
use std::sync::Once;

use ciosync::emulator::{Emulator, Options, WorkspaceHandle};
use serde_json::{Map, Value};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions};

use crate::support::cli::{Ciosync, Output, Running, Workdir};

/// Keys of a run's numbers in JSON output, in the order in which tests write them.
const COUNTS: [&str; 11] = [
    "added",
    "changed",
    "removed",
    "refreshed",
    "missing",
    "kept",
    "unchanged",
    "invalid",
    "rejected",
    "retried",
    "delivered",
];

/// A person's folder with manifests and a warehouse, and the workspace that they deliver to.
pub struct Laptop {
    pub emulator: Emulator,
    pub dir: Workdir,
    warehouse: SqliteConnection,
}

impl Laptop {
    /// Makes a warehouse with this SQL, a Source and a connection for it, and no Sync.
    pub async fn new(schema: &str) -> Self {
        let dir = Workdir::new();
        let options = SqliteConnectOptions::new().filename(dir.path().join("warehouse.db"));
        let warehouse = options.create_if_missing(true).connect().await.unwrap();
        let emulator = Emulator::start(Options::default()).await.unwrap();
        let mut laptop = Self { emulator, dir, warehouse };
        laptop.sql(schema).await;
        laptop.source("sqlite: {path: warehouse.db}");
        laptop.connection("");
        laptop
    }

    /// Makes all that [`Laptop::new`] makes, and a Sync called `people`.
    pub async fn with_sync(schema: &str, spec: &str) -> Self {
        let laptop = Self::new(schema).await;
        laptop.sync("people", spec);
        laptop
    }

    /// Runs statements in the warehouse.
    pub async fn sql(&mut self, sql: &str) {
        if let Err(err) = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.warehouse).await {
            panic!("{err}\nin: {sql}");
        }
    }

    /// Writes the Source `warehouse` anew.
    pub fn source(&self, spec: &str) {
        self.resource("source.yaml", "Source", "warehouse", spec);
    }

    /// Writes the connection `production` anew, with these lines besides address and credentials.
    pub fn connection(&self, more: &str) {
        let spec = format!(
            "endpoint: {}\nsiteId: {{value: emulator-site-id}}\n\
             apiKey: {{secretKeyRef: {{name: customerio, key: api-key}}}}\n{more}",
            self.emulator.url()
        );
        self.resource("connection.yaml", "CustomerIoConnection", "production", &spec);
        self.secret("customerio", "api-key", "emulator-api-key");
    }

    /// Writes a Secret of one key.
    pub fn secret(&self, name: &str, key: &str, value: &str) {
        let text = format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\n\
             stringData: {{{key}: \"{value}\"}}\n"
        );
        self.dir.write(&format!("secret-{name}.yaml"), &text);
    }

    /// Writes a Sync of people anew, from that Source to that connection.
    pub fn sync(&self, name: &str, spec: &str) {
        self.sync_of("person", name, spec);
    }

    /// Writes a Sync of an entity anew, from that Source to that connection.
    pub fn sync_of(&self, entity: &str, name: &str, spec: &str) {
        let spec = format!(
            "sourceRef: {{name: warehouse}}\nconnectionRef: {{name: production}}\n\
             entity: {entity}\n{spec}"
        );
        self.resource(&format!("syncs/{name}.yaml"), "Sync", name, &spec);
    }

    /// Writes any resource of ours.
    pub fn resource(&self, path: &str, kind: &str, name: &str, spec: &str) {
        let spec: Vec<String> = spec.lines().map(|line| format!("  {}\n", line)).collect();
        let text = format!(
            "apiVersion: ciosync.dev/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec:\n{}",
            spec.concat()
        );
        self.dir.write(path, &text);
    }

    /// Runs all Syncs once.
    pub async fn run(&self) -> Ran {
        self.run_with(&[]).await
    }

    /// Runs once, with further words on the command line.
    pub async fn run_with(&self, more: &[&str]) -> Ran {
        self.ask("run", more).await
    }

    /// Plans once.
    pub async fn plan(&self) -> Ran {
        self.plan_with(&[]).await
    }

    /// Plans once, with further words on the command line.
    pub async fn plan_with(&self, more: &[&str]) -> Ran {
        self.ask("plan", more).await
    }

    async fn ask(&self, command: &str, more: &[&str]) -> Ran {
        let before = self.workspace().stats();
        let words = ["-f", ".", "-o", "json"].iter().chain(more);
        let output = Ciosync::new(self.dir.path()).args([command]).args(words).run().await;
        let after = self.workspace().stats();
        Ran {
            requests: after.requests_started - before.requests_started,
            arrived: after.items_accepted - before.items_accepted,
            syncs: serde_json::from_str(output.stdout()).unwrap_or_default(),
            output,
        }
    }

    /// Starts a run and returns while it goes on.
    pub fn start(&self) -> Running {
        Ciosync::new(self.dir.path()).args(["run", "-f", ".", "-o", "json"]).spawn()
    }

    /// Runs the binary with these words and returns what it said.
    pub async fn say(&self, words: &[&str]) -> Output {
        Ciosync::new(self.dir.path()).args(words).run().await
    }

    pub fn workspace(&self) -> WorkspaceHandle {
        self.emulator.workspace()
    }

    /// Returns the whole workspace: every person's attributes, identifiers among them, under their
    /// id or else their e-mail.
    pub fn people(&self) -> Value {
        let people = self.workspace().people().into_iter().map(|person| {
            let label = person.id.or(person.email).unwrap_or(person.cio_id);
            (label, person.attributes)
        });
        Value::Object(people.collect::<Map<_, _>>())
    }

    /// Returns Customer.io's own ids, which change only when a person is made anew.
    pub fn own_ids(&self) -> BTreeMap<String, String> {
        let people = self.workspace().people().into_iter();
        people.map(|it| (it.id.or(it.email).unwrap_or_default(), it.cio_id)).collect()
    }

    /// Says something about a person as another client of the workspace does.
    pub async fn elsewhere(&self, method: &str, path: &str, body: &Value) {
        self.ask_elsewhere(method, &format!("v1/customers/{path}"), body).await;
    }

    /// Sends these operations as another client of the workspace does.
    pub async fn batch_elsewhere(&self, items: Value) {
        let body = serde_json::json!({"batch": items});
        self.ask_elsewhere("POST", "v2/batch", &body).await;
    }

    /// Puts people into a segment as another client of the workspace does.
    pub async fn segment_elsewhere(&self, segment: u32, ids: Value) {
        let body = serde_json::json!({"ids": ids});
        self.ask_elsewhere("POST", &format!("v1/segments/{segment}/add_customers"), &body).await;
    }

    /// Takes people out of a segment as another client of the workspace does.
    pub async fn part_elsewhere(&self, segment: u32, ids: Value) {
        let body = serde_json::json!({"ids": ids});
        self.ask_elsewhere("POST", &format!("v1/segments/{segment}/remove_customers"), &body).await;
    }

    /// Carries out one operation as another client of the workspace does.
    pub async fn send_elsewhere(&self, operation: Value) {
        self.ask_elsewhere("POST", "v2/entity", &operation).await;
    }

    /// Asks the App API as another client of the workspace does.
    pub async fn app_elsewhere(&self, method: &str, path: &str) {
        install_tls();
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = reqwest::Client::new().request(method, self.emulator.url().to_owned() + path);
        let status = request.bearer_auth("emulator-app-api-key").send().await.unwrap().status();
        assert!(status.is_success(), "{status}");
    }

    async fn ask_elsewhere(&self, method: &str, path: &str, body: &Value) {
        install_tls();
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let url = format!("{}/api/{path}", self.emulator.url());
        let request = reqwest::Client::new().request(method, url).json(body);
        let request = request.basic_auth("emulator-site-id", Some("emulator-api-key"));
        let status = request.send().await.unwrap().status();
        assert!(status.is_success(), "{status}");
    }

    /// Makes or updates a person as another client of the workspace does.
    pub async fn identify_elsewhere(&self, id: &str, attributes: Value) {
        self.elsewhere("PUT", id, &attributes).await;
    }

    /// Returns the bytes of the state's files, by name; empty where there is no state.
    pub fn state_files(&self) -> BTreeMap<String, Vec<u8>> {
        let Ok(files) = std::fs::read_dir(self.dir.path().join(".ciosync")) else {
            return BTreeMap::new();
        };
        files
            .map(|file| file.unwrap().path())
            // SQLite keeps the index of its log in memory that processes share: looking changes it.
            .filter(|path| !path.to_string_lossy().ends_with("-shm"))
            .map(|path| (path.to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
            // It also makes an empty log when it looks.
            .filter(|(_, bytes)| !bytes.is_empty())
            .collect()
    }
}

/// Makes the TLS provider of this process known; another test may have done so before.
pub fn install_tls() {
    static TLS: Once = Once::new();
    TLS.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
}

/// A `run` or `plan` that came to its end.
pub struct Ran {
    pub output: Output,
    /// Requests that reached the workspace meanwhile, the look at the account among them.
    pub requests: u64,
    /// Items that the workspace accepted meanwhile.
    pub arrived: u64,
    syncs: Vec<Value>,
}

impl Ran {
    /// Fails the test, showing everything, unless the exit code is this.
    #[track_caller]
    pub fn code(&self, code: i32) -> &Self {
        assert_eq!(self.output.code(), code, "another exit code was expected\n{}", self.output);
        self
    }

    /// Returns what the output says of the only Sync.
    #[track_caller]
    pub fn only(&self) -> &Value {
        assert_eq!(self.syncs.len(), 1, "{}", self.output);
        &self.syncs[0]
    }

    /// Returns what the output says of each Sync, in the order in which they ran.
    pub fn all(&self) -> &[Value] {
        &self.syncs
    }

    /// Returns what the output says of a Sync.
    #[track_caller]
    pub fn of(&self, name: &str) -> &Value {
        let is_it =
            |it: &&Value| it["sync"]["name"] == name || it["skipped"]["sync"]["name"] == name;
        self.syncs.iter().find(is_it).unwrap_or_else(|| panic!("no {name}\n{}", self.output))
    }

    /// Returns how the run of the only Sync ended.
    #[track_caller]
    pub fn result(&self) -> &str {
        self.only()["result"].as_str().unwrap_or_else(|| panic!("no result\n{}", self.output))
    }

    /// Returns why the run of the only Sync did not end well; empty where it did.
    #[track_caller]
    pub fn reason(&self) -> &str {
        self.only()["reason"].as_str().unwrap_or_default()
    }

    /// Returns the numbers of the only Sync that are not zero: `added 2, delivered 2`.
    #[track_caller]
    pub fn counts(&self) -> String {
        counts(self.only())
    }

    /// Returns the codes of the only Sync's invalid rows: `DuplicateTarget 2`.
    #[track_caller]
    pub fn invalid_codes(&self) -> String {
        let codes = self.only()["invalidCodes"].as_array().cloned().unwrap_or_default();
        let texts: Vec<String> = codes
            .iter()
            .map(|code| format!("{} {}", code["code"].as_str().unwrap(), code["rows"]))
            .collect();
        texts.join(", ")
    }

    /// Fails the test unless the run found nothing to do and asked for nothing but the account.
    #[track_caller]
    pub fn did_nothing(&self) {
        assert_eq!(self.code(0).result(), "NoChanges", "{}", self.output);
        assert_eq!((self.requests, self.arrived), (1, 0), "{}", self.output);
    }
}

/// Returns the numbers of one Sync that are not zero: `added 2, delivered 2`.
pub fn counts(sync: &Value) -> String {
    let numbers = if sync["counts"].is_object() { &sync["counts"] } else { sync };
    let told = COUNTS.iter().filter(|name| numbers[**name].as_u64().is_some_and(|count| count > 0));
    told.map(|name| format!("{name} {}", numbers[*name])).collect::<Vec<_>>().join(", ")
}
