//! When a Sync is due: intervals and cron with time zones. Pure; time is an argument.
