//! One run: plan, spool, deliver, commit, report.
