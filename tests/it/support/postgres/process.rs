//! The server as a process: where its programs are, whose it is, and that it never outlives the tests.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use super::certificates::Certificates;

/// Prepares the data folder, runs the server, and stops and starts it as the lines of its standard
/// input say. That is a pipe held open by the test process, so it ends when the process does, killed
/// or not. Then the server goes, and its folder with it. Arguments: programs' folder, own folder,
/// port.
const SUPERVISOR: &str = r#"
set -u
bin=$1 home=$2 port=$3
exec 3<&0 </dev/null >"$home/supervisor.log" 2>&1
trap 'rm -rf "$home"' EXIT
trap '' HUP INT TERM
prepare() {
  rm -rf "$home/data"
  "$bin/initdb" --pgdata "$home/data" --username postgres --pwfile "$home/password" --no-sync \
    --auth scram-sha-256 --encoding UTF8 --locale "$1"
}
serve() {
  (
    "$bin/postgres" -D "$home/data" -p "$port" -c config_file="$home/postgresql.conf" &
    echo $! >"$home/pid"
    wait
    touch "$home/exited"
  ) &
  keeper=$!
}
halt() {
  until [ -e "$home/exited" ] || kill -s "$1" "$(cat "$home/pid")"; do sleep 0.1; done
  wait "$keeper"
}
if prepare C.UTF-8 || prepare C; then
  cp "$home/pg_hba.conf" "$home/data/pg_hba.conf"
  serve
  while read -r word <&3; do
    case $word in
      stop) halt INT ;;
      start) serve ;;
    esac
  done
  halt QUIT
else
  touch "$home/exited"
  cat <&3
fi
"#;

/// Who may come in and how. The roles named here are made by the server's first connection.
const ACCESS: &str = "\
local    all  all                          scram-sha-256
hostnossl all +demands_tls      127.0.0.1/32  reject
hostssl  all  +demands_certificate 127.0.0.1/32  scram-sha-256  clientcert=verify-ca
hostnossl all +demands_certificate 127.0.0.1/32  reject
host     all  all               127.0.0.1/32  scram-sha-256
";

/// A running server's process. Held in a static, so only the end of the test process drops it.
pub struct Process {
    supervisor: Child,
    /// Its end is the supervisor's signal to stop the server for good.
    lifeline: ChildStdin,
    home: PathBuf,
}

impl Process {
    /// Starts a server; it isn't ready for connections yet.
    pub fn start(port: u16, password: &str, certificates: &Certificates) -> Result<Self, String> {
        let programs = programs()?;
        let home = tempfile::Builder::new()
            .prefix("ciosync-postgres-")
            .tempdir()
            .map_err(|err| format!("cannot make a temporary folder: {err}"))?;
        let owner = owner_when_root(home.path())?;
        write_files(home.path(), password, certificates, owner)
            .map_err(|err| format!("cannot write the server's files: {err}"))?;

        let mut command = Command::new("sh");
        command.args(["-c", SUPERVISOR, "postgres-supervisor"]);
        command.arg(&programs).arg(home.path()).arg(port.to_string());
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        // Its own group: Ctrl-C in a terminal must not reach the server before its supervisor acts.
        command.current_dir("/").stdin(Stdio::piped()).process_group(0);
        if let Some((user, group)) = owner {
            command.uid(user).gid(group);
        }
        let mut supervisor = command.spawn().map_err(|err| format!("cannot run sh: {err}"))?;
        let lifeline = supervisor.stdin.take().expect("stdin was asked to be a pipe");
        // From here on the supervisor removes the folder.
        Ok(Self { supervisor, lifeline, home: home.keep() })
    }

    /// Asks for the server's end, as the shutdown of its machine does: clients are cut off. It is over
    /// once [`Self::has_exited`].
    pub fn stop(&mut self) {
        writeln!(self.lifeline, "stop").unwrap();
    }

    /// Asks for its start on the same port and data, after it has ended.
    pub fn start_again(&mut self) {
        for left in ["exited", "pid"] {
            fs::remove_file(self.home.join(left)).unwrap();
        }
        writeln!(self.lifeline, "start").unwrap();
    }

    /// Returns whether the server ended or never came up; its log then says why.
    pub fn has_exited(&mut self) -> bool {
        self.home.join("exited").exists() || !matches!(self.supervisor.try_wait(), Ok(None))
    }

    /// Returns what `initdb` and the server said so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.home.join("supervisor.log")).unwrap_or_default()
    }
}

/// Returns the folder of `initdb` and `postgres`. The search has one home, the script that `make test` uses.
fn programs() -> Result<PathBuf, String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/setup/postgres.sh");
    let output = Command::new(script)
        .arg("--find")
        .output()
        .map_err(|err| format!("cannot run {script}: {err}"))?;
    if !output.status.success() {
        let advice = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!(
            "these tests need PostgreSQL: run `make test`, which gets it\n{advice}"
        ));
    }
    Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim_end()))
}

/// Returns the user and group to run the server as when we are root, as whom PostgreSQL refuses to run.
fn owner_when_root(home: &Path) -> Result<Option<(u32, u32)>, String> {
    let made_by = fs::metadata(home).map_err(|err| err.to_string())?.uid();
    if made_by != 0 {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").map_err(|err| format!("/etc/passwd: {err}"))?;
    ["postgres", "nobody"]
        .iter()
        .find_map(|name| ids_of(name, &users))
        .map(Some)
        .ok_or_else(|| "no user `postgres` or `nobody` to run PostgreSQL as".to_owned())
}

/// Reads one user's ids from the text of `/etc/passwd`.
fn ids_of(name: &str, users: &str) -> Option<(u32, u32)> {
    let mut fields = users
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?
        .split(':')
        .skip(1);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

fn write_files(
    home: &Path,
    password: &str,
    certificates: &Certificates,
    owner: Option<(u32, u32)>,
) -> std::io::Result<()> {
    let settings = settings(home);
    let files = [
        ("password", password),
        ("pg_hba.conf", ACCESS),
        ("postgresql.conf", settings.as_str()),
        ("ca.pem", certificates.ca_pem.as_str()),
        ("server.pem", certificates.server_cert_pem.as_str()),
        ("server.key", certificates.server_key_pem.as_str()),
    ];
    for (name, text) in files {
        let path = home.join(name);
        fs::write(&path, text)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        if let Some((user, group)) = owner {
            chown(&path, Some(user), Some(group))?;
        }
    }
    if let Some((user, group)) = owner {
        chown(home, Some(user), Some(group))?;
    }
    Ok(())
}

/// Durability is off, since nothing of this survives; all that a client can see is as in production.
fn settings(home: &Path) -> String {
    let home = home.display();
    format!(
        "listen_addresses = '127.0.0.1'
unix_socket_directories = '{home}'
max_connections = 200
shared_buffers = '64MB'
fsync = off
full_page_writes = off
synchronous_commit = on
wal_level = minimal
max_wal_senders = 0
lc_messages = 'C'
timezone = 'UTC'
log_timezone = 'UTC'
password_encryption = 'scram-sha-256'
ssl = on
ssl_ca_file = '{home}/ca.pem'
ssl_cert_file = '{home}/server.pem'
ssl_key_file = '{home}/server.key'
"
    )
}
