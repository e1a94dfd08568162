//! What processes hold, as the kernel tells it.

use std::{fs, time::Duration};
use tokio::time::interval;

/// Resident memory of a process in bytes.
#[must_use]
pub fn resident(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("it runs");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .expect("the kernel tells it");
    let kilobytes: u64 = line
        .split_whitespace()
        .next()
        .and_then(|number| number.parse().ok())
        .expect("a number");
    kilobytes * 1_024
}

/// The same once the process has come to rest: ten looks in a row within a hundredth.
pub async fn resident_at_rest(process: u32) -> u64 {
    let mut ticks = interval(Duration::from_millis(200));
    let (mut reference, mut looks) = (resident(process), 0);
    while looks < 10 {
        ticks.tick().await;
        let now = resident(process);
        if now.abs_diff(reference) > reference / 100 {
            (reference, looks) = (now, 0);
        }
        looks += 1;
    }
    resident(process)
}
