//! The console in front of a hosted Job Training API.

use crate::{
    browser::Browser,
    contract_server::{ContractServer, KEY},
    server::{Server, Setup},
};

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
