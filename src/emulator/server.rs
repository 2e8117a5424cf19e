//! A running emulator: started, reached, stopped.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use axum::{Router, serve};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::emulator::auth::Credentials;
use crate::emulator::connection::{CuttableListener, Line};
use crate::emulator::context::Context;
use crate::emulator::faults::FaultsHandle;
use crate::emulator::gate::gate;
use crate::emulator::handle::{SettingsHandle, WorkspaceHandle};
use crate::emulator::options::Options;
use crate::emulator::{answer, app_api, door, page, track_v1, track_v2};

/// How long requests under way may take to end when the emulator stops; then they are cut.
const STOP_PATIENCE: Duration = Duration::from_secs(1);

/// Why an emulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on: it is in use, or not this machine's.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// A Customer.io workspace in memory, behind the real HTTP endpoints.
///
/// Dropped without [`Emulator::stop`] it stops too, though nobody waits for its end.
pub struct Emulator {
    context: Arc<Context>,
    /// Cuts every connection that is still open.
    abort: CancellationToken,
    server: Option<JoinHandle<()>>,
}

impl Emulator {
    /// Starts an emulator; it answers by the time this returns.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened on.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let failed = |source| StartError::Listen { address: options.listen, source };
        let listener = TcpListener::bind(options.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;

        // Six decimal digits, like the ids of real workspaces.
        let workspace_id =
            options.workspace_id.unwrap_or_else(|| fastrand::u64(100_000..1_000_000));
        let credentials =
            Credentials::new(&options.site_id, &options.api_key, &options.app_api_key);
        let context = Arc::new(Context::new(
            (credentials, options.region),
            format!("http://{address}"),
            workspace_id,
            options.settings,
        ));
        let abort = CancellationToken::new();
        let server = tokio::spawn(run(
            CuttableListener::new(listener, abort.clone()),
            router(Arc::clone(&context)),
            context.stopping.clone(),
        ));
        Ok(Self { context, abort, server: Some(server) })
    }

    /// Returns where the emulator is reached, for instance `http://127.0.0.1:40123`: the address of
    /// the Track API and of the App API alike.
    pub fn url(&self) -> &str {
        &self.context.url
    }

    /// Returns the workspace's id.
    pub fn workspace_id(&self) -> u64 {
        self.context.workspace_id
    }

    /// Returns a view of the workspace; it outlives the emulator.
    pub fn workspace(&self) -> WorkspaceHandle {
        WorkspaceHandle::new(Arc::clone(&self.context))
    }

    /// Returns the script of faults.
    pub fn faults(&self) -> FaultsHandle {
        FaultsHandle::new(Arc::clone(&self.context))
    }

    /// Returns the settings, for reading and changing.
    pub fn settings(&self) -> SettingsHandle {
        SettingsHandle::new(Arc::clone(&self.context))
    }

    /// Makes requests to the vendor's endpoints wait, before they take effect, until
    /// [`Emulator::release`].
    pub fn hold(&self) {
        self.context.hold.send_replace(true);
    }

    /// Lets the waiting requests go on.
    pub fn release(&self) {
        self.context.hold.send_replace(false);
    }

    /// Stops: takes no new connection, gives requests under way a moment to end, and returns when
    /// every task has.
    pub async fn stop(mut self) {
        self.context.stopping.cancel();
        let Some(mut server) = self.server.take() else { return };
        if tokio::time::timeout(STOP_PATIENCE, &mut server).await.is_err() {
            self.abort.cancel();
            // A panic in the server would be one of a handler; those end with their connection.
            let _ = server.await;
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.context.stopping.cancel();
        self.abort.cancel();
    }
}

async fn run(listener: CuttableListener, router: Router, stopping: CancellationToken) {
    let service = router.into_make_service_with_connect_info::<Line>();
    let stopped = async move { stopping.cancelled().await };

    // Serving never fails: refused connections are taken up again by the listener.
    let _ = serve(listener, service).with_graceful_shutdown(stopped).await;
}

fn router(context: Arc<Context>) -> Router {
    let vendor = Router::new()
        .merge(track_v1::routes(&context))
        .merge(track_v2::routes(&context))
        .merge(app_api::routes(&context))
        .fallback(|| async { answer::meta_error(StatusCode::NOT_FOUND, "not found") })
        .layer(from_fn_with_state(Arc::clone(&context), gate));

    vendor
        .merge(door::routes())
        .route("/", get(page::page))
        .layer(DefaultBodyLimit::disable())
        .with_state(context)
}
