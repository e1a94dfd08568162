//! /v1/uploads: parts in any order and at once, the bounds, and what crashes leave.

use super::Client;
use crate::testing::{alice, lines, mallory};
use axum::{
    body::{Body, Bytes},
    http::{Method, StatusCode},
};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use shared::id::DatasetId;
use std::{sync::Arc, time::Duration};

const HOUR: Duration = Duration::from_secs(3600);

async fn announce(client: &Client, bytes: usize) -> String {
    let body =
        json!({"filename": "big.jsonl", "purpose": "fine-tune", "bytes": bytes, "mime_type": "text/jsonl"});
    let answer = client.post("/v1/uploads", &body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json());
    let upload = answer.json();
    assert_eq!(
        (&upload["object"], &upload["status"], &upload["file"]),
        (&json!("upload"), &json!("pending"), &json!(null))
    );
    let open = upload["expires_at"].as_i64().unwrap() - upload["created_at"].as_i64().unwrap();
    assert_eq!(open, 3600);
    upload["id"].as_str().unwrap().to_owned()
}

async fn part(client: &Client, upload: &str, content: &str) -> String {
    let answer = client
        .form_to(
            &format!("/v1/uploads/{upload}/parts"),
            &[("data", Some("data"), content)],
        )
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json());
    let part = answer.json();
    assert_eq!(
        (&part["object"], &part["upload_id"]),
        (&json!("upload.part"), &json!(upload))
    );
    part["id"].as_str().unwrap().to_owned()
}

fn left_on_disk(client: &Client) -> usize {
    let uploads = client.engine.folder.path().join("data/uploads");
    std::fs::read_dir(uploads).unwrap().count()
}

async fn complete(client: &Client, upload: &str, body: Value) -> super::Answer {
    client
        .post(&format!("/v1/uploads/{upload}/complete"), &body)
        .await
}

#[tokio::test]
async fn parts_that_came_at_once_make_the_file_in_the_order_that_is_told() {
    let client = Client::start().await;
    let text = lines(12);
    let (one, rest) = text.split_at(100);
    let (two, three) = rest.split_at(300);
    let upload = announce(&client, text.len()).await;
    // The last first, and a part that nobody names in the end.
    let (c, a, b, _unused) = tokio::join!(
        part(&client, &upload, three),
        part(&client, &upload, one),
        part(&client, &upload, two),
        part(&client, &upload, two),
    );
    let md5 = "C5C0".repeat(8);
    let wrong = complete(&client, &upload, json!({"part_ids": [a, b, c], "md5": md5})).await;
    wrong.refused("md5");
    let md5 = {
        use sha2::Digest as _;
        crate::secret::hex(&md5::Md5::digest(text.as_bytes()))
    };
    let order = json!({"part_ids": [a, b, c], "md5": md5.to_uppercase()});
    let done = complete(&client, &upload, order.clone()).await.json();
    assert_eq!(
        (&done["status"], &done["file"]["object"]),
        (&json!("completed"), &json!("file"))
    );
    let file = done["file"]["id"].as_str().unwrap();
    client.engine.validated(&alice(), &DatasetId::new(file)).await;
    let content = client.get(&format!("/v1/files/{file}/content")).await;
    assert_eq!(content.bytes, text.as_bytes());
    assert_eq!(
        client.get(&format!("/v1/files/{file}")).await.json()["status"],
        "processed"
    );
    // The SDKs repeat what they got no answer to: the same request gets the same file, another is refused.
    let again = complete(&client, &upload, order).await;
    assert_eq!(
        (again.status, &again.json()["file"]["id"]),
        (StatusCode::OK, &json!(file))
    );
    let other = complete(&client, &upload, json!({"part_ids": [b, a, c]})).await;
    assert_eq!(
        (other.status, other.error()["code"].as_str()),
        (StatusCode::BAD_REQUEST, Some("upload_not_pending"))
    );
    // The unused part is nobody's now.
    let late = client
        .form_to(
            &format!("/v1/uploads/{upload}/parts"),
            &[("data", Some("data"), "x")],
        )
        .await;
    assert_eq!(late.error()["code"], "upload_not_pending");
    assert_eq!(left_on_disk(&client), 0);
}

#[tokio::test]
async fn what_does_not_fit_is_refused_with_its_parameter() {
    let client = Client::start().await;
    let good = json!({"filename": "a", "purpose": "batch", "bytes": 1, "mime_type": "text/plain"});
    let cases = [
        ("bytes", json!({"bytes": 0})),
        ("bytes", json!({"bytes": -1})),
        ("bytes", json!({"bytes": (8_u64 << 30) + 1})),
        ("bytes", json!({"bytes": "1"})),
        ("filename", json!({"filename": ""})),
        ("filename", json!({"filename": "f".repeat(256)})),
        ("purpose", json!({"purpose": "fine-tune-results"})),
        ("purpose", json!({"purpose": null})),
        ("mime_type", json!({"mime_type": ""})),
        ("mime_type", json!({"mime_type": null})),
        ("size", json!({"size": 1})),
        ("expires_after", json!({"expires_after": 3600})),
        ("expires_after[seconds]", json!({"expires_after": {}})),
        (
            "expires_after[anchor]",
            json!({"expires_after": {"seconds": 3600}}),
        ),
        (
            "expires_after[seconds]",
            json!({"expires_after": {"anchor": "created_at", "seconds": 3599}}),
        ),
        (
            "expires_after[seconds]",
            json!({"expires_after": {"anchor": "created_at", "seconds": 2_592_001}}),
        ),
    ];
    for (param, change) in cases {
        let mut body = good.clone();
        body.as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        client.post("/v1/uploads", &body).await.refused(param);
    }
    let mut most = good.clone();
    most["bytes"] = json!(8_u64 << 30);
    assert_eq!(client.post("/v1/uploads", &most).await.status, StatusCode::OK);

    let upload = announce(&client, 4).await;
    let path = format!("/v1/uploads/{upload}/parts");
    client
        .form_to(&path, &[("data", Some("d"), "")])
        .await
        .refused("data");
    client
        .form_to(&path, &[("date", Some("d"), "x")])
        .await
        .refused("date");
    let two = [("data", Some("d"), "x"), ("data", Some("d"), "y")];
    client.form_to(&path, &two).await.refused("data");
    let (a, b) = (
        part(&client, &upload, "ab").await,
        part(&client, &upload, "cde").await,
    );
    for ids in [
        json!([]),
        json!(null),
        json!([1]),
        json!(["part_x"]),
        json!([a, a]),
        json!([a]),
        json!([a, b]),
    ] {
        complete(&client, &upload, json!({"part_ids": ids}))
            .await
            .refused("part_ids");
    }
    complete(&client, &upload, json!({"part_ids": [a], "md5": "abc"}))
        .await
        .refused("md5");
    for path in ["parts", "complete", "cancel"] {
        let nobodys = format!("/v1/uploads/upload_x/{path}");
        let answer = if path == "parts" {
            client.form_to(&nobodys, &[("data", Some("d"), "x")]).await
        } else {
            client.post(&nobodys, &json!({"part_ids": ["part_x"]})).await
        };
        assert_eq!(
            (answer.status, answer.error()["code"].as_str()),
            (StatusCode::NOT_FOUND, Some("not_found"))
        );
    }
    let theirs = crate::service::part_uploads::Announced {
        filename: "theirs",
        purpose: "batch",
        bytes: 1,
        expires_after_ms: None,
    };
    let theirs = client
        .engine
        .service
        .create_upload(&mallory(), &theirs)
        .await
        .unwrap();
    let cancel = client
        .post(&format!("/v1/uploads/{}/cancel", theirs.id), &json!({}))
        .await;
    assert_eq!(cancel.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_part_of_64_mib_is_taken_and_one_byte_more_is_not() {
    let client = Client::start().await;
    let upload = announce(&client, 64 << 20).await;
    let path = format!("/v1/uploads/{upload}/parts");
    let send = async |bytes: usize| {
        let mut body =
            b"--edge\r\nContent-Disposition: form-data; name=\"data\"; filename=\"d\"\r\n\r\n".to_vec();
        body.resize(body.len() + bytes, b'x');
        body.extend_from_slice(b"\r\n--edge--\r\n");
        let request = client
            .request(Method::POST, &path)
            .header("content-type", "multipart/form-data; boundary=edge");
        client.send(request.body(Body::from(body)).unwrap()).await
    };
    let over = send((64 << 20) + 1).await;
    assert_eq!(
        (over.status, &over.error()["code"]),
        (StatusCode::PAYLOAD_TOO_LARGE, &json!("too_large"))
    );
    assert_eq!(left_on_disk(&client), 0);
    assert_eq!(send(64 << 20).await.status, StatusCode::OK);
}

#[tokio::test]
async fn cancelled_and_expired_uploads_take_nothing_and_leave_nothing() {
    let client = Client::start().await;
    let upload = announce(&client, 4).await;
    part(&client, &upload, "abcd").await;
    let cancelled = client
        .post(&format!("/v1/uploads/{upload}/cancel"), &Value::Null)
        .await;
    assert_eq!(cancelled.json()["status"], "cancelled");
    assert_eq!(left_on_disk(&client), 0);
    let again = client
        .post(&format!("/v1/uploads/{upload}/cancel"), &Value::Null)
        .await;
    assert_eq!(
        (again.status, again.error()["code"].as_str()),
        (StatusCode::BAD_REQUEST, Some("upload_not_pending"))
    );

    let upload = announce(&client, 4).await;
    let a = part(&client, &upload, "abcd").await;
    client.engine.clock.advance(HOUR + Duration::from_secs(1));
    let late = complete(&client, &upload, json!({"part_ids": [a]})).await;
    assert_eq!(
        (late.status, late.error()["code"].as_str()),
        (StatusCode::BAD_REQUEST, Some("upload_expired"))
    );
    client.engine.service.sweep().await.unwrap();
    assert_eq!(left_on_disk(&client), 0);
    client.engine.clock.advance(25 * HOUR);
    client.engine.service.sweep().await.unwrap();
    let forgotten = complete(&client, &upload, json!({"part_ids": [a]})).await;
    assert_eq!(forgotten.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_upload_goes_on_after_a_restart_and_after_a_crash_while_it_was_put_together() {
    let client = Client::start().await;
    let text = lines(12);
    let (one, two) = text.split_at(200);
    let upload = announce(&client, text.len()).await;
    let a = part(&client, &upload, one).await;
    let client = Client::of(client.engine.crash_and_restart().await).await;
    let b = part(&client, &upload, two).await;
    // A server that dies while it writes the parts together leaves this beside a pending upload.
    let torn = client.engine.folder.path().join("data/uploads/file-torn");
    std::fs::write(&torn, one).unwrap();
    let client = Client::of(client.engine.crash_and_restart().await).await;
    let done = complete(&client, &upload, json!({"part_ids": [a, b]}))
        .await
        .json();
    let file = done["file"]["id"].as_str().unwrap().to_owned();
    // One that dies right after the commit has the file's row, and its bytes in the folder of uploads.
    let client = Client::of(client.engine.crash_and_restart().await).await;
    client.engine.validated(&alice(), &DatasetId::new(&file)).await;
    let content = client.get(&format!("/v1/files/{file}/content")).await;
    assert_eq!(content.bytes, text.as_bytes());
}

#[tokio::test]
async fn a_file_that_can_not_be_looked_up_is_not_told_as_deleted() {
    let client = Client::start().await;
    let text = lines(12);
    let upload = announce(&client, text.len()).await;
    let only = part(&client, &upload, &text).await;
    let body = json!({"part_ids": [only]});
    let first = complete(&client, &upload, body.clone()).await.json();
    client
        .engine
        .validated(&alice(), &DatasetId::new(first["file"]["id"].as_str().unwrap()))
        .await;
    let rename = async |sql: &'static str| {
        let mut transaction = client.engine.service.inner.store.begin().await.unwrap();
        sqlx::query(sql).execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
    };
    // As storage that fails for a moment.
    rename("ALTER TABLE files RENAME TO elsewhere").await;
    let answer = complete(&client, &upload, body.clone()).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    rename("ALTER TABLE elsewhere RENAME TO files").await;
    let again = complete(&client, &upload, body.clone()).await.json();
    assert_eq!(again["file"]["id"], first["file"]["id"]);
    let file = first["file"]["id"].as_str().unwrap();
    client.delete(&format!("/v1/files/{file}")).await;
    let deleted = complete(&client, &upload, body).await.json();
    assert_eq!(
        (&deleted["status"], &deleted["file"]),
        (&json!("completed"), &json!(null))
    );
}

#[tokio::test]
async fn who_completes_again_waits_for_whoever_is_putting_it_together() {
    let client = Client::start().await;
    let text = lines(12);
    let upload = announce(&client, text.len()).await;
    let only = part(&client, &upload, &text).await;
    let service = client.engine.service.clone();
    // As if somebody were in the middle of it.
    let turn = service.inner.writers.turn(&upload);
    let busy = turn.lock().await;
    let (id, parts) = (upload.clone(), [only]);
    let (of, asked) = (service.clone(), id.clone());
    let again = tokio::spawn(async move { of.complete_upload(&alice(), &asked, &parts, None).await });
    // The list of turns, this test, and whoever waits.
    while Arc::strong_count(&turn) < 3 {
        tokio::task::yield_now().await;
    }
    // Others are put together meanwhile: time enough for whoever doesn't wait.
    for _ in 0..3 {
        let other = announce(&client, text.len()).await;
        let parts = [part(&client, &other, &text).await];
        service
            .complete_upload(&alice(), &other, &parts, None)
            .await
            .unwrap();
    }
    let row = service.find_part_upload(&alice(), &id).await.unwrap();
    assert_eq!((row.file, again.is_finished()), (None, false));
    drop(busy);
    let row = again.await.unwrap().unwrap();
    assert!(row.file.is_some());
}

#[tokio::test]
async fn a_part_that_is_cut_leaves_nothing_even_where_nobody_hears_of_it() {
    let client = Client::start().await;
    let upload = announce(&client, 1000).await;
    let head = "--edge\r\nContent-Disposition: form-data; name=\"data\"; filename=\"d\"\r\n\r\nsome bytes";
    let request = |body: Body| {
        client
            .request(Method::POST, &format!("/v1/uploads/{upload}/parts"))
            .header("content-type", "multipart/form-data; boundary=edge")
            .body(body)
            .unwrap()
    };
    let broken = futures_util::stream::iter([
        Ok(Bytes::from(head)),
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)),
    ]);
    let answer = client.send(request(Body::from_stream(broken))).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(left_on_disk(&client), 0);

    // The connection's task goes, and with it the handler in the middle of the body.
    let stalled = futures_util::stream::iter([Ok::<_, std::io::Error>(Bytes::from(head))])
        .chain(futures_util::stream::pending());
    let mut sending = Box::pin(client.send(request(Body::from_stream(stalled))));
    while left_on_disk(&client) == 0 {
        assert!(futures_util::poll!(&mut sending).is_pending(), "it can't end");
        tokio::task::yield_now().await;
    }
    drop(sending);
    assert_eq!(left_on_disk(&client), 0);
}
