//! Local sign-in: one token, kept in the data folder, and a limit on wrong guesses.

use crate::{clock::Clock, secret::Secret};
use std::{
    collections::HashMap,
    io::{self, Read as _, Write as _},
    net::{IpAddr, Ipv6Addr},
    path::Path,
    sync::{Mutex, PoisonError},
};

/// The token's file in the data folder.
pub const TOKEN_FILE: &str = "local-token";
/// Wrong guesses that an address has at once.
const BURST: i64 = 10;
/// How long an address waits for one more.
const REFILL_MS: i64 = 6_000;
/// Addresses remembered at most.
const REMEMBERED: usize = 10_000;

/// The sign-in token of this data folder, made where it isn't there; readable by its owner alone.
///
/// # Errors
/// The file can't be read or written, or holds nothing.
pub fn token_in(data_dir: &Path) -> io::Result<Secret> {
    let path = data_dir.join(TOKEN_FILE);
    match std::fs::File::open(&path) {
        Ok(mut file) => {
            let mut text = String::new();
            file.read_to_string(&mut text)?;
            let text = text.trim();
            if text.len() < 16 {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!(
                        "`{}` holds no token; delete it and a new one is made",
                        path.display()
                    ),
                ));
            }
            Ok(Secret::new(text))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(data_dir, &path),
        Err(error) => Err(error),
    }
}

fn create(data_dir: &Path, path: &Path) -> io::Result<Secret> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    let token: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let partial = data_dir.join(format!("{TOKEN_FILE}.{}", uuid::Uuid::new_v4().simple()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&partial)?;
    file.write_all(token.as_bytes())?;
    file.sync_all()?;
    // A link instead of a rename: who comes second must take the first one's token, not replace it.
    let linked = std::fs::hard_link(&partial, path);
    std::fs::remove_file(&partial)?;
    match linked {
        Ok(()) => Ok(Secret::new(token)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => token_in(data_dir),
        Err(error) => Err(error),
    }
}

/// Counts wrong guesses by the address of the peer, as the socket tells it: never by a header.
pub struct GuessLimit {
    clock: Clock,
    spent: Mutex<HashMap<IpAddr, Spent>>,
}

#[derive(Clone, Copy)]
struct Spent {
    guesses: i64,
    counted_at_ms: i64,
}

impl Spent {
    const fn at(self, now_ms: i64) -> i64 {
        let refilled = (now_ms - self.counted_at_ms) / REFILL_MS;
        if refilled >= self.guesses {
            0
        } else {
            self.guesses - refilled
        }
    }
}

impl GuessLimit {
    /// A limit that nobody has spent anything of.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            spent: Mutex::default(),
        }
    }

    /// Seconds that this address has to wait, if it has spent its guesses.
    #[must_use]
    pub fn wait_seconds(&self, address: IpAddr) -> Option<u64> {
        let now = self.clock.now().unix_ms();
        let spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        let at = spent.get(&canonical(address))?;
        (at.at(now) >= BURST).then_some(u64::try_from(REFILL_MS / 1000).unwrap_or(1))
    }

    /// Counts one wrong guess.
    pub fn count(&self, address: IpAddr) {
        let now = self.clock.now().unix_ms();
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        if spent.len() >= REMEMBERED {
            spent.retain(|_, spent| spent.at(now) > 0);
        }
        let entry = spent.entry(canonical(address)).or_insert(Spent {
            guesses: 0,
            counted_at_ms: now,
        });
        *entry = Spent {
            guesses: entry.at(now) + 1,
            counted_at_ms: now,
        };
    }
}

/// One spelling for one peer: an IPv4 address in IPv6 clothes is itself, an IPv6 network of 64 bits is one peer.
fn canonical(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::timestamp::Timestamp;

    #[test]
    fn the_token_is_made_once_and_readable_by_its_owner_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = token_in(folder.path()).expect("made");
        let second = token_in(folder.path()).expect("read");
        assert_eq!(first.expose(), second.expose());
        assert_eq!(first.expose().len(), 64);
        assert_eq!(std::fs::read_dir(folder.path()).expect("lists").count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(folder.path().join(TOKEN_FILE))
                .expect("there")
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn an_empty_token_file_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(TOKEN_FILE), "\n").expect("writes");
        assert!(token_in(folder.path()).is_err());
    }

    #[test]
    fn guesses_run_out_and_come_back_one_by_one() {
        let clock = Clock::manual(Timestamp::from_unix_ms(0));
        let limit = GuessLimit::new(clock.clone());
        let address: IpAddr = "192.0.2.1".parse().expect("an address");
        for _ in 0..BURST {
            assert_eq!(limit.wait_seconds(address), None);
            limit.count(address);
        }
        assert_eq!(limit.wait_seconds(address), Some(6));
        clock.advance_ms(REFILL_MS);
        assert_eq!(limit.wait_seconds(address), None);
        limit.count(address);
        assert_eq!(limit.wait_seconds(address), Some(6));
    }

    #[test]
    fn another_spelling_of_an_address_is_the_same_peer() {
        let limit = GuessLimit::new(Clock::manual(Timestamp::from_unix_ms(0)));
        let parse = |text: &str| text.parse::<IpAddr>().expect("an address");
        for _ in 0..BURST {
            limit.count(parse("192.0.2.1"));
            limit.count(parse("2001:db8::1"));
        }
        assert!(limit.wait_seconds(parse("::ffff:192.0.2.1")).is_some());
        assert!(limit.wait_seconds(parse("2001:db8::ffff:2")).is_some());
        assert!(limit.wait_seconds(parse("2001:db8:0:1::1")).is_none());
        assert!(limit.wait_seconds(parse("192.0.2.2")).is_none());
    }
}
