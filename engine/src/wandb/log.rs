//! The file around the records: `LevelDB`'s log format with a mark of the client's own before it.
//!
//! The file is cut into blocks of 32 KiB. A record is written in parts that each fit into what is left of a block, each with a
//! head of seven bytes: CRC-32 (zlib's) of the part's kind and its bytes, their number, and the kind. Where fewer than seven
//! bytes are left of a block, they are zeros.

use std::io::{self, Write};

const BLOCK: usize = 32 * 1024;
const HEAD: usize = 7;
/// The client's mark, a number that tells the order of bytes, and the version of the format.
const MARK: [u8; HEAD] = *b":W&B\xe1\xbe\x00";

/// Writes records.
pub(super) struct LogWriter<W> {
    out: W,
    /// Bytes of the block that is being written.
    used: usize,
}

impl<W: Write> LogWriter<W> {
    /// Begins a file.
    pub(super) fn begin(mut out: W) -> io::Result<Self> {
        out.write_all(&MARK)?;
        Ok(Self { out, used: HEAD })
    }

    /// Appends a record.
    pub(super) fn write(&mut self, record: &[u8]) -> io::Result<()> {
        let (mut rest, mut is_first) = (record, true);
        loop {
            if BLOCK - self.used < HEAD {
                let zeros = [0; HEAD];
                self.out
                    .write_all(zeros.get(..BLOCK - self.used).unwrap_or_default())?;
                self.used = 0;
            }
            let room = BLOCK - self.used - HEAD;
            let (part, after) = rest.split_at_checked(room).unwrap_or((rest, &[]));
            let is_last = part.len() == rest.len();
            let kind: u8 = match (is_first, is_last) {
                (true, true) => 1,
                (true, false) => 2,
                (false, false) => 3,
                (false, true) => 4,
            };
            self.write_part(kind, part)?;
            if is_last {
                return Ok(());
            }
            (rest, is_first) = (after, false);
        }
    }

    fn write_part(&mut self, kind: u8, part: &[u8]) -> io::Result<()> {
        let mut checksum = crc32fast::Hasher::new();
        checksum.update(&[kind]);
        checksum.update(part);
        // Never more than a block.
        let length = u16::try_from(part.len()).map_err(io::Error::other)?;
        self.out.write_all(&checksum.finalize().to_le_bytes())?;
        self.out.write_all(&length.to_le_bytes())?;
        self.out.write_all(&[kind])?;
        self.out.write_all(part)?;
        self.used += HEAD + part.len();
        Ok(())
    }

    /// Where it was written to.
    pub(super) fn into_inner(self) -> W {
        self.out
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads records back, as `LevelDB`'s format is described.
    pub(in crate::wandb) fn read(file: &[u8]) -> Vec<Vec<u8>> {
        assert_eq!(file[..HEAD], MARK);
        let (mut records, mut open) = (Vec::new(), None::<Vec<u8>>);
        let mut at = HEAD;
        while at < file.len() {
            let left = BLOCK - at % BLOCK;
            if left < HEAD {
                assert!(file[at..at + left].iter().all(|byte| *byte == 0));
                at += left;
                continue;
            }
            let checksum = u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
            let length = usize::from(u16::from_le_bytes(file[at + 4..at + 6].try_into().unwrap()));
            let kind = file[at + 6];
            assert!(HEAD + length <= left, "a part stays within its block");
            let part = &file[at + HEAD..at + HEAD + length];
            assert_eq!(crc32fast::hash(&[&[kind], part].concat()), checksum);
            match (kind, open.take()) {
                (1, None) => records.push(part.to_vec()),
                (2, None) => open = Some(part.to_vec()),
                (3, Some(before)) => open = Some([&before, part].concat()),
                (4, Some(before)) => records.push([&before, part].concat()),
                (kind, before) => panic!("a part of kind {kind} after {before:?}"),
            }
            at += HEAD + length;
        }
        assert_eq!(open, None);
        records
    }

    fn written(records: &[Vec<u8>]) -> Vec<u8> {
        let mut log = LogWriter::begin(Vec::new()).unwrap();
        for record in records {
            log.write(record).unwrap();
        }
        log.into_inner()
    }

    proptest! {
        #[test]
        fn records_of_any_size_come_back(sizes in proptest::collection::vec(0..100_000_usize, 0..8)) {
            let records: Vec<Vec<u8>> = sizes.iter().enumerate().map(|(fill, size)| vec![fill as u8; *size]).collect();
            prop_assert_eq!(read(&written(&records)), records);
        }
    }

    #[test]
    fn records_that_end_near_a_blocks_end_come_back() {
        for left in 0..20 {
            let records = [vec![7; BLOCK - 2 * HEAD - left], b"next".to_vec()];
            assert_eq!(read(&written(&records)), records, "{left} bytes are left");
        }
    }
}
