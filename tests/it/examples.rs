//! The examples are what people start from: every file in them is valid, and those that need no
//! server run.

use std::fs;
use std::path::Path;

use crate::support::cli::{Ciosync, Workdir};

fn folders() -> Vec<String> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut folders: Vec<String> = fs::read_dir(examples)
        .unwrap()
        .map(|entry| entry.unwrap().path().display().to_string())
        .collect();
    folders.sort();
    folders
}

#[tokio::test]
async fn every_example_is_valid() {
    let dir = Workdir::new();
    assert!(folders().len() >= 3);

    for folder in folders() {
        Ciosync::new(dir.path()).args(["validate", "-f", &folder]).run().await.expect_code(0);
    }
}

#[tokio::test]
async fn the_csv_example_runs_into_the_embedded_emulator() {
    let dir = Workdir::new();
    let folder = format!("{}/examples/csv", env!("CARGO_MANIFEST_DIR"));

    let output = Ciosync::new(dir.path())
        .args(["run", "-f", &folder, "--emulator", "-o", "json"])
        .run()
        .await
        .expect_code(0);

    assert_eq!(output.json()[0]["delivered"], 3);
}
