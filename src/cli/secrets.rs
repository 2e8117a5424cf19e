//! Secrets on a laptop: from `--secrets`, else from the manifests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use secrecy::ExposeSecret;

use crate::api::Finding;
use crate::api::validate::NamedSecret;
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

/// Which secret each variable of the environment holds.
#[derive(Default)]
pub struct Variables(BTreeMap<String, SecretKeyRef>);

impl Variables {
    /// Takes note of the secrets that a resource names, and returns what is wrong with those that
    /// would be read from the variable of another one.
    pub fn coinciding(
        &mut self,
        named: &[NamedSecret<'_>],
    ) -> impl Iterator<Item = Finding> + use<> {
        let mut findings = Vec::new();
        for secret in named {
            let reference = secret.reference();
            let variable = variable(&reference);
            match self.0.get(&variable) {
                Some(known) if *known != reference => {
                    let message = format!(
                        "{known} and {reference} would both be read from the variable {variable}"
                    );
                    findings.push(
                        Finding::error(secret.path.clone(), message)
                            .hint("rename one of them, or use `--secrets DIR`"),
                    );
                }
                Some(_) => {}
                None => {
                    self.0.insert(variable, reference);
                }
            }
        }
        findings.into_iter()
    }
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
        let named = |name, key| NamedSecret { path: "spec.apiKey".to_owned(), name, key };
        let mut variables = Variables::default();

        assert_eq!(variables.coinciding(&[named("a-b", "c"), named("a-b", "c")]).count(), 0);
        assert_eq!(variables.coinciding(&[named("a", "b-c"), named("d", "e")]).count(), 1);
    }
}
