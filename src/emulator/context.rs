//! What every handler shares.

use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::emulator::auth::Credentials;
use crate::emulator::faults::FaultScript;
use crate::emulator::lock::lock;
use crate::emulator::options::Region;
use crate::emulator::rate::RateGate;
use crate::emulator::requests::RequestLog;
use crate::emulator::settings::Settings;
use crate::emulator::workspace::Workspace;

/// A running emulator's insides. No lock here is ever held across an `await`.
pub(crate) struct Context {
    pub(crate) credentials: Credentials,
    pub(crate) region: Region,
    /// Where the emulator is reached, without a slash at the end.
    pub(crate) url: String,
    pub(crate) workspace_id: u64,
    pub(crate) faults: FaultScript,
    pub(crate) requests: RequestLog,
    /// `true` while requests wait to be released.
    pub(crate) hold: watch::Sender<bool>,
    /// Ends every wait when the emulator stops.
    pub(crate) stopping: CancellationToken,
    pub(crate) track_rate: Mutex<RateGate>,
    pub(crate) app_rate: Mutex<RateGate>,
    workspace: Mutex<Workspace>,
    settings: Mutex<Arc<Settings>>,
}

impl Context {
    /// Returns a context with an empty workspace.
    pub(crate) fn new(
        (credentials, region): (Credentials, Region),
        url: String,
        workspace_id: u64,
        settings: Settings,
    ) -> Self {
        Self {
            credentials,
            region,
            url,
            workspace_id,
            faults: FaultScript::default(),
            requests: RequestLog::default(),
            hold: watch::Sender::new(false),
            stopping: CancellationToken::new(),
            track_rate: Mutex::default(),
            app_rate: Mutex::default(),
            workspace: Mutex::new(Workspace::new(workspace_id)),
            settings: Mutex::new(Arc::new(settings)),
        }
    }

    /// Locks the workspace.
    pub(crate) fn workspace(&self) -> MutexGuard<'_, Workspace> {
        lock(&self.workspace)
    }

    /// Returns the settings of this moment.
    pub(crate) fn settings(&self) -> Arc<Settings> {
        Arc::clone(&lock(&self.settings))
    }

    /// Replaces the settings.
    pub(crate) fn set_settings(&self, settings: Settings) {
        *lock(&self.settings) = Arc::new(settings);
    }

    /// Empties the workspace and forgets requests and faults; settings stay.
    pub(crate) fn reset(&self) {
        self.faults.clear();
        *self.workspace() = Workspace::new(self.workspace_id);
        self.requests.clear();
    }
}
