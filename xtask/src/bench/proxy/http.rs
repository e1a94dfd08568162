//! As much HTTP/1.1 as the measurement needs: requests that are written beforehand, answers read whole.

use anyhow::{Context, Result, bail};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// Far above what any answer takes.
const PATIENCE: Duration = Duration::from_secs(10);

/// One connection, kept open.
pub(super) struct Connection {
    reader: BufReader<TcpStream>,
}

/// One whole answer.
pub(super) struct Answer {
    pub(super) status: u16,
    /// Lines of the head after the first, as they came.
    pub(super) headers: Vec<String>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// The value of a header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

impl Connection {
    pub(super) fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).with_context(|| format!("can't connect to {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self {
            reader: BufReader::with_capacity(16 << 10, stream),
        })
    }

    /// Sends a request as it is and reads its answer.
    pub(super) fn exchange(&mut self, request: &[u8]) -> Result<Answer> {
        self.reader.get_mut().write_all(request)?;
        let mut first = String::new();
        if self.reader.read_line(&mut first)? == 0 {
            bail!("the connection was closed before an answer");
        }
        let status = first
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .with_context(|| format!("`{}` is no status line", first.trim()))?;
        let mut answer = Answer {
            status,
            headers: read_headers(&mut self.reader)?,
            body: Vec::new(),
        };
        if let Some(length) = answer.header("content-length") {
            answer.body.resize(length.parse()?, 0);
            self.reader.read_exact(&mut answer.body)?;
        } else if answer.header("transfer-encoding").is_some() {
            answer.body = self.chunks()?;
        }
        Ok(answer)
    }

    fn chunks(&mut self) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let mut size = String::new();
            self.reader.read_line(&mut size)?;
            let size = usize::from_str_radix(size.trim(), 16).context("a chunk's size is no number")?;
            let start = body.len();
            body.resize(start + size, 0);
            self.reader.read_exact(&mut body[start..])?;
            let mut end = [0; 2];
            self.reader.read_exact(&mut end)?;
            if size == 0 {
                return Ok(body);
            }
        }
    }
}

/// The lines of a head up to the empty one.
pub(super) fn read_headers(reader: &mut impl BufRead) -> Result<Vec<String>> {
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            bail!("the connection was closed in the middle of a head");
        }
        let line = line.trim_end();
        if line.is_empty() {
            return Ok(headers);
        }
        headers.push(line.to_owned());
    }
}
