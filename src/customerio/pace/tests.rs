//! What a pace promises, on a clock that the test moves.

use proptest::prelude::*;

use super::*;

fn rate(requests_per_second: u32, burst: u32, records_per_second: u32) -> RateLimitSpec {
    RateLimitSpec { requests_per_second, burst, records_per_second, max_in_flight: 32 }
}

/// Lets `count` requests go as fast as they may. Returns after how many seconds each went.
fn times(pace: &Pace, start: Instant, count: usize, records: u32) -> Vec<f64> {
    let mut now = start;
    (0..count)
        .map(|_| {
            let mut bill = Bill::of(records);
            while let Err(wait) = pace.pay(&mut bill, now) {
                assert!(wait.until > now, "a wait gets somewhere");
                now = wait.until;
            }
            (now - start).as_secs_f64()
        })
        .collect()
}

#[test]
fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
    let start = Instant::now();
    let pace = Pace::new(&rate(10, 5, 1_000_000), start);

    let times = times(&pace, start, 15, 1);

    assert_eq!(times[4], 0.0);
    assert!((times[14] - 1.0).abs() < 0.001, "{times:?}");
}

#[test]
fn a_batch_larger_than_the_records_bucket_waits_for_every_one_of_its_records() {
    let start = Instant::now();
    let pace = Pace::new(&rate(1_000, 3_000, 100), start);

    let times = times(&pace, start, 4, 1_000);

    // A second's worth was there.
    assert!((times[0] - 9.0).abs() < 0.001, "{times:?}");
    for pair in times.windows(2) {
        assert!((pair[1] - pair[0] - 10.0).abs() < 0.001, "{times:?}");
    }
}

#[test]
fn a_429_halves_the_rate_and_it_grows_back_slowly() {
    let start = Instant::now();
    let mut pace = Pace::new(&rate(100, 1, 1_000_000), start);
    times(&pace, start, 1, 1);

    pace.slow_down(start, start);

    let slow = times(&pace, start, 2, 1);
    assert!((slow[1] - slow[0] - 0.02).abs() < 0.001, "{slow:?}");
    let back = pace.full_speed_at(start).unwrap() - start;
    assert!((back.as_secs_f64() - 10.0).abs() < 0.1, "{back:?}");
    let later = start + Duration::from_secs(11);
    assert_eq!(pace.full_speed_at(later), None);
    let full = times(&pace, later, 3, 1);
    assert!((full[2] - full[1] - 0.01).abs() < 0.001, "{full:?}");
}

#[test]
fn a_slowed_connection_whose_buckets_are_small_still_takes_large_batches() {
    let start = Instant::now();
    let mut pace = Pace::new(&rate(1, 1, 100), start);
    for second in 0..10 {
        let now = start + Duration::from_secs(second);
        pace.slow_down(now, now);
    }

    let now = start + Duration::from_secs(9);
    let times = times(&pace, now, 1, 1_000);

    // At full speed these are 10 s; priced once, at the lowest rate, they would be 1,280 s.
    assert!((10.0..20.0).contains(&times[0]), "{times:?}");
}

#[test]
fn the_429s_of_requests_in_flight_together_count_as_one() {
    let start = Instant::now();
    let mut pace = Pace::new(&rate(100, 100, 1_000_000), start);
    let answered = start + Duration::from_millis(50);

    for _ in 0..32 {
        pace.slow_down(start, answered);
    }
    assert_eq!(pace.share(answered), 0.5);

    let answered_again = answered + Duration::from_millis(50);
    pace.slow_down(answered, answered_again);
    assert!((pace.share(answered_again) - 0.25).abs() < 0.01);
}

#[test]
fn many_429s_never_bring_a_connection_to_a_halt() {
    let start = Instant::now();
    let mut pace = Pace::new(&rate(150, 600, 20_000), start);

    for second in 0..1_000 {
        let now = start + Duration::from_millis(second);
        pace.slow_down(now, now);
    }

    let now = start + Duration::from_secs(1);
    let times = times(&pace, now, 2, 1);
    assert!(times[1] < 2.0, "{times:?}");
}

#[test]
fn a_pause_is_kept_and_saves_nothing_up() {
    let start = Instant::now();
    let mut pace = Pace::new(&rate(10, 600, 1_000_000), start);

    pace.pause(Duration::from_secs(60), start);

    let waiting = pace.pay(&mut Bill::of(1), start + Duration::from_secs(59)).unwrap_err();
    assert_eq!(waiting, Wait { until: start + Duration::from_secs(60), throttled: true });
    let times = times(&pace, start, 11, 1);
    assert!((times[0] - 60.1).abs() < 0.001, "{times:?}");
    assert!((times[10] - 61.1).abs() < 0.001, "{times:?}");
}

#[test]
fn a_shorter_pause_does_not_end_a_longer_one() {
    let start = Instant::now();
    let mut pace = Pace::new(&rate(10, 10, 1_000), start);

    pace.pause(Duration::from_secs(60), start);
    pace.pause(Duration::from_secs(1), start);

    assert_eq!(
        pace.pay(&mut Bill::of(1), start).unwrap_err().until,
        start + Duration::from_secs(60)
    );
}

proptest! {
    #[test]
    fn no_more_goes_than_a_full_bucket_and_the_rate_allow(
        per_second in 1u32..500,
        burst in 1u32..500,
        records_per_second in 1u32..50_000,
        batches in proptest::collection::vec((1u32..5_000, 0u64..200), 1..80),
    ) {
        let start = Instant::now();
        let pace = Pace::new(&rate(per_second, burst, records_per_second), start);
        let mut now = start;
        let (mut requests, mut records) = (0.0, 0.0);

        for (batch, idle_ms) in batches {
            now += Duration::from_millis(idle_ms);
            let mut bill = Bill::of(batch);
            while let Err(wait) = pace.pay(&mut bill, now) {
                now = wait.until;
            }
            requests += 1.0;
            records += f64::from(batch);
            let seconds = (now - start).as_secs_f64();
            let slack = 0.01;
            prop_assert!(requests <= f64::from(burst) + seconds * f64::from(per_second) + slack);
            prop_assert!(records <= f64::from(records_per_second) * (1.0 + seconds) + slack);
        }
    }
}
