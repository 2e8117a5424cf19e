//! Who of those that wait for leave to send is next: fair between senders, whatever each has queued.
//!
//! Start-time fair queueing: each request is stamped with the moment, on a clock that counts sent
//! work, at which it would begin if its sender had the connection's pace to share with the others;
//! the earliest goes first. A sender that comes along starts at the clock's now, so it stands behind
//! nothing that others have queued up, and whoever has much to send gets all that others leave.
//! Source: Goyal, Vin, Cheng, "Start-time Fair Queuing", 1996. Arithmetic only; nothing waits here.

use std::collections::{BTreeMap, HashMap};

use tokio::sync::oneshot;

use super::spec::RateLimitSpec;

/// Whose request it is: requests of one sender go in the order in which they were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct SenderId(u64);

impl SenderId {
    /// Returns an id of its own. By chance two in 2^64 are one, and then share their turns.
    pub(super) fn random() -> Self {
        Self(fastrand::u64(..))
    }

    #[cfg(test)]
    pub(super) fn of(number: u64) -> Self {
        Self(number)
    }
}

/// The place of one request: when it begins on the clock of work, and who asked first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Place {
    begins_us: u64,
    number: u64,
}

/// What one request takes of a connection's pace, in microseconds of it: the larger of its share of
/// the requests and its share of the records of a second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prices {
    request_us: u64,
    records_per_second: u64,
}

impl Prices {
    /// Returns the prices at a configured rate.
    pub(super) fn of(rate: &RateLimitSpec) -> Self {
        Self {
            request_us: 1_000_000 / u64::from(rate.requests_per_second.max(1)),
            records_per_second: u64::from(rate.records_per_second.max(1)),
        }
    }

    fn price_us(self, records: u32) -> u64 {
        let records_us = u64::from(records) * 1_000_000 / self.records_per_second;
        records_us.max(self.request_us).max(1)
    }
}

/// The line in front of a connection's pace.
pub(super) struct Line {
    prices: Prices,
    /// When the request began that had the last turn.
    now_us: u64,
    /// When what a sender has asked for ends; only where that lies ahead.
    busy_until_us: HashMap<SenderId, u64>,
    waiting: BTreeMap<Place, oneshot::Sender<()>>,
    /// Whose turn it is.
    turn: Option<Place>,
    count: u64,
}

impl Line {
    /// Returns an empty line.
    pub(super) fn new(prices: Prices) -> Self {
        Self {
            prices,
            now_us: 0,
            busy_until_us: HashMap::new(),
            waiting: BTreeMap::new(),
            turn: None,
            count: 0,
        }
    }

    /// Takes a place for a request of `sender`, and says when its turn comes: now where it is
    /// `None`.
    pub(super) fn join(
        &mut self,
        sender: SenderId,
        records: u32,
    ) -> (Place, Option<oneshot::Receiver<()>>) {
        let now_us = self.now_us;
        self.busy_until_us.retain(|_, until_us| *until_us > now_us);
        let begins_us = self.busy_until_us.get(&sender).copied().unwrap_or(now_us);
        let ends_us = begins_us.saturating_add(self.prices.price_us(records));
        self.busy_until_us.insert(sender, ends_us);
        let place = Place { begins_us, number: self.count };
        self.count += 1;
        if self.turn.is_none() {
            self.begin(place);
            return (place, None);
        }
        let (told, tell) = oneshot::channel();
        self.waiting.insert(place, told);
        (place, Some(tell))
    }

    /// Gives a place up, its turn with it: then the next has it.
    pub(super) fn leave(&mut self, place: Place) {
        self.waiting.remove(&place);
        if self.turn != Some(place) {
            return;
        }
        self.turn = None;
        while let Some((next, told)) = self.waiting.pop_first() {
            // Who gave up without having left yet is passed by.
            if told.send(()).is_ok() {
                self.begin(next);
                return;
            }
        }
    }

    fn begin(&mut self, place: Place) {
        self.turn = Some(place);
        self.now_us = self.now_us.max(place.begins_us);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RATE: RateLimitSpec = RateLimitSpec {
        requests_per_second: 50,
        burst: 50,
        records_per_second: 20_000,
        max_in_flight: 32,
    };

    /// Lets everybody who waits have a turn, and returns whose they were.
    fn turns(line: &mut Line, mut places: HashMap<Place, u64>) -> Vec<u64> {
        let mut order = Vec::new();
        while let Some(place) = line.turn {
            order.extend(places.remove(&place));
            line.leave(place);
        }
        order
    }

    #[test]
    fn who_comes_along_goes_before_all_that_another_has_queued() {
        let mut line = Line::new(Prices::of(&RATE));
        let (bulk, small) = (SenderId::of(1), SenderId::of(2));
        let mut told = Vec::new();
        let mut places = HashMap::new();
        for _ in 0..32 {
            let (place, tell) = line.join(bulk, 1_000);
            places.insert(place, 1);
            told.extend(tell);
        }
        let (place, tell) = line.join(small, 10);
        places.insert(place, 2);
        told.extend(tell);

        let order = turns(&mut line, places);

        // The one whose turn it is, and the one that was as early.
        assert_eq!(order.iter().position(|sender| *sender == 2), Some(1), "{order:?}");
        assert_eq!(order.len(), 33);
    }

    #[test]
    fn requests_of_one_sender_keep_their_order_and_who_gave_up_is_passed_by() {
        let mut line = Line::new(Prices::of(&RATE));
        let sender = SenderId::of(7);
        let (first, none) = line.join(sender, 1);
        let (second, second_told) = line.join(sender, 1);
        let (third, mut third_told) = line.join(sender, 1);
        assert!(none.is_none());

        drop(second_told);
        line.leave(first);
        assert_eq!(line.turn, Some(third));
        assert!(third_told.as_mut().is_some_and(|told| told.try_recv().is_ok()));
        line.leave(second);
        assert_eq!(line.turn, Some(third));

        line.leave(third);
        assert_eq!(line.turn, None);
        assert!(line.join(sender, 1).1.is_none());
    }

    #[test]
    fn one_request_at_a_time_can_not_be_used_to_go_first_each_time() {
        let mut line = Line::new(Prices::of(&RATE));
        let (bulk, eager) = (SenderId::of(1), SenderId::of(2));
        let mut told = Vec::new();
        let mut bulk_places = std::collections::HashSet::new();
        for _ in 0..40 {
            let (place, tell) = line.join(bulk, 1_000);
            bulk_places.insert(place);
            told.extend(tell);
        }
        let mut mine = line.join(eager, 1_000);
        let (mut of_bulk, mut of_eager) = (0, 0);
        for _ in 0..40 {
            let turn = line.turn.unwrap();
            line.leave(turn);
            if turn == mine.0 {
                of_eager += 1;
                // It comes again the moment it was served.
                mine = line.join(eager, 1_000);
            } else {
                assert!(bulk_places.contains(&turn));
                of_bulk += 1;
            }
        }

        assert!((19..=21).contains(&of_eager), "{of_eager} and {of_bulk}");
    }

    proptest! {
        /// As long as both have something waiting, neither is ahead by more than its largest
        /// request and the other's.
        #[test]
        fn whatever_is_queued_two_senders_share_the_pace(
            one in proptest::collection::vec(1u32..2_000, 1..60),
            other in proptest::collection::vec(1u32..2_000, 1..60),
        ) {
            let prices = Prices::of(&RATE);
            let mut line = Line::new(prices);
            let mut told = Vec::new();
            let (first, none) = line.join(SenderId::of(0), 1);
            prop_assert!(none.is_none());
            let mut owed = HashMap::new();
            for (sender, batches) in [(1, &one), (2, &other)] {
                for records in batches {
                    let (place, tell) = line.join(SenderId::of(sender), *records);
                    owed.insert(place, (sender, prices.price_us(*records)));
                    told.extend(tell);
                }
            }
            line.leave(first);

            let (mut left, mut got) = ([one.len(), other.len()], [0u64, 0]);
            let most: u64 = [&one, &other]
                .iter()
                .map(|batches| batches.iter().map(|it| prices.price_us(*it)).max().unwrap())
                .sum();
            while let Some(place) = line.turn {
                let (sender, price) = owed[&place];
                let index = usize::from(sender == 2);
                got[index] += price;
                left[index] -= 1;
                if left.iter().all(|left| *left > 0) {
                    prop_assert!(got[0].abs_diff(got[1]) <= most, "{got:?} of {most}");
                }
                line.leave(place);
            }
            prop_assert_eq!(left, [0, 0]);
        }
    }
}
