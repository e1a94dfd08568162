//! Requests at a fixed rate over a few kept connections.

use super::http::Connection;
use anyhow::{Context, Result, ensure};
use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

/// Connections that share the rate.
const CONNECTIONS: usize = 16;

/// Sends `count` requests, `rate` of them a second, and reads every answer.
///
/// # Errors
/// An answer isn't 200, or the rate could not be held.
pub(super) fn run(address: SocketAddr, request: &[u8], rate: f64, count: u64) -> Result<()> {
    let tickets = AtomicU64::new(0);
    let begun = Instant::now();
    let work = || -> Result<()> {
        let mut connection = Connection::open(address)?;
        loop {
            let ticket = tickets.fetch_add(1, Ordering::Relaxed);
            if ticket >= count {
                return Ok(());
            }
            #[expect(clippy::cast_precision_loss, reason = "counts are small")]
            let due = begun + Duration::from_secs_f64(ticket as f64 / rate);
            #[expect(
                clippy::disallowed_methods,
                reason = "the rate is kept by waiting for the time itself"
            )]
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let answer = connection.exchange(request)?;
            ensure!(
                answer.status == 200,
                "an answer has status {}: {}",
                answer.status,
                String::from_utf8_lossy(&answer.body)
            );
        }
    };
    thread::scope(|scope| -> Result<()> {
        let threads: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            thread
                .join()
                .ok()
                .context("a thread of the load ended in a panic")??;
        }
        Ok(())
    })?;
    #[expect(clippy::cast_precision_loss, reason = "counts are small")]
    let planned = count as f64 / rate;
    let took = begun.elapsed().as_secs_f64();
    ensure!(
        took < planned * 1.2 + 0.2,
        "the rate was not held: {took:.1} s instead of {planned:.1} s; the machine is too busy to measure on"
    );
    Ok(())
}
