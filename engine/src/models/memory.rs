//! How much memory a trainer may take on this machine.

use std::fs;

/// What each of `trainers` may take: what is `configured`, else its share of the machine's memory or of the container's,
/// of which an eighth stays for everything else. Nothing where none of it is known.
#[must_use]
pub fn memory_for_training(configured: Option<u64>, trainers: u64) -> Option<u64> {
    let machine = fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| total_of(&text));
    let container = fs::read_to_string("/sys/fs/cgroup/memory.max")
        .ok()
        .and_then(|text| text.trim().parse().ok());
    let all = [machine, container].into_iter().flatten().min();
    configured.or_else(|| all.map(|bytes| bytes / 8 * 7 / trainers.max(1)))
}

/// What is left of the machine's memory now, besides what a process of ours has already. Nothing where it isn't known.
pub(crate) fn available_memory(process: Option<u32>) -> Option<u64> {
    let left = fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| kilobytes_of(&text, "MemAvailable:"))?;
    let own = process
        .and_then(|process| fs::read_to_string(format!("/proc/{process}/status")).ok())
        .and_then(|text| kilobytes_of(&text, "VmRSS:"));
    left.checked_add(own.unwrap_or(0))
}

/// The line `MemTotal: 1234 kB` of `/proc/meminfo`, in bytes.
fn total_of(text: &str) -> Option<u64> {
    kilobytes_of(text, "MemTotal:")
}

fn kilobytes_of(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    kilobytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_trainer_has_its_share() {
        assert_eq!(
            total_of("MemFree: 1 kB\nMemTotal:       2048 kB\n"),
            Some(2 << 20)
        );
        assert_eq!(total_of("nothing"), None);
        assert!(available_memory(Some(std::process::id())) >= available_memory(None));
        assert_eq!(memory_for_training(Some(1), 1), Some(1));
        let known = memory_for_training(None, 1);
        assert!(known.is_none_or(|bytes| bytes > 1 << 20), "{known:?}");
        assert_eq!(memory_for_training(None, 2), known.map(|bytes| bytes / 2));
    }
}
