//! What people and programs send by mistake: each is refused or told where it is wrong, and nothing breaks.
#![expect(clippy::unwrap_used, reason = "what fails here is the test")]

use reqwest::Method;
use serde_json::{Value, json};
use shared::{
    dataset::{DatasetReport, DatasetStatus, UploadProgress},
    job::NewJob,
    status::JobStatus,
};
use std::fs;
use tests::{api::Api, examples, server::Server};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

#[tokio::test]
async fn broken_lines_are_told_by_number_and_reason_and_no_job_starts_on_them() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let mut lines: Vec<String> = examples::chats(12).lines().map(str::to_owned).collect();
    lines[2] = "{\"messages\": [".to_owned();
    lines[6] = json!({"messages": [{"role": "robot", "content": "hello"}]}).to_string();
    let dataset = api.upload("broken", lines.join("\n")).await;
    assert_eq!(dataset.status, DatasetStatus::Error);

    let report: DatasetReport = api
        .get(&format!("/api/datasets/{}/report", dataset.id))
        .await
        .expect(200);
    let found: Vec<_> = report
        .findings
        .iter()
        .map(|finding| (finding.line, finding.code.as_str()))
        .collect();
    assert!(found.contains(&(3, "invalid_json")), "{found:?}");
    assert!(found.iter().any(|(line, _)| *line == 7), "{found:?}");
    assert!(
        report
            .findings
            .iter()
            .all(|finding| !finding.message.is_empty() && !finding.advice.is_empty())
    );

    let job = NewJob {
        training_dataset: Some(dataset.id),
        ..api.new_job("on-broken", 12, 1).await
    };
    let problem = api
        .post("/api/jobs", &serde_json::to_value(&job).unwrap())
        .await
        .problem(400);
    assert!(problem.fields.contains_key("training_dataset"), "{problem:?}");
}

#[tokio::test]
async fn a_file_without_a_byte_is_refused_on_both_doors() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let body = json!({"name": "empty", "filename": "empty.jsonl", "bytes": 0});
    let problem = api.post("/api/datasets", &body).await.problem(400);
    assert!(problem.fields.contains_key("bytes"), "{problem:?}");

    let v1 = V1::new(&server, &api).await;
    let (status, error) = v1.upload("fine-tune", "").await;
    assert_eq!(
        (status, &error["error"]["param"]),
        (400, &json!("file")),
        "{error}"
    );
}

#[tokio::test]
async fn a_purpose_that_no_job_can_use_is_refused() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let v1 = V1::new(&server, &api).await;
    let (status, error) = v1.upload("fine-toon", &examples::chats(12)).await;
    assert_eq!(
        (status, &error["error"]["param"]),
        (400, &json!("purpose")),
        "{error}"
    );

    let (status, file) = v1.upload("assistants", &examples::chats(12)).await;
    assert_eq!(status, 200, "{file}");
    let job = json!({"model": api.base_model().await.id, "training_file": file["id"]});
    let (status, error) = v1.post("/v1/fine_tuning/jobs", &job).await;
    assert_eq!(
        (status, &error["error"]["param"]),
        (400, &json!("training_file")),
        "{error}"
    );
}

#[tokio::test]
async fn fields_that_cannot_be_are_each_told_under_their_own_name() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let good = serde_json::to_value(api.new_job("fields", 12, 5).await).unwrap();
    let cases = [
        (
            json!({"name": "ends-in-a-dash-"}),
            vec![("name", "trailing_dash")],
        ),
        (json!({"name": "no"}), vec![("name", "too_short")]),
        (json!({"base_model": "gpt-0"}), vec![("base_model", "")]),
        (
            json!({"learning_rate": 0.0}),
            vec![("learning_rate", "out_of_range")],
        ),
        (json!({"epochs": 0}), vec![("epochs", "too_small")]),
        (
            json!({"evaluation_epochs": 3, "warmup_epochs": 3}),
            vec![
                ("evaluation_epochs", "epochs_sum"),
                ("warmup_epochs", "epochs_sum"),
            ],
        ),
        (
            json!({"training_dataset": "file-nobody"}),
            vec![("training_dataset", "")],
        ),
    ];
    for (change, expected) in cases {
        let mut body = good.clone();
        body.as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        let problem = api.post("/api/jobs", &body).await.problem(400);
        for (field, code) in expected {
            assert!(
                problem.fields.get(field).is_some_and(|text| !text.is_empty()),
                "{change}: {problem:?}"
            );
            let told = problem
                .field_codes
                .get(field)
                .map(|finding| finding.code.as_str());
            assert!(code.is_empty() || told == Some(code), "{change}: {problem:?}");
        }
    }
    let mut unknown = good;
    unknown["learning_rat"] = json!(0.1);
    api.post("/api/jobs", &unknown).await.problem(400);
}

#[tokio::test]
async fn a_million_lines_are_read_to_the_last() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let line = "{\"prompt\":\"one\",\"completion\":\"two\"}\n";
    let mut content = line.repeat(999_999);
    content.push_str("{\"prompt\":\"one\"}\n");
    let dataset = api.upload("a-million", content).await;
    let report: DatasetReport = api
        .get(&format!("/api/datasets/{}/report", dataset.id))
        .await
        .expect(200);
    assert_eq!(
        (report.lines, report.examples, report.errors),
        (1_000_000, 999_999, 1)
    );
    assert!(
        report.findings.iter().any(|finding| finding.line == 1_000_000),
        "{:?}",
        report.findings
    );
    assert_eq!(api.get("/readyz").await.status, 200);
}

#[tokio::test]
async fn a_line_of_ten_megabytes_is_told_by_number() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;

    // Above what is read at all: a finding of the dataset.
    let content = [examples::chats(12), examples::long_chat(11 << 20)].concat();
    let dataset = api.upload("too-long", content).await;
    let report: DatasetReport = api
        .get(&format!("/api/datasets/{}/report", dataset.id))
        .await
        .expect(200);
    let found: Vec<_> = report
        .findings
        .iter()
        .map(|finding| (finding.line, finding.code.as_str()))
        .collect();
    assert_eq!(found, [(13, "line_too_long")]);

    // Read, but longer than the model: nothing is cut silently, the job says which line.
    let content = [examples::chats(12), examples::long_chat(10_000_000 - 100)].concat();
    let dataset = api.upload("longer-than-the-model", content).await;
    let body = NewJob {
        training_dataset: Some(dataset.id),
        ..api.new_job("long-line", 12, 1).await
    };
    let job = api.create_job(&body).await;
    let job = api.ended(&job.id).await;
    assert_eq!(job.status, JobStatus::Failed);
    let failure = job.failure.unwrap();
    assert!(failure.message.contains("13"), "{failure:?}");
}

#[tokio::test]
async fn an_upload_that_is_cut_goes_on_where_it_was_cut() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let content = examples::chats(50_000).into_bytes();
    let created = api.new_dataset("cut", content.len()).await;
    let url = &created.upload.url;

    // A sender that dies: it announces everything, sends half and is gone.
    let half = content.len() / 2;
    let mut connection = TcpStream::connect(server.address.trim_start_matches("http://"))
        .await
        .unwrap();
    let path = url.strip_prefix(&server.address).unwrap_or(url);
    let head = format!(
        "PUT {path} HTTP/1.1\r\nhost: {}\r\nx-attune: 1\r\ncookie: {}\r\ncontent-length: {}\r\n\r\n",
        server.address.trim_start_matches("http://"),
        api.cookie(),
        content.len()
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.write_all(&content[..half]).await.unwrap();
    connection.flush().await.unwrap();
    connection.shutdown().await.unwrap();
    let mut answer = Vec::new();
    let _ = connection.read_to_end(&mut answer).await;

    let progress: UploadProgress = api.get(url).await.expect(200);
    assert!(
        progress.received > 0 && progress.received <= half as u64,
        "{progress:?} of {half}: {}",
        String::from_utf8_lossy(&answer)
    );
    let received = usize::try_from(progress.received).unwrap();

    // A gap is refused, the true continuation is taken, also by a server that was killed in between.
    let range = |from: usize| format!("bytes {from}-{}/{}", content.len() - 1, content.len());
    let put = |api: &Api, from: usize| {
        let request = api.request(Method::PUT, url).header("content-range", range(from));
        request.body(content[from..].to_vec())
    };
    assert!(api.send(put(&api, received + 1)).await.status.is_client_error());
    let server = server.kill().await.start().await;
    let answer = api.send(put(&api, received)).await;
    assert!(answer.status.is_success(), "{}", answer.body);

    let dataset = api.confirm(&created.dataset.id).await;
    assert_eq!(
        (dataset.status, dataset.examples),
        (DatasetStatus::Ready, Some(50_000))
    );
    drop(server);
}

#[tokio::test]
async fn a_body_that_is_no_json_or_far_too_long_is_a_problem_and_no_crash() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let request = api
        .request(Method::POST, "/api/jobs")
        .header("content-type", "application/json");
    api.send(request.body("{\"name\":")).await.problem(400);

    // Just above what is read, so that nothing of it is left unread when the answer comes.
    let long = format!("{{\"name\":\"{}\"}}", "a".repeat(1 << 20));
    let request = api
        .request(Method::POST, "/api/jobs")
        .header("content-type", "application/json");
    api.send(request.body(long)).await.problem(413);
    assert_eq!(api.get("/readyz").await.status, 200);
    assert!(
        !fs::read_to_string(server.setup.scratch().join("server.log"))
            .unwrap()
            .contains("panicked")
    );
}

/// A client of `/v1` with a key of its own.
struct V1<'a> {
    api: &'a Api,
    key: String,
}

impl<'a> V1<'a> {
    async fn new(server: &Server, api: &'a Api) -> Self {
        let made = server.setup.run(&["key", "create", "--name", "bad-input"]).await;
        let output = String::from_utf8(made.stdout).unwrap();
        Self {
            api,
            key: output.split_whitespace().last().unwrap().to_owned(),
        }
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let request = self
            .api
            .request(Method::POST, path)
            .bearer_auth(&self.key)
            .json(body);
        let answer = self.api.send(request).await;
        (answer.status.as_u16(), answer.body)
    }

    async fn upload(&self, purpose: &str, content: &str) -> (u16, Value) {
        let boundary = "a-line-that-no-file-holds";
        let body = format!(
            "--{boundary}\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\n{purpose}\r\n--{boundary}\r\n\
             content-disposition: form-data; name=\"file\"; filename=\"lines.jsonl\"\r\n\r\n{content}\r\n--{boundary}--\r\n"
        );
        let request = self.api.request(Method::POST, "/v1/files").bearer_auth(&self.key);
        let request = request
            .header(
                "content-type",
                format!("multipart/form-data; boundary={boundary}"),
            )
            .body(body);
        let answer = self.api.send(request).await;
        (answer.status.as_u16(), answer.body)
    }
}
