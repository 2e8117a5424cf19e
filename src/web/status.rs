//! The page for people: how every Sync stands, what is wrong first. Made of statuses alone, so it
//! shows no more than `kubectl get` does, and changes nothing.

use std::fmt::{self, Display, Write as _};

use axum::extract::State;
use axum::response::Html;

use super::Shown;
use crate::web::Check;

/// Syncs that are shown at most; the rest is counted.
const LINES_MAX: usize = 1_000;

const HEAD: &str = r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>ciosync</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="15">
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem; color: #222; background: #fff }
h1 { font-size: 1.5rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #ddd;
  vertical-align: top; overflow-wrap: anywhere }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums }
p.problem, td.False { color: #b00 } td.Unknown { color: #850 }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #111 }
  th, td { border-color: #333 } p.problem, td.False { color: #f77 } td.Unknown { color: #fb5 } }
</style></head><body><h1>ciosync</h1>
"#;

/// How one Sync stands, as its status says it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SyncLine {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Whether it is Ready: True, False or Unknown.
    pub ready: String,
    /// The reason of that.
    pub reason: String,
    /// What to do about it.
    pub message: String,
    /// Whether it is suspended.
    pub is_suspended: bool,
    /// What goes on now, in a word.
    pub phase: String,
    /// When a run last ended well.
    pub last_success: String,
    /// Its next slot.
    pub next: String,
    /// Rows that are remembered.
    pub rows: Option<i64>,
}

/// Text made safe to stand in HTML.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// Shows the page.
pub(super) async fn page(State(shown): State<Shown>) -> Html<String> {
    let mut html = String::from(HEAD);
    // Writing into a string can't fail.
    let _ = write_page(&mut html, &(shown.readiness)(), (shown.syncs)());
    Html(html)
}

fn write_page(html: &mut String, checks: &[Check], syncs: Option<Vec<SyncLine>>) -> fmt::Result {
    for check in checks {
        if let Some(problem) = &check.problem {
            let problem = Escaped(problem);
            writeln!(html, "<p class=\"problem\">{}: {problem}</p>", check.name)?;
        }
    }
    match syncs {
        None => writeln!(html, "<p>This replica stands by for the one that works.</p>")?,
        Some(syncs) => write_syncs(html, syncs)?,
    }
    writeln!(html, "</body></html>")
}

fn write_syncs(html: &mut String, mut syncs: Vec<SyncLine>) -> fmt::Result {
    let weight = |sync: &SyncLine| match sync.ready.as_str() {
        "False" => 0,
        "True" => 2,
        _ => 1,
    };
    syncs.sort_by(|a, b| weight(a).cmp(&weight(b)).then_with(|| a.cmp(b)));
    let well = syncs.iter().filter(|sync| weight(sync) == 2).count();
    writeln!(html, "<p>{well} of {} Syncs are Ready.</p>", syncs.len())?;
    writeln!(
        html,
        "<table><tr><th>Sync<th>Ready<th>Status<th>Now<th>Last success<th>Next<th class=\"number\">\
         Rows<th>Message</tr>"
    )?;
    for sync in syncs.iter().take(LINES_MAX) {
        let now = if sync.is_suspended { "suspended" } else { &sync.phase };
        let rows = sync.rows.map(|rows| rows.to_string()).unwrap_or_default();
        let [namespace, name, ready, reason, now, success, next, message] = [
            &sync.namespace,
            &sync.name,
            &sync.ready,
            &sync.reason,
            now,
            &sync.last_success,
            &sync.next,
            &sync.message,
        ]
        .map(Escaped);
        writeln!(
            html,
            "<tr><td>{namespace}/{name}<td class=\"{ready}\">{ready}<td>{reason}<td>{now}\
             <td>{success}<td>{next}<td class=\"number\">{rows}<td>{message}</tr>"
        )?;
    }
    writeln!(html, "</table>")?;
    match syncs.len().saturating_sub(LINES_MAX) {
        0 => Ok(()),
        more => writeln!(html, "<p>{more} more are not shown.</p>"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, ready: &str) -> SyncLine {
        let (namespace, name) = ("growth".to_owned(), name.to_owned());
        SyncLine { namespace, name, ready: ready.to_owned(), ..SyncLine::default() }
    }

    fn page(checks: &[Check], syncs: Option<Vec<SyncLine>>) -> String {
        let mut html = String::new();
        write_page(&mut html, checks, syncs).unwrap();
        html
    }

    #[test]
    fn what_is_wrong_comes_first_and_the_rest_by_name() {
        let syncs = vec![line("c", "True"), line("b", "True"), line("z", "False"), line("n", "")];

        let html = page(&[], Some(syncs));

        let places: Vec<usize> = ["growth/z", "growth/n", "growth/b", "growth/c"]
            .map(|it| html.find(it).unwrap())
            .into();
        assert!(places.is_sorted(), "{html}");
        assert!(html.contains("2 of 4 Syncs are Ready"), "{html}");
    }

    #[test]
    fn nothing_that_is_shown_is_taken_for_markup() {
        let message = "<script>alert('x')</script> & \"more\"".to_owned();
        let problem = Some("<b>".to_owned());

        let html = page(
            &[Check { name: "state", problem }],
            Some(vec![SyncLine { message, ..line("a", "True") }]),
        );

        assert!(
            html.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;"),
            "{html}"
        );
        assert!(html.contains("state: &lt;b&gt;"), "{html}");
        assert!(!html.contains("<script>"), "{html}");
    }

    #[test]
    fn a_replica_that_stands_by_says_so_and_long_lists_are_cut() {
        assert!(page(&[], None).contains("stands by"));

        let syncs = (0..LINES_MAX + 5).map(|number| line(&number.to_string(), "True")).collect();
        assert!(page(&[], Some(syncs)).contains("5 more are not shown"));
    }
}
