//! What a person may type after `ciosync verify`.

use std::path::PathBuf;

use clap::Args;

use super::args::{ManifestArgs, OutputFormat, StateArgs};

/// `ciosync verify`
#[derive(Args, Debug)]
#[command(after_help = "\
Needs the connection's appApiKey. Rows that the source has as they were accepted are read back and
compared, at the App API's pace: about 800 rows a second by id, 8 by e-mail or cio_id.
Exit codes: 0 nothing differs, 3 something differs; with --repair those of the run that re-sends.")]
pub struct VerifyArgs {
    /// The Sync.
    #[arg(value_name = "[NAMESPACE/]NAME")]
    pub name: String,
    /// Which manifests.
    #[command(flatten)]
    pub manifests: ManifestArgs,
    /// Where state is.
    #[command(flatten)]
    pub state: StateArgs,
    /// Look at so many rows only, taken by chance.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub sample: Option<u64>,
    /// Make the rows that differ due again, and run the Sync to send them.
    #[arg(long)]
    pub repair: bool,
    /// Show the keys of the rows.
    #[arg(long)]
    pub show_keys: bool,
    /// Show the values that differ.
    #[arg(long)]
    pub show_values: bool,
    /// Where temporary files go.
    #[arg(long, value_name = "DIR")]
    pub spool_dir: Option<PathBuf>,
    /// How to print.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: OutputFormat,
}
