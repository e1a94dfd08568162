//! What the end-to-end tests share: the real server on a free port, a client of `/api`, a real browser, and a
//! hosted API to stand in front of.
//!
//! Deliberately not here: any test double of our own code. Everything that is started is the binary that is shipped.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a helper that fails is a failed test"
)]

pub mod api;
pub mod browser;
pub mod clients;
pub mod contract_server;
mod database;
pub mod examples;
pub mod hosted;
pub mod hub;
pub mod import;
pub mod list;
pub mod many_jobs;
pub mod many_steps;
pub mod memory;
pub mod openai_console;
pub mod openai_server;
pub mod pictures;
pub mod process_tree;
pub mod random;
pub mod recorder;
pub mod secrets;
pub mod server;
pub mod small_disk;
pub mod static_host;
pub mod still_life;
pub mod stream;
pub mod torture;
mod wizard;

use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::Once,
};

/// The token that the tests sign in with, unless they are about the token itself.
pub const TOKEN: &str = "end-to-end-0123456789abcdef0123456789abcdef";

/// Gives this process the one crypto provider; HTTP clients can't be made without, even for plain http.
pub(crate) fn install_crypto_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        rustls::crypto::ring::default_provider()
            .install_default()
            .expect("nobody else installs one");
    });
}

/// The names in a folder, hidden ones too; none where there is no folder.
#[must_use]
pub fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.file_name().into_string().expect("a name"))
        .collect();
    names.sort();
    names
}

/// Something that `cargo xtask test` installs for the tests, by its place in the folder of tools.
pub(crate) fn installed(place: &str) -> PathBuf {
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache
        .or_else(|| env::home_dir().map(|home| home.join(".cache")))
        .expect("a home");
    let file = cache.join("attune").join(place);
    assert!(
        file.is_file(),
        "`{}` is missing: `cargo xtask test` installs it",
        file.display()
    );
    file
}
