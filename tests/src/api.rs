//! A client of `/api`, signed in as the local user.

use crate::{TOKEN, examples, install_crypto_provider, server::Server, stream::JobStream};
use reqwest::{
    Client, Method, RequestBuilder, StatusCode,
    header::{COOKIE, HeaderMap, SET_COOKIE},
};
use serde_json::{Value, json};
use shared::{
    dataset::{CreatedDataset, Dataset, DatasetStatus},
    event::{Checkpoint, CheckpointList, EventList, JobEvent, StreamMessage},
    id::{DatasetId, JobId},
    job::{Job, NewJob},
    metrics::{Metrics, Series},
    model::{Artifact, BaseModel, ModelList},
    problem::Problem,
};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::{interval, timeout};

/// Far above what reading a small file takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// What two busy cores may take for a part of a job.
pub const TRAINING: Duration = Duration::from_secs(180);

/// A client with a session.
#[derive(Debug, Clone)]
pub struct Api {
    client: Client,
    address: String,
    cookie: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, JSON wherever it is JSON and else a string.
    pub body: Value,
}

impl Answer {
    /// The body as a DTO; fails the test where the status isn't `status`.
    pub fn expect<T: serde::de::DeserializeOwned>(self, status: u16) -> T {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        serde_json::from_value(self.body).expect("the body is what the contract says")
    }

    /// The problem details of an error with this status.
    pub fn problem(self, status: u16) -> Problem {
        let kind = self
            .headers
            .get("content-type")
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        assert!(
            kind.starts_with("application/problem+json"),
            "{} {kind}: {}",
            self.status,
            self.body
        );
        self.expect(status)
    }
}

impl Api {
    /// A client without a session.
    #[must_use]
    pub fn anonymous(server: &Server) -> Self {
        Self::at(&server.address)
    }

    /// A client without a session of whatever answers at this address.
    #[must_use]
    pub fn at(address: &str) -> Self {
        install_crypto_provider();
        let client = Client::builder().no_proxy().build().expect("a client");
        Self {
            client,
            address: address.to_owned(),
            cookie: None,
        }
    }

    /// A client with a session of its own.
    pub async fn signed_in(server: &Server) -> Self {
        Self::anonymous(server).sign_in(TOKEN).await
    }

    /// The same client with a session of its own.
    pub async fn sign_in(self, token: &str) -> Self {
        let mut api = self;
        let answer = api.post("/api/session", &json!({"token": token})).await;
        assert!(answer.status.is_success(), "{}", answer.body);
        let cookie = answer
            .headers
            .get(SET_COOKIE)
            .expect("a session cookie")
            .to_str()
            .expect("text");
        api.cookie = cookie.split(';').next().map(str::to_owned);
        api
    }

    /// The session's cookie, for a request that is written by hand.
    #[must_use]
    pub fn cookie(&self) -> &str {
        self.cookie.as_deref().unwrap_or_default()
    }

    /// A page, asked for as a browser does when somebody types its address.
    pub async fn page(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path).header("accept", "text/html"))
            .await
    }

    /// A request with the session and the header that `/api` asks for.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.address))
            .header("x-attune", "1");
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, cookie);
        }
        request
    }

    /// Sends a request.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let response = request.send().await.expect("the server answers");
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.expect("a body");
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Answer {
            status,
            headers,
            body,
        }
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// POST with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// PUT with a JSON body.
    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::PUT, path).json(body)).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// The first base model.
    pub async fn base_model(&self) -> BaseModel {
        let list: ModelList = self.get("/api/models").await.expect(200);
        list.models.into_iter().next().expect("a base model is bundled")
    }

    /// Registers a dataset without any of its bytes.
    pub async fn new_dataset(&self, name: &str, bytes: usize) -> CreatedDataset {
        let body = json!({"name": name, "filename": format!("{name}.jsonl"), "bytes": bytes});
        self.post("/api/datasets", &body).await.expect(201)
    }

    /// Uploads a file whole and waits until it has been read.
    pub async fn upload(&self, name: &str, content: impl Into<Vec<u8>>) -> Dataset {
        let content = content.into();
        let created = self.new_dataset(name, content.len()).await;
        let answer = self
            .send(self.request(Method::PUT, &created.upload.url).body(content))
            .await;
        assert!(answer.status.is_success(), "{}", answer.body);
        self.confirm(&created.dataset.id).await
    }

    /// Says that every byte was sent, and waits until the file has been read.
    pub async fn confirm(&self, id: &DatasetId) -> Dataset {
        let answer = self
            .post(&format!("/api/datasets/{id}/confirm"), &json!({}))
            .await;
        assert!(answer.status.is_success(), "{}", answer.body);
        let read = async {
            let mut ticks = interval(Duration::from_millis(50));
            loop {
                ticks.tick().await;
                let dataset: Dataset = self.get(&format!("/api/datasets/{id}")).await.expect(200);
                if matches!(dataset.status, DatasetStatus::Ready | DatasetStatus::Error) {
                    return dataset;
                }
            }
        };
        timeout(PATIENCE, read).await.expect("the file is read in time")
    }

    /// A job with the base model's defaults on a made-up dataset of that many chats.
    pub async fn new_job(&self, name: &str, chats: usize, epochs: u32) -> NewJob {
        let model = self.base_model().await;
        let training = self.upload(&format!("{name}-data"), examples::chats(chats)).await;
        assert_eq!(training.status, DatasetStatus::Ready);
        NewJob {
            name: name.to_owned(),
            base_model: model.id,
            epochs,
            evaluation_epochs: 0,
            warmup_epochs: 0,
            learning_rate: model.defaults.learning_rate,
            training_dataset: Some(training.id),
            validation_dataset: None,
            method: None,
            beta: None,
            batch_size: Some(8),
            lora: None,
            schedule: None,
            gradient_checkpointing: None,
            seed: Some(7),
        }
    }

    /// Creates a job.
    pub async fn create_job(&self, job: &NewJob) -> Job {
        self.post("/api/jobs", &serde_json::to_value(job).expect("plain data"))
            .await
            .expect(201)
    }

    /// One job.
    pub async fn job(&self, id: &JobId) -> Job {
        self.get(&format!("/api/jobs/{id}")).await.expect(200)
    }

    /// A job's live stream, from where `last_id` left off.
    pub async fn stream(&self, id: &JobId, last_id: Option<&str>) -> JobStream {
        let mut request = self.request(Method::GET, &format!("/api/jobs/{id}/stream"));
        if let Some(last_id) = last_id {
            request = request.header("last-event-id", last_id);
        }
        let response = request.send().await.expect("the server answers");
        assert_eq!(response.status(), 200);
        JobStream::new(response)
    }

    /// A job's live stream, without what is in its record already.
    pub async fn stream_from_now(&self, id: &JobId) -> JobStream {
        let request = self.request(Method::GET, &format!("/api/jobs/{id}/stream?from=now"));
        let response = request.send().await.expect("the server answers");
        assert_eq!(response.status(), 200);
        JobStream::new(response)
    }

    /// Waits until a job is as wanted; `what` is said where it never comes to be so.
    pub async fn until(&self, id: &JobId, what: &str, wanted: impl Fn(&Job) -> bool) -> Job {
        let mut ticks = interval(Duration::from_millis(50));
        let waiting = async {
            loop {
                ticks.tick().await;
                let job = self.job(id).await;
                if wanted(&job) {
                    return job;
                }
            }
        };
        timeout(TRAINING, waiting).await.expect(what)
    }

    /// Follows a job's stream to its end, and answers the job as it ended.
    pub async fn ended(&self, id: &JobId) -> Job {
        let mut stream = self.stream(id, None).await;
        let end = stream
            .find(|message| matches!(message, StreamMessage::End { .. }))
            .await;
        assert!(end.is_some(), "the stream says that it ends");
        self.job(id).await
    }

    /// Every event of a job, newest first.
    pub async fn events(&self, id: &JobId) -> Vec<JobEvent> {
        let mut events = Vec::new();
        let mut cursor = String::new();
        loop {
            let page: EventList = self
                .get(&format!("/api/jobs/{id}/events{cursor}"))
                .await
                .expect(200);
            events.extend(page.events);
            let Some(next) = page.next_cursor else {
                return events;
            };
            cursor = format!("?cursor={next}");
        }
    }

    /// A job's checkpoints, newest first.
    pub async fn checkpoints(&self, id: &JobId) -> Vec<Checkpoint> {
        self.get(&format!("/api/jobs/{id}/checkpoints"))
            .await
            .expect::<CheckpointList>(200)
            .checkpoints
    }

    /// The names and hashes of the files that a job made.
    pub async fn adapter(&self, job: &Job) -> BTreeMap<String, String> {
        let id = job.artifact.as_ref().expect("it made an artifact");
        let artifact: Artifact = self.get(&format!("/api/artifacts/{id}")).await.expect(200);
        artifact
            .files
            .into_iter()
            .map(|file| (file.name, file.sha256))
            .collect()
    }

    /// The steps of one curve, as they are stored; short enough that nothing is reduced.
    pub async fn steps(&self, id: &JobId, series: Series) -> Vec<u64> {
        let metrics: Metrics = self
            .get(&format!("/api/jobs/{id}/metrics?points=4000"))
            .await
            .expect(200);
        let curve = metrics.curves.into_iter().find(|curve| curve.series == series);
        curve.map(|curve| curve.steps).unwrap_or_default()
    }
}
