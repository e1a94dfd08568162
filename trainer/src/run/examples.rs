//! Which examples an optimizer step is made of, told by the code that training takes its own from: the lines that are
//! examples, the step's visit, and the epoch's order. Only the step's own lines are parsed and tokenised.

use super::prepare;
use crate::{
    Error,
    chat::{ChatTokenizer, Tokens},
    data::{self, Role},
    model::read_config,
};
use shared::{
    dataset::PreviewExample,
    run::RunSpec,
    step_examples::{StepExample, StepExamples},
};
use std::{fs::File, io::BufReader, path::Path};

/// How much is read of the training file at a time.
const BUFFER: usize = 1 << 18;

/// Bytes of text that an answer holds: what comes after is told without its messages.
const MOST_TEXT: usize = 4 << 20;

/// What a message takes besides its text.
const MESSAGE: usize = 64;

/// The examples of a step (from 1) of the run that this specification describes. `run_dir` is what relative paths begin at.
/// Without the base model the tokens aren't counted.
///
/// # Errors
/// The run has no such step; the training file can't be read or used.
pub fn examples(spec: &RunSpec, run_dir: &Path, step: u64) -> Result<StepExamples, Error> {
    prepare::check(spec)?;
    let path = run_dir.join(&spec.training_file);
    let mut file = File::open(&path).map_err(Error::read(&path))?;
    let lines = data::example_lines(BufReader::with_capacity(BUFFER, &file)).map_err(Error::read(&path))?;
    let total_steps = data::steps_per_epoch(lines.len(), spec.batch_size) * u64::from(spec.epochs);
    if !(1..=total_steps).contains(&step) {
        return Err(Error::InvalidSpec(format!(
            "there is no step {step}; the run has the steps 1 to {total_steps}"
        )));
    }
    let visit = data::visit(step - 1, lines.len(), spec.batch_size);
    let order = data::order(lines.len(), spec.seed, visit.epoch, spec.shuffle);
    let folder = run_dir.join(&spec.model_path);
    let tokenizer = read_config(&folder).and_then(|config| ChatTokenizer::load(&folder, &config));
    let (method, longest) = (spec.method.method(), spec.max_sequence_length as usize);
    let mut room = MOST_TEXT;
    let mut examples = Vec::with_capacity(visit.places.len());
    for line in order[visit.places].iter().map(|example| lines[*example]) {
        let text = line.read(&mut file).map_err(Error::read(&path))?;
        let refused = |message| Role::Training.error(line.number, message);
        let example = data::parse(&text, line.number, method).map_err(refused)?;
        let texts = tokenizer
            .as_ref()
            .ok()
            .map(|tokenizer| data::tokenise(&example, method, tokenizer, longest).map_err(refused))
            .transpose()?;
        let count = |of: fn(&Tokens) -> usize| {
            let texts = texts.as_deref()?;
            Some(texts.iter().map(of).sum::<usize>() as u64)
        };
        examples.push(StepExample {
            tokens: count(|tokens| tokens.ids.len()),
            target_tokens: count(Tokens::targets),
            example: within(&mut room, PreviewExample::of(line.number, &example)),
        });
    }
    Ok(StepExamples {
        step,
        epoch: visit.epoch + 1,
        total_steps,
        examples,
    })
}

/// The example as far as there is room for it.
fn within(room: &mut usize, example: PreviewExample) -> PreviewExample {
    let messages = example.messages.iter().chain(&example.non_preferred);
    let needed: usize = messages.map(|message| message.content.len() + MESSAGE).sum();
    match room.checked_sub(needed) {
        Some(rest) => {
            *room = rest;
            example
        }
        None => PreviewExample {
            messages: Vec::new(),
            non_preferred: None,
            ..example
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::dataset::PreviewMessage;

    #[test]
    fn what_there_is_no_room_for_keeps_its_line_and_shorter_ones_still_fit() {
        let example = |line, letters| PreviewExample {
            line,
            messages: vec![PreviewMessage {
                role: "user".to_owned(),
                content: "a".repeat(letters),
                cut: false,
            }],
            non_preferred: None,
        };
        let mut room = 2 * MESSAGE + 30;
        let told =
            [(7, 20), (9, 21), (2, 10)].map(|(line, letters)| within(&mut room, example(line, letters)));
        assert_eq!(told.each_ref().map(|example| example.line), [7, 9, 2]);
        assert_eq!(told.each_ref().map(|example| example.messages.len()), [1, 0, 1]);
        assert_eq!(room, 0);
    }
}
