//! A workspace that refuses, is another one, or is not Customer.io at all.

use ciosync::emulator::{Body, Fault};

use super::world::{World, start_emulator};

const BATCHES: &str = "/api/v2/batch";

/// Makes batches of some ten people, one at a time.
fn send_in_small_batches(world: &World) {
    world.edit(
        "connection.yaml",
        "  endpoint:",
        "  limits: {itemBytes: 1000, batchBytes: 2000}\n  rateLimit: {maxInFlight: 1}\n  endpoint:",
    );
}

fn batches_sent(world: &World) -> usize {
    let requests = world.emulator.workspace().requests();
    requests.iter().filter(|request| request.path.starts_with(BATCHES)).count()
}

#[tokio::test]
async fn credentials_that_are_refused() {
    let world = World::new().await;
    world.edit("secret.yaml", "marked-api-key", "marked-wrong-key");

    insta::assert_snapshot!(world.refused(1, "").await, @r"
        Failed: HOST refused the credentials (status 401)
          check `siteId` and `apiKey`: they are the Track API credentials under Settings > API and webhook credentials in Customer.io, not an App API key
          (--show-values shows it in its own words)
        ");
    assert_eq!(batches_sent(&world), 0);

    world.edit("secret.yaml", "marked-wrong-key", "marked-api-key");
    world.delivers(1..=30).await;
}

#[tokio::test]
async fn credentials_that_are_withdrawn_in_the_middle_of_a_run() {
    let world = World::new().await;
    send_in_small_batches(&world);
    world.emulator.faults().add(Fault::fail(401, Body::Json).path(BATCHES).at(2));

    let output = world.run("").await.expect_code(1);

    insta::assert_snapshot!(world.told(&output), @r"
        Failed: HOST refused the credentials (status 401)
          check `siteId` and `apiKey`: they are the Track API credentials under Settings > API and webhook credentials in Customer.io, not an App API key
          (--show-values shows it in its own words)
        ");
    assert_eq!(batches_sent(&world), 2, "a refused key is not tried again");
    let taken = world.ids().len();
    assert!((1..30).contains(&taken), "{taken}");

    world.delivers(1..=30).await;
    assert_eq!(world.emulator.workspace().stats().items_accepted, 30, "nobody was sent twice");
}

#[tokio::test]
async fn a_workspace_that_is_not_the_pinned_one() {
    let mut world = World::new().await;
    let id = world.emulator.workspace_id().to_string();
    world.mask(&id, "WORKSPACE");
    world.edit("connection.yaml", "  endpoint:", "  workspaceId: 7\n  endpoint:");

    insta::assert_snapshot!(world.refused(1, "").await, @r"
        Failed: the key belongs to workspace WORKSPACE, the connection says 7
          use the key of the workspace you meant, or set `workspaceId: WORKSPACE` if this is it
        ");

    world.edit("connection.yaml", "workspaceId: 7", &format!("workspaceId: {id}"));
    world.delivers(1..=30).await;
}

#[tokio::test]
async fn a_workspace_of_another_region() {
    let world = World::new().await;
    world.edit("connection.yaml", "  endpoint:", "  region: eu\n  endpoint:");

    insta::assert_snapshot!(world.refused(1, "").await, @r"
        Failed: the workspace is in region us, the connection says eu
          set `region: us`, or leave it out
        ");

    world.edit("connection.yaml", "  region: eu\n", "");
    world.delivers(1..=30).await;
}

#[tokio::test]
async fn another_workspace_than_the_one_delivered_to_before() {
    let mut world = World::new().await;
    world.delivers(1..=30).await;
    world.execute("delete from customers where user_id = 30").await;
    let other = start_emulator().await;
    let (first_url, first_id) = (world.emulator.url().to_owned(), world.emulator.workspace_id());
    world.edit("connection.yaml", &first_url, other.url());
    world.mask(&first_id.to_string(), "FIRST");
    world.mask(&other.workspace_id().to_string(), "OTHER");

    insta::assert_snapshot!(world.refused(1, "").await, @r"
        Failed: what is remembered of this Sync belongs to another workspace: FIRST, not OTHER
          give the credentials of that workspace back, or forget what is remembered with `ciosync state reset` to start anew in this one
        ");
    let pin = format!("  workspaceId: {}\n  endpoint:", other.workspace_id());
    world.edit("connection.yaml", "  endpoint:", &pin);
    let pinned = world.refused(1, "").await;
    assert!(pinned.contains("belongs to another workspace"), "{pinned}");
    world.carry_out(world.command("plan -f sync")).await.expect_code(1);
    assert_eq!(other.workspace().stats().items_accepted, 0);

    world.edit("connection.yaml", &pin, "  endpoint:");
    world.edit("connection.yaml", other.url(), &first_url);
    world.delivers(1..=29).await;
}

#[tokio::test]
async fn a_host_that_nobody_listens_on() {
    let world = World::new().await;
    let url = world.emulator.url().to_owned();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    world.edit("connection.yaml", &url, &format!("http://{closed}"));
    world.edit("sync.yaml", "timeout: 60s", "timeout: 1s");

    let told = world.refused(1, "").await;
    assert!(told.contains(&format!("Failed: {closed} can't be reached: ")), "{told}");
    assert!(told.contains("attempts to look up the account"), "{told}");
    assert!(told.contains("check that the host can be reached"), "{told}");

    world.edit("sync.yaml", "timeout: 1s", "timeout: 60s");
    world.edit("connection.yaml", &format!("http://{closed}"), &url);
    world.delivers(1..=30).await;
}

#[tokio::test]
async fn a_proxy_that_answers_with_a_page_of_its_own() {
    let world = World::new().await;
    world.edit("sync.yaml", "timeout: 60s", "timeout: 1s");

    for path in ["/api/v1/accounts/region", BATCHES] {
        let fault = world.emulator.faults().add(Fault::fail(200, Body::Html).path(path));
        let told = world.refused(1, "").await;
        assert!(told.contains("answered with status 200 and no complete JSON object"), "{told}");
        assert!(told.contains("something on the way answers in Customer.io's place"), "{told}");
        world.emulator.faults().remove(fault);
    }

    world.edit("sync.yaml", "timeout: 1s", "timeout: 60s");
    world.delivers(1..=30).await;
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let world = World::new().await;

    let mut told = Vec::new();
    for path in ["/api/v1/accounts/region", BATCHES] {
        let elsewhere = Fault::redirect(301, "https://track-eu.customer.io/api/v2/batch");
        let fault = world.emulator.faults().add(elsewhere.path(path));
        told.push(world.refused(1, "").await);
        world.emulator.faults().remove(fault);
    }

    insta::assert_snapshot!(told[0], @r"
        Failed: HOST redirected to track-eu.customer.io (status 301)
          set `region: eu`
        ");
    assert_eq!(told[0], told[1]);
    world.delivers(1..=30).await;
}
