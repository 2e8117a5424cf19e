//! Where the files are: from a URL and a model's name to paths that lie below the root.

use std::io;
use std::path::{Component, Path, PathBuf};

use crate::sources::error::{SourceError, SourceErrorKind};

/// Returns the path that a Source's url stands for.
pub(super) fn local_path(url: &str) -> Result<PathBuf, SourceError> {
    let Some((scheme, _)) = url.split_once("://") else {
        return Ok(PathBuf::from(url));
    };
    if scheme != "file" {
        return Err(invalid(format!("this version reads local files only, not {scheme}://"))
            .with_hint("copy the files to a folder, or load them into a warehouse"));
    }
    let parsed = reqwest::Url::parse(url).ok().and_then(|url| url.to_file_path().ok());
    parsed.ok_or_else(|| {
        invalid("the url of the files is not that of a local path")
            .with_hint("write it as file:///an/absolute/path, or as a plain path")
    })
}

/// The folder or file that a Source names, links resolved.
pub(super) struct Root {
    path: PathBuf,
    is_file: bool,
}

impl Root {
    pub(super) fn open(path: &Path) -> Result<Self, SourceError> {
        let canonical = path.canonicalize().map_err(|err| unreachable(path, &err))?;
        let metadata = canonical.metadata().map_err(|err| unreachable(path, &err))?;
        if metadata.is_dir() {
            canonical.read_dir().map_err(|err| unreachable(path, &err))?;
        }
        Ok(Self { path: canonical, is_file: metadata.is_file() })
    }

    /// Returns the files that the model `name` stands for, in the order of their names.
    pub(super) fn files(&self, name: &str) -> Result<Vec<PathBuf>, SourceError> {
        if self.is_file {
            let own = self.path.file_name().and_then(|own| own.to_str());
            return match own == Some(name) {
                true => Ok(vec![self.path.clone()]),
                false => Err(no_such(name).with_hint(format!(
                    "the Source is one file: write model.table: {}",
                    own.unwrap_or("its name")
                ))),
            };
        }
        let place = self.resolve(name)?;
        if !place.is_dir() {
            return Ok(vec![place]);
        }
        let unreadable = |err: io::Error| unreachable(&place, &err);
        let mut files = Vec::new();
        for entry in place.read_dir().map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if is_csv(&path) {
                files.push(self.below(&path)?);
            }
        }
        files.sort();
        if files.is_empty() {
            return Err(invalid(format!("the folder `{name}` holds no .csv file"))
                .with_hint("a model of no files would look like a model of no rows"));
        }
        Ok(files)
    }

    fn resolve(&self, name: &str) -> Result<PathBuf, SourceError> {
        let relative = Path::new(name);
        let is_inside = |part| matches!(part, Component::Normal(_) | Component::CurDir);
        if name.is_empty() || name.contains('\0') || !relative.components().all(is_inside) {
            return Err(invalid(format!(
                "model.table `{}` leads out of the Source's folder",
                name.escape_debug()
            ))
            .with_hint("write a path below the Source's url, without `..`"));
        }
        let plain = self.path.join(relative);
        if plain.exists() {
            return self.below(&plain);
        }
        let with_ending = self.path.join(format!("{name}.csv"));
        if with_ending.exists() {
            return self.below(&with_ending);
        }
        Err(no_such(name).with_hint(format!("it was looked for in {}", self.path.display())))
    }

    /// Resolves links, and refuses what then lies outside.
    fn below(&self, path: &Path) -> Result<PathBuf, SourceError> {
        let canonical = path.canonicalize().map_err(|err| unreachable(path, &err))?;
        if canonical.starts_with(&self.path) {
            return Ok(canonical);
        }
        Err(invalid(format!("{} is a link that leads out of the Source's folder", path.display())))
    }
}

fn is_csv(path: &Path) -> bool {
    let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    let has_ending = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
    has_ending && !is_hidden
}

/// Returns the error for a path that can't be read.
pub(super) fn unreachable(path: &Path, error: &io::Error) -> SourceError {
    let shown = path.display();
    match error.kind() {
        io::ErrorKind::NotFound => invalid(format!("there is no file or folder {shown}"))
            .with_hint(
                "check the url of the Source; a relative path counts from the manifest's folder",
            ),
        io::ErrorKind::PermissionDenied => {
            let message = format!("{shown} may not be read");
            SourceError::new(SourceErrorKind::PermissionDenied, message)
                .with_hint("give the user that runs ciosync the right to read it")
        }
        kind => {
            let message = format!("{shown} can't be read: {kind}");
            SourceError::new(SourceErrorKind::Unavailable, message)
        }
    }
}

fn no_such(name: &str) -> SourceError {
    let message = format!("there is no file or folder `{}`", name.escape_debug());
    SourceError::new(SourceErrorKind::InvalidQuery, message)
}

fn invalid(message: impl Into<String>) -> SourceError {
    SourceError::new(SourceErrorKind::InvalidSpec, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_local_urls_are_taken() {
        assert_eq!(local_path("data").unwrap(), Path::new("data"));
        assert_eq!(local_path("file:///a/b%20c").unwrap(), Path::new("/a/b c"));
        for url in ["s3://bucket/x", "gs://b", "az://b", "https://h/x", "file://host/x"] {
            let error = local_path(url).unwrap_err();
            assert_eq!(error.kind, SourceErrorKind::InvalidSpec, "{url}");
        }
        assert!(local_path("s3://b").unwrap_err().message.contains("reads local files only"));
    }
}
