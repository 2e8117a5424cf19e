//! PostgreSQL against a real server.

mod connections;
mod errors;
mod order;
mod types;

use std::time::Duration;

use ciosync::sources::postgres::{Address, PostgresConfig, PostgresSource, TlsConfig, TlsMode};
use secrecy::SecretString;

use crate::support::postgres::{Database, Role};

/// Returns the settings with which `role` reaches a database without TLS.
fn config(database: &Database, role: &Role) -> PostgresConfig {
    PostgresConfig {
        address: Address::Parts {
            host: database.host.to_owned(),
            port: database.port,
            database: database.name.clone(),
            user: role.user.clone(),
            password: Some(SecretString::from(role.password.clone())),
        },
        tls: TlsConfig { mode: Some(TlsMode::Disable), ..TlsConfig::default() },
        statement_timeout: Duration::from_secs(60),
    }
}

fn owner(database: &Database) -> Role {
    Role { user: database.user.clone(), password: database.password.clone() }
}

/// Returns the database as its superuser reads it.
fn source(database: &Database) -> PostgresSource {
    PostgresSource::new(config(database, &owner(database))).unwrap()
}
