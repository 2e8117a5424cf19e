//! Values that would do harm are refused before anything is installed, and the message names them.

use super::helm::refusal;

#[test]
fn values_that_cannot_work_are_refused_by_name() {
    const POSTGRES: &str = "state.backend=postgres";
    const SECRET: &str = "state.postgres.secretName=state";
    for (values, said) in [
        // SQLite is a file that one process writes.
        (&["replicas=2"][..], "at '/state/backend': value must be 'postgres'"),
        (&[POSTGRES], "at '/state/postgres/secretName'"),
        (
            &[POSTGRES, SECRET, "replicas=2", "leaderElection.enabled=false"],
            "at '/leaderElection/enabled': value must be true",
        ),
        (&["state.backend=mysql"], "value must be one of 'sqlite', 'postgres'"),
        (&["state.sqlite.accessMode=ReadWriteMany"], "at '/state/sqlite/accessMode'"),
        (&["state.sqlite.size=plenty"], "at '/state/sqlite/size'"),
        (&["image.digest=latest"], "at '/image/digest'"),
        (&["image.repository=ciosync:1.2"], "at '/image/repository'"),
        (&["limits.maxRuns=0"], "at '/limits/maxRuns'"),
        (&["watchNamespaces={Growth}"], "at '/watchNamespaces/0'"),
        (&["leaderElection.leaseDuration=soon"], "at '/leaderElection/leaseDuration'"),
        // Less than a clean end takes.
        (&["terminationGracePeriodSeconds=5"], "at '/terminationGracePeriodSeconds'"),
        // Nothing let out: the operator could not even read its own resources.
        (&["networkPolicy.egress.enabled=true"], "at '/networkPolicy/egress/to'"),
    ] {
        let refusal = refusal(values);

        assert!(refusal.contains(said), "{values:?}: {refusal}");
    }
}

#[test]
fn a_value_that_does_not_exist_is_a_typing_error_and_not_ignored() {
    for (value, said) in [
        ("replicaCount=1", "additional properties 'replicaCount' not allowed"),
        ("state.sqllite.size=1Gi", "at '/state': additional properties 'sqllite' not allowed"),
        ("limits.maxRun=1", "at '/limits': additional properties 'maxRun' not allowed"),
        ("resources.limit.memory=1Gi", "at '/resources': additional properties 'limit'"),
    ] {
        let refusal = refusal(&[value]);

        assert!(refusal.contains(said), "{value}: {refusal}");
    }
}
