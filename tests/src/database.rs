//! The database in a server's data folder, for what no client can bring about.

use crate::server::Setup;
use sqlx::{ConnectOptions as _, SqliteConnection, sqlite::SqliteConnectOptions};
use std::time::Duration;

/// How long to wait for a server that is writing.
const PATIENCE: Duration = Duration::from_secs(20);

impl Setup {
    /// Opens the database that the server has made; it may be running.
    pub async fn database(&self) -> SqliteConnection {
        SqliteConnectOptions::new()
            .filename(self.data_dir().join("attune.db"))
            .busy_timeout(PATIENCE)
            .foreign_keys(true)
            .connect()
            .await
            .expect("the database that a server made")
    }
}
