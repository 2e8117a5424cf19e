//! Secrets on a laptop: from `--secrets`, else from the manifests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use secrecy::ExposeSecret;

use crate::manifest::{Manifests, SecretEntries};
use crate::model::secret::{Secret, SecretKeyRef};
use crate::resolve::{ResolveError, SecretReader};

/// What variables that hold secrets begin with.
const VARIABLE_PREFIX: &str = "CIOSYNC_SECRET_";

/// Where to look before the manifests.
#[derive(Clone, Debug)]
enum Place {
    /// `DIR/<name>/<key>`, as Kubernetes mounts Secrets.
    Folder(PathBuf),
    /// Variables of the environment.
    Environment,
}

/// Secrets from files, the environment and manifests.
pub struct LaptopSecrets {
    place: Option<Place>,
    manifests: BTreeMap<(String, String), SecretEntries>,
}

impl LaptopSecrets {
    /// Returns the reader for the `--secrets` option, if it was given, over the Secrets of
    /// `manifests`.
    pub fn new(option: Option<&str>, manifests: &Manifests) -> Self {
        let place = option.map(|option| match option {
            "env" => Place::Environment,
            folder => Place::Folder(PathBuf::from(folder)),
        });
        let manifests = manifests
            .secrets
            .iter()
            .map(|it| ((it.namespace.clone(), it.name.clone()), it.object.clone()))
            .collect();
        Self { place, manifests }
    }

    fn hint(&self, reference: &SecretKeyRef) -> String {
        let SecretKeyRef { name, key } = reference;
        match &self.place {
            Some(Place::Folder(folder)) => {
                format!("put it into {}", folder.join(name).join(key).display())
            }
            Some(Place::Environment) => {
                format!("set the variable {}", variable(reference))
            }
            None => format!(
                "add the Secret to the files, or give it with `--secrets DIR` (DIR/{name}/{key}) \
                 or `--secrets env` ({})",
                variable(reference)
            ),
        }
    }

    fn given(&self, reference: &SecretKeyRef) -> Result<Option<String>, ResolveError> {
        match &self.place {
            None => Ok(None),
            Some(Place::Environment) => Ok(std::env::var(variable(reference)).ok()),
            Some(Place::Folder(folder)) => from_file(folder, reference),
        }
    }
}

/// A file's last line end is an editor's, not the secret's.
fn from_file(folder: &Path, reference: &SecretKeyRef) -> Result<Option<String>, ResolveError> {
    let path = folder.join(&reference.name).join(&reference.key);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ResolveError::SecretUnusable {
            reference: reference.clone(),
            problem: format!("can't be read from {}: {}", path.display(), error.kind()),
        }),
    }
}

/// Returns the variable that holds a secret: capitals, `_` for all but letters and digits.
pub fn variable(reference: &SecretKeyRef) -> String {
    let shout = |text: &str| -> String {
        text.chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
            .collect()
    };
    format!("{VARIABLE_PREFIX}{}_{}", shout(&reference.name), shout(&reference.key))
}

#[async_trait]
impl SecretReader for LaptopSecrets {
    async fn read(
        &self,
        namespace: &str,
        reference: &SecretKeyRef,
    ) -> Result<Secret, ResolveError> {
        if let Some(value) = self.given(reference)? {
            return Ok(Secret::new(value));
        }
        let (namespace, reference, hint) =
            (namespace.to_owned(), reference.clone(), self.hint(reference));
        let Some(entries) = self.manifests.get(&(namespace.clone(), reference.name.clone())) else {
            return Err(ResolveError::SecretNotFound { namespace, reference, hint });
        };
        match entries.get(&reference.key) {
            Some(value) => Ok(Secret::new(value.expose_secret().to_owned())),
            None => Err(ResolveError::SecretKeyMissing { namespace, reference, hint }),
        }
    }
}

/// Returns the pairs of different references that would read one variable.
pub fn ambiguous_variables<'a>(
    references: impl IntoIterator<Item = &'a SecretKeyRef>,
) -> Vec<(SecretKeyRef, SecretKeyRef)> {
    let mut by_variable: BTreeMap<String, &SecretKeyRef> = BTreeMap::new();
    let mut pairs = Vec::new();
    for reference in references {
        match by_variable.get(&variable(reference)) {
            Some(known) if *known != reference => {
                pairs.push(((*known).clone(), reference.clone()));
            }
            Some(_) => {}
            None => {
                by_variable.insert(variable(reference), reference);
            }
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(name: &str, key: &str) -> SecretKeyRef {
        SecretKeyRef { name: name.into(), key: key.into() }
    }

    #[test]
    fn a_variable_is_in_capitals_with_underscores() {
        assert_eq!(variable(&reference("my-db.eu", "api-key")), "CIOSYNC_SECRET_MY_DB_EU_API_KEY");
    }

    #[test]
    fn two_secrets_of_one_variable_are_told() {
        let all = [reference("a-b", "c"), reference("a", "b-c"), reference("a-b", "c")];

        assert_eq!(ambiguous_variables(&all), [(all[0].clone(), all[1].clone())]);
    }
}
