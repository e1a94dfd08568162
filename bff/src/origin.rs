//! Which origins may change something: the configured ones and the listener's own loopback addresses.
//!
//! `Host` and forwarded headers are never asked: whoever sends the request writes them.

use reqwest::Url;
use std::net::SocketAddr;

/// The list of origins.
#[derive(Debug, Clone)]
pub struct Origins {
    own: Vec<String>,
    elsewhere: Vec<String>,
}

impl Origins {
    /// The list for a listener.
    #[must_use]
    pub fn new(listener: SocketAddr, public_url: Option<&Url>, allowed: &[String]) -> Self {
        let port = listener.port();
        let mut own: Vec<String> = ["127.0.0.1", "localhost", "[::1]"]
            .into_iter()
            .filter_map(|host| Url::parse(&format!("http://{host}:{port}")).ok())
            .map(|url| url.origin().ascii_serialization())
            .collect();
        if listener.ip().is_loopback()
            && let Ok(url) = Url::parse(&format!("http://{listener}"))
        {
            own.push(url.origin().ascii_serialization());
        }
        // The public address may be a static host's, and then isn't where this server is.
        let public = public_url.map(|url| url.origin().ascii_serialization());
        let elsewhere = public.into_iter().chain(allowed.iter().cloned()).collect();
        Self { own, elsewhere }
    }

    /// Whether an `Origin` header's value is listed.
    #[must_use]
    pub fn lists(&self, origin: &str) -> bool {
        self.own
            .iter()
            .chain(&self.elsewhere)
            .any(|listed| listed == origin)
    }

    /// The origins beside the listener's, whose pages need CORS headers.
    #[must_use]
    pub fn elsewhere(&self) -> &[String] {
        &self.elsewhere
    }
}

#[cfg(test)]
mod tests {
    use super::Origins;

    #[test]
    fn loopback_spellings_of_the_listener_are_listed_and_no_other_port() {
        let origins = Origins::new("127.0.0.1:8080".parse().expect("an address"), None, &[]);
        for listed in [
            "http://127.0.0.1:8080",
            "http://localhost:8080",
            "http://[::1]:8080",
        ] {
            assert!(origins.lists(listed), "{listed}");
        }
        for other in [
            "http://127.0.0.1:8081",
            "https://localhost:8080",
            "http://localhost",
            "null",
            "",
        ] {
            assert!(!origins.lists(other), "{other}");
        }
    }

    #[test]
    fn the_default_port_of_a_scheme_is_not_written() {
        let public = "https://tune.example.com:443/".parse().expect("an address");
        let origins = Origins::new("127.0.0.1:80".parse().expect("an address"), Some(&public), &[]);
        assert!(origins.lists("https://tune.example.com"));
        assert!(origins.lists("http://localhost"));
    }
}
