//! The console in front of a hosted Job Training API.

use crate::{
    browser::Browser,
    contract_server::{ContractServer, KEY},
    server::{Server, Setup},
};
use shared::timestamp::Timestamp;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A fresh workspace, and the console in front of it. Nothing is kept from one answer to the next, so that what a test
/// changes there is seen at once.
pub async fn hosted() -> (ContractServer, Server) {
    hosted_with(&[("ATTUNE_UPSTREAM__CACHE_MS", "0")]).await
}

/// As [`hosted`], with settings of the test's own.
pub async fn hosted_with(settings: &[(&str, &str)]) -> (ContractServer, Server) {
    let upstream = ContractServer::start().await;
    let mut setup = Setup::new()
        .with("ATTUNE_UPSTREAM__KIND", "job-training-api")
        .with("ATTUNE_UPSTREAM__BASE_URL", &upstream.base_url)
        .with("ATTUNE_UPSTREAM__API_KEY", KEY);
    for (name, value) in settings {
        setup = setup.with(name, *value);
    }
    let server = setup.start().await;
    (upstream, server)
}

/// So long ago, and a little more, as the API tells times.
#[must_use]
pub fn minutes_ago(minutes: u64) -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let then = since.saturating_sub(Duration::from_secs(minutes * 60 + 20));
    Timestamp::from_unix_ms(i64::try_from(then.as_millis()).expect("a time")).to_rfc3339()
}

impl Browser {
    /// Signs in, and fills the wizard up to its last step.
    pub async fn fill_hosted(&self, server: &Server, name: &str) {
        self.sign_in(server).await;
        self.click("New job").await;
        self.fill_hosted_setup(name).await;
        self.click("Next").await;
        self.at("/jobs/new/configure").await;
        for (label, value) in [
            ("Epochs", "5"),
            ("Evaluation epochs", "2"),
            ("Warm-up epochs", "1"),
            ("Learning rate", "1e-4"),
        ] {
            self.fill(label, value).await;
        }
        self.click("Next").await;
        self.at("/jobs/new/review").await;
        self.button("Start fine-tuning").await;
    }

    /// The first step: a name and a base model, and nothing else is asked.
    pub async fn fill_hosted_setup(&self, name: &str) {
        self.at("/jobs/new/setup").await;
        self.fill("Job name", name).await;
        self.until("the base models are there", async || {
            let field = self.field("Base model").await;
            self.script_on("return arguments[0].options.length > 1", &field)
                .await
                == true
        })
        .await;
        self.choose("Base model", "QwQ 32B").await;
    }
}
