//! What a Source may not ask of an operator: whoever may create one must not read the operator's
//! own files, nor borrow its identity.

use std::path::{Component, Path, PathBuf};

use crate::api::{Finding, SourceSpec};

/// What the operator was started to allow.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// The folder below which files may be named, links resolved; `None` where none may.
    local_sources: Option<PathBuf>,
    workload_identity_namespaces: Vec<String>,
}

impl Policy {
    /// Returns the policy; `local_sources` must exist.
    ///
    /// # Errors
    /// Where the folder can't be found, in words for a person.
    pub fn new(
        local_sources: Option<&Path>,
        workload_identity_namespaces: &[String],
    ) -> Result<Self, String> {
        let resolved = local_sources.map(|folder| {
            let found = folder.canonicalize();
            found.map_err(|error| format!("--local-sources {}: {}", folder.display(), error.kind()))
        });
        Ok(Self {
            local_sources: resolved.transpose()?,
            workload_identity_namespaces: workload_identity_namespaces.to_vec(),
        })
    }

    /// Returns the folder from which relative paths count.
    pub fn base(&self) -> &Path {
        self.local_sources.as_deref().unwrap_or_else(|| Path::new("/nonexistent"))
    }

    /// Returns why a Source of `namespace` is refused; `None` where it is allowed.
    pub fn refusal(&self, namespace: &str, spec: &SourceSpec) -> Option<Finding> {
        if let Some(sqlite) = &spec.sqlite {
            return self.refused_path("spec.sqlite.path", &sqlite.path);
        }
        if let Some(files) = &spec.files {
            let local = match files.url.split_once("://") {
                Some(("file", path)) => Some(path),
                Some(_) => None,
                None => Some(files.url.as_str()),
            };
            return local.and_then(|path| self.refused_path("spec.files.url", path));
        }
        let field = borrows_identity(spec)?;
        if self.workload_identity_namespaces.iter().any(|allowed| allowed == namespace) {
            return None;
        }
        let message = format!("the operator's own identity may not be used from {namespace}");
        Some(Finding::error(field, message).hint(
            "name credentials of your own, or start the operator with this namespace in \
             --workload-identity-namespaces",
        ))
    }

    fn refused_path(&self, field: &str, path: &str) -> Option<Finding> {
        let Some(root) = &self.local_sources else {
            return Some(
                Finding::error(field, "files of the operator's own machine may not be read")
                    .hint("use a warehouse, or start the operator with --local-sources DIR"),
            );
        };
        let outside = || {
            Finding::error(field, format!("it leads out of {}", root.display()))
                .hint("name a path below the folder of --local-sources, without `..`")
        };
        let path = Path::new(path);
        if path.components().any(|part| part == Component::ParentDir) {
            return Some(outside());
        }
        // A path that isn't there yet is the probe's to complain about: nothing can be read there.
        let resolved = root.join(path).canonicalize().unwrap_or_else(|_| root.join(path));
        (!resolved.starts_with(root)).then(outside)
    }
}

/// Returns the field by which a Source borrows the operator's identity.
fn borrows_identity(spec: &SourceSpec) -> Option<&'static str> {
    let bigquery = spec.bigquery.as_ref().is_some_and(|block| block.workload_identity.is_some());
    let sheets = spec.google_sheets.as_ref().is_some_and(|block| block.workload_identity.is_some());
    match (bigquery, sheets) {
        (true, _) => Some("spec.bigquery.workloadIdentity"),
        (_, true) => Some("spec.googleSheets.workloadIdentity"),
        (false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn spec(spec: Value) -> SourceSpec {
        serde_json::from_value(spec).unwrap()
    }

    fn sqlite(path: &str) -> SourceSpec {
        spec(json!({ "sqlite": { "path": path } }))
    }

    #[test]
    fn files_are_refused_unless_the_operator_was_given_a_folder() {
        let policy = Policy::default();

        for source in [
            sqlite("a.db"),
            spec(json!({"files": {"url": "/etc", "format": "csv"}})),
            spec(json!({"files": {"url": "file:///etc", "format": "csv"}})),
        ] {
            let refusal = policy.refusal("growth", &source).unwrap();
            assert!(refusal.to_string().contains("--local-sources"), "{refusal}");
        }
        let bucket = spec(json!({"files": {"url": "s3://bucket", "format": "csv"}}));
        assert_eq!(policy.refusal("growth", &bucket), None);
    }

    #[test]
    fn nothing_outside_of_the_folder_is_read_links_resolved() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("data");
        std::fs::create_dir(&root).unwrap();
        std::fs::write(root.join("a.db"), "").unwrap();
        std::fs::write(folder.path().join("secret.db"), "").unwrap();
        std::os::unix::fs::symlink(folder.path().join("secret.db"), root.join("link.db")).unwrap();
        let policy = Policy::new(Some(&root), &[]).unwrap();

        let inside = root.join("a.db");
        for allowed in ["a.db", inside.to_str().unwrap(), "not-there-yet.db"] {
            assert_eq!(policy.refusal("growth", &sqlite(allowed)), None, "{allowed}");
        }
        let outside = folder.path().join("secret.db");
        for refused in ["../secret.db", "link.db", outside.to_str().unwrap(), "/etc/passwd"] {
            assert!(policy.refusal("growth", &sqlite(refused)).is_some(), "{refused}");
        }
    }

    #[test]
    fn the_operators_identity_is_lent_to_named_namespaces_only() {
        let policy = Policy::new(None, &["data".to_owned()]).unwrap();
        let source = spec(json!({"bigquery": {"project": "p", "workloadIdentity": {}}}));

        assert_eq!(policy.refusal("data", &source), None);
        let refusal = policy.refusal("growth", &source).unwrap();
        assert_eq!(refusal.path, "spec.bigquery.workloadIdentity");
    }
}
