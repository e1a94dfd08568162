//! Which lines of a file are examples, and where they lie; the file itself needn't be held.

use std::{
    fs::File,
    io::{self, BufRead, Read as _, Seek as _, SeekFrom},
};

/// Where an example lies in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    /// From 1; blank lines count.
    pub(crate) number: u64,
    /// Its first byte.
    pub(crate) start: u64,
    /// Its bytes, the end of the line not among them.
    pub(crate) length: usize,
}

/// Every line that isn't blank, in order: the examples of the file, by whose places in this list an epoch's order goes.
///
/// # Errors
/// The file can't be read.
pub(crate) fn example_lines(mut file: impl BufRead) -> io::Result<Vec<Line>> {
    let (mut lines, mut text) = (Vec::new(), Vec::new());
    let (mut number, mut start) = (0, 0);
    loop {
        text.clear();
        let read = file.read_until(b'\n', &mut text)?;
        if read == 0 {
            return Ok(lines);
        }
        number += 1;
        if !text.trim_ascii().is_empty() {
            lines.push(Line {
                number,
                start,
                length: text.strip_suffix(b"\n").unwrap_or(&text).len(),
            });
        }
        start += read as u64;
    }
}

impl Line {
    /// The line in a file that is held.
    pub(crate) fn of<'a>(&self, file: &'a [u8]) -> &'a [u8] {
        file.get(self.start as usize..)
            .and_then(|rest| rest.get(..self.length))
            .unwrap_or_default()
            .trim_ascii()
    }

    /// Reads the line.
    ///
    /// # Errors
    /// The file can't be read.
    pub(crate) fn read(&self, file: &mut File) -> io::Result<Vec<u8>> {
        let mut text = vec![0; self.length];
        file.seek(SeekFrom::Start(self.start))?;
        file.read_exact(&mut text)?;
        Ok(text.trim_ascii().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufReader, Write as _};

    #[test]
    fn blank_lines_count_but_are_no_examples_and_an_unread_file_gives_the_same_lines() {
        let text = b"\n  {\"a\": 1} \r\n \t\r\n{}\n{\"last\": 2}";
        let lines = example_lines(&text[..]).unwrap();
        let numbers: Vec<u64> = lines.iter().map(|line| line.number).collect();
        assert_eq!(numbers, [2, 4, 5]);
        let held: Vec<&[u8]> = lines.iter().map(|line| line.of(text)).collect();
        assert_eq!(held, [&b"{\"a\": 1}"[..], b"{}", b"{\"last\": 2}"]);
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text).unwrap();
        file.rewind().unwrap();
        // A buffer shorter than the lines.
        assert_eq!(example_lines(BufReader::with_capacity(3, &file)).unwrap(), lines);
        for (line, held) in lines.iter().zip(held) {
            assert_eq!(line.read(&mut file).unwrap(), held);
        }
    }
}
