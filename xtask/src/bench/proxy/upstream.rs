//! A Job Training API of ten jobs, as fast as threads can answer; it counts what it is asked, and answers the same each time
//! or something else each time.

use super::http::read_headers;
use anyhow::{Context, Result};
use std::{
    fmt::Write as _,
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

/// What it wants in `x-api-key`.
pub(super) const KEY: &str = "key-of-the-benchmark-0123456789";

/// How the times end in an answer; what changes are its digits.
const TIME_ENDS: &[u8] = b".000Z";

/// A running upstream; it ends with the process.
pub(super) struct Upstream {
    pub(super) address: SocketAddr,
    state: Arc<State>,
}

struct State {
    asked: AtomicU64,
    /// Each answer differs from the one before.
    changes: AtomicBool,
    answer: Vec<u8>,
    /// Where the answer has the digits that change.
    digits: usize,
}

impl Upstream {
    pub(super) fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("no free port")?;
        let address = listener.local_addr()?;
        let answer = answer(&jobs());
        let place = answer.windows(TIME_ENDS.len()).position(|part| part == TIME_ENDS);
        let state = Arc::new(State {
            asked: AtomicU64::new(0),
            changes: AtomicBool::new(false),
            digits: place.context("the answer has no time")? + 1,
            answer,
        });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                thread::spawn(move || serve(stream, &state));
            }
        });
        Ok(Self { address, state })
    }

    /// Whether each answer differs from the one before.
    pub(super) fn set_changes(&self, changes: bool) {
        self.state.changes.store(changes, Ordering::Relaxed);
    }

    /// How often its list was asked for with the right key.
    pub(super) fn asked(&self) -> u64 {
        self.state.asked.load(Ordering::Relaxed)
    }
}

/// Answers until the caller leaves.
fn serve(mut stream: TcpStream, state: &State) {
    let Ok(reading) = stream.try_clone() else { return };
    // Only costs time where it fails.
    let _slower = stream.set_nodelay(true);
    let mut reader = BufReader::new(reading);
    loop {
        let mut first = String::new();
        if !reader.read_line(&mut first).is_ok_and(|read| read > 0) {
            return;
        }
        let Ok(headers) = read_headers(&mut reader) else {
            return;
        };
        let known = headers.iter().any(|line| {
            line.split_once(':')
                .is_some_and(|(name, value)| name.eq_ignore_ascii_case("x-api-key") && value.trim() == KEY)
        });
        let sent = if known && first.starts_with("GET /api/jobs") {
            let count = state.asked.fetch_add(1, Ordering::Relaxed);
            if state.changes.load(Ordering::Relaxed) {
                let mut answer = state.answer.clone();
                let digits = format!("{:03}", count % 1_000);
                answer[state.digits..state.digits + 3].copy_from_slice(digits.as_bytes());
                stream.write_all(&answer)
            } else {
                stream.write_all(&state.answer)
            }
        } else {
            stream.write_all(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n")
        };
        if sent.is_err() {
            return;
        }
    }
}

fn answer(body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Ten jobs in the contract's shape, newest first: 2.8 kB.
pub(super) fn jobs() -> String {
    let models = [
        "meta-llama/Llama-3.1-8B-Instruct",
        "deepseek-ai/DeepSeek-R1-Distill-Llama-70B",
        "Qwen/QwQ-32B",
    ];
    let statuses = ["Completed", "Running", "Failed"];
    let mut jobs = String::new();
    for number in (0..10_usize).rev() {
        let (model, status) = (models[number % 3], statuses[number % 3]);
        let comma = if number == 0 { "" } else { "," };
        // Writing to a String can't fail.
        let _infallible = write!(
            jobs,
            r#"{{"id":"6f1d2c3b-8a4e-4f5a-9b6c-0000000000{number:02}","name":"support-triage-{number}","baseModel":"{model}","epochs":20,"evaluationEpochs":4,"warmupEpochs":2,"learningRate":0.0003,"status":"{status}","date":"2026-03-{day:02}T10:20:30.000Z","createdAt":"2026-03-{day:02}T10:20:30.000Z"}}{comma}"#,
            day = number + 1
        );
    }
    format!(r#"{{"jobs":[{jobs}],"summary":{{"completed":4,"running":3,"failed":3}}}}"#)
}

#[cfg(test)]
mod tests {
    use super::{super::http::Connection, *};

    #[test]
    fn answers_are_the_same_until_they_are_told_to_change() {
        let upstream = Upstream::start().expect("a free port");
        let request = format!("GET /api/jobs HTTP/1.1\r\nhost: x\r\nx-api-key: {KEY}\r\n\r\n");
        let mut connection = Connection::open(upstream.address).expect("it listens");
        let mut ask = || connection.exchange(request.as_bytes()).expect("an answer").body;
        assert_eq!(ask(), ask());
        upstream.set_changes(true);
        let (one, other) = (ask(), ask());
        assert_eq!(one.len(), other.len());
        assert_ne!(one, other);
        assert_eq!(upstream.asked(), 4);
    }

    #[test]
    fn the_answer_is_as_large_as_the_goal_says() {
        assert!((2_600..3_000).contains(&jobs().len()));
    }
}
