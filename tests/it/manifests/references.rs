//! What must fit between the resources of the files.

use ciosync::api::Kind;
use ciosync::manifest::{check_references, check_secrets};

use super::{CUSTOMERS, PRODUCTION, WAREHOUSE, lines, parse, said};

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
    insta::assert_snapshot!(lines(&complaints), @"
        c.yaml:6: CustomerIoConnection default/production: spec.apiKey.secretKeyRef.key: the Secret default/customerio (a.yaml:1) has no key `api-key`
          did you mean `apikey`?
        ");
    insta::assert_snapshot!(lines(&notes), @"b.yaml:9: Source default/warehouse: spec.postgres.password.secretKeyRef.name: the Secret default/warehouse is not in the files");
}

#[test]
fn references_name_what_was_probably_meant() {
    let sync = CUSTOMERS
        .replace("{name: warehouse}", "{name: warehuose}")
        .replace("{name: production}", "{name: main}");
    let main = PRODUCTION.replace("{name: production}", "{name: main, namespace: growth}");

    insta::assert_snapshot!(
        said(&[("a.yaml", &sync), ("b.yaml", WAREHOUSE), ("c.yaml", &main)]),
        @"
        a.yaml:5: Sync default/customers: spec.sourceRef.name: there is no Source default/warehuose
          did you mean `warehouse`?
        a.yaml:6: Sync default/customers: spec.connectionRef.name: there is no CustomerIoConnection default/main
          there is one in the namespace growth: add `namespace: growth` to the reference
        "
    );
}

#[test]
fn another_namespace_needs_leave() {
    let sync = CUSTOMERS
        .replace("{name: warehouse}", "{name: warehouse, namespace: data}")
        .replace("{name: production}", "{name: production, namespace: growth}");
    let in_data = WAREHOUSE.replace("{name: warehouse}\n", "{name: warehouse, namespace: data}\n");
    let open = format!("{in_data}  allowedNamespaces: {{from: All}}\n");

    insta::assert_snapshot!(said(&[("a.yaml", &sync), ("b.yaml", &in_data)]), @"
        a.yaml:5: Sync default/customers: spec.sourceRef: the Source data/warehouse may be used from its own namespace only
          set its spec.allowedNamespaces, such as `{from: All}`
        a.yaml:6: Sync default/customers: spec.connectionRef.name: the CustomerIoConnection growth/production of another namespace is not in the files
        ");
    insta::assert_snapshot!(said(&[("a.yaml", &sync), ("b.yaml", &open)]), @"a.yaml:6: Sync default/customers: spec.connectionRef.name: the CustomerIoConnection growth/production of another namespace is not in the files");
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
        @"
        a.yaml:48: Sync default/d: spec.dependsOn[0].name: there is no Sync default/acounts
          there is a, b, c, d
        a.yaml:12: Sync default/a: spec.dependsOn: it depends on itself: a -> b -> c -> a
          take one of these dependencies away: none of them could ever start
        "
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
    insta::assert_snapshot!(with("bad.sql") + &with("goood.sql"), @"
        a.yaml:7: Sync default/customers: spec.model.sqlFrom: the statement begins with `drop`
          a model only reads: begin with select, with, values or table
        a.yaml:7: Sync default/customers: spec.model.sqlFrom.configMapKeyRef.key: the ConfigMap default/queries (d.yaml:1) has no key `goood.sql`
          did you mean `good.sql`?
        ");
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
        @"
        a.yaml:7: Sync default/customers: spec.model.sql: a files source can't read `sql`
          name the file with `table`, such as `customers.csv`
        "
    );
}
