//! `attune health`: asks the server on this machine how it is, for images that hold no other program that could.

use crate::config::Config;
use anyhow::Context as _;
use std::{
    io::{Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    process::ExitCode,
    time::Duration,
};

/// Above what a server that is well takes, below the patience of container platforms.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks, prints the answer, and succeeds where it is good.
pub(super) fn check(config: &Config, ready: bool) -> anyhow::Result<ExitCode> {
    let path = if ready { "/readyz" } else { "/healthz" };
    let (status, body) = ask(reachable(config.listen), path)?;
    super::print(body.trim())?;
    Ok(if status == 200 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Where the listener can be reached from its own machine: the unspecified address means this one too.
fn reachable(mut listen: SocketAddr) -> SocketAddr {
    match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => listen.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => listen.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    listen
}

fn ask(address: SocketAddr, path: &str) -> anyhow::Result<(u16, String)> {
    let unreachable = || format!("nothing answers on {address}; is `attune serve` running?");
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).with_context(unreachable)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).with_context(unreachable)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .context("what answers there doesn't speak HTTP")?;
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .context("what answers there doesn't speak HTTP")?;
    // Short answers of our own come in one piece, perhaps as one chunk, whose text is its longest line.
    let body = body.lines().max_by_key(|line| line.len()).unwrap_or("");
    Ok((status, body.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_for_everyone_is_asked_on_loopback() {
        for (listen, asked) in [
            ("0.0.0.0:8080", "127.0.0.1:8080"),
            ("[::]:8080", "[::1]:8080"),
            ("192.0.2.1:80", "192.0.2.1:80"),
        ] {
            assert_eq!(
                reachable(listen.parse().expect("an address")),
                asked.parse().expect("an address")
            );
        }
    }

    #[test]
    fn where_nothing_listens_it_says_so() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = free.local_addr().expect("an address");
        drop(free);
        let error = ask(address, "/healthz").expect_err("nothing answers").to_string();
        assert!(error.contains(&address.to_string()), "{error}");
    }
}
