//! What a person may type.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::controller_args::ControllerArgs;
use super::plugin::args::PluginCommand;
use super::verify_args::VerifyArgs;
use crate::telemetry::LogFormat;

/// Sync rows from a data warehouse into Customer.io, as declared in YAML.
///
/// Reads the same manifests that go to a cluster: Source, CustomerIoConnection and Sync.
/// Works out what changed since the last accepted delivery and sends only that.
#[derive(Debug, Parser)]
#[command(name = "ciosync", version, arg_required_else_help = true, max_term_width = 100)]
#[command(after_help = "\
Exit codes: 0 done, 1 failed, 2 invalid input (nothing was opened), 3 done with invalid or rejected
rows, 4 blocked by a guard, 5 something to deliver (plan --exit-code), 130 interrupted.")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// What to log on stderr, as `tracing` filters are written: `info`, `ciosync=debug`.
    /// Default: `warn`; of the operator `info`.
    #[arg(long, value_name = "FILTER", global = true, env = "CIOSYNC_LOG", hide_env_values = true)]
    pub log: Option<String>,
    /// How to log: lines for people, or one JSON object a line.
    #[arg(
        long,
        global = true,
        env = "CIOSYNC_LOG_FORMAT",
        value_name = "FORMAT",
        default_value = "text",
        hide_env_values = true
    )]
    pub log_format: LogFormatArg,
}

impl Cli {
    /// Returns what to log.
    pub fn log(&self) -> &str {
        let usual = match self.command {
            // Who runs an operator has nothing but its logs.
            Command::Controller(_) => "info",
            _ => "warn",
        };
        self.log.as_deref().unwrap_or(usual)
    }
}

/// How logs are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormatArg {
    /// Lines for a person.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl From<LogFormatArg> for LogFormat {
    fn from(format: LogFormatArg) -> Self {
        match format {
            LogFormatArg::Text => Self::Text,
            LogFormatArg::Json => Self::Json,
        }
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the Syncs in the files, once, in dependency order.
    Run(RunArgs),
    /// Show what `run` would deliver, delivering nothing.
    Plan(PlanArgs),
    /// Run as the operator of a cluster: Syncs that run themselves.
    Controller(Box<ControllerArgs>),
    /// Check the files: schema, rules, references, schedules.
    Validate(ValidateArgs),
    /// Look at what is remembered: Syncs, runs, rows that were not accepted.
    #[command(subcommand)]
    Get(GetCommand),
    /// Make all rows of a Sync that were not accepted due at its next run: rejected, parked, invalid.
    Retry(RetryArgs),
    /// Read back what a Sync sent, and report what differs from what we believe.
    Verify(VerifyArgs),
    /// Look into the remembered rows of a Sync, move or forget them.
    #[command(subcommand)]
    State(StateCommand),
    /// A Customer.io workspace in memory behind the real endpoints.
    Emulator(EmulatorArgs),
    /// Ask an operator in a cluster: run, suspend, resume, approve, cancel, history.
    ///
    /// What `kubectl ciosync` does where this binary is installed as `kubectl-ciosync`.
    #[command(subcommand)]
    Kubectl(PluginCommand),
    /// Print the custom resource definitions.
    Crds(CrdsArgs),
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

/// Which manifests to read.
#[derive(Args, Clone, Debug)]
pub struct ManifestArgs {
    /// A file, a folder (read recursively, *.yaml and *.yml), or `-` for stdin. May be repeated.
    #[arg(short = 'f', long = "filename", value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    /// The namespace of manifests that name none. Part of the name under which state is kept.
    #[arg(short, long, default_value = "default")]
    pub namespace: String,
    /// Where else to look for Secrets: a folder with NAME/KEY files, or `env` for variables
    /// CIOSYNC_SECRET_<NAME>_<KEY>. Wins over Secrets in the manifests.
    #[arg(long, value_name = "DIR|env")]
    pub secrets: Option<String>,
}

/// Where state is.
#[derive(Args, Clone, Debug)]
pub struct StateArgs {
    /// Where state is kept: `sqlite:PATH` or `postgres://…`. Default: `sqlite:.ciosync/state.db`.
    #[arg(long, value_name = "URL", env = "CIOSYNC_STATE", hide_env_values = true)]
    pub state: Option<String>,
}

/// Where state is kept when nothing else is said.
pub const STATE_DEFAULT: &str = "sqlite:.ciosync/state.db";

/// Where the state of runs into the embedded emulator is kept, made anew each time.
pub const EMULATOR_STATE: &str = "sqlite:.ciosync/emulator.db";

impl StateArgs {
    /// Returns the URL of the store.
    pub fn url(&self) -> &str {
        self.state.as_deref().unwrap_or(STATE_DEFAULT)
    }
}

/// How data is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// For a person.
    #[default]
    Text,
    /// For a program.
    Json,
}

/// How a plan is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// For a person.
    #[default]
    Text,
    /// For a program.
    Json,
    /// For a comment on a pull request.
    Markdown,
}

/// `ciosync run`
#[derive(Args, Debug)]
pub struct RunArgs {
    /// Which manifests.
    #[command(flatten)]
    pub manifests: ManifestArgs,
    /// Where state is.
    #[command(flatten)]
    pub state: StateArgs,
    /// Run this Sync only, even if it is suspended. May be repeated.
    #[arg(long, value_name = "[NAMESPACE/]NAME")]
    pub sync: Vec<String>,
    /// Deliver into an emulator in this process instead of the connections' workspaces, and print
    /// what arrived. Starts from an empty state.
    #[arg(long)]
    pub emulator: bool,
    /// Send every current row of this Sync again.
    #[arg(long, value_name = "[NAMESPACE/]NAME")]
    pub full_resync: Vec<String>,
    /// Let the blocked run of this id pass its guard, up to its counts plus 10 %.
    #[arg(long, value_name = "ID")]
    pub approve: Vec<String>,
    /// Where temporary files go.
    #[arg(long, value_name = "DIR")]
    pub spool_dir: Option<PathBuf>,
    /// Show values of rows, and Customer.io's own words about them, in errors.
    #[arg(long)]
    pub show_values: bool,
    /// How to print.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: OutputFormat,
}

/// `ciosync plan`
#[derive(Args, Debug)]
pub struct PlanArgs {
    /// Which manifests.
    #[command(flatten)]
    pub manifests: ManifestArgs,
    /// Where state is.
    #[command(flatten)]
    pub state: StateArgs,
    /// Plan this Sync only. May be repeated.
    #[arg(long, value_name = "[NAMESPACE/]NAME")]
    pub sync: Vec<String>,
    /// Plan as if every current row of this Sync were to be sent again.
    #[arg(long, value_name = "[NAMESPACE/]NAME")]
    pub full_resync: Vec<String>,
    /// Fail where there is no state of a Sync yet, instead of planning a first run.
    #[arg(long)]
    pub require_state: bool,
    /// Show the values of rows in samples and errors.
    #[arg(long)]
    pub show_values: bool,
    /// Exit with 5 when there is something to deliver.
    #[arg(long)]
    pub exit_code: bool,
    /// Where temporary files go.
    #[arg(long, value_name = "DIR")]
    pub spool_dir: Option<PathBuf>,
    /// How to print.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: PlanFormat,
}

/// `ciosync validate`
#[derive(Args, Debug)]
pub struct ValidateArgs {
    /// Which manifests.
    #[command(flatten)]
    pub manifests: ManifestArgs,
    /// Also reach every source and connection with its credentials.
    #[arg(long)]
    pub connect: bool,
    /// How to print.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: OutputFormat,
}

/// Options of every `get`.
#[derive(Args, Debug)]
pub struct GetArgs {
    /// Only this Sync.
    #[arg(value_name = "[NAMESPACE/]NAME")]
    pub name: Option<String>,
    /// The namespace of a name that has none.
    #[arg(short, long, default_value = "default")]
    pub namespace: String,
    /// Where state is.
    #[command(flatten)]
    pub state: StateArgs,
    /// How to print.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: OutputFormat,
}

/// `ciosync get …`
#[derive(Debug, Subcommand)]
pub enum GetCommand {
    /// Syncs and how their last run ended.
    Syncs(GetArgs),
    /// The last runs.
    Runs(GetArgs),
    /// Rows that were invalid or rejected, with code and reason.
    Rejections {
        /// Options of every `get`.
        #[command(flatten)]
        args: GetArgs,
        /// Show the keys of the rows.
        #[arg(long)]
        show_keys: bool,
    },
}

/// `ciosync retry`
#[derive(Args, Debug)]
pub struct RetryArgs {
    /// The Sync.
    #[arg(value_name = "[NAMESPACE/]NAME")]
    pub name: String,
    /// The namespace of a name that has none.
    #[arg(short, long, default_value = "default")]
    pub namespace: String,
    /// Where state is.
    #[command(flatten)]
    pub state: StateArgs,
}

/// Options of every `state`.
#[derive(Args, Debug)]
pub struct StateTargetArgs {
    /// The Sync.
    #[arg(value_name = "[NAMESPACE/]NAME")]
    pub name: String,
    /// The namespace of a name that has none.
    #[arg(short, long, default_value = "default")]
    pub namespace: String,
    /// Where state is.
    #[command(flatten)]
    pub state: StateArgs,
}

/// `ciosync state …`
#[derive(Debug, Subcommand)]
pub enum StateCommand {
    /// Show what is remembered of one row.
    Get {
        /// Which Sync.
        #[command(flatten)]
        target: StateTargetArgs,
        /// The row's primary key, its columns in order.
        #[arg(required = true, allow_negative_numbers = true)]
        key: Vec<String>,
        /// How to print.
        #[arg(short, long, value_enum, default_value_t)]
        output: OutputFormat,
    },
    /// Write all that is remembered of a Sync to a file.
    Export {
        /// Which Sync.
        #[command(flatten)]
        target: StateTargetArgs,
        /// The file; `-` for stdout.
        #[arg(long, value_name = "FILE", default_value = "-")]
        file: PathBuf,
    },
    /// Bring back what was exported. The Sync must not have state already.
    Import {
        /// Which Sync.
        #[command(flatten)]
        target: StateTargetArgs,
        /// The file; `-` for stdin.
        #[arg(long, value_name = "FILE", default_value = "-")]
        file: PathBuf,
    },
    /// Forget all that is remembered of a Sync: the next run follows its initialRun.
    Reset {
        /// Which Sync.
        #[command(flatten)]
        target: StateTargetArgs,
        /// Don't ask.
        #[arg(long)]
        yes: bool,
    },
}

/// `ciosync emulator`
#[derive(Args, Debug)]
pub struct EmulatorArgs {
    /// The address to listen on; port 0 is a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8025")]
    pub listen: SocketAddr,
    /// The workspace's id; a new one at each start where it is not given.
    #[arg(long, value_name = "ID")]
    pub workspace_id: Option<u64>,
    /// The site id to accept. Default: `emulator-site-id`.
    #[arg(long, value_name = "TEXT")]
    pub site_id: Option<String>,
    /// The Track API key to accept. Default: `emulator-api-key`.
    #[arg(long, value_name = "TEXT")]
    pub api_key: Option<String>,
    /// The App API key to accept. Default: `emulator-app-api-key`.
    #[arg(long, value_name = "TEXT")]
    pub app_api_key: Option<String>,
}

/// `ciosync crds`
#[derive(Args, Debug)]
pub struct CrdsArgs {
    /// Write one file each into this folder instead of printing them.
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_tree_of_commands_is_sound() {
        Cli::command().debug_assert();
    }
}
