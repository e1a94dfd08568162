//! Listening, and stopping in two stages: first no new requests and no streams, then the upstream's work is put
//! away; whoever is not done by the deadline is cut off.

use crate::{
    assets,
    clock::Clock,
    config::{Config, UpstreamConfig},
    headers::SecurityHeaders,
    listener,
    metrics::Metrics,
    origin::Origins,
    probes::{MetricsDoor, Readiness},
    router,
    secret::Secret,
    session::Sessions,
    sign_in::{self, GuessLimit},
    state::{AppState, Shared},
    upstream::{Upstream, over_network},
};
use anyhow::Context as _;
use axum::Router;
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long open requests get before the work behind them is put away.
const DRAIN: Duration = Duration::from_secs(5);

/// Serves until the process is told to stop.
///
/// # Errors
/// The configuration can't be acted on: the port is in use, the data folder can't be written.
pub async fn serve(config: Config) -> anyhow::Result<()> {
    raise_file_limit();
    let listener = bind(config.listen).await?;
    let address = listener.local_addr().context("the listener has no address")?;
    let stopping = CancellationToken::new();
    let (state, app) = assemble(&config, address, stopping.clone()).await?;

    let finished = CancellationToken::new();
    let drained = finished.clone();
    let serving = tokio::spawn(listener::serve(listener, app, drained, config.header_timeout));
    // Listened for before anybody can know that this server is there.
    let told_to_stop = stop_signals()?;
    announce(&config, address);

    told_to_stop.await?;
    tracing::info!("stopping: no new requests");
    finished.cancel();
    stopping.cancel();
    let whole = async {
        if tokio::time::timeout(DRAIN, serving).await.is_err() {
            tracing::warn!("some requests did not end in time and are cut off");
        }
        state.upstream.shutdown().await;
    };
    if tokio::time::timeout(config.shutdown, whole).await.is_err() {
        tracing::warn!("the shutdown took longer than `shutdown_ms` and is cut short");
    }
    tracing::info!("stopped");
    Ok(())
}

/// Lets this process open as many files as it may: each open stream is one, and the usual limit is 1,024.
fn raise_file_limit() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        let most = Rlimit {
            current: limit.maximum,
            ..limit
        };
        if let Err(error) = setrlimit(Resource::Nofile, most) {
            tracing::debug!(%error, "the limit on open files stays as it is");
        }
    }
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    match TcpListener::bind(address).await {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(anyhow::anyhow!(
            "port {} of {} is in use: stop the other program, or choose another address with `--listen {}:PORT`",
            address.port(),
            address.ip(),
            address.ip()
        )),
        Err(error) => Err(error).with_context(|| format!("can't listen on `{address}`")),
    }
}

/// Puts the state and the router together; used by tests too.
///
/// # Errors
/// The data folder or the upstream can't be prepared.
pub async fn assemble(
    config: &Config,
    address: SocketAddr,
    stopping: CancellationToken,
) -> anyhow::Result<(AppState, Router)> {
    let clock = Clock::system();
    let sessions = sessions(config, clock.clone()).await?;
    let local_token = local_token(config)?;
    let (upstream, v1) = upstream(config).await?;
    let state = AppState::new(Shared {
        upstream,
        sessions,
        local_token,
        guesses: GuessLimit::new(clock.clone()),
        origins: Origins::new(address, config.public_url.as_ref(), &config.allowed_origins),
        metrics: Metrics::new(config.browser_metrics),
        metrics_door: MetricsDoor::new(config),
        readiness: Readiness::default(),
        clock,
        stopping,
        price: config.price.clone(),
        upload_bytes: config.upload_bytes,
        body_bytes: config.body_bytes,
    });
    let encrypted = config
        .public_url
        .as_ref()
        .is_some_and(|url| url.scheme() == "https");
    let app = router::router(&state, SecurityHeaders::new(&assets::index(), encrypted), v1);
    Ok((state, app))
}

/// The sign-in token: configured, or the data folder's own.
///
/// # Errors
/// The data folder can't be written.
pub fn local_token(config: &Config) -> anyhow::Result<Secret> {
    if let Some(token) = &config.local_token {
        return Ok(token.clone());
    }
    make_data_dir(config)?;
    sign_in::token_in(&config.data_dir).with_context(|| {
        format!(
            "can't keep the sign-in token in `{}`; see `--data-dir`",
            config.data_dir.display()
        )
    })
}

/// The folder holds sessions and keys: what this makes is its owner's alone.
pub(crate) fn make_data_dir(config: &Config) -> anyhow::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&config.data_dir).with_context(|| {
        format!(
            "can't make the data folder `{}`; see `--data-dir`",
            config.data_dir.display()
        )
    })
}

#[cfg(feature = "embedded")]
async fn sessions(config: &Config, clock: Clock) -> anyhow::Result<Sessions> {
    make_data_dir(config)?;
    Sessions::in_file(&config.data_dir.join("sessions.db"), clock)
        .await
        .with_context(|| {
            format!(
                "can't open the sessions in `{}`; see `--data-dir`",
                config.data_dir.display()
            )
        })
}

#[cfg(not(feature = "embedded"))]
#[expect(clippy::unused_async, reason = "the other build waits for its file")]
async fn sessions(_config: &Config, clock: Clock) -> anyhow::Result<Sessions> {
    Ok(Sessions::in_memory(clock))
}

async fn upstream(config: &Config) -> anyhow::Result<(Arc<dyn Upstream>, Option<Router>)> {
    match &config.upstream {
        UpstreamConfig::Remote(api, remote) => Ok((over_network(*api, remote)?, None)),
        #[cfg(feature = "embedded")]
        UpstreamConfig::Engine => embedded(config).await,
        #[cfg(not(feature = "embedded"))]
        UpstreamConfig::Engine => anyhow::bail!("this build has no engine"),
    }
}

/// The engine, and its HTTP surface.
#[cfg(feature = "embedded")]
async fn embedded(config: &Config) -> anyhow::Result<(Arc<dyn Upstream>, Option<Router>)> {
    use engine::executor::child::ChildExecutor;

    let mut settings = engine_settings(config)?;
    let executor = ChildExecutor::new(itself("train")?).within(settings.tool_limits);
    settings.max_running = usize::try_from(config.engine.max_running).unwrap_or(1);
    settings.threads = config.engine.threads;
    settings.longest_silence = config.engine.silence;
    settings.checkpoint_interval = config.engine.checkpoint_interval;
    settings.keep_checkpoints = config.engine.keep_checkpoints;
    settings.lease = config.engine.lease;
    settings.max_file_bytes = config.upload_bytes;
    settings.inference = engine::InferenceConfig {
        command: itself("infer")?,
        threads: config.inference.threads,
        limits: engine::executor::child::Limits {
            memory_bytes: config.inference.memory_bytes,
            niceness: config.inference.niceness,
        },
        idle: config.inference.idle,
        longest_queue: usize::try_from(config.inference.queue).unwrap_or(0),
    };
    // What the drain leaves, less what the service takes besides waiting for its trainers.
    settings.shutdown_grace = config
        .shutdown
        .saturating_sub(DRAIN + Duration::from_secs(6))
        .max(Duration::from_secs(1));
    let service = engine::Service::start(settings, Arc::new(engine::SystemClock), Arc::new(executor)).await?;
    let v1 = engine::v1::router(service.clone());
    let upstream = crate::upstream::engine::Embedded::new(service, config.upload_bytes);
    Ok((Arc::new(upstream), Some(v1)))
}

/// What the engine needs to know wherever it is used: by a server, or by a command.
#[cfg(feature = "embedded")]
pub(crate) fn engine_settings(config: &Config) -> anyhow::Result<engine::Config> {
    let mut settings = engine::Config::new(&config.data_dir);
    settings.models_dir.clone_from(&config.models_dir);
    settings.prepare_model = itself("prepare-model")?;
    settings.estimate_run = itself("estimate")?;
    settings.step_examples = itself("examples")?;
    settings.tool_limits = engine::executor::child::Limits {
        memory_bytes: config.engine.memory_bytes,
        niceness: config.engine.niceness,
    };
    settings.memory_bytes =
        engine::models::memory_for_training(config.engine.memory_bytes, u64::from(config.engine.max_running));
    if let Some(endpoint) = &config.hub.endpoint {
        settings.hub.endpoint.clone_from(endpoint);
    }
    settings
        .webhooks
        .private_hosts
        .clone_from(&config.webhook_private_hosts);
    settings.hub.token = config.hub.token.as_ref().map(|token| token.expose().to_owned());
    Ok(settings)
}

/// The command line of one of this program's own commands.
#[cfg(feature = "embedded")]
fn itself(command: &str) -> anyhow::Result<Vec<String>> {
    let program = std::env::current_exe().context("this program's own path can't be found")?;
    let program = program.to_str().context("this program's own path is no text")?;
    Ok(vec![program.to_owned(), command.to_owned()])
}

fn announce(config: &Config, address: SocketAddr) {
    if !assets::is_built() {
        tracing::warn!(
            "this binary was built without the browser application; `cargo xtask run` builds both"
        );
    }
    tracing::info!(
        upstream = ?config.upstream.kind(),
        data_dir = %config.data_dir.display(),
        version = env!("CARGO_PKG_VERSION"),
        "started"
    );
    use io::Write as _;
    let mut out = io::stdout().lock();
    // A closed standard output is no reason not to serve.
    let _ignored = writeln!(out, "attune: listening on http://{address}").and_then(|()| out.flush());
}

/// Registers for the signals that end a server; the future ends with the first of them.
#[cfg(unix)]
fn stop_signals() -> io::Result<impl Future<Output = io::Result<()>>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        Ok(())
    })
}

/// Registers for the signal that ends a server; the future ends with it.
#[cfg(not(unix))]
fn stop_signals() -> io::Result<impl Future<Output = io::Result<()>>> {
    Ok(tokio::signal::ctrl_c())
}
