//! The operator as a process: started with an account's rights, watched, stopped, frozen, killed.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use crate::support::cli::{Ciosync, Output, Running, Workdir};
use crate::support::helm::Objects;

use super::account::Account;

/// Past it an operator that isn't ready never will be.
const READY_WITHIN: Duration = Duration::from_secs(60);
const READY_POLL: Duration = Duration::from_millis(50);

/// An operator, being put together. One replica without leases, unless a flag says otherwise.
#[derive(Clone)]
pub struct OperatorSetup {
    account: Account,
    home: Arc<Workdir>,
    state: Option<String>,
    flags: Vec<String>,
    environment: Vec<(String, String)>,
}

impl OperatorSetup {
    /// An operator that is `account`, with a state of its own in a temporary folder. Starting the
    /// same setup again starts it on the same state.
    pub fn new(account: &Account) -> Self {
        let home = Arc::new(Workdir::new());
        let flags = vec!["--leader-election=false".to_owned()];
        Self { account: account.clone(), home, state: None, flags, environment: Vec::new() }
    }

    /// An operator as the chart starts it: its arguments, but for places in the pod.
    pub fn of_chart(account: &Account, objects: &Objects) -> Self {
        let places = ["--listen=", "--spool-dir=", "--state="];
        let is_kept = |arg: &&&str| !places.iter().any(|place| arg.starts_with(place));
        let args = objects.args();
        assert_eq!(args.first(), Some(&"controller"));
        let mut setup = Self::new(account)
            .env("POD_NAME", &format!("{}-0", account.name))
            .env("POD_NAMESPACE", &account.namespace);
        setup.flags = args.iter().skip(1).filter(is_kept).map(ToString::to_string).collect();
        setup
    }

    /// Adds flags of `ciosync controller`.
    #[must_use]
    pub fn flags<F: AsRef<str>>(mut self, flags: impl IntoIterator<Item = F>) -> Self {
        self.flags.extend(flags.into_iter().map(|flag| flag.as_ref().to_owned()));
        self
    }

    /// Elects a leader among the replicas by a lease in the account's namespace. `identity` is this
    /// replica's name.
    #[must_use]
    pub fn elected(mut self, identity: &str) -> Self {
        self.flags.retain(|flag| flag != "--leader-election=false");
        self.flags.push(format!("--lease-namespace={}", self.account.namespace));
        self.env("POD_NAME", identity)
    }

    /// Keeps the state elsewhere, such as in a database that replicas share.
    #[must_use]
    pub fn state(mut self, url: &str) -> Self {
        self.state = Some(url.to_owned());
        self
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Returns the folder that it runs in.
    pub fn home(&self) -> &Workdir {
        &self.home
    }

    /// Starts it, and returns when `/readyz` says 200.
    ///
    /// # Panics
    /// When it isn't ready within a minute, showing its log.
    pub async fn start(&self) -> Operator {
        let operator = self.start_unready();
        if tokio::time::timeout(READY_WITHIN, operator.ready()).await.is_err() {
            let last = operator.probe("readyz").await;
            let output = operator.kill().await;
            panic!("not ready within {READY_WITHIN:?}; /readyz: {last:?}\n{output}");
        }
        operator
    }

    /// Starts it and returns at once, for an operator that can't become ready.
    pub fn start_unready(&self) -> Operator {
        let address = free_address();
        let path = |name: &str| self.home.path().join(name).display().to_string();
        let state = self.state.clone().unwrap_or_else(|| format!("sqlite:{}", path("state.db")));
        let mut command = Ciosync::new(self.home.path())
            .args(["controller", "--state", &state, "--spool-dir", &path("spool")])
            .args(["--listen", &address.to_string()])
            .args(&self.flags)
            .env("KUBECONFIG", &self.account.kubeconfig().display().to_string());
        for (name, value) in &self.environment {
            command = command.env(name, value);
        }
        Operator { running: command.spawn(), address, _home: Arc::clone(&self.home) }
    }
}

/// A running operator. Dropping it kills it.
pub struct Operator {
    running: Running,
    address: SocketAddr,
    _home: Arc<Workdir>,
}

impl Operator {
    /// Returns the status and the body of one of its paths, such as `readyz` or `metrics`; nothing
    /// when it doesn't answer.
    pub async fn probe(&self, path: &str) -> Option<(u16, String)> {
        let answer = reqwest::get(format!("http://{}/{path}", self.address)).await.ok()?;
        Some((answer.status().as_u16(), answer.text().await.ok()?))
    }

    /// Waits until `/readyz` says 200.
    pub async fn ready(&self) {
        while !matches!(self.probe("readyz").await, Some((200, _))) {
            tokio::time::sleep(READY_POLL).await; // sleep: a process doesn't announce that it is ready.
        }
    }

    /// Waits until its log holds the text, and returns all of it so far.
    pub async fn wait_for_log(&mut self, text: &str) -> String {
        self.running.wait_for_stderr(text).await
    }

    /// Returns the most memory that it ever had, in bytes; nothing where the system doesn't say.
    pub fn memory_max(&self) -> Option<u64> {
        self.running.memory_max()
    }

    /// Stops it the way a cluster does (SIGTERM), and returns how it ended and all that it wrote.
    pub async fn terminate(self) -> Output {
        self.running.terminate().await;
        self.running.wait().await
    }

    /// Kills it the hard way (SIGKILL), as a lost node does.
    pub async fn kill(self) -> Output {
        self.running.kill().await
    }

    /// Waits for its end, for an operator that ends on its own.
    pub async fn wait(self) -> Output {
        self.running.wait().await
    }

    /// Stops it where it stands (SIGSTOP), as a machine that sleeps does.
    pub async fn freeze(&self) {
        self.running.pause().await;
    }

    /// Lets a frozen one go on.
    pub async fn thaw(&self) {
        self.running.resume().await;
    }
}

fn free_address() -> SocketAddr {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap()
}
