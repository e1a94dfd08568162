//! The files of an image: one layer, its configuration, its manifest and the index, each found by its SHA-256.

use super::{
    USER,
    tar::{Entry, Tar},
};
use anyhow::{Context, Result};
use flate2::{Compression, GzBuilder};
use sha2::{Digest as _, Sha256};
use std::{env, fmt::Write as _, io::Write as _};

/// Everything that an archive of one image holds.
pub(super) struct Layout {
    /// Layer, configuration and manifest.
    blobs: Vec<Blob>,
    index: String,
    /// The same image in the words of older `docker load`s.
    manifest: String,
}

struct Blob {
    digest: String,
    content: Vec<u8>,
}

impl Blob {
    fn new(content: Vec<u8>) -> Self {
        Self {
            digest: digest(&content),
            content,
        }
    }

    fn descriptor(&self, media_type: &str) -> String {
        format!(
            r#""mediaType":"application/vnd.oci.image.{media_type}","digest":"sha256:{}","size":{}"#,
            self.digest,
            self.content.len()
        )
    }

    fn path(&self) -> String {
        format!("blobs/sha256/{}", self.digest)
    }
}

impl Layout {
    /// An image whose files are those of `layer`, a tar.
    ///
    /// # Errors
    /// None that memory can give; the signature is the library's.
    pub(super) fn of(layer: &[u8], name: &str, version: &str) -> Result<Self> {
        // No time and no file name in its head: the same layer, the same bytes.
        let mut gzip = GzBuilder::new().write(Vec::new(), Compression::best());
        gzip.write_all(layer)?;
        let layer_blob = Blob::new(gzip.finish()?);
        let config = Blob::new(configuration(&digest(layer), version).into_bytes());
        let manifest = Blob::new(
            format!(
                r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{{}}},"layers":[{{{}}}]}}"#,
                config.descriptor("config.v1+json"),
                layer_blob.descriptor("layer.v1.tar+gzip")
            )
            .into_bytes(),
        );
        let index = format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{{{},"annotations":{{"io.containerd.image.name":"docker.io/library/{name}","org.opencontainers.image.ref.name":"localhost/{name}"}}}}]}}"#,
            manifest.descriptor("manifest.v1+json")
        );
        let legacy = format!(
            r#"[{{"Config":"{}","RepoTags":["{name}"],"Layers":["{}"]}}]"#,
            config.path(),
            layer_blob.path()
        );
        Ok(Self {
            blobs: vec![layer_blob, config, manifest],
            index,
            manifest: legacy,
        })
    }

    /// All of it as one tar.
    ///
    /// # Errors
    /// A name is too long, which none of ours is.
    pub(super) fn archive(&self) -> Result<Vec<u8>> {
        let mut archive = Tar::default();
        let mut add = |name: &str, content: &[u8]| archive.add(&Entry::file(name, content, 0o644));
        add("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        add("index.json", self.index.as_bytes())?;
        add("manifest.json", self.manifest.as_bytes())?;
        for blob in &self.blobs {
            add(&blob.path(), &blob.content).context("an image's blob")?;
        }
        Ok(archive.finish())
    }
}

/// How the image is run: as nobody in particular, listening on every address of the container, with everything that is
/// written in one volume, SQLite's scratch files too.
fn configuration(diff_id: &str, version: &str) -> String {
    let architecture = if env::consts::ARCH == "aarch64" {
        "arm64"
    } else {
        "amd64"
    };
    format!(
        r#"{{"architecture":"{architecture}","os":"linux","config":{{"User":"{USER}:{USER}","ExposedPorts":{{"8080/tcp":{{}}}},"Env":["ATTUNE_LISTEN=0.0.0.0:8080","ATTUNE_DATA_DIR=/data","TMPDIR=/data"],"Entrypoint":["/attune"],"Cmd":["serve"],"Volumes":{{"/data":{{}}}},"WorkingDir":"/data","StopSignal":"SIGTERM","Labels":{{"org.opencontainers.image.title":"Attune","org.opencontainers.image.version":"{version}","org.opencontainers.image.licenses":"MIT OR Apache-2.0"}},"Healthcheck":{{"Test":["CMD","/attune","health"],"Interval":30000000000,"Timeout":5000000000,"StartPeriod":5000000000,"Retries":3}}}},"rootfs":{{"type":"layers","diff_ids":["sha256:{diff_id}"]}},"history":[{{"created_by":"cargo xtask image"}}]}}"#
    )
}

fn digest(content: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(content) {
        // Writing to a String can't fail.
        let _infallible = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_files_make_the_same_archive() {
        let archive = || {
            let mut files = Tar::default();
            files.add(&Entry::file("attune", b"binary", 0o755)).unwrap();
            Layout::of(&files.finish(), "attune:1", "1")
                .unwrap()
                .archive()
                .unwrap()
        };
        assert_eq!(archive(), archive());
    }

    #[test]
    fn every_blob_is_named_by_its_hash_and_described_with_its_size() {
        let layout = Layout::of(b"layer", "attune:1", "1").unwrap();
        let [layer, config, manifest] = &layout.blobs[..] else {
            panic!("three blobs");
        };
        for blob in &layout.blobs {
            assert_eq!(digest(&blob.content), blob.digest);
        }
        let told = String::from_utf8(manifest.content.clone()).unwrap();
        for blob in [layer, config] {
            assert!(told.contains(&format!(
                r#""digest":"sha256:{}","size":{}"#,
                blob.digest,
                blob.content.len()
            )));
        }
        assert!(layout.index.contains(&manifest.digest));
        let told = String::from_utf8(config.content.clone()).unwrap();
        assert!(
            told.contains(&digest(b"layer")),
            "the configuration knows the layer by what it holds"
        );
    }
}
