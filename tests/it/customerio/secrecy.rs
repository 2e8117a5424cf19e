//! No value of a row and no credential in what errors and answers print.

use super::scripted::{Reply, Scripted};
use super::*;

/// Returns everything that may end in a log, a status or an event.
fn printed(answer: &Result<Answer, DeliveryError>) -> String {
    let mut text = format!("{answer:?}");
    match answer {
        Err(error) => text.push_str(&format!("{error} {:?} {:?}", error.hint(), error.reason())),
        Ok(Answer::Refused(error)) => text.push_str(&format!("{:?}", error.to_rejection())),
        Ok(Answer::Partial { rejected }) => {
            for error in rejected {
                text.push_str(&format!("{:?}", error.to_rejection()));
            }
        }
        Ok(Answer::Accepted | Answer::Split { .. }) => {}
    }
    text
}

#[tokio::test]
async fn what_customer_io_quotes_is_shown_only_on_request() {
    let quote = r#"{"errors":[{"batch_index":0,"reason":"ann@example.com is taken",
        "field":"attributes.ann@example.com","message":"ann@example.com is taken"}],
        "meta":{"error":"ann@example.com: Unauthorized"}}"#;
    for status in [200, 207, 400, 401, 402, 403, 404, 413, 422] {
        let server = Scripted::start([Reply::body(status, quote)]).await;
        let client = client(&server.url);
        let mut batch = batch(["ann@example.com"]);

        let answer = Run::default().send(&client, &mut batch).await;

        let text = format!("{} {batch:?} {:?}", printed(&answer), client.config());
        for secret in ["ann", "site-4711", "key-0815"] {
            assert!(!text.contains(secret), "{status}: {text}");
        }
        let revealed = match &answer {
            Err(error) => error.vendor_text().unwrap().reveal(),
            Ok(Answer::Refused(error)) => error.vendor_text.as_ref().unwrap().reveal(),
            other => panic!("{status}: {other:?}"),
        };
        assert!(revealed.contains("ann@example.com"), "{status}: {revealed}");
    }
}
