//! Connections: probed as Sources are; what Customer.io says of the account and of its pace stands
//! in the status.

use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::api::CustomerIoConnection;
use crate::api::connection::CustomerIoConnectionStatus;
use crate::controller::changes::Named;
use crate::controller::context::Context;
use crate::controller::decide::probe;
use crate::controller::error::ControllerError;
use crate::controller::figures;
use crate::controller::follow::Followed as _;
use crate::controller::probe::Reached;
use crate::controller::watch::{ObjectKey, key_of};
use crate::metrics::{ConnectionFigures, ObjectName};

/// Probes a connection where that is due, and writes its status; returns when to look again.
///
/// # Errors
/// Where the API server doesn't take the status.
pub async fn reconcile(
    seen: Arc<CustomerIoConnection>,
    context: Arc<Context>,
) -> Result<Option<Timestamp>, ControllerError> {
    let mut connection = context.connection_statuses.newest(seen);
    let key = key_of(connection.as_ref());
    let named = Named::Connection(key.clone());
    let (status, probe_at) = probe::connection(&connection, Timestamp::now(), None);
    let status = with_pace(&context, &key, status);
    let Some(probe_at) = probe_at else {
        write(&context, &connection, &status).await?;
        return Ok(None);
    };
    if let Some(next) = context.probes.not_due(&named, connection.as_ref(), probe_at) {
        let full_speed_at = status.throttled_until.as_ref().map(|time| time.0);
        write(&context, &connection, &status).await?;
        return Ok(Some(full_speed_at.map_or(next, |at| at.min(next))));
    }
    let is_unseen = connection.status.as_ref().is_none_or(|status| status.conditions.is_empty());
    if is_unseen {
        // A probe may take its time: until then the status says that it is under way.
        connection = write(&context, &connection, &status).await?;
    }
    let probed = context.prober.connection(&connection).await;
    let outcome = match &probed.outcome {
        Ok(reached) => Ok(reached.app_problem.clone()),
        Err(problem) => Err(problem.clone()),
    };
    let (status, probe_at) = probe::connection(&connection, Timestamp::now(), Some(outcome));
    let mut status = with_pace(&context, &key, status);
    if let Ok(Reached { account, .. }) = &probed.outcome {
        status.region = Some(account.region.as_str().to_owned());
        status.workspace_id = i64::try_from(account.workspace_id).ok();
    }
    let done = context.probes.done(&named, connection.as_ref(), probe_at, probed.secret_versions);
    if done.has_other_secrets {
        // Those that failed with the old ones are tried with these, also where the probe says
        // nothing new.
        context.changes.note(named);
        CustomerIoConnection::nudge(&context, &key);
    }
    write(&context, &connection, &status).await?;
    Ok(done.next)
}

/// Writes a status, and shows it in figures.
async fn write(
    context: &Context,
    connection: &Arc<CustomerIoConnection>,
    status: &CustomerIoConnectionStatus,
) -> Result<Arc<CustomerIoConnection>, ControllerError> {
    let (namespace, name) = key_of(connection.as_ref());
    let figures = ConnectionFigures {
        ready: figures::ready(&status.conditions),
        is_throttled: status.throttled_until.is_some(),
    };
    context.metrics.connections.set(&ObjectName::new(&namespace, &name), &figures);
    context.connection_statuses.write(connection, status).await
}

/// Puts into a status until when Customer.io asked to slow down.
fn with_pace(
    context: &Context,
    key: &ObjectKey,
    status: CustomerIoConnectionStatus,
) -> CustomerIoConnectionStatus {
    let until = context.connections.throttled_until(key);
    // Whole seconds, up: at that time it is over.
    let until = until.and_then(|at| Timestamp::from_second(at.as_second().saturating_add(1)).ok());
    CustomerIoConnectionStatus { throttled_until: until.map(Time), ..status }
}
