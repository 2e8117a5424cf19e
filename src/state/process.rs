//! Whether a process of this machine still lives, told from another one that got its number.
//!
//! Linux tells when a process started, counted from the machine's start. Elsewhere nothing is
//! known, and a dead holder's lock is free only when it lapses.

use std::fs;

/// Returns what tells this process from every other one that had or will have its number;
/// `None` where the system doesn't say.
pub(super) fn start_of_this_process() -> Option<String> {
    start_of(std::process::id())
}

/// Returns whether the process surely ended: its number is free or belongs to another one now.
/// `false` where that can't be known, as for processes of other machines and containers.
pub(super) fn is_gone(pid: u32, start: &str) -> bool {
    let (Some(here), Some((there, _))) = (world(), start.rsplit_once('/')) else { return false };
    here == there && start_of(pid).as_deref() != Some(start)
}

/// The process's own start, behind the world in which its number counts. `None` as well for a
/// process that ended and only waits to be reaped.
fn start_of(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let ticks = start_ticks(&stat)?;
    Some(format!("{}/{ticks}", world()?))
}

/// The machine's current life and the space of process numbers within it: a container has its own.
fn world() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let numbers = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{}/{}", boot.trim(), numbers.to_str()?))
}

/// Reads the 22nd field of `/proc/<pid>/stat`. The second, the program's name in brackets, may
/// hold anything. Source: proc(5).
fn start_ticks(stat: &str) -> Option<&str> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    let is_running = !matches!(state, "Z" | "X");
    is_running.then(|| fields.nth(18)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_is_read_whatever_the_program_is_called() {
        let fields = "1 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 777 8 9";

        assert_eq!(start_ticks(&format!("12 (sh) S {fields}")), Some("777"));
        assert_eq!(start_ticks(&format!("12 (a) R 1 (b) S {fields}")), Some("777"));
        assert_eq!(start_ticks(&format!("12 (sh) Z {fields}")), None);
        assert_eq!(start_ticks("12 (sh"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_is_gone_when_its_number_belongs_to_another_one() {
        let own = start_of_this_process().unwrap();
        let (world, ticks) = own.rsplit_once('/').unwrap();

        assert!(!is_gone(std::process::id(), &own));
        assert!(is_gone(std::process::id(), &format!("{world}/1{ticks}")));
        assert!(!is_gone(std::process::id(), &format!("elsewhere/{ticks}")));
    }
}
