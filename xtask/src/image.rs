//! `cargo xtask image`: the server as one static binary on an empty base, in an archive that `podman load`,
//! `docker load` and `skopeo copy oci-archive:…` take. An image is a few JSON files and a tar, so no builder is needed.
//!
//! What is in it depends on nothing but the sources and the certificates: the same input gives the same bytes.

mod layout;
mod tar;

use crate::{arguments::ImageOptions, browser_build, process, project, stage::stage, tools};
use anyhow::{Context, Result, bail};
use layout::Layout;
use std::{env, fs, path::PathBuf, process::ExitCode};
use tar::{Entry, Tar};

/// Nobody in particular: a user that no system gives to anything else.
const USER: u32 = 65_532;
/// Where Linux systems keep the certificates of the authorities that they believe. TLS towards an upstream needs them.
const CERTIFICATES: &str = "etc/ssl/certs/ca-certificates.crt";

/// Builds the archive and tells where it is and what it weighs.
///
/// # Errors
/// Something can't be installed, built or written.
pub(crate) fn image(options: &ImageOptions) -> Result<ExitCode> {
    let target = target()?;
    tools::ensure_static(target)?;
    stage("page", browser_build::build)?;
    let server = stage("static server", || build(target, options.thin))?;
    let archive = stage("image", || pack(&server, options))?;
    println!(
        "server: {} ({})",
        server.display(),
        megabytes(fs::metadata(&server)?.len())
    );
    println!(
        "image:  {} ({})",
        archive.display(),
        megabytes(fs::metadata(&archive)?.len())
    );
    Ok(ExitCode::SUCCESS)
}

/// This machine's processor, without a C library of the system.
fn target() -> Result<&'static str> {
    match env::consts::ARCH {
        "x86_64" => Ok("x86_64-unknown-linux-musl"),
        "aarch64" => Ok("aarch64-unknown-linux-musl"),
        other => bail!("images are made for x86_64 and aarch64, not for {other}"),
    }
}

fn build(target: &str, thin: bool) -> Result<PathBuf> {
    let mut cargo = process::cargo()?;
    cargo.args(["build", "--release", "--package", "bff", "--target", target]);
    if thin {
        cargo.arg("--no-default-features");
    }
    process::run(&mut cargo)?;
    Ok(project::target().join(target).join("release/attune"))
}

fn pack(server: &PathBuf, options: &ImageOptions) -> Result<PathBuf> {
    let certificates = PathBuf::from("/").join(CERTIFICATES);
    let certificates = fs::read(&certificates).with_context(|| {
        format!(
            "can't read `{}`: install the package ca-certificates",
            certificates.display()
        )
    })?;
    let server = fs::read(server).with_context(|| format!("can't read `{}`", server.display()))?;
    let mut files = Tar::default();
    for folder in ["etc/", "etc/ssl/", "etc/ssl/certs/"] {
        files.add(&Entry::folder(folder, 0o755, 0))?;
    }
    files.add(&Entry::file(CERTIFICATES, &certificates, 0o644))?;
    files.add(&Entry::file("attune", &server, 0o755))?;
    files.add(&Entry::folder("data/", 0o700, USER))?;

    let name = if options.thin { "attune-thin" } else { "attune" };
    let version = env!("CARGO_PKG_VERSION");
    let layout = Layout::of(&files.finish(), &format!("{name}:{version}"), version)?;
    let archive = project::target().join(format!("{name}-image.tar"));
    fs::write(&archive, layout.archive()?).with_context(|| format!("can't write `{}`", archive.display()))?;
    Ok(archive)
}

#[expect(clippy::cast_precision_loss, reason = "sizes of files stay far below 2^53")]
fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}
