//! The page for people: what came in, what is inside, what was chosen.

use std::fmt::{self, Display, Write as _};
use std::sync::Arc;

use axum::extract::State;
use axum::response::Html;
use serde_json::Value;

use crate::emulator::context::Context;
use crate::emulator::settings::CHOICES;

/// Rows shown of each list.
const ROWS: usize = 20;

const HEAD: &str = r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Customer.io emulator</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem;
  color: #222; background: #fff }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #ddd;
  vertical-align: top; overflow-wrap: anywhere }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums }
code { font-size: .9em } p.note { color: #666 }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #111 }
  th, td { border-color: #333 } p.note { color: #999 } a { color: #8bf } }
</style></head><body>
"#;

/// Text made safe to stand in HTML.
struct Escaped<T>(T);

impl<T: Display> Display for Escaped<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.to_string().chars() {
            match character {
                '&' => formatter.write_str("&amp;")?,
                '<' => formatter.write_str("&lt;")?,
                '>' => formatter.write_str("&gt;")?,
                '"' => formatter.write_str("&quot;")?,
                '\'' => formatter.write_str("&#39;")?,
                other => formatter.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// Shows the page.
pub(crate) async fn page(State(context): State<Arc<Context>>) -> Html<String> {
    let mut html = String::from(HEAD);
    // Writing into a string cannot fail.
    let _ = write_page(&mut html, &context);
    Html(html)
}

fn write_page(html: &mut String, context: &Context) -> fmt::Result {
    writeln!(
        html,
        "<h1>Customer.io emulator</h1>\n<p>Workspace {} at <code>{}</code>. \
         Nothing here leaves this machine, and nothing survives it.</p>",
        context.workspace_id,
        Escaped(&context.url)
    )?;
    write_counts(html, context)?;
    write_people(html, context)?;
    write_requests(html, context)?;
    write_activities(html, context)?;
    write_faults(html, context)?;
    write_choices(html, context)?;
    html.push_str("</body></html>\n");
    Ok(())
}

fn write_counts(html: &mut String, context: &Context) -> fmt::Result {
    let workspace = context.workspace();
    let collections = workspace.collections.iter().count();
    let counts = [
        ("People", "people", workspace.people.count()),
        ("Devices", "devices", workspace.devices.count()),
        ("Events", "events", workspace.events.taken().len()),
        ("Objects", "objects", workspace.objects.count()),
        ("Relationships", "relationships", workspace.relationships.count()),
        ("Segments", "segments", workspace.segments.iter().count()),
        ("Collections", "collections", collections),
        ("Delivery events", "deliveries", workspace.deliveries.len()),
    ];
    html.push_str("<h2>Inside</h2><table>");
    for (name, path, count) in counts {
        writeln!(
            html,
            "<tr><td><a href=\"/_emulator/{path}\">{name}</a></td>\
             <td class=\"number\">{count}</td></tr>"
        )?;
    }
    html.push_str("</table>\n");
    Ok(())
}

fn write_people(html: &mut String, context: &Context) -> fmt::Result {
    let workspace = context.workspace();
    html.push_str(
        "<h2>Latest people</h2><table><tr><th>Id</th><th>E-mail</th><th>Attributes</th></tr>\n",
    );
    let latest = workspace.people.from(0).rev().take(ROWS);
    for person in latest.filter_map(|(key, _)| workspace.person_view(key)) {
        writeln!(
            html,
            "<tr><td>{}</td><td>{}</td><td><code>{}</code></td></tr>",
            Escaped(person.id.unwrap_or_default()),
            Escaped(person.email.unwrap_or_default()),
            Escaped(&person.attributes)
        )?;
    }
    html.push_str("</table>\n");
    Ok(())
}

fn write_requests(html: &mut String, context: &Context) -> fmt::Result {
    let totals = context.requests.watch().borrow().clone();
    writeln!(
        html,
        "<h2>Requests</h2><p>{} answered, {} items accepted, {} refused, {} throttled. \
         <a href=\"/_emulator/requests\">All</a></p>\
         <table><tr><th>Endpoint</th><th>Status</th><th class=\"number\">Requests</th>\
         <th class=\"number\">Bytes</th></tr>",
        totals.requests_finished, totals.items_accepted, totals.items_rejected, totals.throttled
    )?;
    for count in context.requests.counts() {
        writeln!(
            html,
            "<tr><td>{}</td><td>{}</td><td class=\"number\">{}</td>\
             <td class=\"number\">{}</td></tr>",
            Escaped(&count.endpoint),
            status(count.status),
            count.count,
            count.body_bytes
        )?;
    }
    html.push_str(
        "</table><table><tr><th>Latest</th><th>Status</th><th class=\"number\">Items</th>\
         <th class=\"number\">Refused</th><th class=\"number\">Bytes</th><th>Fault</th></tr>\n",
    );
    for request in context.requests.latest().into_iter().take(ROWS) {
        writeln!(
            html,
            "<tr><td>{} {}</td><td>{}</td><td class=\"number\">{}</td>\
             <td class=\"number\">{}</td><td class=\"number\">{}</td><td>{}</td></tr>",
            Escaped(&request.method),
            Escaped(&request.path),
            status(request.status),
            request.items_accepted,
            request.items_rejected,
            request.body_bytes,
            request.fault.unwrap_or_default()
        )?;
    }
    html.push_str("</table>\n");
    Ok(())
}

fn status(status: u16) -> String {
    if status == 0 { "no answer".to_owned() } else { status.to_string() }
}

fn write_activities(html: &mut String, context: &Context) -> fmt::Result {
    let workspace = context.workspace();
    html.push_str(
        "<h2>Behind a 200</h2><p class=\"note\">What was answered with success and did not take \
         effect. <a href=\"/_emulator/activities\">All</a></p>\
         <table><tr><th>Type</th><th>Person</th><th>Why</th></tr>\n",
    );
    for activity in workspace.activities.newest_first().take(ROWS) {
        let person = &activity.person;
        let who = person.id.as_ref().or(person.email.as_ref()).unwrap_or(&person.cio_id);
        writeln!(
            html,
            "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
            Escaped(&activity.kind),
            Escaped(who),
            Escaped(activity.reason)
        )?;
    }
    html.push_str("</table>\n");
    Ok(())
}

fn write_faults(html: &mut String, context: &Context) -> fmt::Result {
    html.push_str(
        "<h2>Faults</h2><p class=\"note\">Set with <code>POST /_emulator/faults</code>, for \
         instance <code>{\"action\": {\"throttle\": {\"retry_after\": \"1\"}}, \"times\": 3}</code>.\
         </p><table><tr><th>Fault</th><th class=\"number\">Seen</th>\
         <th class=\"number\">Struck</th></tr>\n",
    );
    for fault in context.faults.list() {
        let text = serde_json::to_string(&fault.fault).unwrap_or_default();
        writeln!(
            html,
            "<tr><td><code>{}</code></td><td class=\"number\">{}</td>\
             <td class=\"number\">{}</td></tr>",
            Escaped(text),
            fault.seen,
            fault.fired
        )?;
    }
    html.push_str("</table>\n");
    Ok(())
}

fn write_choices(html: &mut String, context: &Context) -> fmt::Result {
    let settings = serde_json::to_value(context.settings().as_ref()).unwrap_or(Value::Null);
    html.push_str(
        "<h2>Choices</h2><p class=\"note\">Where Customer.io's behaviour is not documented, or \
         told in two ways, the emulator chose; change any with \
         <code>PUT /_emulator/settings</code>.</p>\
         <table><tr><th>Question</th><th>Setting</th><th>Now</th></tr>\n",
    );
    for choice in CHOICES {
        let now = settings.get(choice.setting).unwrap_or(&Value::Null);
        writeln!(
            html,
            "<tr><td>{}</td><td><code>{}</code></td><td><code>{}</code></td></tr>",
            Escaped(choice.question),
            choice.setting,
            Escaped(now)
        )?;
    }
    html.push_str("</table>\n");
    Ok(())
}
