//! What the operator shows over HTTP: a page for people, probes for the kubelet, figures for
//! Prometheus. Read only, and nothing out of a row.

mod health;
mod pages;
mod status;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use health::{Check, Heartbeat};
pub use status::SyncLine;

use crate::metrics::Metrics;

/// Returns what must hold before the operator is ready, each with what is missing where it doesn't.
pub type Readiness = Arc<dyn Fn() -> Vec<Check> + Send + Sync>;

/// Returns how every Sync stands; `None` where another replica works.
pub type Syncs = Arc<dyn Fn() -> Option<Vec<SyncLine>> + Send + Sync>;

/// What the pages are made from.
#[derive(Clone)]
pub struct Shown {
    /// What must hold.
    pub readiness: Readiness,
    /// How every Sync stands.
    pub syncs: Syncs,
    /// When the operator last showed that it is not stuck.
    pub heartbeat: Heartbeat,
    /// Its figures.
    pub metrics: Metrics,
}

/// An address that is listened on and not yet served.
pub struct Server {
    listener: TcpListener,
}

impl Server {
    /// Takes the address.
    ///
    /// # Errors
    /// Where it is taken already or can't be.
    pub async fn bind(address: SocketAddr) -> std::io::Result<Self> {
        Ok(Self { listener: TcpListener::bind(address).await? })
    }

    /// Returns the address, with the port that was found where port 0 was asked for.
    ///
    /// # Errors
    /// Where the system doesn't say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until `stop` is cancelled.
    ///
    /// # Errors
    /// Where the address can no longer be listened on.
    pub async fn serve(self, shown: Shown, stop: CancellationToken) -> std::io::Result<()> {
        let routes = Router::new()
            .route("/", get(status::page))
            .route("/healthz", get(pages::healthz))
            .route("/livez", get(pages::livez))
            .route("/readyz", get(pages::readyz))
            .route("/metrics", get(pages::metrics))
            .with_state(shown);
        axum::serve(self.listener, routes).with_graceful_shutdown(stop.cancelled_owned()).await
    }
}
