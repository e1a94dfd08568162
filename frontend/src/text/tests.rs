//! Both languages say everything, each in its own words and its own form of numbers.

use super::{de, en, format};
use crate::{
    api::{ApiError, jobs::Action},
    language::{Language, speak_in_test},
    pages::settings::use_settings_page,
    part::plain_part,
    route::Section,
    theme::Theme,
};
use shared::{
    dataset::DatasetStatus, metrics::Series, problem::FieldCode, run::Stage, status::JobStatus,
    training_line::Severity, validate::Step,
};
use std::{collections::BTreeMap, fs, path::Path};
use yew::prelude::*;

/// What is the same word in both languages: names, signs, and words that German took over.
const ALIKE: [&str; 24] = [
    "beta",
    "product",
    "none",
    "name",
    "status",
    "status_filter",
    "token_command",
    "version",
    "format_name",
    "to_fetch",
    "checkpoints",
    "loss",
    "live",
    "dropout",
    "seed",
    "auto",
    "jobs_above",
    "top_p",
    "prompt",
    "prompts",
    "webhooks",
    "wandb",
    "wandb_entity",
    "wandb_tags",
];

/// What `say` says in each language.
fn both<T>(say: impl Fn() -> T) -> (T, T) {
    speak_in_test(Language::German);
    let german = say();
    speak_in_test(Language::English);
    (say(), german)
}

#[test]
fn every_fixed_word_has_a_german_one_of_its_own() {
    for words in en::ALL_WORDS {
        for (name, word) in *words {
            let (english, german) = both(word);
            assert!(!german.is_empty(), "{name}");
            let is_alike = ALIKE.contains(name);
            assert_eq!(english == german, is_alike, "{name}: {english} / {german}");
            let edges = |text: &str| (text.starts_with(' '), text.ends_with(' '));
            assert_eq!(edges(english), edges(german), "{name} stands beside other words");
        }
    }
}

/// The English functions that have words of their own and yet ask no German one: names that stay, words of the wire.
const UNASKED: [&str; 9] = [
    // A language's own name; `Attune`, `LoRA` and a checkpoint's folder.
    "language_label",
    "page_title",
    "method_label",
    "checkpoint_name",
    // The protocol's name, and the server's own words.
    "delivery_detail",
    // Names of fields and codes, as arguments of what says them.
    "field_label",
    "field_value",
    "error_title",
    "submit_advice",
];

#[test]
fn every_english_function_with_words_asks_the_german_one_first() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/text");
    let files = fs::read_dir(folder.join("en")).expect("a folder");
    let mut files: Vec<_> = files.map(|entry| entry.expect("a file").path()).collect();
    for english in &files {
        let german = folder.join("de").join(english.file_name().expect("a name"));
        assert!(german.is_file(), "{} is missing", german.display());
    }
    files.push(folder.join("en.rs"));
    let mut asking = 0;
    for file in files {
        let source = fs::read_to_string(&file).expect("a file");
        for function in source.split("\npub fn ").skip(1) {
            let body = function.split("\n}\n").next().unwrap_or_default();
            let name = body.split('(').next().unwrap_or_default();
            let begins = body.split_once("{\n").map_or("", |(_, body)| body.trim_start());
            if begins.starts_with(&format!("german!({name}(")) {
                asking += 1;
            } else {
                let has_words = literals(body).any(|literal| literal.contains(char::is_alphabetic));
                assert!(
                    !has_words || UNASKED.contains(&name),
                    "{name} of {} has words, and begins without german!({name}(…));",
                    file.display()
                );
            }
        }
    }
    assert!(asking > 60, "{asking}");
}

/// The string literals of a source text, without what their braces name.
fn literals(source: &str) -> impl Iterator<Item = String> {
    let inside = source.split('"').skip(1).step_by(2);
    inside.map(|literal| {
        let parts = literal.split('{');
        parts
            .map(|part| part.rsplit('}').next().unwrap_or_default())
            .collect()
    })
}

#[test]
fn labels_are_told_apart_in_german_too() {
    let labels = |all: &dyn Fn() -> Vec<&'static str>| {
        let (english, german) = both(all);
        let differ = english.iter().zip(&german).filter(|(one, other)| one != other);
        let distinct: std::collections::BTreeSet<_> = german.iter().collect();
        assert_eq!(distinct.len(), german.len(), "{german:?}");
        (differ.count(), german.len())
    };
    let statuses = [
        JobStatus::ValidatingFiles,
        JobStatus::Queued,
        JobStatus::Running,
        JobStatus::Pausing,
        JobStatus::Paused,
        JobStatus::Succeeded,
        JobStatus::Failed,
        JobStatus::Cancelled,
    ];
    assert_eq!(labels(&|| statuses.map(en::status_label).to_vec()), (8, 8));
    // "Jobs" and "Playground".
    assert_eq!(labels(&|| Section::ALL.map(en::section_label).to_vec()), (4, 6));
    // "System".
    assert_eq!(labels(&|| Theme::ALL.map(en::theme_label).to_vec()), (2, 3));
    // "Training".
    let stages = [Stage::Preparing, Stage::Loading, Stage::Training, Stage::Saving];
    assert_eq!(labels(&|| stages.map(en::stage_label).to_vec()), (3, 4));
    let steps = [Step::Setup, Step::Configure, Step::Review];
    assert_eq!(labels(&|| steps.map(en::step_label).to_vec()), (3, 3));
    let actions = [Action::Cancel, Action::Pause, Action::Resume, Action::Stop];
    assert_eq!(labels(&|| actions.map(en::action_asked).to_vec()), (4, 4));
    let series = [Series::TrainLoss, Series::LearningRate, Series::ValidLoss];
    assert_eq!(labels(&|| series.map(en::series_label).to_vec()), (3, 3));
    let datasets = [
        DatasetStatus::Uploading,
        DatasetStatus::Validating,
        DatasetStatus::Ready,
        DatasetStatus::Error,
    ];
    assert_eq!(
        labels(&|| datasets.map(en::dataset_status_label).to_vec()),
        (4, 4)
    );
    let severities = [Severity::Error, Severity::Warning];
    assert_eq!(labels(&|| severities.map(en::severity_label).to_vec()), (2, 2));
    assert_eq!(labels(&|| en::span_labels().to_vec()), (3, 3));
    // Two orders by name, and "Status".
    assert_eq!(labels(&|| en::sort_labels().to_vec()), (3, 6));
    // "Enter" opens in both; only what a key does is told.
    assert_eq!(labels(&|| en::keys().map(|(_, does)| does).to_vec()), (6, 6));
}

#[test]
fn numbers_have_the_form_of_the_language() {
    let german = |say: fn() -> String| both(say).1;
    assert_eq!(german(|| format::count(1_234_567)), "1.234.567");
    assert_eq!(german(|| format::measure(0.7312)), "0,731");
    assert_eq!(german(|| format::measure(0.00014)), "1,4e-4");
    assert_eq!(german(|| format::measure(f64::NAN)), "keine Zahl");
    assert_eq!(german(|| format::percent(0.8137)), "81,4 %");
    assert_eq!(german(|| format::bytes(1_900_000)), "1,9 MB");
    assert_eq!(german(|| format::bytes(12)), "12 Byte");
    assert_eq!(german(|| format::large(1_800_000)), "1,8 Mio.");
    assert_eq!(german(|| format::large(7_000_000_000)), "7 Mrd.");
    assert_eq!(german(|| format::learning_rate(0.00015)), "1,5e-4");
    assert_eq!(german(|| format::learning_rate(0.05)), "0,05");
    assert_eq!(german(|| format::decimal(2e-4)), "0,0002");
    assert_eq!(german(|| format::epochs(2.1)), "2,1");
    assert_eq!(german(|| format::duration(22_320_000)), "6 h 12 min");
    assert_eq!(german(|| format::duration(273_600_000)), "3 Tage 4 h");
    assert_eq!(german(|| format::duration(90_000_000)), "1 Tag 1 h");
    assert_eq!(german(|| format::fixed(0.5, 2)), "0.50", "machines read a point");
    assert_eq!(german(|| crate::chart::geometry::tick_label(2.5, 0.5)), "2,5");
    assert_eq!(german(|| en::field_value("learning_rate", "0.0002")), "0,0002");
    assert_eq!(german(|| en::field_value("schedule", "cosine")), "Kosinus");
    assert_eq!(german(|| en::against_baseline(0.866)), "−13,4 %");
    assert_eq!(german(|| en::against_baseline(15.52)), "15,5 ×");
    assert_eq!(german(|| en::against_baseline(10_333.1)), "10.333 ×");
}

#[test]
fn what_is_typed_in_german_is_kept_as_machines_write_it() {
    let (english, german) = both(|| format::unlocalised("0,5"));
    assert_eq!((english.as_str(), german.as_str()), ("0,5", "0.5"));
    let (_, german) = both(|| format::localised(&format::unlocalised("1.000")));
    assert_eq!(german, "1,000", "whoever means a thousand sees that it is one");
}

#[test]
fn times_read_naturally_in_german() {
    let at = |seconds: i64| both(|| format::ago(10_000_000_000_000, 10_000_000_000_000 - seconds * 1000)).1;
    assert_eq!(at(3), "gerade eben");
    assert_eq!(at(59), "vor 59 s");
    assert_eq!(at(3_599), "vor 59 min");
    assert_eq!(at(86_400), "gestern");
    assert_eq!(at(2 * 86_400), "vor 2 Tagen");
    assert_eq!(at(20 * 86_400), "vor 2 Wochen");
    assert_eq!(at(100 * 86_400), "vor 3 Monaten");
    assert_eq!(at(800 * 86_400), "vor 2 Jahren");
}

#[test]
fn numbers_of_things_have_their_plurals() {
    let jobs = |number: u64| both(|| en::counted_jobs(number));
    assert_eq!(jobs(0), ("0 jobs".to_owned(), "0 Jobs".to_owned()));
    assert_eq!(jobs(1), ("1 job".to_owned(), "1 Job".to_owned()));
    assert_eq!(jobs(2_000), ("2,000 jobs".to_owned(), "2.000 Jobs".to_owned()));
    assert_eq!(both(|| en::deleted_jobs(1)).1, "1 Job wurde gelöscht.");
    assert_eq!(both(|| en::deleted_jobs(3)).1, "3 Jobs wurden gelöscht.");
    assert_eq!(both(|| en::shown_of(1, 1)).1, "1 Job");
    assert_eq!(both(|| en::shown_of(20, 1_200)).1, "20 von 1.200 Jobs");
    assert_eq!(both(|| en::counted_examples(1)).1, "1 Beispiel");
    assert_eq!(both(|| en::new_jobs(2)).1, "2 neue Jobs");
}

#[test]
fn findings_and_failures_are_told_in_german_where_they_have_a_code() {
    let finding = |field: &str, code: &str, params: &[(&str, &str)]| {
        let params: BTreeMap<_, _> = params
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let code = FieldCode {
            code: code.to_owned(),
            params,
        };
        both(|| en::finding(field, &code)).1
    };
    assert_eq!(
        finding("learning_rate", "out_of_range", &[("above", "0"), ("max", "0.5")]),
        "Lernrate: größer als 0 und höchstens 0,5."
    );
    assert_eq!(
        finding("name", "too_short", &[("min", "3")]),
        "Jobname: mindestens 3 Zeichen."
    );
    assert_eq!(
        finding("epochs", "epochs_sum", &[("sum", "3"), ("epochs", "2")]),
        "Evaluations- und Aufwärm-Epochen sind zusammen 3, dürfen aber höchstens die 2 Epochen des Jobs sein."
    );
    // Every code of `shared` is known: the last arm is for those of a newer server.
    for code in [
        "required",
        "too_short",
        "too_long",
        "bad_characters",
        "trailing_dash",
        "not_a_whole_number",
        "not_a_number",
        "too_small",
        "too_large",
        "out_of_range",
        "epochs_sum",
        "unknown_choice",
        "duplicate",
        "needs_dpo",
        "not_supported",
    ] {
        assert!(!finding("seed", code, &[]).contains("ist nicht gültig"), "{code}");
    }
    assert!(finding("seed", "made_later", &[]).contains("`made_later`"));
    let (english, german) = both(|| en::submit_advice(&ApiError::Unreachable));
    assert!(english.contains("Your draft is kept.") && german.contains("Der Entwurf bleibt erhalten."));
}

/// boot.js says the navigation before this code is there.
#[test]
fn the_frame_before_the_app_says_the_same() {
    let words = Section::ALL.map(|section| format!("\"{}\"", de::section_label(section)));
    let boot = include_str!("../../boot.js");
    assert!(boot.contains(&format!("[{}]", words.join(", "))), "{words:?}");
    let frame = include_str!("../../../index.html");
    for words in [
        en::skip_to_content(),
        en::main_navigation(),
        en::crash_title(),
        en::crash_body(),
        en::reload(),
    ] {
        assert!(frame.contains(words), "{words}");
    }
    for section in Section::ALL {
        assert!(frame.contains(&format!(">{}<", en::section_label(section))));
    }
}

#[component]
fn Settings() -> Html {
    html! { <div>{ plain_part(use_settings_page) }</div> }
}

#[tokio::test]
async fn a_page_is_drawn_in_german() {
    let draw = |language| async move {
        speak_in_test(language);
        let html = yew::LocalServerRenderer::<Settings>::new()
            .hydratable(false)
            .render()
            .await;
        speak_in_test(Language::English);
        html
    };
    let german = draw(Language::German).await;
    for words in [
        "Optionen",
        "Sprache",
        "Farbschema",
        "Dunkel",
        "Abmelden",
        "Deutsch",
        "English",
    ] {
        assert!(german.contains(words), "{words}: {german}");
    }
    for words in ["Settings", "Language", "Theme", "Sign out"] {
        assert!(!german.contains(words), "{words}: {german}");
    }
    let english = draw(Language::English).await;
    assert!(
        english.contains("Settings") && english.contains("Sign out"),
        "{english}"
    );
}
