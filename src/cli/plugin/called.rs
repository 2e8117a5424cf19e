//! By which name the binary was called.

use std::ffi::OsStr;
use std::path::Path;

use clap::Parser as _;

use super::args::PluginCli;
use crate::cli::args::{Cli, Command, LogFormatArg};

/// The name under which kubectl finds a plugin called `ciosync`.
/// Source: kubernetes.io, "Extend kubectl with plugins", Naming a plugin.
const PLUGIN: &str = "kubectl-ciosync";

/// Reads what was typed; ends the process where it is not understood, or only help was wanted.
/// Called as `kubectl-ciosync`, the words are those of the plugin.
pub fn typed() -> Cli {
    let called = std::env::args_os().next();
    if !called.is_some_and(|called| is_plugin(&called)) {
        return Cli::parse();
    }
    let PluginCli { command, log } = PluginCli::parse();
    Cli { command: Command::Kubectl(command), log: Some(log), log_format: LogFormatArg::Text }
}

fn is_plugin(called: &OsStr) -> bool {
    Path::new(called).file_stem() == Some(OsStr::new(PLUGIN))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_name_decides_whose_words_are_read() {
        assert!(is_plugin(OsStr::new("/usr/local/bin/kubectl-ciosync")));
        assert!(is_plugin(OsStr::new("kubectl-ciosync.exe")));
        assert!(!is_plugin(OsStr::new("/usr/local/bin/ciosync")));
        PluginCli::command().debug_assert();
    }
}
