//! What every source says about the names of its columns.

use super::error::{SourceError, SourceErrorKind};

/// Returns an error where two columns share a name or one has none. Sorts the names.
pub(super) fn check_names(names: &mut [&str]) -> Result<(), SourceError> {
    names.sort_unstable();
    if names.first().is_some_and(|name| name.is_empty()) {
        return Err(drift("the model returns a column without a name")
            .with_hint("give every column a name with `as`"));
    }
    let pairs = names.iter().zip(names.iter().skip(1));
    let mut doubled: Vec<&str> =
        pairs.filter(|(name, next)| name == next).map(|(name, _)| *name).collect();
    doubled.dedup();
    if doubled.is_empty() {
        return Ok(());
    }
    Err(drift(format!("the model returns several columns named {}", listed(&doubled)))
        .with_hint("give each column a name of its own with `as`"))
}

/// Returns the error for a column that the model doesn't give.
pub(super) fn missing<'a>(name: &str, given: impl Iterator<Item = &'a str>) -> SourceError {
    let given: Vec<&str> = given.collect();
    let nearest = given
        .iter()
        .map(|other| (strsim::jaro_winkler(name, other), *other))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    let hint = match nearest {
        Some((_, nearest)) => format!("did you mean `{nearest}`?"),
        None => format!("the model returns {}", listed(&given)),
    };
    drift(format!("the model returns no column `{name}`")).with_hint(hint)
}

/// Returns names as people read them in a message.
pub(super) fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn drift(message: impl Into<String>) -> SourceError {
    SourceError::new(SourceErrorKind::SchemaDrift, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubled_and_empty_names_are_refused_by_name() {
        assert!(check_names(&mut ["b", "a"]).is_ok());
        let doubled = check_names(&mut ["b", "a", "c", "b", "a", "b"]).unwrap_err();
        assert_eq!(doubled.message, "the model returns several columns named `a`, `b`");
        assert!(check_names(&mut ["a", ""]).is_err());
    }

    #[test]
    fn a_missing_column_comes_with_the_nearest_one_or_all() {
        let hint = |name| missing(name, ["email", "id"].into_iter()).hint.unwrap();

        assert_eq!(hint("emial"), "did you mean `email`?");
        assert_eq!(hint("country"), "the model returns `email`, `id`");
    }
}
