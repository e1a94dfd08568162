use super::*;
use crate::{Model, lora::Adapter, testing::write_model};
use shared::{
    inference::{InferCommand, InferParameters, Prompt},
    run::{LoraSpec, Projection},
};
use std::{
    path::Path,
    sync::mpsc::{Receiver, Sender, channel},
    thread::JoinHandle,
};

/// Passes each line on.
struct Lines(Sender<InferEvent>, Vec<u8>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.1.extend_from_slice(bytes);
        while let Some(end) = self.1.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.1.drain(..=end).collect();
            self.0
                .send(serde_json::from_slice(&line).unwrap())
                .map_err(std::io::Error::other)?;
        }
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct Child {
    commands: Sender<InferCommand>,
    events: Receiver<InferEvent>,
    thread: JoinHandle<()>,
}

impl Child {
    fn start() -> Self {
        let (commands, inbox) = Inbox::channel();
        let (sender, events) = channel();
        let thread = std::thread::spawn(move || run(inbox, Box::new(Lines(sender, Vec::new())), 1));
        Self {
            commands,
            events,
            thread,
        }
    }

    fn ask(&self, request: InferRequest) {
        self.commands
            .send(InferCommand::Complete(Box::new(request)))
            .unwrap();
    }

    /// The text of a whole answer, or how it failed.
    fn answer(&self, request: InferRequest) -> Result<String, String> {
        let id = request.id;
        self.ask(request);
        let mut text = String::new();
        loop {
            let event = self.events.recv().unwrap();
            assert_eq!(event.id(), id);
            match event {
                InferEvent::Text { text: more, .. } => text.push_str(&more),
                InferEvent::Done { .. } => return Ok(text),
                InferEvent::Failed { code, .. } => return Err(code),
                _ => {}
            }
        }
    }
}

fn request(id: u64, model: &Path, adapter: Option<&Path>) -> InferRequest {
    let name = |path: &Path| path.to_str().unwrap().to_owned();
    InferRequest {
        id,
        model: name(model),
        adapter: adapter.map(name),
        prompt: Prompt::Text("say red".to_owned()),
        parameters: InferParameters {
            max_tokens: 20,
            ..InferParameters::default()
        },
        memory_limit_bytes: None,
    }
}

fn save_adapter(model: &Path, folder: &Path, seed: u64) {
    let model = Model::load(model).unwrap();
    let spec = LoraSpec {
        rank: 2,
        alpha: 8.0,
        dropout: 0.0,
        targets: Projection::ALL.to_vec(),
    };
    let mut adapter = Adapter::random(&model, &spec, seed).unwrap();
    for (place, value) in adapter.values.iter_mut().enumerate() {
        *value += ((place as u64 * seed) % 7) as f32 * 0.03;
    }
    adapter.save("base", folder).unwrap();
}

#[test]
fn a_base_model_and_its_adapters_answer_in_turn_and_a_new_one_of_the_same_name_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let (model, adapter) = (folder.path().join("model"), folder.path().join("adapter"));
    std::fs::create_dir(&model).unwrap();
    write_model(&model);
    endless(&model);
    save_adapter(&model, &adapter, 2);
    let child = Child::start();
    let base = child.answer(request(1, &model, None)).unwrap();
    let tuned = child.answer(request(2, &model, Some(&adapter))).unwrap();
    assert_ne!(base, tuned);
    assert_eq!(child.answer(request(3, &model, None)).unwrap(), base);
    assert_eq!(child.answer(request(4, &model, Some(&adapter))).unwrap(), tuned);
    save_adapter(&model, &adapter, 3);
    assert_ne!(child.answer(request(5, &model, Some(&adapter))).unwrap(), tuned);
    // What can't be answered is told, and the child goes on.
    let nowhere = folder.path().join("nowhere");
    assert_eq!(
        child.answer(request(6, &nowhere, None)),
        Err("invalid_model".to_owned())
    );
    assert_eq!(
        child.answer(request(7, &model, Some(&nowhere))),
        Err("storage".to_owned())
    );
    let mut small = request(8, &model, None);
    small.memory_limit_bytes = Some(1000);
    assert_eq!(child.answer(small), Err("not_enough_memory".to_owned()));
    assert_eq!(child.answer(request(9, &model, None)).unwrap(), base);
    drop(child.commands);
    child.thread.join().unwrap();
}

/// A request that is far from its end when it is cancelled.
fn long(id: u64, model: &Path) -> InferRequest {
    let mut request = request(id, model, None);
    request.parameters.max_tokens = 1_000_000;
    request.parameters.temperature = 2.0;
    request
}

#[test]
fn a_cancelled_request_ends_at_once_and_one_that_waits_never_begins() {
    let folder = tempfile::tempdir().unwrap();
    write_model(folder.path());
    // Never ends by itself: no token is a mark.
    endless(folder.path());
    let child = Child::start();
    child.ask(long(1, folder.path()));
    child.ask(long(2, folder.path()));
    child.ask(request(3, folder.path(), None));
    assert!(matches!(
        child.events.recv().unwrap(),
        InferEvent::Started { id: 1, .. }
    ));
    child.commands.send(InferCommand::Cancel { id: 2 }).unwrap();
    child.commands.send(InferCommand::Cancel { id: 1 }).unwrap();
    let rest: Vec<InferEvent> = std::iter::from_fn(|| child.events.recv().ok())
        .take_while(|event| !matches!(event, InferEvent::Done { id: 3, .. }))
        .filter(|event| !matches!(event, InferEvent::Text { .. }))
        .collect();
    let Some(third) = rest.get(2) else {
        panic!("{rest:?}")
    };
    assert!(matches!(third, InferEvent::Started { id: 3, .. }), "{rest:?}");
    assert_eq!(
        rest[..2],
        [InferEvent::Cancelled { id: 1 }, InferEvent::Cancelled { id: 2 }]
    );
}

#[test]
fn the_end_of_its_input_ends_it_in_the_midst_of_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    write_model(folder.path());
    endless(folder.path());
    let child = Child::start();
    child.ask(long(1, folder.path()));
    assert!(matches!(child.events.recv().unwrap(), InferEvent::Started { .. }));
    drop(child.commands);
    child.thread.join().unwrap();
}

/// Takes the marks away that would end an answer, and the end of the context.
fn endless(folder: &Path) {
    let tokenizer = std::fs::read_to_string(folder.join("tokenizer.json")).unwrap();
    let plain = tokenizer.replace("\"special\":true", "\"special\":false");
    assert_ne!(tokenizer, plain);
    std::fs::write(folder.join("tokenizer.json"), plain).unwrap();
    let config = std::fs::read_to_string(folder.join("config.json")).unwrap();
    let mut config: serde_json::Value = serde_json::from_str(&config).unwrap();
    config["eos_token_id"] = serde_json::Value::Null;
    config["max_position_embeddings"] = 10_000_000.into();
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
}
