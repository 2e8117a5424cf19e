//! Runs a file of SQL against a SQLite database, so that the quickstart needs no SQLite client:
//! `cargo run --example sqlite -- DATABASE SCRIPT`.

use std::process::ExitCode;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [database, script] = arguments.as_slice() else {
        return fail("usage: sqlite DATABASE SCRIPT");
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.to_string()),
    };
    match runtime.block_on(execute(database, script)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string()),
    }
}

async fn execute(database: &str, script: &str) -> Result<(), Box<dyn std::error::Error>> {
    let sql = std::fs::read_to_string(script)?;
    let options = SqliteConnectOptions::new().filename(database).create_if_missing(true);
    let mut connection = options.connect().await?;
    // The script is the caller's own.
    connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
    Ok(())
}

#[expect(clippy::print_stderr, reason = "a program of forty lines has no other way to say it")]
fn fail(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::FAILURE
}
