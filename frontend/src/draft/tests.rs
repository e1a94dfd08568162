use super::*;
use proptest::prelude::*;
use shared::{capabilities::Capabilities, model::JobDefaults};

/// A draft as this browser keeps it.
fn stored(draft: &Draft) -> String {
    json::write(draft).expect("texts can be written")
}

fn typed() -> DraftState {
    DraftState::from_stored(None, None, "a").after(DraftAction::Set("name", "first".into()), "unused")
}

fn submitted(draft_id: &str) -> Submitted {
    Submitted {
        draft_id: draft_id.into(),
        job_id: JobId::new("ftjob-1"),
    }
}

#[test]
fn a_draft_survives_a_reload() {
    let before = typed();
    let after = DraftState::from_stored(Some(&stored(&before.draft)), None, "b");
    assert_eq!(after.draft, before.draft);
}

#[test]
fn an_unreadable_draft_or_one_of_another_version_is_dropped() {
    let newer = stored(&typed().draft).replace("\"version\":1", "\"version\":999");
    for text in [
        "",
        "{",
        "[]",
        "null",
        "{\"version\":1}",
        "{\"version\":\"1\"}",
        newer.as_str(),
    ] {
        let state = DraftState::from_stored(Some(text), Some("{"), "fresh");
        assert!(state.is_pristine() && state.draft.id == "fresh", "{text}");
    }
}

#[test]
fn another_tabs_typing_arrives_and_starting_over_there_clears_here() {
    let there = typed().after(DraftAction::Set("epochs", "7".into()), "unused");
    let here = typed().after(DraftAction::StoredElsewhere(Some(stored(&there.draft))), "unused");
    assert_eq!(here.draft.epochs, "7");
    let here = here.after(DraftAction::StoredElsewhere(Some("nonsense".into())), "unused");
    assert_eq!(here.draft.epochs, "7", "what can't be read changes nothing");
    let here = here.after(DraftAction::StoredElsewhere(None), "new");
    assert!(here.is_pristine() && here.draft.id == "new");
}

#[test]
fn a_draft_submitted_in_another_tab_stays_visible_and_says_so() {
    let here = typed().after(DraftAction::SubmittedElsewhere(submitted("a")), "unused");
    assert_eq!(here.used_up, Some(JobId::new("ftjob-1")));
    let here = here.after(DraftAction::StoredElsewhere(None), "new");
    assert_eq!((here.draft.name.as_str(), here.draft.id.as_str()), ("first", "a"));
    let other = typed().after(DraftAction::SubmittedElsewhere(submitted("z")), "unused");
    assert_eq!(other.used_up, None);
}

#[test]
fn what_came_from_another_tab_says_so_until_somebody_types_here() {
    let there = typed().after(DraftAction::Set("epochs", "7".into()), "unused");
    let here = typed().after(DraftAction::Reached(Step::Review), "unused");
    let here = here.after(DraftAction::StoredElsewhere(Some(stored(&there.draft))), "unused");
    assert!(here.from_elsewhere && here.reached == Step::Review);
    assert!(
        !here.is_ours(),
        "an echo would overwrite what is typed there next"
    );
    let here = here.after(DraftAction::StoredElsewhere(Some(stored(&here.draft))), "unused");
    assert!(here.from_elsewhere, "the same again is no news");
    let here = here.after(DraftAction::Set("epochs", "8".into()), "unused");
    assert!(!here.from_elsewhere && here.is_ours());
    let empty = DraftState::from_stored(None, None, "mine").after(DraftAction::StoredElsewhere(None), "new");
    assert_eq!((empty.draft.id.as_str(), empty.from_elsewhere), ("mine", false));
}

#[test]
fn typing_into_a_draft_that_became_a_job_begins_another_one() {
    let here = typed().after(DraftAction::SubmittedElsewhere(submitted("a")), "unused");
    let here = here.after(DraftAction::Set("epochs", "7".into()), "b");
    assert_eq!((here.draft.id.as_str(), here.used_up.as_ref()), ("b", None));
    assert_eq!(
        (here.draft.name.as_str(), here.draft.epochs.as_str()),
        ("first", "7")
    );
    let again = typed().after(DraftAction::Renew, "c");
    assert_eq!(
        (again.draft.id.as_str(), again.draft.name.as_str()),
        ("c", "first")
    );
}

#[test]
fn submitting_here_begins_a_new_draft() {
    let state = typed().after(DraftAction::Submitted(submitted("a")), "b");
    assert!(state.is_pristine() && state.draft.id == "b" && state.used_up.is_none());
}

#[test]
fn what_the_server_refused_stands_until_the_field_changes() {
    let mut refused = FieldErrors::default();
    refused.set("name", "taken".to_owned());
    refused.set("warmup_epochs", "too many".to_owned());
    let state = typed().after(DraftAction::Refused(refused), "unused");
    let state = state.after(DraftAction::Set("epochs", "9".into()), "unused");
    assert_eq!(state.refused.fields().collect::<Vec<_>>(), ["name"]);
    let state = state.after(DraftAction::Set("name", "second".into()), "unused");
    assert_eq!(state.refused, FieldErrors::default());
}

proptest! {
    #[test]
    fn any_draft_survives_storage(values in proptest::collection::vec(any::<String>(), FIELDS.len()), id in any::<String>()) {
        let mut draft = Draft::new(id);
        for (field, value) in FIELDS.into_iter().zip(values) {
            draft.set(field, value);
        }
        prop_assert_eq!(read_draft(&stored(&draft)), Some(draft));
    }

    #[test]
    fn any_text_is_read_or_dropped(text in any::<String>()) {
        prop_assert!(read_draft(&text).is_none());
    }
}

#[test]
fn a_preset_survives_a_reload_and_is_the_beginning_of_another_job_once_its_draft_was_started() {
    let proposals = |learning_rate| {
        let defaults = JobDefaults {
            learning_rate,
            ..JobDefaults::default()
        };
        let bounds = Capabilities::engine().bounds;
        Box::new(Proposals { defaults, bounds })
    };
    let mut refused = FieldErrors::default();
    refused.set("epochs", "Too many.".into());
    refused.set("name", "Taken.".into());
    let state = typed()
        .after(DraftAction::SubmittedElsewhere(submitted("a")), "unused")
        .after(DraftAction::Refused(refused), "unused")
        .after(DraftAction::Preset(Preset::Aggressive, proposals(2e-4)), "b");
    assert_eq!((state.draft.id.as_str(), state.draft.epochs.as_str()), ("b", "5"));
    assert_eq!(state.refused.fields().collect::<Vec<_>>(), ["name"]);
    let state = DraftState::from_stored(Some(&stored(&state.draft)), None, "unused");
    let state = state.after(DraftAction::Defaults(proposals(0.002)), "unused");
    assert_eq!(state.draft.learning_rate, "0.003", "it follows the model");
}
