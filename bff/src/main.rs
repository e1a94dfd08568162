//! The binary `attune`; everything is in the library.

use mimalloc::MiMalloc;
use std::process::ExitCode;

/// A request allocates some hundred times, and a trainer in the static build would pay for musl's allocator.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    // Dependencies could bring several: this is the one that TLS uses.
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        return ExitCode::FAILURE;
    }
    bff::cli::main()
}
