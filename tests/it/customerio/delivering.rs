//! What becomes of a batch: accepted, refused item by item, split, or sent again.

use std::collections::BTreeMap;

use ciosync::customerio::SplitCause;
use jiff::Timestamp;

use super::scripted::{Reply, Scripted};
use super::*;

#[tokio::test]
async fn a_batch_goes_to_version_2_with_the_credentials_of_the_connection() {
    let server = Scripted::start([Reply::accept()]).await;
    let run = Run::default();

    let answer = run.send(&client(&server.url), &mut batch(["1", "2"])).await.unwrap();

    assert_eq!(answer, Answer::Accepted);
    let seen = server.seen().remove(0);
    assert_eq!(seen.line, "POST /api/v2/batch HTTP/1.1");
    // base64 of site-4711:key-0815
    assert_eq!(seen.headers["authorization"], "Basic c2l0ZS00NzExOmtleS0wODE1");
    assert_eq!(seen.headers["content-type"], "application/json");
    assert!(seen.headers["user-agent"].starts_with("ciosync/"), "{:?}", seen.headers);
    assert_eq!(seen.ids(), ["1", "2"]);
    assert_eq!((run.traffic.requests(), run.traffic.retries()), (1, 0));
    assert_eq!(run.traffic.sent_bytes(), seen.body.len() as u64);
}

#[tokio::test]
async fn an_update_carries_the_second_of_sending_by_a_clock_that_never_goes_back() {
    let server = Scripted::start([Reply::accept(), Reply::accept()]).await;
    let before = Timestamp::now().as_second();
    let ahead = before + 3_600;
    let late = Run {
        clock: SendClock::not_before(Timestamp::from_second(ahead).unwrap()),
        ..Run::default()
    };

    Run::default().send(&client(&server.url), &mut batch(["1"])).await.unwrap();
    late.send(&client(&server.url), &mut batch(["1"])).await.unwrap();

    let stamps: Vec<i64> = server
        .seen()
        .iter()
        .map(|seen| {
            let body: serde_json::Value = serde_json::from_str(&seen.body).unwrap();
            body["batch"][0]["timestamp"].as_i64().unwrap()
        })
        .collect();
    assert!((before..=Timestamp::now().as_second()).contains(&stamps[0]), "{stamps:?}");
    assert_eq!(stamps[1], ahead);
}

#[tokio::test]
async fn items_refused_by_index_leave_the_others_accepted() {
    let body = r#"{"errors":[{"batch_index":1,"reason":"invalid","field":"attributes.plan","message":"too long"}]}"#;
    let server = Scripted::start([Reply::body(207, body)]).await;

    let answer = Run::default().send(&client(&server.url), &mut batch(["1", "2", "3"])).await;

    let Ok(Answer::Partial { rejected }) = answer else { panic!("{answer:?}") };
    assert_eq!(rejected.len(), 1);
    assert_eq!(rejected[0].index, 1);
    let rejection = rejected[0].to_rejection();
    assert_eq!(
        (rejection.code.as_str(), rejection.field.as_deref()),
        ("invalid", Some("attributes.plan"))
    );
    assert_eq!(
        rejection.message,
        "Customer.io refused the row (reason invalid, field attributes.plan)"
    );
}

#[tokio::test]
async fn what_may_pass_by_itself_is_sent_again_with_the_same_bytes() {
    for fault in [
        Reply::status(408),
        Reply::status(429),
        Reply::status(500),
        Reply::body(503, "<html>"),
        Reply::status(524),
        Reply::body(200, "<html>Please sign in</html>"),
        Reply::body(200, ""),
        Reply::body(207, "{\"errors\":["),
        Reply::BreakOff,
        Reply::Close,
    ] {
        let server = Scripted::start([fault, Reply::accept()]).await;
        let run = Run::default();

        let answer = run.send(&client(&server.url), &mut batch(["1", "2"])).await.unwrap();

        assert_eq!(answer, Answer::Accepted);
        let bodies: Vec<String> = server.seen().into_iter().map(|seen| seen.body).collect();
        assert_eq!(bodies.len(), 2);
        assert_eq!(bodies[0], bodies[1]);
        assert_eq!((run.traffic.requests(), run.traffic.retries()), (2, 1));
    }
}

#[tokio::test]
async fn a_server_that_stays_silent_is_asked_again() {
    let server = Scripted::start([Reply::StaySilent, Reply::accept()]).await;
    let mut config = config(&server.url);
    config.timeouts.request = Duration::from_millis(100);

    let answer = Run::default().send(&client_of(config), &mut batch(["1"])).await.unwrap();

    assert_eq!(answer, Answer::Accepted);
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn the_only_item_of_a_refused_batch_is_refused() {
    let body = r#"{"errors":[{"reason":"invalid","field":"identifiers.id"}]}"#;
    for (reply, message) in [
        (
            Reply::body(400, body),
            "Customer.io refused the row (reason invalid, field identifiers.id, status 400)",
        ),
        (Reply::body(413, "<html>"), "Customer.io refused the row as too large (status 413)"),
    ] {
        let server = Scripted::start([reply]).await;

        let answer = Run::default().send(&client(&server.url), &mut batch(["1"])).await;

        let Ok(Answer::Refused(error)) = answer else { panic!("{answer:?}") };
        assert_eq!(error.to_rejection().message, message);
    }
}

#[tokio::test]
async fn a_batch_that_can_not_be_judged_is_split() {
    let no_index = r#"{"errors":[{"reason":"invalid"}]}"#;
    for (reply, cause) in [
        (Reply::status(400), SplitCause::RefusedAsAWhole),
        (Reply::status(413), SplitCause::TooLarge),
        (Reply::body(207, no_index), SplitCause::NoUsableIndex),
        (Reply::body(200, no_index), SplitCause::NoUsableIndex),
    ] {
        let server = Scripted::start([reply]).await;

        let answer = Run::default().send(&client(&server.url), &mut batch(["1", "2"])).await;

        assert_eq!(answer.unwrap(), Answer::Split { cause });
    }
}

/// Halves a batch as the engine does. Returns the fate of each id.
async fn deliver(run: &Run, client: &Client, ids: &[String]) -> BTreeMap<String, bool> {
    let mut fates = BTreeMap::new();
    let mut open = vec![(0, batch(ids.iter().map(String::as_str)))];
    while let Some((first, mut batch)) = open.pop() {
        let accepted = match run.send(client, &mut batch).await.unwrap() {
            Answer::Accepted => true,
            Answer::Refused(_) => false,
            Answer::Partial { .. } => panic!("no answer of this script"),
            Answer::Split { .. } => {
                let (one, other) = batch.split().unwrap();
                open.push((first + one.len(), other));
                open.push((first, one));
                continue;
            }
        };
        for id in ids.iter().skip(first).take(batch.len()) {
            assert_eq!(fates.insert(id.clone(), accepted), None, "answered twice");
        }
    }
    fates
}

#[tokio::test]
async fn one_bad_item_of_a_refused_batch_is_found_in_twice_log2_requests() {
    let ids: Vec<String> = (0..64).map(|id| id.to_string()).collect();
    for bad in [0usize, 31, 63] {
        // The halves come in order, so the script follows from where the bad item is.
        let mut script = vec![Reply::status(400)];
        let (mut first, mut len) = (0, ids.len());
        let mut after = 0;
        while len > 1 {
            len /= 2;
            if bad < first + len {
                after += 1;
            } else {
                script.push(Reply::accept());
                first += len;
            }
            script.push(Reply::status(400));
        }
        script.extend((0..after).map(|_| Reply::accept()));
        let server = Scripted::start(script).await;
        let run = Run::default();

        let fates = deliver(&run, &client(&server.url), &ids).await;

        assert_eq!(run.traffic.requests(), 1 + 2 * 6);
        assert_eq!(fates.len(), ids.len());
        for (id, accepted) in fates {
            assert_eq!(accepted, id != ids[bad], "{id}");
        }
    }
}

#[tokio::test]
async fn clocks_that_differ_show() {
    let date = "Wed, 27 May 2020 20:02:42 GMT";
    let server = Scripted::start([Reply::accept().with("date", date)]).await;
    let client = client(&server.url);
    assert!(client.clock_skew().is_zero());

    Run::default().send(&client, &mut batch(["1"])).await.unwrap();

    assert!(client.clock_skew().as_hours() < -24);
}
