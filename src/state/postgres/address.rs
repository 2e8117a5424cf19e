//! The URL of a PostgreSQL store: everything that libpq knows, and `schema`.

use std::str::FromStr;

use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;

use crate::state::error::StateError;

/// The schema in which the tables are where the URL names none.
const SCHEMA: &str = "ciosync";

/// Longest name that PostgreSQL keeps. Source: NAMEDATALEN - 1.
const NAME_BYTES_MAX: usize = 63;

/// Where a store is, with credentials. Has no `Debug`.
pub(in crate::state) struct Address {
    pub(super) options: PgConnectOptions,
    /// Lower-case letters, digits and `_`: needs no quotes in SQL.
    pub(super) schema: String,
    /// Without credentials, for messages.
    pub(super) location: String,
}

impl Address {
    /// Reads a `postgres://` URL.
    ///
    /// # Errors
    /// [`StateError::Refused`], without the URL: a broken one may show its password anywhere.
    pub(in crate::state) fn parse(url: &str) -> Result<Self, StateError> {
        let (url, schema) = split_schema(url)?;
        let options = PgConnectOptions::from_str(&url)
            .map_err(|_| refused("can't be read", FORM))?
            .application_name("ciosync")
            .disable_statement_logging();
        let database = options.get_database().unwrap_or_else(|| options.get_username());
        let location = match options.get_socket() {
            Some(socket) => format!("postgres:{}/{database}?schema={schema}", socket.display()),
            None => format!(
                "postgres://{}:{}/{database}?schema={schema}",
                options.get_host(),
                options.get_port(),
            ),
        };
        Ok(Self { options, schema, location })
    }
}

/// What the driver takes. Source: sqlx 0.9, `PgConnectOptions`.
const PARAMETERS: &[&str] = &[
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];

const FORM: &str = "write `postgres://USER:PASSWORD@HOST:PORT/DATABASE?schema=SCHEMA`, and special \
                    characters of the password as `%` with two hexadecimal digits";

/// Takes `schema=…` out of the URL's parameters; the driver doesn't know it.
fn split_schema(url: &str) -> Result<(String, String), StateError> {
    let Some((base, query)) = url.split_once('?') else {
        return Ok((url.to_owned(), SCHEMA.to_owned()));
    };
    let mut schema = SCHEMA;
    let mut others = Vec::new();
    for parameter in query.split('&') {
        match parameter.strip_prefix("schema=") {
            Some(name) => schema = name,
            None if is_known(parameter) => others.push(parameter),
            None => {
                return Err(refused(
                    "has a parameter that ciosync doesn't know",
                    "see libpq's connection parameters for how it is spelled",
                ));
            }
        }
    }
    let is_name = !schema.is_empty()
        && schema.len() <= NAME_BYTES_MAX
        && !schema.starts_with("pg_")
        && !schema.starts_with(|first: char| first.is_ascii_digit())
        && schema.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if !is_name {
        return Err(refused(
            "names a schema that ciosync doesn't accept",
            "write `schema=` with lower-case letters, digits and `_`, not beginning with a digit \
             or `pg_`",
        ));
    }
    let url =
        if others.is_empty() { base.to_owned() } else { format!("{base}?{}", others.join("&")) };
    Ok((url, schema.to_owned()))
}

/// The driver logs a parameter that it doesn't know with its value, which may be a password.
fn is_known(parameter: &str) -> bool {
    let name = parameter.split_once('=').map_or(parameter, |(name, _)| name);
    PARAMETERS.contains(&name) || name.starts_with("options[")
}

fn refused(problem: &str, hint: &str) -> StateError {
    StateError::Refused {
        location: "`postgres://…`".to_owned(),
        problem: problem.to_owned(),
        hint: hint.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_location_shows_the_place_and_no_credentials() {
        let address =
            Address::parse("postgres://ann:secret@db.example:5433/state?schema=eu&sslmode=require")
                .unwrap_or_else(|err| panic!("{err}"));

        assert_eq!(address.location, "postgres://db.example:5433/state?schema=eu");
        assert_eq!(address.schema, "eu");
    }

    #[test]
    fn a_schema_that_would_need_quotes_is_refused() {
        for schema in ["", "Eu", "a;b", "1a", "pg_x", &"a".repeat(64)] {
            assert!(Address::parse(&format!("postgres://host/db?schema={schema}")).is_err());
        }
    }

    #[test]
    fn an_unknown_parameter_is_refused_before_the_driver_logs_it() {
        let err = Address::parse("postgres://host/db?pasword=secret").err().unwrap();

        assert!(err.to_string().contains("a parameter that ciosync doesn't know"), "{err}");
        assert!(!format!("{err:?}").contains("secret"));
    }

    #[test]
    fn a_broken_url_is_refused_without_showing_it() {
        let err = Address::parse("postgres://ann:secret@host:port/db").err().unwrap();

        assert!(!format!("{err:?}").contains("secret"));
    }
}
