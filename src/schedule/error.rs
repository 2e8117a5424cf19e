//! Why a schedule can't be read, in words for the person who wrote it.

use thiserror::Error;

/// What is wrong with a schedule.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ScheduleError {
    /// Both a cron expression and an interval.
    #[error("schedule and interval are both set")]
    Both,
    /// The interval is shorter than a second.
    #[error("the interval is shorter than a second")]
    IntervalTooShort,
    /// The interval is longer than a calendar holds.
    #[error("the interval is too long")]
    IntervalTooLong,
    /// A time zone inside of the cron expression.
    #[error("the schedule holds a time zone")]
    ZoneInside,
    /// `@every`.
    #[error("`@every` is an interval, not a schedule")]
    Every,
    /// A word such as `@daily` that isn't known.
    #[error("`{word}` is not a schedule")]
    UnknownWord {
        /// The word as written.
        word: String,
    },
    /// Not five fields.
    #[error("a schedule has five fields, this has {count}")]
    FieldCount {
        /// How many there are.
        count: usize,
    },
    /// A field that can't be read.
    #[error("`{text}` is not a valid {field}")]
    Field {
        /// Which field. Example: `hour`.
        field: &'static str,
        /// What the field may hold. Example: `0-23`.
        range: &'static str,
        /// What was written.
        text: String,
    },
    /// A date that never comes, such as 30 February.
    #[error("`{text}` never comes")]
    Never {
        /// The schedule as written.
        text: String,
    },
    /// A time zone that isn't known.
    #[error("`{name}` is not a time zone")]
    UnknownZone {
        /// What was written.
        name: String,
    },
}

impl ScheduleError {
    /// Returns whether the time zone is at fault, not the schedule.
    pub fn is_time_zone(&self) -> bool {
        matches!(self, Self::UnknownZone { .. })
    }

    /// Returns what to write instead.
    pub fn hint(&self) -> String {
        match self {
            Self::Both => "take one of them away".into(),
            Self::IntervalTooShort | Self::IntervalTooLong => {
                "write an interval such as 15m".into()
            }
            Self::ZoneInside => {
                "write the zone in the field timeZone, such as Europe/Berlin".into()
            }
            Self::Every => "write `interval: 15m` instead of `schedule: \"@every 15m\"`".into(),
            Self::UnknownWord { .. } => {
                "the words are @hourly, @daily, @weekly, @monthly and @yearly".into()
            }
            Self::FieldCount { count: 6 } => {
                "there is no field for seconds: write minute hour day-of-month month day-of-week"
                    .into()
            }
            Self::FieldCount { .. } => {
                "write minute hour day-of-month month day-of-week, such as `*/15 * * * *`".into()
            }
            Self::Field { range, .. } => {
                format!("write {range}, `*`, a range `a-b`, a step `*/n`, or a list of these")
            }
            Self::Never { .. } => "check day and month".into(),
            Self::UnknownZone { .. } => {
                "write an IANA name such as Europe/Berlin, America/New_York or UTC".into()
            }
        }
    }
}
