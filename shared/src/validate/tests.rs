use super::*;
use crate::{
    id::DatasetId,
    model::JobDefaults,
    preset::Proposals,
    run::{LoraSpec, Method, Projection, Schedule},
};
use proptest::prelude::*;

fn draft() -> Draft {
    let mut draft = Draft::new("one");
    draft.set("name", "sort-mail");
    draft.set("base_model", "attune-small");
    draft.set("training_dataset", "file-1");
    draft.apply_defaults(&proposals());
    draft
}

fn proposals() -> Proposals {
    Proposals {
        defaults: JobDefaults::default(),
        bounds: Capabilities::engine().bounds,
    }
}

fn codes(findings: &Findings) -> Vec<(&str, &str)> {
    findings
        .iter()
        .map(|(field, finding)| (field.as_str(), finding.code.as_str()))
        .collect()
}

fn codes_with(field: &str, value: &str) -> Vec<(String, String)> {
    let mut draft = draft();
    draft.set(field, value);
    let findings = validate_step(Step::Review, &draft, &Capabilities::engine());
    codes(&findings)
        .into_iter()
        .map(|(field, code)| (field.to_owned(), code.to_owned()))
        .collect()
}

fn finding(field: &str, code: &str) -> Vec<(String, String)> {
    vec![(field.to_owned(), code.to_owned())]
}

#[test]
fn a_name_has_3_to_50_letters_digits_and_dashes_and_no_dash_at_the_end() {
    let engine = Capabilities::engine();
    let cases = [
        ("", "required"),
        ("ab", "too_short"),
        (&"a".repeat(51), "too_long"),
        ("with space", "bad_characters"),
        ("naïve", "bad_characters"),
        ("under_score", "bad_characters"),
        ("ends-", "trailing_dash"),
    ];
    for (name, code) in cases {
        assert_eq!(codes_with("name", name), finding("name", code), "{name:?}");
    }
    for name in ["abc", "A-1", "-ab", &"a".repeat(50)] {
        let mut draft = draft();
        draft.set("name", name);
        assert!(new_job_from_draft(&draft, &engine).is_ok(), "{name:?}");
    }
}

#[test]
fn evaluation_and_warm_up_epochs_beyond_the_epochs_are_told_under_both() {
    let mut draft = draft();
    draft.set("epochs", "3");
    draft.set("evaluation_epochs", "2");
    draft.set("warmup_epochs", "1");
    assert!(validate_step(Step::Configure, &draft, &Capabilities::engine()).is_empty());
    draft.set("warmup_epochs", "2");
    let findings = validate_step(Step::Configure, &draft, &Capabilities::engine());
    assert_eq!(
        codes(&findings),
        [
            ("evaluation_epochs", "epochs_sum"),
            ("warmup_epochs", "epochs_sum")
        ]
    );
    assert_eq!(findings["warmup_epochs"].params["sum"], "4");
}

#[test]
fn the_largest_numbers_do_not_overflow() {
    let job = NewJob {
        epochs: u32::MAX,
        evaluation_epochs: u32::MAX,
        warmup_epochs: u32::MAX,
        ..new_job_from_draft(&draft(), &Capabilities::engine()).expect("a valid job")
    };
    let mut unbounded = Capabilities::engine();
    unbounded.bounds.epochs.max = None;
    let findings = validate_new_job(&job, &unbounded);
    assert_eq!(findings["evaluation_epochs"].params["sum"], "8589934590");
    for text in ["4294967296", "99999999999999999999999999999999"] {
        assert_eq!(
            codes_with("epochs", text),
            finding("epochs", "too_large"),
            "{text}"
        );
    }
}

#[test]
fn whole_numbers_are_read_as_people_type_them() {
    for (text, code) in [
        ("", "required"),
        (" ", "required"),
        ("1.5", "not_a_whole_number"),
        ("1e1", "not_a_whole_number"),
        ("x", "not_a_whole_number"),
        ("-", "not_a_whole_number"),
        ("-1", "too_small"),
        ("51", "too_large"),
    ] {
        assert_eq!(codes_with("epochs", text), finding("epochs", code), "{text:?}");
    }
    for text in ["10", " 10 ", "+10", "0010"] {
        assert!(codes_with("epochs", text).is_empty(), "{text:?}");
    }
}

#[test]
fn the_learning_rate_is_above_0_and_at_most_1() {
    for (text, code) in [
        ("0", "out_of_range"),
        ("-0.1", "out_of_range"),
        ("1.0001", "out_of_range"),
        ("1e400", "out_of_range"),
        ("1e-400", "out_of_range"),
        ("inf", "not_a_number"),
        ("NaN", "not_a_number"),
        ("0,1", "not_a_number"),
        ("", "required"),
    ] {
        assert_eq!(
            codes_with("learning_rate", text),
            finding("learning_rate", code),
            "{text:?}"
        );
    }
    for text in ["1", "1e-4", "2E-5", ".5", " 0.1 "] {
        assert!(codes_with("learning_rate", text).is_empty(), "{text:?}");
    }
}

#[test]
fn the_adapter_is_within_bounds() {
    assert_eq!(codes_with("lora_rank", "257"), finding("lora_rank", "too_large"));
    assert_eq!(codes_with("lora_rank", "0"), finding("lora_rank", "too_small"));
    assert_eq!(
        codes_with("lora_alpha", "0"),
        finding("lora_alpha", "out_of_range")
    );
    assert_eq!(
        codes_with("lora_dropout", "1"),
        finding("lora_dropout", "out_of_range")
    );
    assert_eq!(codes_with("batch_size", "0"), finding("batch_size", "too_small"));
    assert_eq!(
        codes_with("schedule", "wavy"),
        finding("schedule", "unknown_choice")
    );
    assert_eq!(codes_with("seed", "-3"), finding("seed", "too_small"));
    let mut draft = draft();
    draft.set_targets(Vec::new());
    assert_eq!(
        codes(&validate_step(Step::Configure, &draft, &Capabilities::engine())),
        [("lora_targets", "required")]
    );
    draft.set_targets(vec![Projection::QProj, Projection::QProj]);
    assert_eq!(
        codes(&validate_step(Step::Configure, &draft, &Capabilities::engine())),
        [("lora_targets", "duplicate")]
    );
}

#[test]
fn what_the_upstream_does_not_take_is_left_out_of_a_draft_and_refused_in_a_request() {
    let thin = Capabilities::job_training_api();
    let job = new_job_from_draft(&draft(), &thin).expect("a valid job");
    assert_eq!(
        (&job.training_dataset, &job.lora, job.batch_size),
        (&None, &None, None)
    );
    let full = new_job_from_draft(&draft(), &Capabilities::engine()).expect("a valid job");
    assert_eq!(
        codes(&validate_new_job(
            &NewJob {
                seed: Some(1),
                gradient_checkpointing: None,
                schedule: Some(Schedule::Linear),
                ..full
            },
            &thin
        )),
        [
            ("batch_size", "not_supported"),
            ("lora", "not_supported"),
            ("schedule", "not_supported"),
            ("seed", "not_supported"),
            ("training_dataset", "not_supported")
        ]
    );
}

#[test]
fn the_wizard_opens_on_the_first_step_with_findings() {
    let engine = Capabilities::engine();
    assert_eq!(first_unfinished_step(&Draft::new("one"), &engine), Step::Setup);
    let mut draft = draft();
    assert_eq!(first_unfinished_step(&draft, &engine), Step::Review);
    draft.set("epochs", "none");
    assert_eq!(first_unfinished_step(&draft, &engine), Step::Configure);
    assert!(validate_step(Step::Setup, &draft, &engine).is_empty());
    draft.set("training_dataset", "");
    assert_eq!(first_unfinished_step(&draft, &engine), Step::Setup);
    assert_eq!(
        first_unfinished_step(&draft, &Capabilities::job_training_api()),
        Step::Configure
    );
}

#[test]
fn every_finding_has_its_own_english_sentence() {
    let mut broken = Draft::new("one");
    let mut seen = 0;
    for text in ["", "x", "-1", "0", "99999999999", "a-", "1.5"] {
        for field in crate::draft::FIELDS {
            broken.set(field, text);
        }
        for (field, finding) in validate_step(Step::Review, &broken, &Capabilities::engine()) {
            let sentence = english(&field, &finding);
            assert!(
                !sentence.contains('?') && !sentence.contains("not valid"),
                "{field}: {sentence}"
            );
            seen += 1;
        }
    }
    assert!(seen > 30);
    let range = with("out_of_range", &[("above", "0"), ("max", "1")]);
    assert_eq!(
        english("learning_rate", &range),
        "the learning rate must be above 0 and at most 1"
    );
}

fn typed() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        any::<u64>().prop_map(|value| value.to_string()),
        (0..60u32).prop_map(|value| value.to_string()),
        any::<f64>().prop_map(crate::draft::number_text),
        "[-+]?[0-9]{0,30}[.]?[0-9]{0,3}([eE][-+]?[0-9]{1,4})?",
        "[a-z0-9-]{1,60}",
        Just(String::new()),
    ]
}

#[test]
fn beta_belongs_to_dpo_and_is_above_0_and_at_most_2() {
    let job = |method, beta| NewJob {
        method,
        beta,
        ..new_job_from_draft(&draft(), &Capabilities::engine()).expect("a valid job")
    };
    let found = |method, beta| {
        validate_new_job(&job(method, beta), &Capabilities::engine())
            .get("beta")
            .map(|finding| finding.code.clone())
    };
    for beta in [f64::MIN_POSITIVE, 0.1, 2.0] {
        assert_eq!(found(Some(Method::Dpo), Some(beta)), None, "{beta}");
    }
    for beta in [0.0, -0.1, 2.0001, f64::NAN, f64::INFINITY] {
        assert_eq!(
            found(Some(Method::Dpo), Some(beta)).as_deref(),
            Some("out_of_range"),
            "{beta}"
        );
    }
    assert_eq!(found(Some(Method::Dpo), None), None);
    for method in [None, Some(Method::Supervised)] {
        assert_eq!(found(method, Some(0.1)).as_deref(), Some("needs_dpo"));
    }
    let sentence = english(
        "beta",
        &validate_new_job(&job(Some(Method::Dpo), Some(3.0)), &Capabilities::engine())["beta"],
    );
    assert_eq!(sentence, "beta must be above 0 and at most 2");
    let findings = validate_new_job(
        &job(Some(Method::Dpo), Some(0.1)),
        &Capabilities::job_training_api(),
    );
    assert_eq!(
        (findings["method"].code.as_str(), findings["beta"].code.as_str()),
        ("not_supported", "not_supported")
    );
}

proptest! {
    #[test]
    fn any_draft_is_judged_and_a_job_made_from_it_is_valid(
        values in proptest::collection::vec(typed(), crate::draft::FIELDS.len()),
        targets in proptest::collection::vec(proptest::sample::select(Projection::ALL.to_vec()), 0..9),
        engine in any::<bool>(), with_defaults in any::<bool>(),
    ) {
        let capabilities = if engine { Capabilities::engine() } else { Capabilities::job_training_api() };
        let mut draft = Draft::new("one");
        for (index, (field, value)) in crate::draft::FIELDS.into_iter().zip(values).enumerate() {
            // With defaults, most fields are valid, so that whole jobs come out too.
            if !with_defaults || index == 4 {
                draft.set(field, value);
            }
        }
        if with_defaults {
            draft.set("name", "abc");
            draft.set("base_model", "m");
            draft.set("training_dataset", "file-1");
            draft.apply_defaults(&proposals());
        } else {
            draft.set_targets(targets);
        }
        match new_job_from_draft(&draft, &capabilities) {
            Ok(job) => {
                prop_assert_eq!(validate_new_job(&job, &capabilities), Findings::new());
                prop_assert_eq!(first_unfinished_step(&draft, &capabilities), Step::Review);
            }
            Err(findings) => {
                prop_assert!(!findings.is_empty());
                prop_assert_ne!(first_unfinished_step(&draft, &capabilities), Step::Review);
            }
        }
    }

    #[test]
    fn a_request_and_a_draft_of_the_same_values_are_judged_alike(
        name in "[a-zA-Z0-9 -]{0,54}", epochs in 0..60u32, evaluation_epochs in any::<u32>(), warmup_epochs in 0..60u32,
        learning_rate in prop_oneof![any::<f64>().prop_filter("finite", |rate| rate.is_finite()), 0.0..1.5],
        batch_size in 0..400u32, rank in 0..400u32, alpha in -1.0..64.0, dropout in -0.5..1.5,
        targets in proptest::collection::vec(proptest::sample::select(Projection::ALL.to_vec()), 0..4),
        seed in any::<u64>(),
    ) {
        let capabilities = Capabilities::engine();
        let job = NewJob {
            name, base_model: "m".to_owned(), epochs, evaluation_epochs, warmup_epochs, learning_rate,
            training_dataset: Some(DatasetId::new("file-1")), validation_dataset: None, method: None, beta: None,
            batch_size: Some(batch_size),
            lora: Some(LoraSpec { rank, alpha, dropout, targets: targets.clone() }),
            schedule: Some(Schedule::Cosine), seed: Some(seed), gradient_checkpointing: None,
        };
        let mut draft = Draft::new("one");
        let texts = [
            ("name", job.name.clone()), ("base_model", job.base_model.clone()), ("training_dataset", "file-1".to_owned()),
            ("epochs", epochs.to_string()), ("evaluation_epochs", evaluation_epochs.to_string()),
            ("warmup_epochs", warmup_epochs.to_string()), ("learning_rate", crate::draft::number_text(learning_rate)),
            ("batch_size", batch_size.to_string()), ("lora_rank", rank.to_string()),
            ("lora_alpha", crate::draft::number_text(alpha)), ("lora_dropout", crate::draft::number_text(dropout)),
            ("schedule", "cosine".to_owned()), ("seed", seed.to_string()),
        ];
        for (field, text) in texts {
            draft.set(field, text);
        }
        draft.set_targets(targets);
        let findings = validate_new_job(&job, &capabilities);
        match new_job_from_draft(&draft, &capabilities) {
            Ok(read) => {
                prop_assert_eq!(findings, Findings::new());
                prop_assert_eq!(read, job);
            }
            Err(told) => prop_assert_eq!(told, findings),
        }
    }
}
