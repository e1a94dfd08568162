//! The log, to standard error: text for people or one JSON object a line.

use crate::config::LogConfig;
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// Starts logging. Called once.
///
/// # Errors
/// The filter means nothing.
pub fn start(config: &LogConfig) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.filter).map_err(|error| {
        anyhow::anyhow!("setting `log.filter`: `{}` is no filter: {error}", config.filter)
    })?;
    let registry = tracing_subscriber::registry().with(filter);
    if config.json {
        registry
            .with(
                fmt::layer()
                    .json()
                    .flatten_event(true)
                    .with_writer(std::io::stderr),
            )
            .try_init()?;
    } else {
        registry
            .with(fmt::layer().with_ansi(false).with_writer(std::io::stderr))
            .try_init()?;
    }
    Ok(())
}
