//! Running a process does what other tests rely on; shown with `sh`, which does anything.

use super::{Ciosync, Workdir, is_foreign};

fn shell(dir: &Workdir, script: &str) -> Ciosync {
    Ciosync::program("sh", dir.path()).args(["-c", script])
}

#[tokio::test]
async fn input_environment_folder_and_outcome_go_through() {
    let dir = Workdir::new();
    dir.write("notes/one.txt", "from a file");

    let output = shell(&dir, r#"printf '{"stdin":"%s","env":"%s","file":"%s"}' "$(cat)" "$WORD" "$(cat notes/one.txt)"; echo trouble >&2; exit 3"#)
        .stdin("from stdin")
        .env("WORD", "from env")
        .run()
        .await
        .expect_code(3);

    assert_eq!(
        output.json(),
        serde_json::json!({"stdin": "from stdin", "env": "from env", "file": "from a file"})
    );
    assert_eq!(output.stderr(), "trouble\n");
    assert_eq!(dir.read("notes/one.txt"), "from a file");
}

#[tokio::test]
async fn variables_of_the_developers_shell_stay_outside() {
    assert!(is_foreign("CIOSYNC_STATE") && is_foreign("PGPASSWORD") && is_foreign("RUST_LOG"));
    assert!(!is_foreign("PATH") && !is_foreign("HOME"));
    let dir = Workdir::new();

    let output = shell(&dir, "env").run().await;

    let names = output.stdout().lines().filter_map(|line| line.split_once('='));
    assert_eq!(names.filter(|(name, _)| is_foreign(name)).count(), 0, "{output}");
}

#[tokio::test]
async fn a_running_process_can_be_watched_and_killed() {
    let dir = Workdir::new();
    let mut running = shell(&dir, "echo ready; echo waiting >&2; exec tail -f /dev/null").spawn();

    let stdout = running.wait_for_stdout("ready").await;
    running.wait_for_stderr("waiting").await;
    let output = running.kill().await;

    assert_eq!(stdout, "ready\n");
    assert!(output.was_killed());
}

#[tokio::test]
async fn a_running_process_can_be_asked_to_stop() {
    let dir = Workdir::new();
    let script = "tail -f /dev/null &
        trap 'kill $!; exit 130' INT; trap 'kill $!; exit 143' TERM; echo ready; wait";
    for (code, interrupt) in [(130, true), (143, false)] {
        let mut running = shell(&dir, script).spawn();
        running.wait_for_stdout("ready").await;

        match interrupt {
            true => running.interrupt().await,
            false => running.terminate().await,
        }

        running.wait().await.expect_code(code);
    }
}

#[tokio::test]
#[should_panic(expected = "--- stderr\nno such thing")]
async fn an_unexpected_exit_code_shows_everything() {
    let dir = Workdir::new();

    shell(&dir, "echo no such thing >&2; exit 1").run().await.expect_code(0);
}

#[tokio::test]
async fn the_binary_starts() {
    let dir = Workdir::new();

    let output = Ciosync::new(dir.path()).args(["--version"]).run().await;

    output.expect_code(0);
}
