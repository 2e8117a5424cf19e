//! Who may know whom. A room is a folder or a file directly below `src`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::files::{RustFile, compiled};
use super::paths::{RustPath, paths};
use super::{Finding, assert_none, root};

/// What each room may use of ours: rooms, or with `room::module` what lies in modules of that name there.
/// A row for a room that doesn't exist yet says where it will belong.
const ROOMS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("schedule", &[]),
    ("spill", &[]),
    ("telemetry", &[]),
    ("emulator", &[]),
    ("metrics", &["model"]),
    ("mapping", &["model"]),
    ("diff", &["model"]),
    ("sources", &["model", "spill"]),
    ("customerio", &["model"]),
    ("state", &["model"]),
    ("engine", &["model", "mapping", "diff", "sources", "customerio", "state", "spill"]),
    // What people write for a room, its `spec` types, is part of the resources.
    (
        "api",
        &[
            "model",
            "schedule",
            "mapping::spec",
            "mapping::template",
            "sources::spec",
            "customerio::spec",
        ],
    ),
    ("manifest", &["api"]),
    ("resolve", &["api", "engine", "model", "mapping", "diff", "sources", "customerio", "state"]),
    ("web", &["model", "state", "engine::progress", "metrics"]),
    // The limiter of a connection outlives its runs, and a probe asks a source: so it knows both.
    (
        "controller",
        &[
            "api",
            "resolve",
            "engine",
            "state",
            "schedule",
            "sources",
            "customerio",
            "web",
            "model",
            "metrics",
        ],
    ),
    ("cli", EVERY_ROOM),
    ("main", EVERY_ROOM),
    ("lib", EVERY_ROOM),
];

/// What stands at the top of the house may use all of it. Rooms of ROOMS only, so no typing errors.
const EVERY_ROOM: &[&str] = &[
    "model",
    "schedule",
    "spill",
    "telemetry",
    "metrics",
    "mapping",
    "diff",
    "sources",
    "customerio",
    "state",
    "engine",
    "api",
    "manifest",
    "resolve",
    "web",
    "controller",
    "emulator",
    "cli",
];

/// Rooms that are entered by what their `mod.rs` offers, never by their inner modules.
const CLOSED: &[&str] = &["emulator"];

const ANY: &[&str] = &["every room"];
/// Rooms that compute only: no runtime, no files, no clock, no chance.
const PURE: &[&str] = &["model", "schedule", "mapping", "diff", "api"];
/// Every room but the pure ones.
const NOT_PURE: &[&str] = &["rooms that do I/O"];

/// Which rooms may use which crate. Every dependency of Cargo.toml has a row.
const CRATES: &[(&str, &[&str])] = &[
    ("anstream", &["cli", "main", "telemetry"]),
    ("anstyle", &["cli", "main", "telemetry"]),
    ("anyhow", &["cli", "main"]),
    ("async_trait", NOT_PURE),
    ("axum", &["emulator", "web"]),
    ("base64", ANY),
    ("bytes", ANY),
    ("clap", &["cli", "main"]),
    ("clap_complete", &["cli"]),
    ("crc32fast", ANY),
    ("cronexpr", &["schedule"]),
    ("csv", &["sources"]),
    ("fastrand", NOT_PURE),
    ("futures_util", NOT_PURE),
    ("gethostname", NOT_PURE),
    ("governor", &["customerio"]),
    ("indicatif", &["cli"]),
    ("itoa", ANY),
    ("jiff", ANY),
    ("k8s_openapi", &["api", "controller"]),
    ("kube", &["api", "controller"]),
    ("kube_lease_manager", &["controller"]),
    ("prometheus_client", &["metrics", "web"]),
    ("reqwest", &["customerio", "sources"]),
    ("rustls", &["cli", "main"]),
    ("ryu", ANY),
    ("saphyr_parser", &["manifest"]),
    ("schemars", &["api", "customerio", "mapping", "model", "schedule", "sources"]),
    ("secrecy", ANY),
    ("serde", ANY),
    ("serde_json", ANY),
    // In api for writing the definitions; people's files are read in manifest.
    ("serde_yaml", &["api", "manifest"]),
    ("sqlx", &["sources", "state"]),
    ("strsim", ANY),
    ("tempfile", NOT_PURE),
    ("thiserror", ANY),
    ("tokio", NOT_PURE),
    ("tokio_util", NOT_PURE),
    ("tracing", ANY),
    ("tracing_subscriber", &["telemetry"]),
    ("ulid", ANY),
    ("xxhash_rust", ANY),
];

fn row<'t>(table: &'t [(&str, &'t [&'t str])], name: &str) -> Option<&'t [&'t str]> {
    table.iter().find(|(key, _)| *key == name).map(|(_, rooms)| *rooms)
}

fn crate_allowed(name: &str, room: &str) -> bool {
    let Some(rooms) = row(CRATES, name) else { return true };
    rooms == ANY || (rooms == NOT_PURE && !PURE.contains(&room)) || rooms.contains(&room)
}

/// Returns the paths of a file that are not test code.
fn shipped_paths(file: &RustFile) -> impl Iterator<Item = RustPath> {
    let is_shipped = !file.is_test;
    paths(&file.tokens).into_iter().filter(move |path| is_shipped && !path.is_test)
}

/// Judges the files of `src`. `modules` names the inner modules of each room.
fn findings(files: &[RustFile]) -> Vec<Finding> {
    let modules: BTreeMap<&str, &[String]> = files
        .iter()
        .filter(|file| file.is_room_root())
        .filter_map(|file| Some((file.room()?, file.modules.as_slice())))
        .collect();
    let mut found = Vec::new();
    for file in files {
        let Some(room) = file.room() else { continue };
        if row(ROOMS, room).is_none() {
            found.push(Finding::new(
                &file.path,
                1,
                format!("`{room}` has no row in ROOMS: say there what it may use"),
            ));
            continue;
        }
        for path in shipped_paths(file) {
            let complaint = judge(file, room, &path, &modules);
            found.extend(complaint.map(|text| Finding::new(&file.path, path.line, text)));
        }
    }
    found
}

fn judge(
    file: &RustFile,
    room: &str,
    path: &RustPath,
    modules: &BTreeMap<&str, &[String]>,
) -> Option<String> {
    let written = path.segments.join("::");
    let first = path.segments.first()?.as_str();
    match first {
        "crate" | "ciosync" => judge_ours(room, path, modules),
        "super" if file.is_room_root() && path.inline_depth == 0 => {
            Some(format!("`{written}` leaves the room: write it from `crate::`"))
        }
        _ if file.modules.iter().any(|module| module == first) => None,
        _ if crate_allowed(first, room) => None,
        _ => Some(format!(
            "`{room}` may not use the crate `{first}` (`{written}`): it belongs to {}. \
             Move this code there, or pass in what it yields",
            row(CRATES, first)?.join(", "),
        )),
    }
}

fn judge_ours(room: &str, path: &RustPath, modules: &BTreeMap<&str, &[String]>) -> Option<String> {
    let written = path.segments.join("::");
    let target = path.segments.get(1)?.as_str();
    if target == room {
        return None;
    }
    if row(ROOMS, target).is_none() {
        return Some(format!("`{written}` names no room of ours: name its room"));
    }
    let allowed = row(ROOMS, room)?;
    let is_allowed = allowed.iter().any(|entry| match entry.split_once("::") {
        None => *entry == target,
        Some((room, module)) => {
            room == target && path.segments.iter().skip(2).any(|segment| segment == module)
        }
    });
    if !is_allowed {
        let may =
            if allowed.is_empty() { "nothing of ours".to_owned() } else { allowed.join(", ") };
        return Some(format!(
            "`{room}` may not use `{written}`: it may use {may}. Pass the value as an argument, or move \
             the code to a room that may know both; a change of the house starts in ARCHITECTURE.md"
        ));
    }
    let inner = path.segments.get(2);
    let is_inner_module =
        modules.get(target).zip(inner).is_some_and(|(names, inner)| names.contains(inner));
    (CLOSED.contains(&target) && is_inner_module)
        .then(|| format!("`{written}` reaches inside `{target}`: use what its mod.rs offers"))
}

/// Returns the crates of `[dependencies]`, as code spells them.
fn dependencies() -> BTreeSet<String> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    manifest
        .lines()
        .skip_while(|line| *line != "[dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once(" = "))
        .map(|(name, _)| name.replace('-', "_"))
        .collect()
}

/// Judges one file of `src` as if it were the whole package.
fn findings_in(path: &str, text: &str) -> Vec<(usize, String)> {
    let found = findings(&[RustFile::parse(path, text, false)]);
    found.into_iter().map(|finding| (finding.line, finding.text)).collect()
}

#[test]
fn rooms_use_only_what_their_row_names() {
    let files = compiled();

    assert_none(findings(&files));
}

#[test]
fn every_dependency_has_a_row_that_says_who_may_use_it() {
    let dependencies = dependencies();

    assert!(dependencies.contains("tokio"), "the dependencies were not found in Cargo.toml");
    assert_none(
        dependencies
            .iter()
            .filter(|name| row(CRATES, name).is_none())
            .map(|name| {
                Finding::new(
                    "Cargo.toml",
                    1,
                    format!("`{name}` has no row in CRATES: name the rooms that may use it"),
                )
            })
            .collect(),
    );
}

#[test]
fn the_table_of_rooms_has_no_circle() {
    for (room, _) in ROOMS {
        let mut below = BTreeSet::new();
        let mut open = vec![*room];
        while let Some(name) = open.pop() {
            let used = row(ROOMS, name.split("::").next().unwrap_or_default());
            let used = used.unwrap_or_else(|| panic!("{name} is used in ROOMS and has no row"));
            open.extend(used.iter().filter(|used| **used != name && below.insert(**used)));
        }
        assert!(
            !below.contains(room) || EVERY_ROOM == row(ROOMS, room).unwrap(),
            "{room} uses itself"
        );
    }
}

#[test]
fn a_path_to_a_foreign_room_is_found_wherever_it_hides() {
    for text in [
        "use crate::web::page;",
        "use crate::{\n    model::Row, web::{page, style},\n};",
        "fn f() { g(crate::web::page()) }",
        "fn f() -> Vec<crate::web::Page> { vec![] }",
        "fn f() { format!(\"{}\", crate::web::TITLE); }",
        "pub use crate::web;",
    ] {
        let found = findings_in("src/diff/mod.rs", text);
        assert!(
            found.iter().any(|(_, text)| text.contains("`diff` may not use `crate::web")),
            "{text}: {found:?}"
        );
    }
    let (line, _) =
        findings_in("src/diff/mod.rs", "use crate::{\n  model::Row,\n  web::page,\n};").remove(0);
    assert_eq!(line, 3);
}

#[test]
fn a_foreign_crate_is_found_wherever_it_hides() {
    for text in [
        "use sqlx::query;",
        "use sqlx;",
        "use sqlx as database;",
        "fn f() { ::sqlx::query(\"\") }",
        "#[derive(sqlx::FromRow)] struct S;",
        "fn f(pool: &sqlx::PgPool) {}",
    ] {
        let found = findings_in("src/engine/run.rs", text);
        assert!(found.len() == 1 && found[0].1.contains("the crate `sqlx`"), "{text}: {found:?}");
    }
    assert_eq!(findings_in("src/diff/mod.rs", "async fn f() { tokio::spawn(g()); }").len(), 1);
}

#[test]
fn tests_comments_texts_and_own_modules_are_left_alone() {
    for text in [
        "// crate::web::page\n/* sqlx::query */",
        "const T: &str = \"crate::web::page\"; const R: &str = r#\"sqlx::query\"#;",
        "#[cfg(test)]\nmod tests { use crate::web::page; use sqlx::query; }",
        "#[cfg(test)]\nuse crate::web::page;\nuse crate::model::Row;",
        "use crate::model::{self, Row};\nuse crate::diff::guard;",
        "mod sqlx;\nuse sqlx::Thing;",
        "fn f() { let sqlx = 1; g(sqlx); h.sqlx(); }",
        "pub(crate) fn f() {}\npub(in crate::diff) fn g() {}",
        "mod inner { use super::Thing; }",
    ] {
        assert_eq!(findings_in("src/diff/mod.rs", text), [], "{text}");
    }
    let after_tests = "#[cfg(test)]\nmod tests {}\nuse crate::web::page;";
    assert_eq!(findings_in("src/diff/mod.rs", after_tests).len(), 1);
}

#[test]
fn a_room_is_not_left_by_super_nor_entered_past_its_door() {
    assert_eq!(findings_in("src/diff/mod.rs", "use super::web;").len(), 1);
    assert_eq!(findings_in("src/diff/guard.rs", "use super::Differ;"), []);

    assert_eq!(findings_in("src/api/mod.rs", "use crate::sources::postgres::spec::Spec;"), []);
    assert_eq!(findings_in("src/api/mod.rs", "use crate::sources::postgres::Client;").len(), 1);

    let emulator = RustFile::parse("src/emulator/mod.rs", "mod store; pub fn serve() {}", false);
    let cli = RustFile::parse(
        "src/cli/run.rs",
        "use crate::emulator::serve;\nuse crate::emulator::store::Store;",
        false,
    );
    let found = findings(&[emulator, cli]);
    assert_eq!(found.iter().map(|finding| finding.line).collect::<Vec<_>>(), [2]);
}
