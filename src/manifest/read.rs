//! Paths to texts: a file, a folder with all below it, or the standard input.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::api::Finding;
use crate::manifest::Manifests;
use crate::manifest::complaint::{Complaint, Place};

/// The path that stands for the standard input.
pub const STDIN: &str = "-";

/// Deepest folder that is entered, so that a link that leads back ends.
const FOLDER_DEPTH_MAX: usize = 32;

/// Largest file that is read as a manifest, in bytes; Kubernetes takes far less.
const FILE_SIZE_MAX_BYTES: u64 = 16 * 1024 * 1024;

/// Reads all manifests of files, folders (recursively, in the order of names; `*.yaml` and
/// `*.yml`), and of the standard input (`-`).
///
/// What can't be read is among the complaints. An object without namespace is in
/// `default_namespace`.
pub fn read(paths: &[PathBuf], default_namespace: &str) -> Manifests {
    let mut texts: Vec<(String, String)> = Vec::new();
    let mut unread = Vec::new();
    for path in paths {
        if path == Path::new(STDIN) {
            let mut text = String::new();
            match io::stdin().read_to_string(&mut text) {
                Ok(_) => texts.push(("<stdin>".to_owned(), text)),
                Err(error) => unread.push(unreadable(Path::new("<stdin>"), &error)),
            }
            continue;
        }
        let mut files = Vec::new();
        match collect(path, &mut files) {
            Ok(()) if files.is_empty() => unread.push(Complaint::at(
                place(path),
                None,
                Finding::error("", "the folder holds no *.yaml or *.yml file"),
            )),
            Ok(()) => {}
            Err((at, error)) => unread.push(unreadable(&at, &error)),
        }
        for file in files {
            match text_of(&file) {
                Ok(text) => texts.push((file.display().to_string(), text)),
                Err(error) => unread.push(unreadable(&file, &error)),
            }
        }
    }
    // One file reached by two paths is one file.
    let mut seen = std::collections::HashSet::new();
    texts.retain(|(file, _)| seen.insert(file.clone()));
    let borrowed = texts.iter().map(|(file, text)| (file.as_str(), text.as_str()));
    let mut manifests = Manifests::parse(borrowed, default_namespace);
    manifests.complaints.splice(0..0, unread);
    manifests
}

/// Collects the files of a path: itself, or all manifests below it.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), (PathBuf, io::Error)> {
    let at = |error: io::Error| (path.to_path_buf(), error);
    if fs::metadata(path).map_err(at)?.is_dir() {
        return collect_folder(path, 0, files);
    }
    files.push(path.to_path_buf());
    Ok(())
}

fn collect_folder(
    folder: &Path,
    depth: usize,
    files: &mut Vec<PathBuf>,
) -> Result<(), (PathBuf, io::Error)> {
    if depth > FOLDER_DEPTH_MAX {
        let error = io::Error::other("folders are nested too deep");
        return Err((folder.to_path_buf(), error));
    }
    let at = |error: io::Error| (folder.to_path_buf(), error);
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .map_err(at)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(at)?;
    entries.sort();
    for entry in entries {
        let is_hidden =
            entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let is_manifest =
            entry.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        if is_hidden {
            continue;
        }
        if entry.is_dir() {
            collect_folder(&entry, depth + 1, files)?;
        } else if is_manifest {
            files.push(entry);
        }
    }
    Ok(())
}

fn text_of(file: &Path) -> io::Result<String> {
    if fs::metadata(file)?.len() > FILE_SIZE_MAX_BYTES {
        return Err(io::Error::other("the file is larger than 16 MiB"));
    }
    fs::read_to_string(file)
}

fn unreadable(path: &Path, error: &io::Error) -> Complaint {
    let message = match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        io::ErrorKind::InvalidData => "the file is not UTF-8 text".to_owned(),
        _ => format!("it can't be read: {error}"),
    };
    Complaint::at(place(path), None, Finding::error("", message))
}

fn place(path: &Path) -> Place {
    Place { file: path.display().to_string(), line: 0, document: 0 }
}
