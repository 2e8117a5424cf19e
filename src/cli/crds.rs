//! `ciosync crds`: the custom resource definitions, to apply or to keep in Git.

use std::fs;

use anyhow::Context as _;

use super::args::CrdsArgs;
use super::exit::Exit;
use super::output;
use crate::api::crds::crds;

/// Prints the definitions as one stream of YAML documents, or writes one file each into a folder,
/// which is made where there is none.
///
/// # Errors
/// Where a file can't be written.
pub fn run(args: CrdsArgs) -> anyhow::Result<Exit> {
    let Some(folder) = args.output else {
        let documents: Vec<String> = crds().into_iter().map(|(_, yaml)| yaml).collect();
        output::print(&documents.join("---\n"))?;
        return Ok(Exit::Done);
    };
    fs::create_dir_all(&folder).with_context(|| format!("{} can't be made", folder.display()))?;
    for (file_name, yaml) in crds() {
        let path = folder.join(file_name);
        fs::write(&path, yaml).with_context(|| format!("{} can't be written", path.display()))?;
        output::print(&format!("{}\n", path.display()))?;
    }
    Ok(Exit::Done)
}
