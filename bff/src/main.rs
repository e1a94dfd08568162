//! The binary `attune`; everything is in the library.

use std::process::ExitCode;

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
