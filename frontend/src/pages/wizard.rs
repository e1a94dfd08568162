//! The wizard: three routes over one draft. Whoever comes too early is sent to the first unfinished step.
//!
//! Validation is `shared`'s; here is when it speaks: about a field once it was left, about all fields of a step when
//! its form is sent, and what the server refused on the step and under the field it belongs to.

mod configure;
mod review;
mod setup;

use crate::{
    api, browser,
    components::{field::control_id, link::Link, page_header::PageHeader, toast::use_toaster},
    draft::{DraftAction, DraftHandle, use_draft},
    part::{part, plain_part},
    query::{Loaded, Poll, hooks::use_optional_query, use_query},
    route::Route,
    text,
};
use shared::{
    capabilities::Capabilities,
    dataset::DatasetList,
    draft::Draft,
    id::JobId,
    model::ModelList,
    validate::{Findings, Step, field_step, first_unfinished_step, validate_step},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};
use yew::prelude::*;
use yew_router::prelude::*;

/// Fields in the order in which they stand, for the focus.
const ORDER: [&str; 14] = shared::draft::FIELDS;

/// Sends to another page, without a trace in the history.
#[hook]
fn use_redirect(to: Rc<Route>) -> Html {
    let navigator = use_navigator();
    let to = to.clone();
    use_effect_with((), move |()| {
        if let Some(navigator) = navigator {
            navigator.replace(&*to);
        }
    });
    html! { <p class="visually-hidden" role="status">{ text::loading() }</p> }
}

/// What the wizard needs.
#[derive(PartialEq)]
pub struct WizardProps {
    /// Which step is shown.
    pub step: Step,
}

/// What a step gets.
#[derive(Clone)]
pub(crate) struct StepProps {
    pub(crate) draft: Draft,
    pub(crate) errors: Rc<BTreeMap<String, String>>,
    pub(crate) capabilities: Rc<Capabilities>,
    pub(crate) models: Loaded<ModelList>,
    pub(crate) datasets: Loaded<DatasetList>,
    pub(crate) set: Callback<(&'static str, String)>,
    pub(crate) leave: Callback<&'static str>,
}

impl StepProps {
    fn error(&self, field: &str) -> Option<AttrValue> {
        self.errors.get(field).cloned().map(AttrValue::from)
    }

    fn change(&self, field: &'static str) -> Callback<String> {
        self.set.reform(move |value| (field, value))
    }

    fn left(&self, field: &'static str) -> Callback<()> {
        self.leave.reform(move |()| field)
    }
}

/// One step of the wizard.
#[hook]
pub fn use_wizard_page(props: Rc<WizardProps>) -> Html {
    let step = props.step;
    let draft = use_draft();
    let capabilities = use_query(api::capabilities::capabilities(), Poll::Never);
    let has_datasets = capabilities
        .data
        .as_ref()
        .is_some_and(|capabilities| capabilities.datasets);
    let models = use_query(api::models::list(), Poll::Never);
    let datasets = use_optional_query(has_datasets.then(api::datasets::list), Poll::Every(5_000));
    let sent = use_state(|| false);
    let left = use_state(BTreeSet::<&'static str>::new);
    let focus = use_state(|| None::<String>);
    let navigator = use_navigator();

    let handle = draft.clone();
    let state = draft.map(|draft| (*draft).clone());
    let findings = findings_of(
        step,
        state.as_ref().map(|state| &state.draft),
        capabilities.data.as_deref(),
    );
    let refused: BTreeMap<String, String> = state
        .as_ref()
        .map(|state| state.refused.clone())
        .unwrap_or_default();
    let too_early = too_early(
        step,
        state.as_ref().map(|state| &state.draft),
        capabilities.data.as_deref(),
    );

    use_defaults(handle.clone(), &models);
    let refused_here = first_field(refused.keys().filter(|field| field_step(field) == step));
    let wants_focus = refused_here.is_some();
    {
        let ready = capabilities.data.is_some();
        let focus = focus.setter();
        use_effect_with((ready, refused_here), move |(ready, refused_here)| {
            if let (true, Some(field)) = (*ready, refused_here) {
                focus.set(Some(field.clone()));
            }
        });
    }
    {
        let setter = focus.setter();
        use_effect_with((*focus).clone(), move |field| {
            if let Some(field) = field {
                browser::focus_id(&control_id(field));
                setter.set(None);
            }
        });
    }

    let set = {
        let handle = handle.clone();
        Callback::from(move |(field, value): (&'static str, String)| {
            if let Some(handle) = &handle {
                handle.dispatch(DraftAction::Set(field, value));
            }
        })
    };
    let leave = {
        let left = left.clone();
        Callback::from(move |field: &'static str| {
            if !left.contains(field) {
                let mut all = (*left).clone();
                all.insert(field);
                left.set(all);
            }
        })
    };
    let onsubmit = {
        let (sent, findings, focus, navigator) =
            (sent.setter(), findings.clone(), focus.setter(), navigator.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            match first_field(findings.keys()) {
                Some(field) => {
                    sent.set(true);
                    focus.set(Some(field));
                }
                None => {
                    if let Some(navigator) = &navigator {
                        navigator.push(&Route::of_step(next(step)));
                    }
                }
            }
        })
    };

    let errors = Rc::new(visible_errors(&findings, &refused, *sent, &left));
    let Some((state, known)) = state.zip(capabilities.data.clone()) else {
        return loading(step, &capabilities);
    };
    if let Some(unfinished) = too_early {
        return html! { <div>{ part(use_redirect, Route::of_step(unfinished)) }</div> };
    }
    let step_props = StepProps {
        draft: state.draft.clone(),
        errors,
        capabilities: known,
        models,
        datasets,
        set,
        leave,
    };
    let body = match step {
        Step::Setup => {
            html! { <form key="setup" novalidate=true {onsubmit}>{ setup::setup(&step_props) }{ buttons(step) }</form> }
        }
        Step::Configure => {
            html! { <form key="configure" novalidate=true {onsubmit}>{ configure::configure(&step_props) }{ buttons(step) }</form> }
        }
        Step::Review => {
            let all = review::ReviewProps {
                draft: state.draft.clone(),
                capabilities: step_props.capabilities.clone(),
                models: step_props.models.data.clone(),
                datasets: step_props.datasets.data.clone(),
            };
            html! { <div key="review">{ part(review::use_review, all) }</div> }
        }
    };
    let aside = match step {
        Step::Setup => {
            html! { <div key="setup" class="stack" hidden={!has_datasets}>{ plain_part(setup::use_example) }</div> }
        }
        Step::Configure => {
            html! { <div key="configure" class="stack">{ review::setup_card(&step_props.draft, &step_props.capabilities, step_props.models.data.as_deref(), step_props.datasets.data.as_deref()) }</div> }
        }
        Step::Review => html! { <div key="review" class="stack"></div> },
    };
    html! {
        <div class="page">
            <PageHeader title={text::wizard_title()} sub={html! { text::wizard_sub() }} focus={!wants_focus}>
                { plain_part(use_start_over) }
            </PageHeader>
            <div class="columns wizard">
                <div>
                    { steps_bar(step) }
                    <div>{ used_up(state.used_up.as_ref(), handle) }</div>
                    { body }
                </div>
                <aside>{ aside }</aside>
            </div>
        </div>
    }
}

fn findings_of(step: Step, draft: Option<&Draft>, capabilities: Option<&Capabilities>) -> Findings {
    draft
        .zip(capabilities)
        .map(|(draft, capabilities)| validate_step(step, draft, capabilities))
        .unwrap_or_default()
}

fn too_early(step: Step, draft: Option<&Draft>, capabilities: Option<&Capabilities>) -> Option<Step> {
    let (draft, capabilities) = draft.zip(capabilities)?;
    Some(first_unfinished_step(draft, capabilities)).filter(|unfinished| *unfinished < step)
}

fn first_field<'a>(fields: impl Iterator<Item = &'a String>) -> Option<String> {
    fields
        .min_by_key(|field| {
            ORDER
                .iter()
                .position(|known| known == field)
                .unwrap_or(ORDER.len())
        })
        .cloned()
}

/// What stands under the fields: the server's word first, then ours about fields that were left or sent.
fn visible_errors(
    findings: &Findings,
    refused: &BTreeMap<String, String>,
    sent: bool,
    left: &BTreeSet<&'static str>,
) -> BTreeMap<String, String> {
    let mut errors = BTreeMap::new();
    for (field, code) in findings {
        if sent || (left.contains(field.as_str()) && code.code != "required") {
            errors.insert(field.clone(), text::finding(field, code));
        }
    }
    for (field, message) in refused {
        errors.insert(field.clone(), text::sentence(message));
    }
    errors
}

/// Fills what nobody has touched with what the chosen model proposes; a lone model is chosen by itself.
#[hook]
fn use_defaults(handle: Option<DraftHandle>, models: &Loaded<ModelList>) {
    let chosen = handle
        .as_ref()
        .map(|handle| handle.draft.base_model.clone())
        .unwrap_or_default();
    let id = handle.as_ref().map(|handle| handle.draft.id.clone());
    use_effect_with((chosen, id, models.data.clone()), move |(chosen, _, models)| {
        let (Some(handle), Some(list)) = (handle, models) else {
            return;
        };
        if let ([only], true) = (list.models.as_slice(), chosen.is_empty()) {
            handle.dispatch(DraftAction::OnlyModel(
                only.id.clone(),
                Box::new(only.defaults.clone()),
            ));
        }
        if let Some(model) = list.models.iter().find(|model| model.id == *chosen) {
            handle.dispatch(DraftAction::Defaults(Box::new(model.defaults.clone())));
        }
    });
}

const fn next(step: Step) -> Step {
    match step {
        Step::Setup => Step::Configure,
        Step::Configure | Step::Review => Step::Review,
    }
}

fn loading(step: Step, capabilities: &Loaded<Capabilities>) -> Html {
    let skeleton =
        || html! { <div class="card card-body">{ crate::components::face::skeleton_lines(9) }</div> };
    html! {
        <div class="page">
            <PageHeader title={text::wizard_title()} sub={html! { text::wizard_sub() }} />
            { steps_bar(step) }
            { crate::components::face::face(capabilities, skeleton, |_| None, |_| Html::default()) }
        </div>
    }
}

fn steps_bar(current: Step) -> Html {
    let steps = [Step::Setup, Step::Configure, Step::Review].into_iter().enumerate().map(|(index, step)| {
        let class = match step.cmp(&current) {
            std::cmp::Ordering::Less => "is-done",
            std::cmp::Ordering::Equal => "is-on",
            std::cmp::Ordering::Greater => "is-next",
        };
        let label = format!("{} · {}", index + 1, text::step_label(step));
        let inner = if step < current {
            html! { <Link to={Route::of_step(step)} class="step-link">{ label }</Link> }
        } else {
            html! { <span>{ label }</span> }
        };
        html! { <li key={index} {class} aria-current={(step == current).then_some("step")}>{ inner }</li> }
    });
    html! { <ol class="steps" aria-label={text::steps()}>{ for steps }</ol> }
}

fn buttons(step: Step) -> Html {
    html! {
        <div class="buttons wizard-buttons">
            <div class="wizard-back">{ part(use_back_button, step) }</div>
            <button type="submit" class="button primary">{ text::next() }</button>
        </div>
    }
}

#[hook]
pub(crate) fn use_back_button(step: Rc<Step>) -> Html {
    let navigator = use_navigator();
    let before = if *step == Step::Review {
        Route::Configure
    } else {
        Route::Setup
    };
    let onclick = Callback::from(move |_: MouseEvent| {
        if let Some(navigator) = &navigator {
            navigator.push(&before);
        }
    });
    html! { <button type="button" class="button" hidden={*step == Step::Setup} {onclick}>{ text::back() }</button> }
}

#[hook]
fn use_start_over() -> Html {
    let draft = use_draft();
    let toaster = use_toaster();
    let navigator = use_navigator();
    let onclick = Callback::from(move |_: MouseEvent| {
        let Some(handle) = draft.clone() else { return };
        let before = handle.draft.clone();
        handle.dispatch(DraftAction::Replace(Box::new(Draft::new(browser::random_id()))));
        if let Some(navigator) = &navigator {
            navigator.push(&Route::Setup);
        }
        let undo = Callback::from(move |()| handle.dispatch(DraftAction::Replace(Box::new(before.clone()))));
        if let Some(toaster) = &toaster {
            toaster.undoable(text::draft_dropped(), undo);
        }
    });
    html! { <button type="button" class="button quiet" {onclick}>{ text::start_over() }</button> }
}

fn used_up(job: Option<&JobId>, handle: Option<DraftHandle>) -> Html {
    let Some(job) = job else {
        return html! { <div hidden=true></div> };
    };
    let anew = Callback::from(move |_: MouseEvent| {
        if let Some(handle) = &handle {
            handle.dispatch(DraftAction::Replace(Box::new(Draft::new(browser::random_id()))));
        }
    });
    html! {
        <div class="notice notice-info" role="status">
            <div>
                <p class="notice-title">{ text::used_up_title() }</p>
                <p class="notice-body">{ text::used_up_body() }</p>
                <div class="buttons">
                    <Link to={Route::Job { id: job.to_string() }} class="button">{ text::open_job() }</Link>
                    <button type="button" class="button quiet" onclick={anew}>{ text::new_draft() }</button>
                </div>
            </div>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::problem::FieldCode;

    fn code(code: &str) -> FieldCode {
        FieldCode {
            code: code.to_owned(),
            params: BTreeMap::new(),
        }
    }

    #[test]
    fn a_field_speaks_once_left_and_all_speak_once_sent() {
        let findings: Findings = [("name", "trailing_dash"), ("base_model", "required")]
            .map(|(field, word)| (field.to_owned(), code(word)))
            .into();
        let left: BTreeSet<_> = ["name", "base_model"].into();
        let refused = BTreeMap::new();
        assert!(visible_errors(&findings, &refused, false, &BTreeSet::new()).is_empty());
        let shown = visible_errors(&findings, &refused, false, &left);
        assert_eq!(
            shown.keys().collect::<Vec<_>>(),
            ["name"],
            "an empty field isn't scolded for being passed"
        );
        assert_eq!(
            visible_errors(&findings, &refused, true, &BTreeSet::new()).len(),
            2
        );
    }

    #[test]
    fn the_server_has_the_last_word_and_the_first_field_takes_the_focus() {
        let findings: Findings = [("epochs".to_owned(), code("required"))].into();
        let refused = [
            ("name".to_owned(), "taken".to_owned()),
            ("epochs".to_owned(), "too many".to_owned()),
        ]
        .into();
        let shown = visible_errors(&findings, &refused, true, &BTreeSet::new());
        assert_eq!(shown["epochs"], "Too many.");
        assert_eq!(first_field(shown.keys()).as_deref(), Some("name"));
    }
}
