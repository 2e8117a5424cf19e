//! Files to resources: every complaint has file, line, document, field and a way out, and all of
//! them come at once.

mod reading;
mod references;

use ciosync::manifest::{Complaint, Manifests, check_references};

const WAREHOUSE: &str = "\
apiVersion: ciosync.dev/v1alpha1
kind: Source
metadata: {name: warehouse}
spec:
  postgres:
    host: db
    database: analytics
    user: ciosync
    password: {secretKeyRef: {name: warehouse, key: password}}
";

const PRODUCTION: &str = "\
apiVersion: ciosync.dev/v1alpha1
kind: CustomerIoConnection
metadata: {name: production}
spec:
  siteId: {value: abc}
  apiKey: {secretKeyRef: {name: customerio, key: api-key}}
";

const CUSTOMERS: &str = "\
apiVersion: ciosync.dev/v1alpha1
kind: Sync
metadata: {name: customers}
spec:
  sourceRef: {name: warehouse}
  connectionRef: {name: production}
  model: {sql: select 1, primaryKey: [user_id]}
  entity: person
  behavior: updateOrCreate
  identifiers: {id: user_id}
";

fn parse(texts: &[(&str, &str)]) -> Manifests {
    Manifests::parse(texts.iter().copied(), "default")
}

fn lines(complaints: &[Complaint]) -> String {
    complaints.iter().map(|complaint| format!("{complaint}\n")).collect()
}

/// Returns all that is said about texts: complaints of each, and of all together.
fn said(texts: &[(&str, &str)]) -> String {
    let manifests = parse(texts);
    lines(&[manifests.complaints.clone(), check_references(&manifests)].concat())
}
