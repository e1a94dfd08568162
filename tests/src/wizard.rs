//! The wizard, filled in as a person would.

use crate::{browser::Browser, server::Server};

impl Browser {
    /// Signs in with the address that `attune url` prints.
    pub async fn sign_in(&self, server: &Server) {
        self.goto(&server.sign_in_url().await).await;
        self.at("/").await;
        self.until("the page is the console", async || {
            self.has("navigation", "Main").await
        })
        .await;
    }

    /// Chooses the first entry of a select that isn't its "Choose…", unless something is chosen already.
    pub async fn choose_first(&self, label: &str) {
        self.until(&format!("“{label}” offers something"), async || {
            let field = self.field(label).await;
            let script = "const select = arguments[0];
                if (select.value) return true;
                const entry = [...select.options].find(option => option.value);
                return entry ? entry.text : false";
            let answer = self.script_on(script, &field).await;
            match answer.as_str() {
                Some(entry) => {
                    self.choose(label, entry).await;
                    false
                }
                None => answer == true,
            }
        })
        .await;
    }

    /// The first step: a name, the first base model, and the example datasets.
    pub async fn fill_setup(&self, name: &str) {
        self.at("/jobs/new/setup").await;
        self.fill("Job name", name).await;
        self.choose_first("Base model").await;
        self.click("Use the example dataset").await;
        self.until("a training dataset is chosen", async || {
            !self.value("Training dataset").await.is_empty()
        })
        .await;
    }

    /// All steps up to the last, with what the wizard proposes.
    pub async fn fill_wizard(&self, server: &Server, name: &str) {
        self.goto(&format!("{}/jobs/new/setup", server.address)).await;
        self.fill_setup(name).await;
        self.click("Next").await;
        self.at("/jobs/new/configure").await;
        self.click("Next").await;
        self.at("/jobs/new/review").await;
    }

    /// Starts the job of a filled wizard, and answers its id once its page is there.
    pub async fn start_job(&self) -> String {
        self.click("Start fine-tuning").await;
        self.job_page().await
    }

    /// Waits for the page of a job, and answers its id.
    pub async fn job_page(&self) -> String {
        self.until("a job's page is shown", async || {
            let path = self.path().await;
            path.starts_with("/jobs/") && !path.starts_with("/jobs/new")
        })
        .await;
        self.path().await.trim_start_matches("/jobs/").to_owned()
    }

    /// How many points the loss chart says that there are.
    pub async fn points(&self) -> u64 {
        let text = self.text().await;
        let badge = text
            .lines()
            .find_map(|line| line.trim().strip_suffix(" points")?.rsplit(' ').next());
        badge
            .and_then(|count| count.replace(',', "").parse().ok())
            .unwrap_or(0)
    }

    /// Follows a link by where it leads.
    pub async fn follow(&self, path: &str) {
        let link = self.find_css(&format!("a[href='{path}']")).await;
        link.click().await.expect("the link can be clicked");
    }
}
