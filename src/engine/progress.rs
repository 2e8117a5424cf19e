//! How far a run is, for whoever watches it.

/// The parts of a run, in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Taking the lock, asking the workspace, folding what a broken run left.
    #[default]
    Starting,
    /// Reading rows and comparing them.
    Planning,
    /// Sending what differs.
    Delivering,
    /// Folding what was accepted.
    Committing,
}

impl Phase {
    /// Returns the word for the phase.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Planning => "planning",
            Self::Delivering => "delivering",
            Self::Committing => "committing",
        }
    }
}

/// A run's numbers at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Where the run is.
    pub phase: Phase,
    /// Rows read so far.
    pub rows_read: u64,
    /// Changes found so far.
    pub planned: u64,
    /// Whether `planned` is the whole plan.
    pub is_plan_complete: bool,
    /// Rows accepted so far.
    pub delivered: u64,
    /// Rows refused by Customer.io so far.
    pub rejected: u64,
    /// Requests sent so far.
    pub requests: u64,
}
