//! Texts and folders to resources, each by itself.

use std::path::PathBuf;

use ciosync::manifest::{check_references, read};
use secrecy::ExposeSecret;

use super::{CUSTOMERS, PRODUCTION, WAREHOUSE, lines, parse, said};

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
        @"
        a.yaml:10: Sync default/customers: spec.model.sql: there are 2 statements, a model is one
          keep the select, take the others away
        a.yaml:16: Sync default/customers: spec.behavior: upsert is called updateOrCreate here: write `behavior: updateOrCreate`
        a.yaml:19: Sync default/customers: spec.mapings: there is no field `mapings`
          did you mean `mappings`?
        a.yaml:23: Sync default/customers: spec.mappings[0].type: `nubmer` is not one of text, integer, number, boolean, timestamp, date and json
          did you mean `number`?
        a.yaml:24: Sync default/customers: spec.mappings[1]: a mapping has exactly one of from, constant and template: make one mapping for each
        a.yaml:27: Sync default/customers: spec.schedule: `25` is not a valid hour
          write 0-23, `*`, a range `a-b`, a step `*/n`, or a list of these
        b.yaml:5: Source default/warehouse: spec.postgres: say where the database is by url alone, or by host, database and user
        a.yaml:7: Sync default/customers: spec.sourceRef.name: there is no Source default/warehuose
          did you mean `warehouse`?
        "
    );
}

#[test]
fn what_only_code_can_check_has_its_line_too() {
    let sync = format!(
        "{CUSTOMERS}  schedule: 0 25 * * *\n  timeZone: Berlin\n  mappings:\n    - from: plan\n    - from: tier\n      to: plan\n"
    );

    insta::assert_snapshot!(
        said(&[("a.yaml", &sync), ("b.yaml", WAREHOUSE), ("c.yaml", PRODUCTION)]),
        @"
        a.yaml:11: Sync default/customers: spec.schedule: `25` is not a valid hour
          write 0-23, `*`, a range `a-b`, a step `*/n`, or a list of these
        a.yaml:12: Sync default/customers: spec.timeZone: `Berlin` is not a time zone
          write an IANA name such as Europe/Berlin, America/New_York or UTC
        a.yaml:16: Sync default/customers: spec.mappings[1].to: the attribute `plan` is already set by spec.mappings[0]
          take one of the two away, or give one another name with `to`
        "
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
        @"
        a.yaml:3:5: the YAML can't be read: did not find expected ',' or '}' while parsing a flow mapping that begins on line 2
        b.yaml:3:1: the YAML can't be read: found character that cannot start any token
          a tab can't indent: use spaces
        c.yaml:2: kind: the field stands twice, first on line 1
        d.yaml:1: the document is no object: it has no fields
        "
    );
}

#[test]
fn words_that_kubectl_reads_otherwise_need_quotes() {
    let sync = format!(
        "{CUSTOMERS}  suspend: no\n  mappings:\n    - {{constant: yes, to: active}}\n    - {{constant: 0123, to: code}}\n    - {{constant: 'on', to: quoted}}\n"
    );

    insta::assert_snapshot!(lines(&parse(&[("a.yaml", &sync)]).complaints), @"
        a.yaml:11: Sync default/customers: spec.suspend: kubectl reads the value as false
          put it in quotes, or write false if that is meant
        a.yaml:13: Sync default/customers: spec.mappings[0].constant: kubectl reads the value as true
          put it in quotes, or write true if that is meant
        a.yaml:14: Sync default/customers: spec.mappings[1].constant: kubectl reads the value as a number
          put it in quotes, or write the number without `_` and leading zeros
        ");
}

#[test]
fn two_objects_of_one_name_name_both_places() {
    let elsewhere =
        WAREHOUSE.replace("{name: warehouse}\n", "{name: warehouse, namespace: growth}\n");

    let manifests = parse(&[("a.yaml", WAREHOUSE), ("b.yaml", WAREHOUSE), ("c.yaml", &elsewhere)]);

    insta::assert_snapshot!(lines(&manifests.complaints), @"
        b.yaml:3: Source default/warehouse: metadata.name: it is already defined at a.yaml:1
          give one of the two another name, or take it away
        ");
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

    insta::assert_snapshot!(lines(&manifests.complaints), @"
        a.yaml:10: kind: ciosync.dev/v1alpha1 has no kind `sync`
          did you mean `Sync`?
        a.yaml:12: apiVersion: there is no apiVersion `ciosync.dev/v1`
          write ciosync.dev/v1alpha1
        a.yaml:15: apiVersion: there is no apiVersion `ciosync.io/v1alpha1`
          write ciosync.dev/v1alpha1
        a.yaml:21: apiVersion: the field `apiVersion` is missing
          write ciosync.dev/v1alpha1
        ");
    insta::assert_snapshot!(lines(&manifests.notes), @"
        a.yaml:1: 2 objects of kind Deployment (apps/v1) were skipped: no kind of ours
        a.yaml:18: Sync (argoproj.io/v1alpha1) was skipped: no kind of ours
        a.yaml:7: a document without kind was skipped: no kind of ours
        ");
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
    insta::assert_snapshot!(lines(&manifests.complaints), @"
        a.yaml:6: Secret default/customerio: data.broken: the value is not base64 of a text
          write the value itself under stringData
        a.yaml:9: Secret default/customerio: stringData.flag: kubectl reads the value as true
          put it in quotes, or write true if that is meant
        a.yaml:10: Secret default/customerio: stringData.number: the value must be a string
          put it in quotes
        ");
    let shown = format!("{manifests:?}{}", serde_json::to_string(&manifests.complaints).unwrap());
    assert!(
        !shown.contains("hunter2") && !shown.contains("from string") && !shown.contains("12345")
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
    insta::assert_snapshot!(said, @"
        no/such/folder: there is no such file or folder
        EMPTY: the folder holds no *.yaml or *.yml file
        ");
}
