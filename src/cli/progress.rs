//! How far a run is: a bar on a terminal, a line every 10 seconds elsewhere.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::watch;
use tracing::info;

use super::render::table::grouped;
use crate::engine::{Phase, Progress};

/// A run shorter than this shows no bar.
const SHOWN_AFTER: Duration = Duration::from_secs(1);

/// How often the bar moves.
const REFRESH: Duration = Duration::from_millis(100);

/// How often a line is logged where there is no terminal.
const LOGGED_EVERY: Duration = Duration::from_secs(10);

/// Shows the progress of one run until it is dropped; run it beside the run.
pub async fn show(name: &str, progress: watch::Receiver<Progress>) {
    if std::io::stderr().is_terminal() {
        draw(name, progress).await;
    } else {
        log(name, progress).await;
    }
}

async fn draw(name: &str, progress: watch::Receiver<Progress>) {
    tokio::time::sleep(SHOWN_AFTER).await;
    let bar = Bar(ProgressBar::no_length());
    let style = ProgressStyle::with_template("{prefix}  {spinner} {wide_msg}");
    bar.0.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.0.set_prefix(name.to_owned());
    let started = Instant::now();
    loop {
        let now = *progress.borrow();
        bar.0.set_message(line(&now, started.elapsed() + SHOWN_AFTER));
        bar.0.tick();
        tokio::time::sleep(REFRESH).await;
    }
}

/// Clears the bar when the run ends.
struct Bar(ProgressBar);

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

async fn log(name: &str, progress: watch::Receiver<Progress>) {
    let started = Instant::now();
    loop {
        tokio::time::sleep(LOGGED_EVERY).await;
        let Progress { phase, rows_read, planned, delivered, rejected, requests, .. } =
            *progress.borrow();
        info!(
            sync = name,
            phase = phase.as_str(),
            rows_read,
            planned,
            delivered,
            rejected,
            requests,
            elapsed_ms = started.elapsed().as_millis() as u64,
            "run goes on"
        );
    }
}

fn line(progress: &Progress, elapsed: Duration) -> String {
    let Progress { phase, rows_read, planned, is_plan_complete, delivered, rejected, .. } =
        *progress;
    let mut line = format!("{}  {} rows read", phase.as_str(), grouped(rows_read));
    if phase == Phase::Starting {
        return "starting".to_owned();
    }
    if delivered + rejected > 0 || phase == Phase::Delivering {
        let rate = delivered as f64 / elapsed.as_secs_f64().max(0.001);
        line += &format!(
            "  {} of {}{} delivered ({}/s)",
            grouped(delivered),
            grouped(planned),
            if is_plan_complete { "" } else { "+" },
            grouped(rate as u64)
        );
        if is_plan_complete && delivered > 0 {
            let left = planned.saturating_sub(delivered + rejected) as f64 / rate.max(0.001);
            line += &format!("  {} s left", grouped(left as u64));
        }
    }
    line
}
