//! Files to resources: every complaint has file, line, document, field and a way out, and all of
//! them come at once.

use std::path::PathBuf;

use ciosync::api::Kind;
use ciosync::manifest::{Complaint, Manifests, check_references, check_secrets, read};
use secrecy::ExposeSecret;

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

#[test]
fn good_manifests_of_several_documents_are_read_without_complaint() {
    let all = [WAREHOUSE, PRODUCTION, CUSTOMERS].join("---\n");

    let manifests = parse(&[("all.yaml", &all)]);

    assert_eq!(lines(&manifests.complaints), "");
    assert_eq!(lines(&check_references(&manifests)), "");
    assert_eq!(manifests.sources.len(), 1);
    assert_eq!(manifests.connections.len(), 1);
    let sync = &manifests.syncs[0];
    assert_eq!((sync.namespace.as_str(), sync.name.as_str()), ("default", "customers"));
    assert_eq!(sync.object.metadata.namespace.as_deref(), Some("default"));
    assert_eq!((sync.place.line, sync.place.document), (18, 3));
    assert_eq!(sync.place_of("spec.model.primaryKey[0]").line, 24);
    assert_eq!(sync.place_of("spec.identifiers.id").line, 27);
}

#[test]
fn all_complaints_of_all_files_come_at_once_with_their_lines() {
    let wrong_sync = "\
# A comment first.
apiVersion: ciosync.dev/v1alpha1
kind: Sync
metadata:
  name: customers
spec:
  sourceRef: {name: warehuose}
  connectionRef: {name: production}
  model:
    sql: |
      select *
      from t;
      delete from t
    primaryKey: [user_id]
  entity: person
  behavior: upsert
  identifiers:
    id: user_id
  mapings:
    - from: plan
  mappings:
    - from: mrr
      type: nubmer
    - from: plan
      constant: free
      to: plan
  schedule: 0 25 * * *
";
    let wrong_source = "\
apiVersion: ciosync.dev/v1alpha1
kind: Source
metadata: {name: warehouse}
spec:
  postgres: {host: db}
";

    insta::assert_snapshot!(
        said(&[("a.yaml", wrong_sync), ("b.yaml", wrong_source), ("c.yaml", PRODUCTION)]),
        @""
    );
}

#[test]
fn what_only_code_can_check_has_its_line_too() {
    let sync = format!(
        "{CUSTOMERS}  schedule: 0 25 * * *\n  timeZone: Berlin\n  mappings:\n    - from: plan\n    - from: tier\n      to: plan\n"
    );

    insta::assert_snapshot!(
        said(&[("a.yaml", &sync), ("b.yaml", WAREHOUSE), ("c.yaml", PRODUCTION)]),
        @""
    );
}

#[test]
fn yaml_that_cant_be_read_names_line_and_column() {
    let unclosed = "kind: Sync\nmetadata: {name: customers\nspec:\n  a: b\n";
    let tab = "kind: Sync\nspec:\n\tentity: person\n";
    let twice = "kind: Sync\nkind: Sync\n";
    let list = "- kind: Sync\n";

    insta::assert_snapshot!(
        said(&[("a.yaml", unclosed), ("b.yaml", tab), ("c.yaml", twice), ("d.yaml", list)]),
        @""
    );
}

#[test]
fn words_that_kubectl_reads_otherwise_need_quotes() {
    let sync = format!(
        "{CUSTOMERS}  suspend: no\n  mappings:\n    - {{constant: yes, to: active}}\n    - {{constant: 0123, to: code}}\n    - {{constant: 'on', to: quoted}}\n"
    );

    insta::assert_snapshot!(lines(&parse(&[("a.yaml", &sync)]).complaints), @"");
}

#[test]
fn two_objects_of_one_name_name_both_places() {
    let elsewhere =
        WAREHOUSE.replace("{name: warehouse}\n", "{name: warehouse, namespace: growth}\n");

    let manifests = parse(&[("a.yaml", WAREHOUSE), ("b.yaml", WAREHOUSE), ("c.yaml", &elsewhere)]);

    insta::assert_snapshot!(lines(&manifests.complaints), @"");
    assert_eq!(manifests.sources.len(), 2);
}

#[test]
fn other_kinds_are_notes_and_misspelt_ones_of_ours_complaints() {
    let text = "\
apiVersion: apps/v1
kind: Deployment
---
apiVersion: apps/v1
kind: Deployment
---
image: {tag: 1}
---
apiVersion: ciosync.dev/v1alpha1
kind: sync
---
apiVersion: ciosync.dev/v1
kind: Sync
---
apiVersion: ciosync.io/v1alpha1
kind: Sync
---
apiVersion: argoproj.io/v1alpha1
kind: Sync
---
kind: Sync
";

    let manifests = parse(&[("a.yaml", text)]);

    insta::assert_snapshot!(lines(&manifests.complaints), @"");
    insta::assert_snapshot!(lines(&manifests.notes), @"");
}

#[test]
fn secrets_are_read_from_both_blocks_and_never_shown() {
    let secret = "\
apiVersion: v1
kind: Secret
metadata: {name: customerio}
data:
  api-key: aHVudGVyMg==
  broken: hunter2hunter2!
stringData:
  api-key: from string data
  flag: yes
  number: 12345
";

    let manifests = parse(&[("a.yaml", secret)]);

    let entries = &manifests.secrets[0].object;
    assert_eq!(entries["api-key"].expose_secret(), "from string data");
    insta::assert_snapshot!(lines(&manifests.complaints), @"");
    let shown = format!("{manifests:?}{}", serde_json::to_string(&manifests.complaints).unwrap());
    assert!(
        !shown.contains("hunter2") && !shown.contains("from string") && !shown.contains("12345")
    );
}

#[test]
fn a_missing_key_is_a_complaint_and_a_missing_secret_a_note() {
    let secret = "\
apiVersion: v1
kind: Secret
metadata: {name: customerio}
stringData: {apikey: x}
";

    let manifests = parse(&[("a.yaml", secret), ("b.yaml", WAREHOUSE), ("c.yaml", PRODUCTION)]);

    let (notes, complaints): (Vec<_>, Vec<_>) = check_secrets(&manifests)
        .into_iter()
        .partition(|found| found.severity == ciosync::api::Severity::Note);
    insta::assert_snapshot!(lines(&complaints), @"");
    insta::assert_snapshot!(lines(&notes), @"");
}

#[test]
fn references_name_what_was_probably_meant() {
    let sync = CUSTOMERS
        .replace("{name: warehouse}", "{name: warehuose}")
        .replace("{name: production}", "{name: main}");
    let main = PRODUCTION.replace("{name: production}", "{name: main, namespace: growth}");

    insta::assert_snapshot!(
        said(&[("a.yaml", &sync), ("b.yaml", WAREHOUSE), ("c.yaml", &main)]),
        @""
    );
}

#[test]
fn another_namespace_needs_leave() {
    let sync = CUSTOMERS
        .replace("{name: warehouse}", "{name: warehouse, namespace: data}")
        .replace("{name: production}", "{name: production, namespace: growth}");
    let in_data = WAREHOUSE.replace("{name: warehouse}\n", "{name: warehouse, namespace: data}\n");
    let open = format!("{in_data}  allowedNamespaces: {{from: All}}\n");

    insta::assert_snapshot!(said(&[("a.yaml", &sync), ("b.yaml", &in_data)]), @"");
    insta::assert_snapshot!(said(&[("a.yaml", &sync), ("b.yaml", &open)]), @"");
}

#[test]
fn a_resource_that_cant_be_read_is_not_missing() {
    let wrong = WAREHOUSE.replace("host: db", "hots: db");

    let manifests = parse(&[("a.yaml", &wrong), ("b.yaml", PRODUCTION), ("c.yaml", CUSTOMERS)]);

    assert!(manifests.holds(Kind::Source, "default", "warehouse"));
    assert_eq!(lines(&check_references(&manifests)), "");
}

#[test]
fn dependencies_must_be_there_and_not_go_round() {
    let sync = |name: &str, on: &str| {
        format!(
            "---\n{}  dependsOn: [{{name: {on}}}]\n",
            CUSTOMERS.replace("{name: customers}", &format!("{{name: {name}}}"))
        )
    };
    let text = [sync("a", "b"), sync("b", "c"), sync("c", "a"), sync("d", "acounts")].concat();

    insta::assert_snapshot!(
        said(&[("a.yaml", &text), ("b.yaml", WAREHOUSE), ("c.yaml", PRODUCTION)]),
        @""
    );
}

#[test]
fn sql_of_a_config_map_is_looked_at_too() {
    let sync = |key: &str| {
        CUSTOMERS.replace(
            "sql: select 1",
            &format!("sqlFrom: {{configMapKeyRef: {{name: queries, key: {key}}}}}"),
        )
    };
    let map = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: queries}
data:
  good.sql: select 1
  bad.sql: drop table t
";
    let rest = [("b.yaml", WAREHOUSE), ("c.yaml", PRODUCTION), ("d.yaml", map)];
    let with = |key: &str| {
        let sync = sync(key);
        let mut texts = vec![("a.yaml", sync.as_str())];
        texts.extend(rest);
        said(&texts)
    };

    assert_eq!(with("good.sql"), "");
    insta::assert_snapshot!(with("bad.sql") + &with("goood.sql"), @"");
}

#[test]
fn a_model_must_fit_its_source() {
    let files = "\
apiVersion: ciosync.dev/v1alpha1
kind: Source
metadata: {name: warehouse}
spec:
  files: {url: data, format: csv}
";

    insta::assert_snapshot!(
        said(&[("a.yaml", CUSTOMERS), ("b.yaml", files), ("c.yaml", PRODUCTION)]),
        @""
    );
}

#[test]
fn anchors_and_merges_are_resolved() {
    let text = "\
apiVersion: ciosync.dev/v1alpha1
kind: Source
metadata: {name: warehouse}
spec:
  sqlite: &base
    path: demo.db
---
apiVersion: ciosync.dev/v1alpha1
kind: Source
metadata: &names {name: other}
spec:
  sqlite:
    <<: {path: other.db}
";

    let manifests = parse(&[("a.yaml", text)]);

    assert_eq!(lines(&manifests.complaints), "");
    let path =
        |index: usize| manifests.sources[index].object.spec.sqlite.as_ref().unwrap().path.clone();
    assert_eq!((path(0), path(1)), ("demo.db".into(), "other.db".into()));
}

#[test]
fn a_folder_is_read_with_all_below_it_in_the_order_of_names() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("b/sync.yml", CUSTOMERS);
    write("a/source.yaml", WAREHOUSE);
    write("c.yaml", PRODUCTION);
    write("notes.txt", "not: [yaml");
    write(".hidden/x.yaml", "not: [yaml");

    let manifests = read(&[folder.path().to_path_buf()], "growth");

    assert_eq!(lines(&manifests.complaints), "");
    assert_eq!(manifests.syncs[0].namespace, "growth");
    assert!(manifests.syncs[0].place.file.ends_with("b/sync.yml"));
    assert_eq!(manifests.sources[0].place.folder(), folder.path().join("a"));
}

#[test]
fn paths_that_cant_be_read_are_complaints() {
    let empty = tempfile::tempdir().unwrap();

    let manifests = read(&[PathBuf::from("no/such/folder"), empty.path().to_path_buf()], "default");

    let said = lines(&manifests.complaints).replace(&empty.path().display().to_string(), "EMPTY");
    insta::assert_snapshot!(said, @"");
}
