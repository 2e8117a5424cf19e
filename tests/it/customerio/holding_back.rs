//! When nothing is sent, or nothing more: slowed down, out of time, cancelled, without the lock.

use std::sync::atomic::{AtomicBool, Ordering};

use ciosync::customerio::Fault;
use ciosync::model::{Disposition, Reason};
use tokio::sync::Notify;

use super::scripted::{Reply, Scripted};
use super::*;

#[tokio::test]
async fn a_429_slows_the_connection_down_and_retry_after_holds_for_everybody() {
    let slow_down = Reply::status(429).with("retry-after", "1");
    let server = Scripted::start([slow_down, Reply::accept(), Reply::accept()]).await;
    let config = config(&server.url);
    let limiter = Arc::new(Limiter::new(&config.rate));
    let client = Client::new(config.clone(), Arc::clone(&limiter)).unwrap();
    let other_client = Client::new(config, limiter).unwrap();
    let (run, other_run) = (Run::default(), Run::default());
    let (mut batch, mut other_batch) = (super::batch(["1"]), super::batch(["2"]));
    let started = Instant::now();

    let (answer, other_answer) = tokio::join!(run.send(&client, &mut batch), async {
        server.has_seen(1).await;
        while other_client.limiter().throttled_until().is_none() {
            tokio::task::yield_now().await;
        }
        other_run.send(&other_client, &mut other_batch).await
    });

    assert_eq!((answer.unwrap(), other_answer.unwrap()), (Answer::Accepted, Answer::Accepted));
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert!(run.traffic.throttled() >= Duration::from_millis(900));
    assert!(other_run.traffic.throttled() >= Duration::from_millis(900));
    assert_eq!((run.traffic.requests(), other_run.traffic.requests()), (2, 1));
}

#[tokio::test]
async fn no_more_requests_are_in_flight_than_allowed() {
    let told = Arc::new(Notify::new());
    let script = (0..9).map(|_| Reply::AcceptWhen(Arc::clone(&told)));
    let server = Scripted::start(script).await;
    let mut config = config(&server.url);
    config.rate.max_in_flight = 3;
    let client = Arc::new(client_of(config));
    let mut sending = tokio::task::JoinSet::new();
    for _ in 0..9 {
        let client = Arc::clone(&client);
        sending.spawn(async move { Run::default().send(&client, &mut batch(["1"])).await });
    }

    for answered in 0..9 {
        // All that may be in flight are; one more would have been let go by now.
        server.has_seen((answered + 3).min(9)).await;
        tokio::task::yield_now().await;
        assert_eq!(server.seen().len(), (answered + 3).min(9));
        told.notify_one();
        assert_eq!(sending.join_next().await.unwrap().unwrap().unwrap(), Answer::Accepted);
    }
}

#[tokio::test]
async fn a_connection_that_is_throttled_to_the_end_is_rate_limited() {
    let server = Scripted::start([Reply::status(429).with("retry-after", "3600")]).await;
    let run = Run::default();

    let error = run.send(&client(&server.url), &mut batch(["1"])).await.unwrap_err();

    // An hour of pause is beyond the run's time, so it is not waited for at all.
    assert_eq!(
        (error.reason(), error.disposition()),
        (Reason::RateLimited, Disposition::Transient)
    );
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn faults_end_with_the_time_of_the_run() {
    let server = Scripted::start((0..100_000).map(|_| Reply::status(503))).await;
    let run = Run { deadline: Instant::now() + Duration::from_millis(100), ..Run::default() };

    let error = run.send(&client(&server.url), &mut batch(["1"])).await.unwrap_err();

    let DeliveryError::GaveUp { fault: Fault::Status(503), attempts, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(u64::from(*attempts), run.traffic.requests());
    assert_eq!(server.seen().len() as u64, run.traffic.requests());
    assert_eq!(error.reason(), Reason::ConnectionNotReady);
    assert_eq!(error.disposition(), Disposition::Transient);
}

#[tokio::test]
async fn a_host_that_can_not_be_reached_is_named() {
    let server = Scripted::start([]).await;
    let url = server.url.clone();
    drop(server);
    let run = Run { deadline: Instant::now() + Duration::from_millis(50), ..Run::default() };

    let error = run.send(&client(&url), &mut batch(["1"])).await.unwrap_err();

    let host = url.strip_prefix("http://").unwrap();
    assert!(error.to_string().starts_with(&format!("{host} can't be reached: ")), "{error}");
}

#[tokio::test]
async fn a_run_without_its_lock_sends_nothing_more() {
    let server = Scripted::start([Reply::status(503), Reply::accept()]).await;
    let held = Arc::new(AtomicBool::new(true));
    let lock = Arc::clone(&held);
    // The lock lapses while the first request is under way.
    let run =
        Run { may_send: Box::new(move || lock.swap(false, Ordering::SeqCst)), ..Run::default() };

    let error = run.send(&client(&server.url), &mut batch(["1"])).await.unwrap_err();

    assert!(matches!(error, DeliveryError::NotAllowed), "{error:?}");
    assert_eq!(error.reason(), Reason::StateUnavailable);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_cancel_ends_the_waiting() {
    let server = Scripted::start([Reply::status(503).with("retry-after", "10")]).await;
    let run = Run::default();
    let client = client(&server.url);
    let mut batch = batch(["1"]);

    let (answer, ()) = tokio::join!(run.send(&client, &mut batch), async {
        server.has_seen(1).await;
        run.cancel.cancel();
    });

    assert!(matches!(answer, Err(DeliveryError::Cancelled)), "{answer:?}");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_request_in_flight_is_finished_after_a_cancel() {
    let told = Arc::new(Notify::new());
    let server = Scripted::start([Reply::AcceptWhen(Arc::clone(&told))]).await;
    let run = Run::default();
    let client = client(&server.url);
    let mut batch = batch(["1"]);

    let (answer, ()) = tokio::join!(run.send(&client, &mut batch), async {
        server.has_seen(1).await;
        run.cancel.cancel();
        told.notify_one();
    });

    assert_eq!(answer.unwrap(), Answer::Accepted);
}

#[tokio::test]
async fn nothing_is_sent_after_the_deadline_or_a_cancel() {
    let server = Scripted::start([]).await;
    let client = client(&server.url);
    let late = Run { deadline: Instant::now(), ..Run::default() };
    let cancelled = Run::default();
    cancelled.cancel.cancel();

    let out_of_time = late.send(&client, &mut batch(["1"])).await.unwrap_err();
    let ended = cancelled.send(&client, &mut batch(["1"])).await.unwrap_err();

    assert_eq!(out_of_time.reason(), Reason::Timeout);
    assert!(matches!(ended, DeliveryError::Cancelled), "{ended:?}");
    assert_eq!(server.seen().len(), 0);
}
