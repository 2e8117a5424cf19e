//! What an emulator is started with.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::emulator::settings::Settings;

/// How to start an emulator. The default listens on a free port of the loopback interface.
#[derive(Clone)]
pub struct Options {
    /// The address to listen on; port 0 is a free one.
    pub listen: SocketAddr,
    /// The workspace's id; a new one at each start when none is given.
    pub workspace_id: Option<u64>,
    /// The user of the Track API's basic authentication.
    pub site_id: String,
    /// The password of the Track API's basic authentication.
    pub api_key: String,
    /// The App API's bearer token.
    pub app_api_key: String,
    /// The region that the workspace says it is in.
    pub region: Region,
    /// How the workspace behaves.
    pub settings: Settings,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            workspace_id: None,
            site_id: "emulator-site-id".to_owned(),
            api_key: "emulator-api-key".to_owned(),
            app_api_key: "emulator-app-api-key".to_owned(),
            region: Region::Us,
            settings: Settings::default(),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Options")
            .field("listen", &self.listen)
            .field("workspace_id", &self.workspace_id)
            .field("site_id", &self.site_id)
            .field("api_key", &"[redacted]")
            .field("app_api_key", &"[redacted]")
            .field("region", &self.region)
            .field("settings", &self.settings)
            .finish()
    }
}

/// Where an account lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Region {
    /// The United States.
    Us,
    /// The European Union.
    Eu,
}

impl Region {
    /// Returns the Track API's address in this region. Source: Track API description, `servers`.
    pub fn track_url(self) -> &'static str {
        match self {
            Self::Us => "https://track.customer.io",
            Self::Eu => "https://track-eu.customer.io",
        }
    }
}
