//! One test's database: where it is, what is in it, who may read it, and faults on demand.

use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Connection, Row, ValueRef};

use super::server::{Server, postgres, run, unguessable};

/// How long a fault waits for the query that it is meant for.
const QUERY_SEEN_WITHIN: Duration = Duration::from_secs(30);
const QUERY_POLL: Duration = Duration::from_millis(10);

/// What the server asks of a role beyond its password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    Password,
    Tls,
    ClientCertificate,
}

/// A login with its password.
#[derive(Clone)]
pub struct Role {
    pub user: String,
    pub password: String,
}

/// An empty database of one test's own. `user` and `password` are the superuser's.
pub struct Database {
    server: &'static Server,
    pub host: &'static str,
    pub port: u16,
    pub name: String,
    pub user: String,
    pub password: String,
}

impl Database {
    pub(super) fn new(server: &'static Server, name: String, user: &str, password: &str) -> Self {
        Self {
            server,
            host: "127.0.0.1",
            port: server.port(),
            name,
            user: user.to_owned(),
            password: password.to_owned(),
        }
    }

    /// Returns the superuser's URL of this database.
    pub fn url(&self) -> String {
        self.url_as(&Role { user: self.user.clone(), password: self.password.clone() })
    }

    /// Returns the URL of this database for the role, through `127.0.0.1`.
    pub fn url_as(&self, role: &Role) -> String {
        let Role { user, password } = role;
        format!("postgres://{user}:{password}@{}:{}/{}", self.host, self.port, self.name)
    }

    /// Makes a login that can do nothing but what `grants` say, such as `select on table customers`.
    pub async fn role(&self, demand: Demand, grants: &[&str]) -> Role {
        let role = Role { user: self.server.unique("role"), password: unguessable() };
        let Role { user, password } = &role;
        let group = match demand {
            Demand::Password => "",
            Demand::Tls => " in role demands_tls",
            Demand::ClientCertificate => " in role demands_certificate",
        };
        self.execute(&format!("create role {user} login password '{password}'{group}")).await;
        for grant in grants {
            self.execute(&format!("grant {grant} to {user}")).await;
        }
        role
    }

    /// Runs one or more statements as the superuser.
    pub async fn execute(&self, sql: &str) {
        let mut connection = PgConnection::connect(&self.url()).await.unwrap();
        run(&mut connection, sql).await;
        connection.close().await.unwrap();
    }

    /// Returns the rows of a query as the server writes them, `None` for null.
    pub async fn query_text(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        let mut connection = PgConnection::connect(&self.url()).await.unwrap();
        let rows = match sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut connection).await {
            Ok(rows) => rows,
            Err(err) => panic!("{err}\nin: {sql}"),
        };
        connection.close().await.unwrap();
        rows.iter().map(cells).collect()
    }

    /// Ends every connection to this database, as a fail-over does. Returns how many there were.
    pub async fn terminate_connections(&self) -> usize {
        self.terminate("true").await
    }

    /// Waits until a query whose text holds `fragment` is open in this database, then ends its connection.
    ///
    /// # Panics
    /// When no such query appears within half a minute.
    pub async fn terminate_query(&self, fragment: &str) {
        let literal = fragment.replace('\'', "''");
        let condition = format!(
            "state in ('active', 'idle in transaction') and position('{literal}' in query) > 0"
        );
        let started_at = Instant::now();
        while self.terminate(&condition).await == 0 {
            assert!(
                started_at.elapsed() < QUERY_SEEN_WITHIN,
                "no query with {fragment:?} appeared"
            );
            tokio::time::sleep(QUERY_POLL).await; // sleep: the server doesn't announce its queries.
        }
    }

    /// Ends the matching connections and waits until they are gone. Asks from outside, so as to survive.
    async fn terminate(&self, condition: &str) -> usize {
        let mut admin = PgConnection::connect(&postgres().await.admin_url()).await.unwrap();
        let sql = format!(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = '{}' and {condition}",
            self.name,
        );
        let ended = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut admin).await.unwrap().len();
        admin.close().await.unwrap();
        ended
    }
}

fn cells(row: &PgRow) -> Vec<Option<String>> {
    (0..row.len())
        .map(|index| {
            let value = row.try_get_raw(index).unwrap();
            (!value.is_null()).then(|| value.as_str().unwrap().to_owned())
        })
        .collect()
}
