use super::*;
use shared::{
    dataset::{PreviewExample, PreviewMessage},
    problem::Problem,
};

fn told(tokens: Option<u64>) -> StepExamples {
    let message = |role: &str, content: &str| PreviewMessage {
        role: role.to_owned(),
        content: content.to_owned(),
        cut: false,
    };
    let example = |line, messages, non_preferred| StepExample {
        example: PreviewExample {
            line,
            messages,
            non_preferred,
        },
        tokens: Some(40),
        target_tokens: tokens,
    };
    StepExamples {
        step: 4_711,
        epoch: 2,
        total_steps: 9_000,
        examples: vec![
            example(
                1_207,
                vec![message("user", "absurd?"), message("assistant", "yes")],
                Some(message("assistant", "no")),
            ),
            example(3, Vec::new(), None),
        ],
    }
}

#[component]
fn List() -> Html {
    list(Some(&DatasetId::new("file-1")), &told(None))
}

#[tokio::test]
async fn each_example_tells_its_line_and_both_answers_and_a_long_one_that_it_is_not_shown() {
    let html = yew::ServerRenderer::<List>::new()
        .hydratable(false)
        .render()
        .await;
    for part in [
        "Line 1,207",
        "href=\"/datasets/file-1?line=1207\"",
        "absurd?",
        "preferred",
        "not preferred",
        "Line 3",
        "Too long",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
}

#[test]
fn tokens_are_summed_only_where_every_example_has_them() {
    assert_eq!(
        facts(&told(Some(7))),
        "epoch 2 · 2 examples · 80 tokens, 14 in the loss"
    );
    assert_eq!(facts(&told(None)), "epoch 2 · 2 examples");
}

#[test]
fn a_step_is_read_however_it_is_typed_and_nonsense_is_none() {
    assert_eq!(step_of("4,711"), Some(4_711));
    assert_eq!(step_of("4.711 "), Some(4_711));
    assert_eq!([step_of(""), step_of("0"), step_of("moon")], [None; 3]);
}

#[test]
fn what_is_gone_for_good_has_its_own_words_and_the_rest_can_be_tried_again() {
    let problem = |status, code: &str| {
        ApiError::Problem(Box::new(Problem {
            kind: "about:blank".to_owned(),
            title: "t".to_owned(),
            status,
            detail: None,
            code: code.to_owned(),
            request_id: None,
            fields: Default::default(),
            field_codes: Default::default(),
        }))
    };
    assert_eq!(
        reason(&problem(409, "dataset_deleted")),
        Some(text::examples_gone())
    );
    assert_eq!(reason(&problem(404, "not_found")), Some(text::no_such_step()));
    assert_eq!(reason(&problem(503, "examples_unavailable")), None);
}
