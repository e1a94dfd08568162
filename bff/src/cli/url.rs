//! `attune url`: the address that signs in.

use crate::{config::Config, server};
use std::{net::IpAddr, process::ExitCode};

/// Prints the address, on standard output and nowhere else: it holds the token.
pub(super) fn print(config: &Config) -> anyhow::Result<ExitCode> {
    let token = server::local_token(config)?;
    let base = config.public_url.as_ref().map_or_else(
        || format!("http://{}", browsable(config)),
        |url| url.as_str().trim_end_matches('/').to_owned(),
    );
    super::print(&format!("{base}/?token={}", percent(token.expose())))?;
    Ok(ExitCode::SUCCESS)
}

/// An address that a browser can open: the unspecified one means this machine.
fn browsable(config: &Config) -> String {
    let address = config.listen;
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => format!("127.0.0.1:{}", address.port()),
        IpAddr::V6(ip) if ip.is_unspecified() => format!("[::1]:{}", address.port()),
        _ => address.to_string(),
    }
}

/// A token may hold what a query can't.
fn percent(token: &str) -> String {
    shared::id::encode_segment(token)
}
