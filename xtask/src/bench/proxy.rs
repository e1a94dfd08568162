//! What the checks cost: `GET /api/jobs` through the server in front of a Job Training API, with session, header and
//! log and without the cache, against nginx's `proxy_pass` to the same upstream, with its log.
//!
//! Measured are answers that are the same each time, which the server needn't read again, and answers that change each time.
//! Each gets the same requests at the same rate, in turn. The proxy has one core to itself, load and upstream share
//! another: what is compared is the proxy's processor time for each answer, not how many it could give.

mod http;
mod load;
mod processor;
mod upstream;

use super::median;
use crate::{example, process, project, tools};
use anyhow::{Context, Result, bail, ensure};
use http::{Answer, Connection};
use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};
use upstream::{KEY, Upstream};

/// Requests a second.
const RATE: f64 = 2_500.0;
/// Requests in one measurement.
const COUNT: u64 = 7_500;
/// Measurements of each.
const ROUNDS: usize = 5;
/// Requests before the first measurement: connections are open then, and caches warm.
const WARM_UP: u64 = 1_000;
/// The proxy's core, and everybody else's.
const CORES: (usize, usize) = (0, 1);
const TOKEN: &str = "benchmark-0123456789abcdef0123456789abcdef";

/// A proxy that runs, and the request that is sent to it; ended when dropped.
struct Proxy {
    name: &'static str,
    child: Child,
    address: SocketAddr,
    request: Vec<u8>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(id) = i32::try_from(self.child.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw)
        {
            // The only failure is that it has ended already.
            let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        }
        let _ = self.child.wait();
    }
}

/// Measures, and prints the table.
///
/// # Errors
/// Something can't be built or started, or the two don't say the same.
pub(super) fn bench() -> Result<()> {
    ensure!(
        thread::available_parallelism().is_ok_and(|cores| cores.get() > 1),
        "this needs two cores: one for the proxy, one for the others"
    );
    tools::ensure_nginx()?;
    example::server()?;
    let folder = project::target().join("bench-proxy");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("can't make `{}`", folder.display()))?;

    let upstream = Upstream::start()?;
    let proxies = [attune(&upstream, &folder)?, nginx(&upstream, &folder)?];
    compare_answers(&proxies, &upstream)?;
    processor::bind_this(CORES.1)?;
    for proxy in &proxies {
        load::run(proxy.address, &proxy.request, RATE, WARM_UP)?;
    }
    println!("{COUNT} answers at {RATE} a second, {ROUNDS} times in turn; medians");
    for (changes, answers) in [(false, "the same each time"), (true, "changing each time")] {
        upstream.set_changes(changes);
        let mut figures = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            for (proxy, figures) in proxies.iter().zip(&mut figures) {
                figures.push(measure(proxy, &upstream)?);
            }
        }
        print(answers, &proxies, figures);
    }
    Ok(())
}

/// Microseconds of processor time for each answer.
fn measure(proxy: &Proxy, upstream: &Upstream) -> Result<f64> {
    let (asked, before) = (upstream.asked(), processor::seconds(proxy.child.id())?);
    load::run(proxy.address, &proxy.request, RATE, COUNT)?;
    let spent = processor::seconds(proxy.child.id())? - before;
    ensure!(
        upstream.asked() - asked == COUNT,
        "{} asked the upstream {} times for {COUNT} answers",
        proxy.name,
        upstream.asked() - asked
    );
    #[expect(clippy::cast_precision_loss, reason = "counts are small")]
    Ok(spent * 1e6 / COUNT as f64)
}

fn print(answers: &str, proxies: &[Proxy; 2], figures: [Vec<f64>; 2]) {
    println!(
        "{answers:<22} {:>14} {:>16} {:>18}",
        "µs a request", "range", "a processor second"
    );
    let mut medians = Vec::new();
    for (proxy, figures) in proxies.iter().zip(figures) {
        let least = figures.iter().copied().fold(f64::INFINITY, f64::min);
        let most = figures.iter().copied().fold(0.0, f64::max);
        let median = median(figures);
        println!(
            "{:<22} {median:>14.1} {:>16} {:>18.0}",
            proxy.name,
            format!("{least:.1}–{most:.1}"),
            1e6 / median
        );
        medians.push(median);
    }
    if let [ours, theirs] = medians[..] {
        println!("{:<22} {:>14.2}", "ratio", ours / theirs);
    }
}

/// The two say the same of the same jobs, and ours says nothing without a session.
fn compare_answers(proxies: &[Proxy; 2], upstream: &Upstream) -> Result<()> {
    let mut ids = Vec::new();
    for proxy in proxies {
        let before = upstream.asked();
        let answer = Connection::open(proxy.address)?.exchange(&proxy.request)?;
        let body = String::from_utf8(answer.body)?;
        ensure!(
            answer.status == 200,
            "{} answers {}: {body}",
            proxy.name,
            answer.status
        );
        ensure!(upstream.asked() == before + 1, "{} has a cache", proxy.name);
        ids.push(values(&body, "id"));
        ids.push(values(&body, "name"));
    }
    ensure!(
        ids[0].len() == 10 && ids[0] == ids[2] && ids[1] == ids[3],
        "the answers differ: {ids:?}"
    );
    let without = request("127.0.0.1", "x-attune: 1\r\n");
    let refused = Connection::open(proxies[0].address)?.exchange(&without)?;
    ensure!(refused.status == 401, "the session is not asked for");
    Ok(())
}

/// The texts of a field of every job, in order.
fn values(body: &str, field: &str) -> Vec<String> {
    body.split(&format!("\"{field}\":\""))
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(str::to_owned)
        .collect()
}

/// What a page's request looks like, without a wish for compression: nginx wouldn't heed it.
fn request(host: &str, more: &str) -> Vec<u8> {
    format!(
        "GET /api/jobs HTTP/1.1\r\nhost: {host}\r\nuser-agent: Mozilla/5.0 (X11; Linux x86_64) benchmark\r\naccept: application/json\r\n\
         accept-language: en-US,en;q=0.9\r\nsec-fetch-site: same-origin\r\nsec-fetch-mode: cors\r\nsec-fetch-dest: empty\r\n{more}\r\n"
    )
    .into_bytes()
}

/// Our server, signed in.
fn attune(upstream: &Upstream, folder: &Path) -> Result<Proxy> {
    let mut serve = process::command(project::target().join("release/attune"))?;
    serve.args(["serve", "--listen", "127.0.0.1:0"]);
    serve.envs([
        ("ATTUNE_LOCAL_TOKEN", TOKEN),
        ("ATTUNE_UPSTREAM__KIND", "job-training-api"),
        ("ATTUNE_UPSTREAM__API_KEY", KEY),
        ("ATTUNE_UPSTREAM__CACHE_MS", "0"),
    ]);
    serve.env(
        "ATTUNE_UPSTREAM__BASE_URL",
        format!("http://{}/api", upstream.address),
    );
    serve.env("ATTUNE_DATA_DIR", folder.join("data"));
    let mut child = processor::on_core(CORES.0, &serve)?
        .stdout(Stdio::piped())
        .stderr(File::create(folder.join("attune.log"))?)
        .spawn()
        .context("can't start the server")?;
    let output = child.stdout.take().context("the server has no output")?;
    let mut proxy = Proxy {
        name: "attune",
        child,
        address: ([127, 0, 0, 1], 0).into(),
        request: Vec::new(),
    };
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line)?;
    proxy.address = line
        .trim()
        .strip_prefix("attune: listening on http://")
        .context("the server did not start; see bench-proxy/attune.log in the build folder")?
        .parse()?;
    proxy.request = request(
        &proxy.address.to_string(),
        &format!("x-attune: 1\r\ncookie: {}\r\n", sign_in(proxy.address)?),
    );
    Ok(proxy)
}

/// Signs in, and answers the cookie.
fn sign_in(address: SocketAddr) -> Result<String> {
    let body = format!("{{\"token\":\"{TOKEN}\"}}");
    let request = format!(
        "POST /api/session HTTP/1.1\r\nhost: {address}\r\nx-attune: 1\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer: Answer = Connection::open(address)?.exchange(request.as_bytes())?;
    let cookie = answer
        .header("set-cookie")
        .and_then(|cookie| cookie.split(';').next())
        .with_context(|| format!("the sign-in answers {}", answer.status))?;
    Ok(cookie.to_owned())
}

/// nginx in front of the same upstream, with one worker, kept connections, and the key that it adds.
fn nginx(upstream: &Upstream, folder: &Path) -> Result<Proxy> {
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let shown = folder.display();
    let configuration = format!(
        "worker_processes 1;\ndaemon off;\npid {shown}/nginx.pid;\nerror_log {shown}/nginx-error.log;\n\
         events {{ worker_connections 1024; }}\n\
         http {{\n  access_log {shown}/nginx-access.log;\n  keepalive_requests 1000000;\n\
         \x20 client_body_temp_path {shown}/body;\n  proxy_temp_path {shown}/proxy;\n  fastcgi_temp_path {shown}/fastcgi;\n\
         \x20 uwsgi_temp_path {shown}/uwsgi;\n  scgi_temp_path {shown}/scgi;\n\
         \x20 upstream jobs {{ server {upstream}; keepalive 64; keepalive_requests 1000000; }}\n\
         \x20 server {{\n    listen {address};\n    location /api/ {{\n      proxy_pass http://jobs;\n      proxy_http_version 1.1;\n\
         \x20     proxy_set_header Connection \"\";\n      proxy_set_header x-api-key {KEY};\n    }}\n  }}\n}}\n",
        upstream = upstream.address
    );
    let file = folder.join("nginx.conf");
    fs::write(&file, configuration)?;
    let mut serve = Command::new("nginx");
    serve
        .arg("-c")
        .arg(&file)
        .arg("-e")
        .arg(folder.join("nginx-error.log"));
    let child = processor::on_core(CORES.0, &serve)?
        .stdin(Stdio::null())
        .spawn()
        .context("can't start nginx")?;
    let proxy = Proxy {
        name: "nginx proxy_pass",
        child,
        address,
        request: request(&address.to_string(), ""),
    };
    let deadline = Instant::now() + Duration::from_secs(10);
    while Connection::open(address).is_err() {
        if Instant::now() > deadline {
            bail!("nginx did not start; see bench-proxy/nginx-error.log in the build folder");
        }
        #[expect(clippy::disallowed_methods, reason = "nginx doesn't tell when it listens")]
        thread::sleep(Duration::from_millis(20));
    }
    Ok(proxy)
}
