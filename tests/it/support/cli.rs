//! The real binary: run it to its end, or start it, watch it, and kill it.

mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// No command of a test takes this long; past it the test fails instead of hanging.
const LIMIT: Duration = Duration::from_secs(120);
/// Variables that change what the binary does and must not leak in from the developer's shell.
const FOREIGN_PREFIXES: [&str; 2] = ["CIOSYNC_", "PG"];
const FOREIGN_NAMES: [&str; 5] =
    ["RUST_LOG", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "KUBECONFIG"];

/// A temporary folder to run the binary in; it goes when this value goes.
pub struct Workdir(TempDir);

impl Workdir {
    pub fn new() -> Self {
        Self(tempfile::Builder::new().prefix("ciosync-test-").tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file below the folder, making the folders between, and returns its path.
    pub fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Reads a file below the folder.
    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path().join(path))
            .unwrap_or_else(|err| panic!("{path}: {err}"))
    }
}

/// One invocation of the binary, being put together.
pub struct Ciosync {
    command: Command,
    stdin: Vec<u8>,
}

impl Ciosync {
    /// An invocation in `dir`, with nothing on standard input and a clean environment.
    pub fn new(dir: impl AsRef<Path>) -> Self {
        Self::program(env!("CARGO_BIN_EXE_ciosync"), dir.as_ref())
    }

    /// An invocation that can't write a file past so many bytes, as if the disk were full there.
    pub fn with_file_size_limit(dir: impl AsRef<Path>, bytes: u64) -> Self {
        // Without the trap the signal for it would end the process before it saw the error.
        let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", bytes / 512);
        Self::program("sh", dir.as_ref()).args(["-c", &script, env!("CARGO_BIN_EXE_ciosync")])
    }

    fn program(program: &str, dir: &Path) -> Self {
        let mut command = Command::new(program);
        command.current_dir(dir).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for (name, _) in std::env::vars_os() {
            if is_foreign(&name.to_string_lossy()) {
                command.env_remove(&name);
            }
        }
        Self { command, stdin: Vec::new() }
    }

    pub fn args<A: AsRef<std::ffi::OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn stdin(mut self, text: &str) -> Self {
        self.stdin = text.into();
        self
    }

    /// Runs to the end. Other tasks of the test, an emulator for one, go on meanwhile.
    pub async fn run(self) -> Output {
        self.spawn().wait().await
    }

    /// Starts, and returns while it runs. Dropping the value kills the process.
    pub fn spawn(mut self) -> Running {
        let words = format!("{:?}", self.command.as_std());
        let mut child = self.command.spawn().unwrap_or_else(|err| panic!("{words}: {err}"));
        let mut stdin = child.stdin.take().expect("stdin was asked to be a pipe");
        let text = self.stdin;
        tokio::spawn(async move {
            // A program that doesn't read its input closes the pipe; that is no fault.
            drop(stdin.write_all(&text).await);
        });
        let stdout = Stream::collect(child.stdout.take().expect("stdout was asked to be a pipe"));
        let stderr = Stream::collect(child.stderr.take().expect("stderr was asked to be a pipe"));
        Running { words, child, stdout, stderr }
    }
}

fn is_foreign(variable: &str) -> bool {
    FOREIGN_NAMES.contains(&variable)
        || FOREIGN_PREFIXES.iter().any(|prefix| variable.starts_with(prefix))
}

/// What a process wrote to one of its streams, as it comes.
struct Stream {
    text: watch::Receiver<String>,
    reader: JoinHandle<()>,
}

impl Stream {
    fn collect(mut stream: impl AsyncRead + Unpin + Send + 'static) -> Self {
        let (sender, text) = watch::channel(String::new());
        let reader = tokio::spawn(async move {
            let mut bytes = Vec::new();
            while matches!(stream.read_buf(&mut bytes).await, Ok(count) if count > 0) {
                sender.send_replace(String::from_utf8_lossy(&bytes).into_owned());
            }
        });
        Self { text, reader }
    }

    async fn end(self) -> String {
        self.reader.await.unwrap();
        self.text.borrow().clone()
    }
}

/// A process that was started and may still run.
pub struct Running {
    words: String,
    child: Child,
    stdout: Stream,
    stderr: Stream,
}

impl Running {
    /// Waits until standard output holds the text, and returns all of it so far.
    pub async fn wait_for_stdout(&mut self, text: &str) -> String {
        await_text(&mut self.stdout, text, &self.words).await
    }

    /// Waits until standard error holds the text, and returns all of it so far.
    pub async fn wait_for_stderr(&mut self, text: &str) -> String {
        await_text(&mut self.stderr, text, &self.words).await
    }

    /// Kills the process the hard way (SIGKILL), as a lost node does, and returns what it wrote.
    pub async fn kill(mut self) -> Output {
        self.child.start_kill().unwrap();
        self.wait().await
    }

    /// Kills the process the hard way when `moment` comes, unless it ends before, and returns what
    /// it wrote.
    pub async fn kill_at(mut self, moment: impl Future<Output = ()>) -> Output {
        let has_ended = tokio::select! {
            biased;
            ended = self.child.wait() => ended.is_ok(),
            () = moment => false,
        };
        if has_ended { self.wait().await } else { self.kill().await }
    }

    /// Returns the most memory that the process ever had, in bytes; nothing where the system doesn't
    /// say it as Linux does.
    pub fn memory_max(&self) -> Option<u64> {
        let process = self.child.id().expect("the process has not been waited for");
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
        Some(kilobytes * 1024)
    }

    /// Stops the process where it stands (SIGSTOP), as a machine that sleeps does.
    pub async fn pause(&self) {
        self.signal("STOP").await;
    }

    /// Lets a paused process go on (SIGCONT).
    pub async fn resume(&self) {
        self.signal("CONT").await;
    }

    /// Asks the process to stop the way Ctrl-C does (SIGINT).
    pub async fn interrupt(&self) {
        self.signal("INT").await;
    }

    /// Asks the process to stop the way a cluster does (SIGTERM).
    pub async fn terminate(&self) {
        self.signal("TERM").await;
    }

    async fn signal(&self, name: &str) {
        let process = self.child.id().expect("the process has not been waited for").to_string();
        let status = Command::new("kill").args(["-s", name, &process]).status().await.unwrap();
        assert!(status.success(), "cannot send SIG{name} to {}", self.words);
    }

    /// Waits for the end, however it comes.
    pub async fn wait(mut self) -> Output {
        let Ok(status) = tokio::time::timeout(LIMIT, self.child.wait()).await else {
            let (stdout, stderr) = (self.stdout.text.borrow(), self.stderr.text.borrow());
            panic!("{} still runs after {LIMIT:?}\n{}", self.words, both(&stdout, &stderr));
        };
        let (stdout, stderr) = (self.stdout.end().await, self.stderr.end().await);
        Output { words: self.words, status: status.unwrap(), stdout, stderr }
    }
}

async fn await_text(stream: &mut Stream, text: &str, words: &str) -> String {
    let awaited = stream.text.wait_for(|all| all.contains(text));
    if let Ok(Ok(all)) =
        tokio::time::timeout(LIMIT, awaited).await.map(|seen| seen.map(|all| all.clone()))
    {
        return all;
    }
    panic!("{words} never wrote {text:?}, but:\n{}", *stream.text.borrow());
}

fn both(stdout: &str, stderr: &str) -> String {
    format!("--- stdout\n{stdout}\n--- stderr\n{stderr}\n---")
}

/// How a process ended and all that it wrote. `Display` shows everything, for messages of failed tests.
pub struct Output {
    words: String,
    status: ExitStatus,
    stdout: String,
    stderr: String,
}

impl Output {
    /// Returns the exit code.
    ///
    /// # Panics
    /// When a signal ended the process.
    #[track_caller]
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or_else(|| panic!("ended by a signal\n{self}"))
    }

    /// Returns whether a signal ended the process.
    pub fn was_killed(&self) -> bool {
        self.status.code().is_none()
    }

    /// Fails the test, showing everything, unless the exit code is this.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code(), code, "another exit code was expected\n{self}");
        self
    }

    pub fn stdout(&self) -> &str {
        &self.stdout
    }

    pub fn stderr(&self) -> &str {
        &self.stderr
    }

    /// Returns standard output as the JSON that it must be.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|err| panic!("not JSON: {err}\n{self}"))
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}", self.words, self.status, both(&self.stdout, &self.stderr))
    }
}
