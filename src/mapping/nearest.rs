//! Which column was most likely meant by a name that no column has.

use crate::model::Column;

/// Returns which columns were most likely meant: those of a like name, else all.
pub(super) fn nearest_columns(name: &str, columns: &[Column]) -> String {
    const LISTED_MAX: usize = 12;
    let mut near: Vec<(f64, &str)> = columns
        .iter()
        .map(|column| {
            let likeness = strsim::jaro_winkler(&name.to_lowercase(), &column.name.to_lowercase());
            (likeness, column.name.as_str())
        })
        .collect();
    near.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let close: Vec<String> = near
        .iter()
        .filter(|(likeness, _)| *likeness > 0.8)
        .take(3)
        .map(|(_, name)| format!("`{name}`"))
        .collect();
    if !close.is_empty() {
        return format!("did you mean {}?", close.join(" or "));
    }
    let mut all: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    all.truncate(LISTED_MAX);
    let rest = columns.len() - all.len();
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    format!("it returns: {}{more}", all.join(", "))
}
