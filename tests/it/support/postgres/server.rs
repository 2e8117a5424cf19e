//! The one server of this test process.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection};
use tokio::sync::OnceCell;

use super::certificates::Certificates;
use super::database::Database;
use super::process::Process;

const ADMIN: &str = "postgres";
/// Long enough for `initdb` on a machine that compiles something else at the same time.
const READY_WITHIN: Duration = Duration::from_secs(120);
const READY_POLL: Duration = Duration::from_millis(50);
/// Another process may take the free port between our look and the server's.
const START_ATTEMPTS: u32 = 3;

static SERVER: OnceCell<Result<Server, String>> = OnceCell::const_new();

/// Returns the server of this test process, starting it when this is the first call.
///
/// # Panics
/// When no PostgreSQL is found or it doesn't start, in every test that asks: they never skip.
pub async fn postgres() -> &'static Server {
    match SERVER.get_or_init(Server::start).await {
        Ok(server) => server,
        Err(reason) => panic!("{reason}"),
    }
}

/// A running PostgreSQL server with its own certificate authority.
pub struct Server {
    port: u16,
    password: String,
    certificates: Certificates,
    names_given: AtomicU32,
    /// Ends with this value, and the server with it.
    process: Process,
}

impl Server {
    async fn start() -> Result<Self, String> {
        let password = unguessable();
        let certificates = Certificates::generate();
        let mut last_log = String::new();
        for _ in 0..START_ATTEMPTS {
            let port = free_port().map_err(|err| format!("no free port on 127.0.0.1: {err}"))?;
            let mut process = Process::start(port, &password, &certificates)?;
            if let Some(mut admin) = ready(&mut process, port, &password).await {
                prepare_access(&mut admin).await.map_err(|err| err.to_string())?;
                let names_given = AtomicU32::new(0);
                return Ok(Self { port, password, certificates, names_given, process });
            }
            last_log = process.log();
        }
        Err(format!("PostgreSQL for the tests did not start; its log ends with:\n{last_log}"))
    }

    /// Starts a server of the test's own, for tests that stop it.
    ///
    /// # Panics
    /// When no PostgreSQL is found or it doesn't start.
    pub async fn private() -> Self {
        Self::start().await.unwrap_or_else(|reason| panic!("{reason}"))
    }

    /// Stops a private server: its clients are cut off, and refused from then on.
    pub async fn stop(&mut self) {
        self.process.stop();
        let gone = async {
            while !self.process.has_exited() {
                tokio::time::sleep(READY_POLL).await; // sleep: nobody announces the end of another's child.
            }
        };
        assert!(tokio::time::timeout(READY_WITHIN, gone).await.is_ok(), "PostgreSQL doesn't stop");
    }

    /// Starts it again on the same port with the same data, and returns when it accepts clients.
    pub async fn start_again(&mut self) {
        self.process.start_again();
        let (port, password) = (self.port, self.password.clone());
        let admin = ready(&mut self.process, port, &password).await;
        assert!(admin.is_some(), "PostgreSQL didn't start again:\n{}", self.process.log());
    }

    /// Returns the URL of the superuser in the maintenance database.
    pub fn admin_url(&self) -> String {
        format!("postgres://{ADMIN}:{}@127.0.0.1:{}/postgres", self.password, self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the authority that signed the server's certificate, and a client's certificate from it.
    pub fn certificates(&self) -> &Certificates {
        &self.certificates
    }

    /// Makes an empty database under a name of its own. It goes when the server goes.
    pub async fn database(&'static self) -> Database {
        let name = self.unique("database");
        self.execute(&format!("create database {name}")).await;
        Database::new(self, name, ADMIN, &self.password)
    }

    /// Runs statements as the superuser, outside of any test's database.
    pub async fn execute(&self, sql: &str) {
        let mut connection = PgConnection::connect(&self.admin_url()).await.unwrap();
        run(&mut connection, sql).await;
        connection.close().await.unwrap();
    }

    /// Returns a name for a database or role that nobody else on this server has.
    pub(super) fn unique(&self, prefix: &str) -> String {
        format!("{prefix}_{}", self.names_given.fetch_add(1, Ordering::Relaxed))
    }
}

/// Runs one or more statements; a failure shows the server's message and the statements.
pub(super) async fn run(connection: &mut PgConnection, sql: &str) {
    if let Err(err) = sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await {
        panic!("{err}\nin: {sql}");
    }
}

/// Returns a password that no test gets right by chance.
pub(super) fn unguessable() -> String {
    format!("{:032x}", fastrand::u128(..))
}

/// The roles that the access rules speak of: members of them must connect in a stricter way.
async fn prepare_access(admin: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::raw_sql("create role demands_tls; create role demands_certificate")
        .execute(admin)
        .await
        .map(drop)
}

/// Returns a connection once the server accepts one, or nothing when it ended or took too long.
async fn ready(process: &mut Process, port: u16, password: &str) -> Option<PgConnection> {
    let options = PgConnectOptions::new_without_pgpass()
        .host("127.0.0.1")
        .port(port)
        .username(ADMIN)
        .password(password)
        .database("postgres");
    let started_at = Instant::now();
    while started_at.elapsed() < READY_WITHIN && !process.has_exited() {
        if let Ok(connection) = PgConnection::connect_with(&options).await {
            return Some(connection);
        }
        tokio::time::sleep(READY_POLL).await; // sleep: nothing announces that a server accepts connections.
    }
    None
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
