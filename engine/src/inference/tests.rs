//! With a child written in shell, which says what it was asked; the real one is played against in `/tests`.

use super::*;
use crate::testing::*;
use futures_util::TryStreamExt as _;
use shared::{chat::ChatModelKind, status::JobStatus};
use std::{fs, path::PathBuf};

/// What a request says decides what the child does with it.
const CHILD: &str = r#"
cd "$(dirname "$0")" && echo "$@" >> starts
cancels=0
say() { printf '{"type":"%s","id":%s%s}\n' "$1" "$id" "$2"; }
while IFS= read -r line; do
  id=${line#*\"id\":}; id=${id%%[!0-9]*}
  case "$line" in
    *'"type":"cancel"'*) cancels=$((cancels + 1)); say cancelled; continue ;;
    *'say too long'*) say failed ',"code":"context_length_exceeded","message":"too long"'; continue ;;
    *'say nonsense'*) say failed ',"code":"invalid_model","message":"/secret/path"'; continue ;;
  esac
  say started ',"prompt_tokens":3'
  case "$line" in
    *'say nothing'*) say text ',"text":"begun"'; continue ;;
    *'say farewell'*) say text ',"text":"begun"'; exit 3 ;;
    *'say cancels'*) say text ",\"text\":\"$cancels\"" ;;
    *'say adapter'*)
      adapter=${line#*\"adapter\":\"}; adapter=${adapter%%\"*}
      say text ",\"text\":\"$(cat "$adapter"/adapter_model.safetensors | wc -c) in $adapter\"" ;;
    *) say text ',"text":"Hel"'; say text ',"text":"lo"' ;;
  esac
  say done ',"finish_reason":"stop","completion_tokens":2'
done
echo left >> left
"#;

async fn start(change: impl FnOnce(&mut crate::Config)) -> TestEngine {
    TestEngine::start_with(|config| {
        let folder = config.data_dir.parent().unwrap().join("child");
        fs::create_dir(&folder).unwrap();
        let script = folder.join("child.sh");
        fs::write(&script, CHILD).unwrap();
        config.inference.command = vec!["/bin/sh".to_owned(), script.display().to_string()];
        config.inference.threads = 3;
        change(config);
    })
    .await
}

fn request(model: &str, prompt: &str) -> CompletionRequest {
    CompletionRequest {
        model: model.to_owned(),
        prompt: Prompt::Text(prompt.to_owned()),
        parameters: InferParameters::default(),
        choices: 1,
    }
}

async fn ask(engine: &TestEngine, model: &str, prompt: &str) -> Result<Completion, Error> {
    engine.service.complete(&alice(), request(model, prompt)).await
}

/// The texts of an answer, put together.
async fn text(completion: Completion) -> Result<String, Error> {
    let pieces: Vec<Piece> = completion.pieces.try_collect().await?;
    assert!(matches!(pieces.last(), Some(Piece::Done { .. })), "{pieces:?}");
    let texts = pieces.into_iter().filter_map(|piece| match piece {
        Piece::Text { text, .. } => Some(text),
        Piece::Done { .. } => None,
    });
    Ok(texts.collect())
}

fn lines(engine: &TestEngine, file: &str) -> Vec<String> {
    let text = fs::read_to_string(engine.folder.path().join("child").join(file)).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_child_answers_one_after_the_other_and_stays_for_the_next() {
    let engine = start(|_| {}).await;
    let completion = ask(&engine, "tiny", "hello").await.unwrap();
    assert_eq!(completion.prompt_tokens, 3);
    assert!(completion.fingerprint.starts_with("fp_"));
    assert_eq!(text(completion).await.unwrap(), "Hello");
    let several = CompletionRequest {
        choices: 3,
        ..request("tiny", "hello")
    };
    let several = engine.service.complete(&alice(), several).await.unwrap();
    let pieces: Vec<Piece> = several.pieces.try_collect().await.unwrap();
    let done = pieces.iter().filter_map(|piece| match piece {
        Piece::Done { choice, .. } => Some(*choice),
        Piece::Text { .. } => None,
    });
    assert_eq!(done.collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(lines(&engine, "starts"), ["--threads 3"]);
}

#[tokio::test]
async fn a_child_that_nobody_asks_leaves_and_another_comes_when_needed() {
    let engine = start(|config| config.inference.idle = Duration::ZERO).await;
    for round in 1..=2 {
        text(ask(&engine, "tiny", "hello").await.unwrap()).await.unwrap();
        while lines(&engine, "left").len() < round {
            tokio::task::yield_now().await;
        }
        assert_eq!(lines(&engine, "starts").len(), round);
    }
}

#[tokio::test]
async fn whoever_goes_away_is_cancelled_in_the_child_and_the_next_has_its_turn() {
    let engine = start(|_| {}).await;
    let mut first = ask(&engine, "tiny", "say nothing").await.unwrap();
    let begun = first.pieces.next().await.unwrap().unwrap();
    assert!(matches!(begun, Piece::Text { text, .. } if text == "begun"));
    drop(first);
    let next = ask(&engine, "tiny", "say cancels").await.unwrap();
    assert_eq!(text(next).await.unwrap(), "1");
    assert_eq!(lines(&engine, "starts").len(), 1, "the child lives on");
}

#[tokio::test]
async fn only_so_many_wait_and_a_place_is_free_again_when_one_leaves() {
    let engine = start(|config| config.inference.longest_queue = 1).await;
    let first = ask(&engine, "tiny", "say nothing").await.unwrap();
    let service = engine.service.clone();
    let mut second = Box::pin(async move { service.complete(&alice(), request("tiny", "hello")).await });
    // It comes as far as it can: to its place in the queue.
    let places = Arc::clone(&engine.service.inner.inference.places);
    while places.available_permits() > 0 {
        assert!(futures_util::poll!(&mut second).is_pending());
        tokio::task::yield_now().await;
    }
    let refused = ask(&engine, "tiny", "hello").await.err().unwrap();
    assert!(matches!(refused, Error::Busy { retry_after: 1.. }), "{refused}");
    drop(first);
    assert_eq!(text(second.await.unwrap()).await.unwrap(), "Hello");
    // Given up while it waits.
    let first = ask(&engine, "tiny", "say nothing").await.unwrap();
    let service = engine.service.clone();
    let mut second = Box::pin(async move { service.complete(&alice(), request("tiny", "hello")).await });
    while places.available_permits() > 0 {
        assert!(futures_util::poll!(&mut second).is_pending());
        tokio::task::yield_now().await;
    }
    drop(second);
    while places.available_permits() == 0 {
        tokio::task::yield_now().await;
    }
    drop(first);
    assert_eq!(
        text(ask(&engine, "tiny", "hello").await.unwrap()).await.unwrap(),
        "Hello"
    );
}

#[tokio::test]
async fn an_answer_that_nobody_reads_keeps_its_place() {
    let engine = start(|config| config.inference.longest_queue = 0).await;
    let unread = ask(&engine, "tiny", "hello").await.unwrap();
    while engine.service.inner.inference.turn.available_permits() == 0 {
        tokio::task::yield_now().await;
    }
    let refused = ask(&engine, "tiny", "hello").await.err().unwrap();
    assert!(matches!(refused, Error::Busy { .. }), "{refused}");
    assert_eq!(text(unread).await.unwrap(), "Hello");
    let next = ask(&engine, "tiny", "hello").await.unwrap();
    assert_eq!(text(next).await.unwrap(), "Hello");
}

#[tokio::test]
async fn a_child_that_dies_takes_the_answer_under_way_and_nothing_else() {
    let engine = start(|_| {}).await;
    let completion = ask(&engine, "tiny", "say farewell").await.unwrap();
    let error = text(completion).await.unwrap_err();
    assert_eq!(error.code(), "inference_failed");
    assert!(error.to_string().contains("try again"), "{error}");
    assert_eq!(
        text(ask(&engine, "tiny", "hello").await.unwrap()).await.unwrap(),
        "Hello"
    );
    assert_eq!(lines(&engine, "starts").len(), 2);
}

#[tokio::test]
async fn a_child_that_stands_still_is_ended() {
    let engine = start(|config| config.longest_silence = Duration::from_secs(3)).await;
    let completion = ask(&engine, "tiny", "say nothing").await.unwrap();
    let error = text(completion).await.unwrap_err();
    assert!(error.to_string().contains("stood still"), "{error}");
    assert_eq!(
        text(ask(&engine, "tiny", "hello").await.unwrap()).await.unwrap(),
        "Hello"
    );
}

#[tokio::test]
async fn a_child_that_is_being_ended_gets_no_question_any_more() {
    let engine = start(|_| {}).await;
    text(ask(&engine, "tiny", "hello").await.unwrap()).await.unwrap();
    let child = engine.service.inner.inference.child.lock().await.clone().unwrap();
    child.kill();
    assert!(!child.is_alive());
    assert_eq!(
        text(ask(&engine, "tiny", "hello").await.unwrap()).await.unwrap(),
        "Hello"
    );
    assert_eq!(lines(&engine, "starts").len(), 2);
}

#[tokio::test]
async fn what_the_child_refuses_is_told_without_the_servers_folders() {
    let engine = start(|_| {}).await;
    let error = ask(&engine, "tiny", "say too long").await.err().unwrap();
    assert!(
        matches!(
            error,
            Error::Unanswerable {
                code: "context_length_exceeded",
                ..
            }
        ),
        "{error}"
    );
    let error = ask(&engine, "tiny", "say nonsense").await.err().unwrap();
    assert_eq!(error.code(), "model_unusable");
    assert!(!error.to_string().contains("secret"), "{error}");
    let engine = TestEngine::start().await;
    let error = ask(&engine, "tiny", "hello").await.err().unwrap();
    assert_eq!(error.code(), "inference_unavailable");
}

#[tokio::test]
async fn tuned_models_and_checkpoints_of_running_jobs_are_asked_by_their_owner_alone() {
    let engine = start(|_| {}).await;
    let (id, trainer) = engine.job_at_step(&alice(), "mine", 2).await;
    trainer.checkpoint(2).await;
    trainer.step(3).await;
    engine.wait_step(&alice(), &id, 3).await;
    let list = engine.service.chat_models(&alice()).await.unwrap().models;
    let kinds: Vec<ChatModelKind> = list.iter().map(|model| model.kind).collect();
    assert_eq!(
        kinds[kinds.len() - 2..],
        [ChatModelKind::Base, ChatModelKind::Checkpoint]
    );
    let checkpoint = list.last().unwrap();
    assert_eq!(
        (checkpoint.step, checkpoint.job_id.as_ref()),
        (Some(2), Some(&id))
    );
    assert!(checkpoint.id.ends_with(":ckpt-step-2") && checkpoint.base_model == "tiny");
    let mallorys = engine.service.chat_models(&mallory()).await.unwrap().models;
    assert!(mallorys.iter().all(|model| model.kind == ChatModelKind::Base));

    let answer = ask(&engine, &checkpoint.id, "say adapter").await.unwrap();
    assert!(text(answer).await.unwrap().starts_with("1000 in "));
    let refused = engine
        .service
        .complete(&mallory(), request(&checkpoint.id, "hello"))
        .await;
    assert!(matches!(refused, Err(Error::ModelNotFound(_))));
    let tuned = checkpoint.id.strip_suffix(":ckpt-step-2").unwrap().to_owned();
    for name in [
        tuned.as_str(),
        &format!("{tuned}:ckpt-step-3"),
        &format!("{tuned}:ckpt-step-x"),
        &format!("{tuned}:ckpt-step-"),
        &tuned.replace("tiny", "tinier"),
        "ft:",
        "nobody",
        "",
    ] {
        let refused = ask(&engine, name, "hello").await;
        assert!(matches!(refused, Err(Error::ModelNotFound(_))), "{name}");
    }

    trainer.finish(3).await;
    engine.wait_status(&alice(), &id, JobStatus::Succeeded).await;
    let answer = ask(&engine, &tuned, "say adapter").await.unwrap();
    assert!(text(answer).await.unwrap().starts_with("1000 in "));
    let list = engine.service.chat_models(&alice()).await.unwrap().models;
    assert!(
        list.iter()
            .any(|model| model.id == tuned && model.kind == ChatModelKind::Tuned)
    );
    let refused = engine
        .service
        .complete(&mallory(), request(&tuned, "hello"))
        .await;
    assert!(matches!(refused, Err(Error::ModelNotFound(_))));
}

#[tokio::test]
async fn a_checkpoint_that_is_removed_while_its_question_waits_is_answered_all_the_same() {
    let engine = start(|_| {}).await;
    let (id, trainer) = engine.job_at_step(&alice(), "mine", 2).await;
    trainer.checkpoint(2).await;
    trainer.step(3).await;
    engine.wait_step(&alice(), &id, 3).await;
    let list = engine.service.chat_models(&alice()).await.unwrap().models;
    let name = list.last().unwrap().id.clone();
    let first = ask(&engine, "tiny", "say nothing").await.unwrap();
    let held: PathBuf = engine.service.inner.layout.held();
    let (service, asked) = (engine.service.clone(), name.clone());
    let waiting =
        tokio::spawn(async move { service.complete(&alice(), request(&asked, "say adapter")).await });
    while fs::read_dir(&held).unwrap().count() == 0 {
        tokio::task::yield_now().await;
    }
    while engine.service.inner.inference.places.available_permits() > 15 {
        tokio::task::yield_now().await;
    }
    fs::remove_dir_all(trainer.launch.run_dir.join("checkpoints/step-2")).unwrap();
    trainer
        .say(shared::run::RunEvent::CheckpointRemoved { step: 2 })
        .await;
    trainer.step(4).await;
    engine.wait_step(&alice(), &id, 4).await;
    assert!(matches!(
        ask(&engine, &name, "hello").await,
        Err(Error::ModelNotFound(_))
    ));
    drop(first);
    let answer = waiting.await.unwrap().unwrap();
    assert!(text(answer).await.unwrap().starts_with("1000 in "));
    while fs::read_dir(&held).unwrap().count() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_server_that_goes_down_ends_its_answers_and_its_child() {
    let engine = start(|_| {}).await;
    let first = ask(&engine, "tiny", "say nothing").await.unwrap();
    engine.service.shutdown().await;
    assert_eq!(text(first).await.unwrap_err().code(), "stopping");
    while lines(&engine, "left").is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_becomes_of_requests_and_how_quick_it_goes_is_counted() {
    let engine = start(|config| config.inference.longest_queue = 0).await;
    let figures = async || engine.service.counters().await.unwrap().decoding;
    text(ask(&engine, "tiny", "hello").await.unwrap()).await.unwrap();
    ask(&engine, "nobody", "hello").await.err().unwrap();
    ask(&engine, "tiny", "say too long").await.err().unwrap();
    let farewell = ask(&engine, "tiny", "say farewell").await.unwrap();
    text(farewell).await.unwrap_err();
    // This one takes the only place, and then goes away.
    let first = ask(&engine, "tiny", "say nothing").await.unwrap();
    ask(&engine, "tiny", "hello").await.err().unwrap();
    drop(first);
    while figures().await.cancelled == 0 {
        tokio::task::yield_now().await;
    }
    let found = figures().await;
    assert_eq!(
        (
            found.answered,
            found.refused,
            found.busy,
            found.cancelled,
            found.failed
        ),
        (1, 2, 1, 1, 1)
    );
    assert_eq!((found.starts, found.restarts), (2, 1));
    assert_eq!(found.queue_seconds.count(), 4, "of those that had a turn");
    assert!(
        (2..=3).contains(&found.first_token_seconds.count()),
        "of those that had a text; whether the last came that far is open"
    );
    assert_eq!(found.tokens_per_second.count(), 1);
    assert!(found.tokens_per_second.sum() > 0.0 && found.first_token_seconds.sum() > 0.0);
}
