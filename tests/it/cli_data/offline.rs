//! Commands that need no store: `crds`, `completions`, `emulator`.

use ciosync::api::crds::crds;
use ciosync::api::{CustomerIoConnection, validate};
use serde::Deserialize as _;
use serde_json::Value;

use super::ciosync;
use crate::support::cli::{Ciosync, Running, Workdir};

fn documents(yaml: &str) -> Vec<Value> {
    serde_yaml::Deserializer::from_str(yaml)
        .map(|document| Value::deserialize(document).unwrap())
        .collect()
}

/// Starts an emulator on a free port; returns where it is and all that it printed.
async fn emulator(dir: &Workdir, words: &[&str]) -> (Running, String, String) {
    let args = [&["emulator", "--listen", "127.0.0.1:0"], words].concat();
    let mut running = Ciosync::new(dir.path()).args(args).spawn();
    let printed = running.wait_for_stdout("endpoint: http://127.0.0.1:").await;
    let first = printed.lines().next().unwrap();
    let url = first.strip_prefix("listening on ").unwrap().to_owned();
    (running, url, printed)
}

#[tokio::test]
async fn crds_are_printed_as_one_stream_or_written_as_files() {
    let dir = Workdir::new();

    let printed = ciosync(&dir, "crds").await.expect_code(0);
    let listed = ciosync(&dir, "crds --output made/crds").await.expect_code(0);

    let names: Vec<String> = documents(printed.stdout())
        .iter()
        .map(|crd| crd["metadata"]["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names.len(), 3, "{names:?}");
    for (file_name, yaml) in crds() {
        assert_eq!(dir.read(&format!("made/crds/{file_name}")), yaml);
        assert!(listed.stdout().contains(&file_name), "{listed}");
    }
}

#[tokio::test]
async fn shells_learn_the_commands() {
    let dir = Workdir::new();

    for shell in ["bash", "zsh", "fish"] {
        let output = ciosync(&dir, &format!("completions {shell}")).await.expect_code(0);

        assert!(output.stdout().contains("rejections"), "{output}");
    }
}

#[tokio::test]
async fn the_emulator_answers_to_the_connection_that_it_prints() {
    let dir = Workdir::new();
    let words = ["--workspace-id", "4711", "--site-id", "a: \"b\"", "--api-key", "key"];
    let (running, url, printed) = emulator(&dir, &words).await;

    let manifest = printed.split_once('\n').unwrap().1;
    let [secret, connection] = <[Value; 2]>::try_from(documents(manifest)).unwrap();
    let connection: CustomerIoConnection = serde_json::from_value(connection).unwrap();
    // Another test may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let answer = reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .get(format!("{}/api/v1/accounts/region", connection.spec.endpoint.as_deref().unwrap()))
        .basic_auth(
            secret["stringData"]["site-id"].as_str().unwrap(),
            secret["stringData"]["api-key"].as_str(),
        )
        .send()
        .await
        .unwrap();

    assert_eq!(connection.spec.endpoint, Some(url));
    assert_eq!(validate::connection(&connection.spec), []);
    assert_eq!(secret["metadata"]["name"], connection.spec.api_key.secret_key_ref.name.as_str());
    assert_eq!(answer.status(), 200);
    assert!(answer.text().await.unwrap().contains("4711"));
    running.terminate().await;
    running.wait().await.expect_code(0);
}

#[tokio::test]
async fn the_emulator_ends_well_on_ctrl_c() {
    let dir = Workdir::new();
    let (running, _, _) = emulator(&dir, &[]).await;

    running.interrupt().await;

    running.wait().await.expect_code(0);
}

#[tokio::test]
async fn an_address_in_use_is_an_error_that_says_what_to_do() {
    let dir = Workdir::new();
    let (_running, url, _) = emulator(&dir, &[]).await;
    let address = url.strip_prefix("http://").unwrap();

    let output = ciosync(&dir, &format!("emulator --listen {address}")).await.expect_code(1);

    assert!(output.stderr().contains("--listen 127.0.0.1:0"), "{output}");
    assert!(output.stderr().contains(address), "{output}");
}
