//! The unfinished wizard in this browser: kept in localStorage, shared between tabs, used up once.
//!
//! What a draft holds is `shared`'s; here is where it lives. A submitted draft's id is remembered beside it, so that
//! another tab that still shows the draft can say that it was already started.

use crate::{
    api::json::{self, record::record},
    browser::{self, Listener},
    part::use_change,
};
use serde::Serialize;
use shared::{
    draft::{DRAFT_VERSION, Draft, FIELDS},
    id::JobId,
    preset::{Preset, Proposals},
    validate::Step,
};
use std::rc::Rc;
use wasm_bindgen::JsCast as _;
use web_sys::StorageEvent;
use yew::prelude::*;

/// Where the draft is kept.
pub const DRAFT_KEY: &str = "attune.draft";
/// Where the last submission is remembered.
const SUBMITTED_KEY: &str = "attune.submitted";

/// A draft that became a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Submitted {
    /// The draft's id.
    pub draft_id: String,
    /// The job that it became.
    pub job_id: JobId,
}

record!(Submitted { draft_id, job_id });

/// What is wrong with fields, in words. There are few, so they are looked through.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldErrors(Vec<(String, String)>);

impl FieldErrors {
    /// What is wrong with a field.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&String> {
        self.0
            .iter()
            .find(|(known, _)| known == field)
            .map(|(_, message)| message)
    }

    /// Says what is wrong with a field, in place of what was said before.
    pub fn set(&mut self, field: &str, message: String) {
        self.0.retain(|(known, _)| known != field);
        self.0.push((field.to_owned(), message));
    }

    /// All fields with what is wrong with them.
    pub fn iter(&self) -> impl Iterator<Item = &(String, String)> {
        self.0.iter()
    }

    /// The names of the fields.
    pub fn fields(&self) -> impl Iterator<Item = &String> {
        self.0.iter().map(|(field, _)| field)
    }
}

/// The draft and what is known about it.
#[derive(Debug, Clone, PartialEq)]
pub struct DraftState {
    /// The draft itself.
    pub draft: Draft,
    /// The job that it has become already.
    pub used_up: Option<JobId>,
    /// What the server said about its fields, until the field is changed.
    pub refused: FieldErrors,
    /// The furthest step of the wizard that was looked at.
    pub reached: Step,
    /// What is shown came from another tab, and nobody has changed it here since.
    pub from_elsewhere: bool,
}

/// What can happen to the draft.
pub enum DraftAction {
    /// The user changed a field.
    Set(&'static str, String),
    /// A base model was chosen: its proposals fill what nobody has touched.
    Defaults(Box<Proposals>),
    /// A preset of the base model's proposals was chosen.
    Preset(Preset, Box<Proposals>),
    /// The only base model there is is taken without asking.
    OnlyModel(String, Box<Proposals>),
    /// Another draft takes its place.
    Replace(Box<Draft>),
    /// The same values are to become another job.
    Renew,
    /// A step of the wizard is looked at.
    Reached(Step),
    /// The server refused fields.
    Refused(FieldErrors),
    /// It became a job in this tab.
    Submitted(Submitted),
    /// Another tab changed what is stored.
    StoredElsewhere(Option<String>),
    /// Another tab submitted a draft.
    SubmittedElsewhere(Submitted),
}

/// Reads a stored draft; one that can't be read or is of another version is dropped. It is read field by field, as
/// the wizard names them: all of them are texts.
fn read_draft(text: &str) -> Option<Draft> {
    let tree = json::parse(text).ok()?;
    if tree.get("version")?.as_u64() != Some(DRAFT_VERSION.into()) {
        return None;
    }
    let mut draft = Draft::new(tree.get("id")?.as_str()?);
    for field in FIELDS {
        // A field that came with a later build isn't in an older draft.
        if let Some(typed) = tree.get(field) {
            draft.set(field, typed.as_str()?);
        }
    }
    draft.set_targets(json::read_field(text, "lora_targets").ok()?);
    draft.touched.clear();
    for field in tree.get("touched")?.as_array()? {
        draft.touched.insert(field.as_str()?.to_owned());
    }
    Some(draft)
}

impl DraftState {
    /// What is stored, or an empty draft. Whatever can't be read is dropped.
    #[must_use]
    pub fn from_stored(draft: Option<&str>, submitted: Option<&str>, fresh_id: &str) -> Self {
        let draft = draft.and_then(read_draft).unwrap_or_else(|| Draft::new(fresh_id));
        let used_up = submitted
            .and_then(|text| json::read::<Submitted>(text).ok())
            .filter(|submitted| submitted.draft_id == draft.id)
            .map(|submitted| submitted.job_id);
        Self {
            used_up,
            ..Self::holding(draft)
        }
    }

    fn holding(draft: Draft) -> Self {
        Self {
            draft,
            used_up: None,
            refused: FieldErrors::default(),
            reached: Step::Setup,
            from_elsewhere: false,
        }
    }

    /// Somebody changes it in this tab. What has become a job already is the beginning of another one: nothing that is
    /// typed is lost.
    fn is_changed_here(&mut self, fresh_id: &str) {
        if self.used_up.take().is_some() {
            fresh_id.clone_into(&mut self.draft.id);
        }
        self.from_elsewhere = false;
    }

    /// What another tab holds takes the place of what stands here; where one is in the wizard stays.
    fn take_over(&mut self, draft: Draft) {
        *self = Self {
            reached: self.reached,
            from_elsewhere: true,
            ..Self::holding(draft)
        };
    }

    /// The state after something happened; `fresh_id` names a new draft where one begins.
    #[must_use]
    pub fn after(&self, action: DraftAction, fresh_id: &str) -> Self {
        let mut next = self.clone();
        match action {
            DraftAction::Set(field, value) => {
                next.is_changed_here(fresh_id);
                next.draft.set(field, value);
                // The numbers of epochs are judged together, so a change of one says nothing about the others.
                let together = field.ends_with("epochs");
                next.refused
                    .0
                    .retain(|(name, _)| name != field && !(together && name.ends_with("epochs")));
            }
            DraftAction::Preset(preset, proposals) => {
                next.is_changed_here(fresh_id);
                next.draft.choose(preset, &proposals);
                let refused = &mut next.refused.0;
                refused.retain(|(name, _)| !Preset::FIELDS.contains(&name.as_str()));
            }
            DraftAction::Defaults(proposals) => next.draft.apply_defaults(&proposals),
            DraftAction::OnlyModel(id, proposals) => {
                if next.draft.base_model.is_empty() {
                    next.draft.base_model = id;
                    next.draft.apply_defaults(&proposals);
                }
            }
            DraftAction::Replace(draft) => next = Self::holding(*draft),
            DraftAction::Renew => {
                fresh_id.clone_into(&mut next.draft.id);
                (next.used_up, next.from_elsewhere) = (None, false);
            }
            DraftAction::Reached(step) => next.reached = next.reached.max(step),
            DraftAction::Refused(fields) => next.refused = fields,
            DraftAction::Submitted(_) => next = Self::holding(Draft::new(fresh_id)),
            DraftAction::StoredElsewhere(Some(text)) => {
                if let Some(draft) = read_draft(&text).filter(|draft| *draft != next.draft) {
                    next.take_over(draft);
                }
            }
            DraftAction::StoredElsewhere(None) => {
                if next.used_up.is_none() && !next.is_pristine() {
                    next.take_over(Draft::new(fresh_id));
                }
            }
            DraftAction::SubmittedElsewhere(submitted) => {
                if submitted.draft_id == next.draft.id {
                    next.used_up = Some(submitted.job_id);
                }
            }
        }
        next
    }

    /// This tab has the last word on what is stored. What another tab wrote isn't written back: it may have written
    /// more by now. What that tab used up and removed stays removed.
    const fn is_ours(&self) -> bool {
        !self.from_elsewhere && self.used_up.is_none()
    }

    /// Nobody has typed anything yet, so nothing is worth keeping.
    #[must_use]
    pub fn is_pristine(&self) -> bool {
        self.draft.touched.is_empty()
    }
}

impl Reducible for DraftState {
    type Action = DraftAction;

    fn reduce(self: Rc<Self>, action: DraftAction) -> Rc<Self> {
        Rc::new(self.after(action, &browser::random_id()))
    }
}

/// The draft and the way to change it.
pub type DraftHandle = UseReducerHandle<DraftState>;

/// The draft, from whatever is inside the app.
#[hook]
pub fn use_draft() -> Option<DraftHandle> {
    use_context::<DraftHandle>()
}

/// Remembers that a draft became a job, for other tabs. Must come before the draft itself is removed.
pub fn remember_submitted(submitted: &Submitted) {
    if let Ok(text) = json::write(submitted) {
        browser::store(SUBMITTED_KEY, Some(&text));
    }
}

/// Keeps the draft in localStorage and follows other tabs.
#[hook]
pub fn use_stored_draft() -> DraftHandle {
    let state = use_reducer(|| {
        let (draft, submitted) = (browser::stored(DRAFT_KEY), browser::stored(SUBMITTED_KEY));
        DraftState::from_stored(draft.as_deref(), submitted.as_deref(), &browser::random_id())
    });
    use_change((*state).clone(), |state| {
        let text = (!state.is_pristine()).then(|| json::write(&state.draft).unwrap_or_default());
        if state.is_ours() && text != browser::stored(DRAFT_KEY) {
            browser::store(DRAFT_KEY, text.as_deref());
        }
        None
    });
    {
        let dispatcher = state.dispatcher();
        use_change((), move |()| {
            let window = browser::window()?;
            // A page that the browser had put aside heard of nothing meanwhile.
            let woken = dispatcher.clone();
            let shown_again = Listener::new(&window, "pageshow", move |_| {
                if let Some(text) = browser::stored(DRAFT_KEY) {
                    woken.dispatch(DraftAction::StoredElsewhere(Some(text)));
                }
            });
            let told = Listener::new(&window, "storage", move |event| {
                let event: StorageEvent = event.unchecked_into();
                let value = event.new_value();
                match event.key().as_deref() {
                    Some(DRAFT_KEY) => dispatcher.dispatch(DraftAction::StoredElsewhere(value)),
                    Some(SUBMITTED_KEY) => {
                        let submitted = value.and_then(|text| json::read(&text).ok());
                        if let Some(submitted) = submitted {
                            dispatcher.dispatch(DraftAction::SubmittedElsewhere(submitted));
                        }
                    }
                    _ => {}
                }
            });
            Some(Box::new((shown_again, told)))
        });
    }
    state
}

#[cfg(test)]
mod tests;
