//! The Lua that Argo CD runs, in the sandbox that it runs it in (tests/apiserver/judge).

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// Runs a script below `examples/gitops/argocd` on an object. Returns what it prints: of a health
/// check the status, a space and the message, of an action the JSON of the object; or what it says
/// against the object.
///
/// # Panics
/// Where there is no such Lua: `make test` builds it.
pub fn run(script: &str, object: &Value) -> Result<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/gitops/argocd");
    let mut process = Command::new(program())
        .arg("lua")
        .arg(folder.join(script))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = process.stdin.take().expect("stdin was asked to be a pipe");
    input.write_all(object.to_string().as_bytes()).unwrap();
    drop(input);
    let output = process.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

fn program() -> PathBuf {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/setup/apiserver.sh");
    let output = Command::new(script).arg("--find").output().unwrap();
    let advice = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "run `make test`, which builds it\n{advice}");
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim_end())
}
