//! As much of the tar format (POSIX ustar) as an image needs: files and folders with short names, an owner and a mode.
//! Times are 0, so that equal content gives equal bytes.

use anyhow::{Result, ensure};

const BLOCK: usize = 512;

/// A file or a folder.
pub(super) struct Entry<'a> {
    name: &'a str,
    content: &'a [u8],
    mode: u32,
    owner: u32,
    kind: u8,
}

impl<'a> Entry<'a> {
    /// A file of the administrator's.
    pub(super) const fn file(name: &'a str, content: &'a [u8], mode: u32) -> Self {
        Self {
            name,
            content,
            mode,
            owner: 0,
            kind: b'0',
        }
    }

    /// A folder; its name ends with a slash.
    pub(super) const fn folder(name: &'a str, mode: u32, owner: u32) -> Self {
        Self {
            name,
            content: &[],
            mode,
            owner,
            kind: b'5',
        }
    }
}

/// An archive in the making.
#[derive(Default)]
pub(super) struct Tar(Vec<u8>);

impl Tar {
    /// Appends an entry.
    ///
    /// # Errors
    /// Its name is longer than the format holds.
    pub(super) fn add(&mut self, entry: &Entry<'_>) -> Result<()> {
        ensure!(
            entry.name.len() < 100,
            "`{}` is too long a name for a tar",
            entry.name
        );
        let mut header = [0_u8; BLOCK];
        let mut put = |start: usize, text: &str| {
            header[start..start + text.len()].copy_from_slice(text.as_bytes());
        };
        put(0, entry.name);
        put(100, &format!("{:07o}", entry.mode));
        put(108, &format!("{:07o}", entry.owner));
        put(116, &format!("{:07o}", entry.owner));
        put(124, &format!("{:011o}", entry.content.len()));
        put(136, "00000000000");
        // The sum counts its own field as spaces.
        put(148, "        ");
        put(257, "ustar\0");
        put(263, "00");
        header[156] = entry.kind;
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        self.0.extend_from_slice(&header);
        self.0.extend_from_slice(entry.content);
        self.0.resize(self.0.len().next_multiple_of(BLOCK), 0);
        Ok(())
    }

    /// The whole archive.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 2 * BLOCK, 0);
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::Write as _,
        process::{Command, Stdio},
    };

    #[test]
    fn the_systems_tar_lists_what_was_added() {
        let mut archive = Tar::default();
        archive.add(&Entry::folder("data/", 0o700, 65_532)).unwrap();
        archive
            .add(&Entry::file("data/hello", &[b'x'; 700], 0o644))
            .unwrap();
        let mut tar = Command::new("tar")
            .args(["--list", "--verbose", "--numeric-owner", "--utc", "--file=-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        tar.stdin.take().unwrap().write_all(&archive.finish()).unwrap();
        let output = tar.wait_with_output().unwrap();
        assert!(output.status.success());
        let listed = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<Vec<_>> = listed
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(lines[0][..2], ["drwx------", "65532/65532"]);
        assert_eq!(lines[1][..3], ["-rw-r--r--", "0/0", "700"]);
        assert_eq!(lines[1].last(), Some(&"data/hello"));
    }

    #[test]
    fn a_name_that_does_not_fit_is_refused() {
        let name = "a".repeat(100);
        assert!(Tar::default().add(&Entry::file(&name, &[], 0o644)).is_err());
    }
}
