//! Where a webhook may lead. Whoever makes one must not reach through this server what they can't reach themselves: so
//! its addresses must be public ones, unless the operator has named the host. It is looked at again
//! at each connection, in the resolver, whose answer is what is connected to: a name that changes its address between
//! the look and the use changes nothing.

use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

/// Longest address of a webhook in bytes.
const MAX_URL_BYTES: usize = 2048;

/// What is wrong with an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AddressFault {
    #[error("the address can't be read: write `https://HOST/PATH`, without a user or a password")]
    Unreadable,
    #[error(
        "the address must begin with `https://`; plain `http://` is for the hosts of `webhooks.private_hosts`"
    )]
    NotEncrypted,
    #[error(
        "the address leads into a private network: the operator allows that with `webhooks.private_hosts`"
    )]
    Private,
}

impl AddressFault {
    /// Stable, `snake_case`.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Unreadable => "invalid_url",
            Self::NotEncrypted => "https_required",
            Self::Private => "private_address",
        }
    }
}

/// The address, if it is one that may be told as far as can be seen without resolving its name.
pub(crate) fn check(url: &str, private_hosts: &[String]) -> Result<Url, AddressFault> {
    if url.len() > MAX_URL_BYTES {
        return Err(AddressFault::Unreadable);
    }
    let url = Url::parse(url).map_err(|_| AddressFault::Unreadable)?;
    let host = url.host_str().ok_or(AddressFault::Unreadable)?;
    let has_user = !url.username().is_empty() || url.password().is_some();
    if has_user || url.fragment().is_some() || !matches!(url.scheme(), "http" | "https") {
        return Err(AddressFault::Unreadable);
    }
    if is_listed(host, private_hosts) {
        return Ok(url);
    }
    if url.scheme() != "https" {
        return Err(AddressFault::NotEncrypted);
    }
    // Of a name the resolver will tell; `Url` has brought every spelling of a number into the one that parses here.
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    match literal.parse::<IpAddr>() {
        Ok(address) if !is_public(address) => Err(AddressFault::Private),
        _ => Ok(url),
    }
}

fn is_listed(host: &str, private_hosts: &[String]) -> bool {
    let plain = |name: &str| {
        name.trim_matches(['[', ']'])
            .trim_end_matches('.')
            .to_ascii_lowercase()
    };
    private_hosts.iter().any(|listed| plain(listed) == plain(host))
}

/// Whether an address belongs to the internet at large (the registries of special-purpose addresses, RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        // Shared among a provider's customers; protocol assignments; 6to4 relays; benchmarks.
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b));
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        // IPv4 in another dress: mapped, translated (RFC 6052), 6to4.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => embedded(high, low),
        [0x2002, high, low, ..] => embedded(high, low),
        // Protocol assignments with Teredo among them, documentation.
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => false,
        [0x3fff, second, ..] if second < 0x1000 => false,
        // All that is given out lies in 2000::/3.
        [first, ..] => (0x2000..0x4000).contains(&first),
    }
}

/// Resolves names to public addresses alone, unless the operator has listed the name.
#[derive(Debug, Clone)]
pub(super) struct GuardedResolver {
    pub(super) private_hosts: Arc<[String]>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let private_hosts = self.private_hosts.clone();
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let allowed = allowed(&found, is_listed(name.as_str(), &private_hosts))?;
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// Those of a name's addresses that may be connected to.
fn allowed(found: &[SocketAddr], listed: bool) -> Result<Vec<SocketAddr>, AddressFault> {
    let kept: Vec<_> = found
        .iter()
        .filter(|address| listed || is_public(address.ip()))
        .copied()
        .collect();
    if kept.is_empty() && !found.is_empty() {
        return Err(AddressFault::Private);
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_private_and_special_networks_are_not_public() {
        for private in [
            "127.0.0.1",
            "127.8.9.1",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "0.1.2.3",
            "100.64.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::7f00:1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:c0a8:101::1",
            "2001::1",
            "2001:db8::1",
            "fe80::1",
            "fec0::1",
            "fc00::1",
            "fd12:3456::1",
            "ff02::1",
            "100::1",
            "3fff::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "172.32.0.1",
            "172.15.255.255",
            "100.63.255.255",
            "100.128.0.1",
            "198.20.0.1",
            "192.0.1.1",
            "2606:4700::1111",
            "2001:4860::8888",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2002:808:808::1",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn an_address_is_https_and_public_unless_its_host_is_listed() {
        let listed = [
            "hooks.internal".to_owned(),
            "127.0.0.1".to_owned(),
            "::1".to_owned(),
        ];
        let fault = |url: &str| check(url, &listed).err();
        for good in [
            "https://example.com/hook?a=b",
            "https://example.com:8443",
            "http://hooks.internal/x",
            "http://HOOKS.internal./x",
            "http://127.0.0.1:9/x",
            "https://[::1]/x",
            "https://8.8.8.8/",
        ] {
            assert_eq!(fault(good), None, "{good}");
        }
        for (bad, why) in [
            ("http://example.com/", AddressFault::NotEncrypted),
            ("https://10.0.0.1/", AddressFault::Private),
            // Other spellings of 127.0.0.2, 10.0.0.1 and 169.254.169.254.
            ("https://127.2/", AddressFault::Private),
            ("https://0xa000001/", AddressFault::Private),
            ("https://2852039166/", AddressFault::Private),
            ("https://[::ffff:169.254.169.254]/", AddressFault::Private),
            ("https://user:word@example.com/", AddressFault::Unreadable),
            ("https://example.com/#part", AddressFault::Unreadable),
            ("ftp://example.com/", AddressFault::Unreadable),
            ("file:///etc/passwd", AddressFault::Unreadable),
            ("example.com", AddressFault::Unreadable),
            ("", AddressFault::Unreadable),
        ] {
            assert_eq!(fault(bad), Some(why), "{bad}");
        }
        let long = format!("https://example.com/{}", "x".repeat(MAX_URL_BYTES));
        assert_eq!(fault(&long), Some(AddressFault::Unreadable));
    }

    #[test]
    fn of_a_names_addresses_only_the_public_ones_are_connected_to() {
        let found = ["127.0.0.1:0", "8.8.8.8:0", "[fd00::1]:0"].map(|text| text.parse().unwrap());
        assert_eq!(allowed(&found, false), Ok(vec![found[1]]));
        assert_eq!(allowed(&found[..1], false), Err(AddressFault::Private));
        assert_eq!(allowed(&found, true), Ok(found.to_vec()));
    }

    #[tokio::test]
    async fn a_name_that_turns_out_to_lead_inside_is_refused_by_the_resolver() {
        let resolver = |listed: &[&str]| GuardedResolver {
            private_hosts: listed.iter().map(|host| (*host).to_owned()).collect(),
        };
        let name = || "localhost".parse::<Name>().unwrap();
        let refused = resolver(&[]).resolve(name()).await.err().unwrap();
        assert_eq!(refused.downcast_ref(), Some(&AddressFault::Private));
        assert!(resolver(&["localhost"]).resolve(name()).await.is_ok());
    }
}
