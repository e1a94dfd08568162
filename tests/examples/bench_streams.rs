//! `cargo xtask bench streams`: very many open live streams on one server: what each holds, and how long an event takes
//! to reach them all.
//!
//!     bench_streams [STREAMS]
//!
//! Everybody follows one job, which waits behind another whose trainer is stopped, so that nothing else wants the
//! processors. It is paused and resumed in turn; each time is from before the request until the stream's bytes are read.
//! Readers that read nothing follow a job with a long record, through a small buffer.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and fails loudly"
)]

use futures_util::{StreamExt as _, stream};
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use shared::{id::JobId, job::Job, status::JobStatus};
use sqlx::Connection as _;
use std::{
    env,
    net::SocketAddr,
    process::ExitCode,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tests::{
    api::Api,
    memory::resident_at_rest,
    process_tree,
    server::{Server, Setup},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    sync::mpsc,
    time::{interval, timeout},
};

const STREAMS: usize = 10_000;
/// Streams that are being opened at once.
const AT_ONCE: usize = 64;
const SESSIONS: usize = 10;
/// Streams that are opened and closed before anything is measured.
const WARM_UP: usize = 200;
/// Events that are told to all, a pause and a resumption in turn.
const ROUNDS: usize = 20;
const SLOW_READERS: usize = 500;
/// The record that slow readers don't read: far more than the buffers between.
const LONG_RECORD: i64 = 40_000;
const SMALL_BUFFER: u32 = 4_096;
/// Client addresses, so that no port runs out.
const ADDRESSES: usize = 8;
const PATIENCE: Duration = Duration::from_secs(120);

/// Goals: KiB a stream, milliseconds until an event has reached all.
const GOAL_KIB: f64 = 8.0;
const GOAL_MS: f64 = 1_000.0;

/// What the readers wait for, and who hears when it came.
struct Watch {
    /// The status that is awaited: its number in the sequence, and when it was asked for.
    round: AtomicUsize,
    asked: Mutex<Instant>,
    arrived: mpsc::UnboundedSender<Duration>,
}

const STATUSES: [&str; 2] = ["\"status\":\"paused\"", "\"status\":\"queued\""];

#[tokio::main]
async fn main() -> ExitCode {
    let streams = env::args()
        .nth(1)
        .map_or(STREAMS, |count| count.parse().expect("a number"));
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: limit.maximum,
        ..limit
    };
    setrlimit(Resource::Nofile, most).expect("more open files");

    let server = Setup::new().start().await;
    let api = Api::signed_in(&server).await;
    let mut cookies = vec![api.cookie().to_owned()];
    for _ in 1..SESSIONS {
        cookies.push(Api::signed_in(&server).await.cookie().to_owned());
    }
    let (stopped, followed, recorded) = jobs(&server, &api).await;
    let address: SocketAddr = server
        .address
        .trim_start_matches("http://")
        .parse()
        .expect("an address");
    let open = async |job: &JobId, count: usize, buffer: Option<u32>| -> Vec<TcpStream> {
        let cookie = |number| &cookies[number % SESSIONS];
        stream::iter(0..count)
            .map(|number| connect(address, number, job, cookie(number), buffer))
            .buffer_unordered(AT_ONCE)
            .collect()
            .await
    };

    drop(open(&followed, WARM_UP, None).await);
    let before = resident_at_rest(server.id()).await;

    let start = Instant::now();
    let (arrived, mut arrivals) = mpsc::unbounded_channel();
    let watch = Arc::new(Watch {
        round: AtomicUsize::new(0),
        asked: Mutex::new(Instant::now()),
        arrived,
    });
    for stream in open(&followed, streams, None).await {
        tokio::spawn(read(stream, Arc::clone(&watch)));
    }
    let opening = start.elapsed();
    let opened = resident_at_rest(server.id()).await;

    let mut latencies = Vec::new();
    for round in 1..=ROUNDS {
        *watch.asked.lock().expect("not poisoned") = Instant::now();
        watch.round.store(round, Ordering::SeqCst);
        let action = if round % 2 == 1 { "pause" } else { "resume" };
        let answer = api
            .post(&format!("/api/jobs/{followed}/{action}"), &serde_json::json!({}))
            .await;
        assert!(answer.status.is_success(), "{}", answer.body);
        for _ in 0..streams {
            let latency = timeout(PATIENCE, arrivals.recv()).await;
            latencies.push(latency.expect("it reaches all").expect("all read").as_secs_f64() * 1_000.0);
        }
    }
    latencies.sort_by(f64::total_cmp);
    let told = resident_at_rest(server.id()).await;

    let slow = open(&recorded, SLOW_READERS, Some(SMALL_BUFFER)).await;
    let slowed = resident_at_rest(server.id()).await;

    let kib = |more: u64, less: u64, count: usize| (more as f64 - less as f64) / 1_024.0 / count as f64;
    let (each, each_told) = (kib(opened, before, streams), kib(told, before, streams));
    let p99 = at(&latencies, 0.99);
    println!("{:<44} {:>10} {:>8}", format!("{streams} streams"), "", "goal");
    println!(
        "{:<44} {:>10.1}",
        "server before, MiB",
        before as f64 / 1_048_576.0
    );
    println!("{:<44} {:>10.1}", "opened, s", opening.as_secs_f64());
    println!("{:<44} {each:>10.2} {GOAL_KIB:>8}", "each holds, KiB");
    println!(
        "{:<44} {each_told:>10.2} {GOAL_KIB:>8}",
        format!("after {ROUNDS} events, KiB")
    );
    println!(
        "{:<44} {:>10.0}",
        "an event's way, median ms",
        at(&latencies, 0.5)
    );
    println!("{:<44} {p99:>10.0} {GOAL_MS:>8}", "99 of 100, ms");
    println!("{:<44} {:>10.0}", "the last, ms", at(&latencies, 1.0));
    println!(
        "{:<44} {:>10.2}",
        format!("{SLOW_READERS} that read nothing hold, KiB each"),
        kib(slowed, told, SLOW_READERS)
    );
    drop(slow);
    process_tree::signal(stopped, Signal::KILL);
    if each.max(each_told) <= GOAL_KIB && p99 <= GOAL_MS {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// A trainer that is stopped; behind its job one that waits, and another with a long record.
async fn jobs(server: &Server, api: &Api) -> (u32, JobId, JobId) {
    let body = api.new_job("stopped", 96, 50).await;
    api.create_job(&body).await;
    let mut ticks = interval(Duration::from_millis(20));
    let trainer = loop {
        ticks.tick().await;
        if let Some(trainer) = server.trainer() {
            break trainer;
        }
    };
    process_tree::signal(trainer, Signal::STOP);
    let mut waiting = Vec::new();
    for name in ["followed", "recorded"] {
        let mut body = body.clone();
        body.name = name.to_owned();
        let id = api.create_job(&body).await.id;
        let queued = async {
            loop {
                ticks.tick().await;
                let job: Job = api.job(&id).await;
                if job.status == JobStatus::Queued {
                    break;
                }
            }
        };
        timeout(PATIENCE, queued).await.expect("it waits");
        waiting.push(id);
    }
    let recorded = waiting.pop().expect("two");
    lengthen(server, &recorded).await;
    (trainer, waiting.pop().expect("two"), recorded)
}

/// Adds very many entries to a job's record.
async fn lengthen(server: &Server, job: &JobId) {
    let mut database = server.setup.database().await;
    let mut transaction = database.begin().await.expect("a transaction");
    sqlx::query(
        "WITH RECURSIVE places(place) AS (SELECT 1 UNION ALL SELECT place + 1 FROM places WHERE place < $2) \
         INSERT INTO events (job_id, seq, owner, created_at, level, message) \
         SELECT id, last_seq + place, owner, created_at, 'info', 'Something worth telling happened, number ' || place \
         FROM jobs, places WHERE id = $1",
    )
    .bind(job.as_str())
    .bind(LONG_RECORD)
    .execute(&mut *transaction)
    .await
    .expect("events");
    sqlx::query("UPDATE jobs SET last_seq = last_seq + $2 WHERE id = $1")
        .bind(job.as_str())
        .bind(LONG_RECORD)
        .execute(&mut *transaction)
        .await
        .expect("a job");
    transaction.commit().await.expect("all of them");
    database.close().await.expect("closed");
}

/// Opens a stream, with a small buffer where one is told, and reads until the job was told.
async fn connect(
    server: SocketAddr,
    number: usize,
    job: &JobId,
    cookie: &str,
    buffer: Option<u32>,
) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    if let Some(bytes) = buffer {
        socket.set_recv_buffer_size(bytes).expect("a small buffer");
    }
    let source = SocketAddr::from(([127, 0, 0, 2 + (number % ADDRESSES) as u8], 0));
    socket.bind(source).expect("a loopback address");
    let mut stream = socket.connect(server).await.expect("the server listens");
    let request = format!(
        "GET /api/jobs/{job}/stream HTTP/1.1\r\nhost: {server}\r\nx-attune: 1\r\ncookie: {cookie}\r\n\
         accept: text/event-stream\r\n\r\n"
    );
    stream
        .write_all(request.as_bytes())
        .await
        .expect("the server reads");
    let mut seen = Vec::new();
    while !holds(&seen, "event: job") {
        let read = timeout(PATIENCE, stream.read_buf(&mut seen))
            .await
            .expect("the server answers");
        assert!(
            read.expect("bytes") > 0,
            "the stream ended: {}",
            String::from_utf8_lossy(&seen)
        );
    }
    stream
}

/// Reads for ever, and tells when what is awaited came.
async fn read(mut stream: TcpStream, watch: Arc<Watch>) {
    let mut seen = Vec::new();
    let mut told = 0;
    loop {
        if stream.read_buf(&mut seen).await.is_ok_and(|read| read > 0) {
            let round = watch.round.load(Ordering::SeqCst);
            let now = Instant::now();
            if round > told && holds(&seen, STATUSES[(round + 1) % 2]) {
                told = round;
                seen.clear();
                let asked = *watch.asked.lock().expect("not poisoned");
                // Nobody hears it once the measurement is over.
                let _over = watch.arrived.send(now.saturating_duration_since(asked));
            } else if round == told {
                seen.clear();
            }
        } else {
            return;
        }
    }
}

fn holds(text: &[u8], wanted: &str) -> bool {
    text.windows(wanted.len()).any(|part| part == wanted.as_bytes())
}

/// The value below which that share of them lies.
fn at(sorted: &[f64], share: f64) -> f64 {
    let place = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(place.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}
