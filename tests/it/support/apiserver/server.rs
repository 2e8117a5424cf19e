//! The servers as processes: where the program is, how they start, pause and stop.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use serde::Deserialize;

/// What the program says about its servers once they answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    pub url: String,
    pub ca_file: PathBuf,
    /// The admin's.
    pub kubeconfig: PathBuf,
    pub audit_log: PathBuf,
    /// Whether namespaces end, Jobs make Pods, and owner references are collected. Not so where the
    /// programs of `KUBEBUILDER_ASSETS` are used, which leave the controllers out.
    pub has_controllers: bool,
}

/// Running servers. They end with this value; one in a static ends with the process.
pub struct Server {
    pub place: Place,
    /// The folder of `apiserver` and `kubectl`.
    pub programs: PathBuf,
    supervisor: Mutex<Supervisor>,
}

struct Supervisor {
    process: Child,
    /// Its end is the signal to end the servers. Nothing once that was given.
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Server {
    /// Starts all servers in a fresh folder and returns when they answer. Blocks for seconds.
    pub fn start() -> Result<Self, String> {
        let programs = programs()?;
        let mut process = Command::new(programs.join("apiserver"))
            .arg("serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|err| format!("cannot run {}: {err}", programs.display()))?;
        let commands = process.stdin.take();
        let stdout = process.stdout.take().expect("stdout was asked to be a pipe");
        let mut supervisor = Supervisor { process, commands, answers: BufReader::new(stdout) };
        let place = serde_json::from_str(&supervisor.answer()?).map_err(|err| err.to_string())?;
        Ok(Self { place, programs, supervisor: Mutex::new(supervisor) })
    }

    /// Stops, starts, pauses or resumes kube-apiserver, and returns when that is done. Blocks.
    pub fn command(&self, word: &str) {
        let mut supervisor = self.supervisor.lock().unwrap();
        let commands = supervisor.commands.as_mut().expect("open until the server is dropped");
        writeln!(commands, "{word}").unwrap();
        let answer = supervisor.answer().unwrap();
        assert!(answer.contains(word), "asked to {word}, it answered {answer}");
    }
}

impl Supervisor {
    fn answer(&mut self) -> Result<String, String> {
        let mut line = String::new();
        match self.answers.read_line(&mut line) {
            Ok(0) => Err("the API server for tests ended; what it said is above".to_owned()),
            Ok(_) => Ok(line),
            Err(err) => Err(err.to_string()),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut supervisor =
            self.supervisor.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        supervisor.commands = None;
        drop(supervisor.process.wait());
    }
}

/// Returns the folder of the programs. The search has one home, the script that `make test` uses.
fn programs() -> Result<PathBuf, String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/setup/apiserver.sh");
    let output = Command::new(script)
        .arg("--find")
        .output()
        .map_err(|err| format!("cannot run {script}: {err}"))?;
    if !output.status.success() {
        let advice = String::from_utf8_lossy(&output.stderr);
        return Err(format!(
            "these tests need a Kubernetes API server: run `make test`, which builds it\n{advice}"
        ));
    }
    let program = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim_end());
    Ok(program.parent().expect("a program lies in a folder").to_owned())
}
