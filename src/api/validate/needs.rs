//! What a resource needs of others: Secrets, an App API key, a source that can read its model.

use crate::api::finding::Finding;
use crate::api::{CustomerIoConnectionSpec, SourceSpec, SyncSpec};
use crate::model::secret::{SecretKeyRef, SecretSource};
use crate::sources::spec::{ModelSpec, TlsSpec};

/// A key of a Secret that a resource names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedSecret<'a> {
    /// Path of the `secretKeyRef`.
    pub path: String,
    /// Name of the Secret.
    pub name: &'a str,
    /// Key within it.
    pub key: &'a str,
}

impl<'a> NamedSecret<'a> {
    fn at(field: &str, reference: &'a SecretKeyRef) -> Self {
        let path = format!("spec.{field}.secretKeyRef");
        Self { path, name: &reference.name, key: &reference.key }
    }

    /// Returns what was named, without the place.
    pub fn reference(&self) -> SecretKeyRef {
        SecretKeyRef { name: self.name.to_owned(), key: self.key.to_owned() }
    }
}

/// Returns the Secrets that a Source names.
pub fn source_secrets(spec: &SourceSpec) -> Vec<NamedSecret<'_>> {
    let mut fields: Vec<(&str, Option<&SecretSource>)> = Vec::new();
    let mut tls: Option<(&str, &TlsSpec)> = None;
    if let Some(block) = &spec.postgres {
        fields.push(("postgres.url", block.url.as_ref()));
        fields.push(("postgres.password", block.password.as_ref()));
        tls = block.tls.as_ref().map(|tls| ("postgres", tls));
    }
    if let Some(block) = &spec.redshift {
        fields.push(("redshift.password", block.password.as_ref()));
        tls = block.tls.as_ref().map(|tls| ("redshift", tls));
    }
    if let Some(block) = &spec.bigquery {
        fields.push(("bigquery.credentials", block.credentials.as_ref()));
    }
    if let Some(block) = &spec.snowflake {
        fields.push(("snowflake.privateKey", block.private_key.as_ref()));
        fields.push(("snowflake.passphrase", block.passphrase.as_ref()));
        fields.push(("snowflake.token", block.token.as_ref()));
        fields.push(("snowflake.oauthToken", block.oauth_token.as_ref()));
    }
    if let Some(block) = &spec.databricks {
        let secret = block.oauth.as_ref().map(|oauth| &oauth.client_secret);
        fields.push(("databricks.oauth.clientSecret", secret));
        fields.push(("databricks.token", block.token.as_ref()));
    }
    if let Some(block) = &spec.google_sheets {
        fields.push(("googleSheets.credentials", block.credentials.as_ref()));
    }
    if let Some(block) = &spec.rockset {
        fields.push(("rockset.apiKey", Some(&block.api_key)));
    }
    if let Some(block) = &spec.files {
        fields.push(("files.credentials", block.credentials.as_ref()));
    }
    let mut secrets = named(fields);
    if let Some((block, tls)) = tls {
        for (field, source) in
            [("ca", &tls.ca), ("clientCert", &tls.client_cert), ("clientKey", &tls.client_key)]
        {
            let path = format!("{block}.tls.{field}");
            secrets.extend(
                source.as_ref().map(|source| NamedSecret::at(&path, &source.secret_key_ref)),
            );
        }
    }
    secrets
}

/// Returns the Secrets that a connection names.
pub fn connection_secrets(spec: &CustomerIoConnectionSpec) -> Vec<NamedSecret<'_>> {
    let site_id = spec.site_id.secret_key_ref.as_ref();
    let mut secrets: Vec<_> =
        site_id.map(|reference| NamedSecret::at("siteId", reference)).into_iter().collect();
    secrets.extend(named(vec![
        ("apiKey", Some(&spec.api_key)),
        ("appApiKey", spec.app_api_key.as_ref()),
    ]));
    secrets
}

fn named<'a>(fields: Vec<(&str, Option<&'a SecretSource>)>) -> Vec<NamedSecret<'a>> {
    fields
        .into_iter()
        .filter_map(|(field, source)| Some(NamedSecret::at(field, &source?.secret_key_ref)))
        .collect()
}

/// Returns the field for which a Sync needs the connection's `appApiKey`, if any.
pub fn needs_app_key(spec: &SyncSpec) -> Option<&'static str> {
    let by_name = spec.segment.as_ref().is_some_and(|segment| segment.name.is_some());
    let audits =
        spec.audit.is_some_and(|audit| audit.membership || audit.late_failures == Some(true));
    if by_name {
        Some("spec.segment.name")
    } else if spec.collection.is_some() {
        Some("spec.collection")
    } else if audits {
        Some("spec.audit")
    } else {
        None
    }
}

/// Returns why a source with this block can't read a model, if it can't.
pub fn model_fits(model: &ModelSpec, block: &str) -> Option<Finding> {
    let field = if model.sql.is_some() {
        "sql"
    } else if model.sql_from.is_some() {
        "sqlFrom"
    } else if model.range.is_some() {
        "range"
    } else {
        "table"
    };
    let (fits, hint) = match block {
        "googleSheets" => (field == "range", "name cells with `range`, such as `Customers!A:F`"),
        "files" => (field == "table", "name the file with `table`, such as `customers.csv`"),
        _ => (field != "range", "write `sql` or `table`"),
    };
    let path = format!("spec.model.{field}");
    (!fits)
        .then(|| Finding::error(path, format!("a {block} source can't read `{field}`")).hint(hint))
}
