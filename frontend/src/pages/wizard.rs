//! The wizard: three routes over one draft. Whoever comes too early is sent to the first unfinished step.
//!
//! Validation is `shared`'s; here is when it speaks: about a field once it was left, about all fields of a step when
//! its form is sent, and what the server refused on the step and under the field it belongs to.

mod configure;
mod estimate;
mod findings;
mod frame;
mod review;
mod setup;
mod trouble;
mod waiting;

use crate::{
    api, browser,
    components::{
        card::words,
        face::{face, skeleton_lines},
        field::{FieldProps, control_id},
        page_header::PageHeader,
    },
    draft::{DraftAction, DraftHandle, FieldErrors, use_draft},
    kept::{Setter, use_kept},
    part::{part, plain_part, use_change},
    query::{Loaded, Poll, hooks::use_optional_query, use_query},
    route::Route,
    text,
};
use findings::{first_field, visible_errors};
use shared::{
    capabilities::{Capabilities, JobBounds},
    dataset::DatasetList,
    draft::Draft,
    model::{BaseModel, ModelList},
    preset::Proposals,
    run::Method,
    validate::{Step, field_step, new_job_from_draft},
};
use std::rc::Rc;
pub(crate) use waiting::waiting_draft;
use yew::prelude::*;

/// Which step is shown.
#[derive(PartialEq)]
pub struct WizardProps {
    /// The step.
    pub step: Step,
}

/// The wizard, as soon as it is known what the upstream takes.
#[hook]
pub fn use_wizard_page(props: Rc<WizardProps>) -> Html {
    let step = props.step;
    let draft = use_draft();
    let capabilities = use_query(api::capabilities::capabilities(), Poll::Never);
    if let (Some(draft), Some(capabilities)) = (draft, &capabilities.data) {
        let capabilities = Rc::clone(capabilities);
        return part(
            use_step,
            StepPartProps {
                step,
                draft,
                capabilities,
            },
        );
    }
    let skeleton = || html! { <div class="card">{ skeleton_lines(9) }</div> };
    html! {
        <div class="page">
            <PageHeader title={text::wizard_title()} sub={words(text::wizard_sub())} />
            { frame::steps_bar(step, step, |_| false) }
            { face(&capabilities, skeleton, |_| None, |_| Html::default()) }
        </div>
    }
}

#[derive(PartialEq)]
struct StepPartProps {
    step: Step,
    draft: DraftHandle,
    capabilities: Rc<Capabilities>,
}

/// What the fields of a step are drawn from.
struct StepProps {
    draft: DraftHandle,
    errors: FieldErrors,
    capabilities: Rc<Capabilities>,
    models: Loaded<ModelList>,
    datasets: Loaded<DatasetList>,
    /// What the chosen model proposes, once that is known.
    proposals: Option<Proposals>,
    leave: Callback<&'static str>,
}

impl StepProps {
    /// A field of the draft, bound to its text, its errors and its events.
    fn field(&self, field: &'static str, hint: &'static str) -> FieldProps {
        let draft = self.draft.clone();
        FieldProps {
            field,
            label: text::field_label(field),
            hint,
            error: self.errors.get(field).cloned(),
            value: self.draft.draft.get(field).unwrap_or_default().to_owned(),
            on_change: Callback::from(move |value| draft.dispatch(DraftAction::Set(field, value))),
            on_leave: self.leave.reform(move |()| field),
            ..FieldProps::default()
        }
    }
}

/// The way to train follows the chosen dataset: pairs of answers are for preference optimisation.
#[hook]
fn use_method(handle: DraftHandle, datasets: Option<&DatasetList>) {
    let chosen = datasets.and_then(|list| {
        let chosen = &handle.draft.training_dataset;
        list.datasets.iter().find(|dataset| dataset.id.as_str() == chosen)
    });
    let wanted = chosen
        .and_then(|dataset| dataset.method)
        .map(|method| match method {
            Method::Dpo => Method::Dpo.as_str(),
            Method::Supervised => "",
        });
    let differs = wanted.filter(|wanted| *wanted != handle.draft.method);
    use_change(differs, move |differs| {
        if let Some(wanted) = differs {
            handle.dispatch(DraftAction::Set("method", (*wanted).to_owned()));
        }
        None
    });
}

#[hook]
fn use_step(props: Rc<StepPartProps>) -> Html {
    let (step, handle) = (props.step, &props.draft);
    let has_datasets = props.capabilities.datasets;
    let models = use_query(api::models::list(), Poll::Never);
    let datasets = use_optional_query(has_datasets.then(api::datasets::list), Poll::Every(5_000));
    let sent = use_kept(|| false);
    let left = use_kept(Vec::<&'static str>::new);
    let refused_here = first_field(handle.refused.fields().filter(|field| field_step(field) == step));
    let wants_focus = refused_here.is_some();
    let focus = use_focus(refused_here);
    let found = new_job_from_draft(&handle.draft, &props.capabilities)
        .err()
        .unwrap_or_default();
    let unfinished = found
        .keys()
        .map(|field| field_step(field))
        .min()
        .unwrap_or(Step::Review);
    // Without a validation dataset there is nothing to evaluate, so none is proposed.
    let can_evaluate = !has_datasets || !handle.draft.validation_dataset.is_empty();
    let proposed = Proposed {
        bounds: props.capabilities.bounds.clone(),
        can_evaluate,
    };
    use_defaults(handle.clone(), step.min(unfinished), &models, proposed.clone());
    use_method(handle.clone(), datasets.data.as_deref());
    // Judged where somebody comes in: whoever is on a step already isn't thrown off it because another tab empties a
    // field for a moment.
    let came_too_early = *use_kept(|| unfinished < step);
    if came_too_early || (unfinished < step && handle.is_pristine()) {
        return part(use_redirect, Route::of_step(unfinished));
    }
    let errors = visible_errors(step, &found, &handle.refused, *sent, &left);
    let is_faulty = |of: Step| {
        let left_behind = found.keys().any(|field| of < step && field_step(field) == of);
        left_behind || errors.fields().any(|field| field_step(field) == of)
    };
    let steps_bar = frame::steps_bar(step, handle.reached, is_faulty);
    let leave = {
        let left = left.clone();
        Callback::from(move |field: &'static str| {
            if !left.contains(&field) {
                let mut all = (*left).clone();
                all.push(field);
                left.set(all);
            }
        })
    };
    let onsubmit = Callback::from(move |event: SubmitEvent| {
        event.prevent_default();
        match first_field(found.keys().filter(|field| field_step(field) == step)) {
            Some(field) => {
                sent.set(true);
                focus.set(Some(field));
            }
            None => Route::of_step(frame::next(step)).go(),
        }
    });
    let capabilities = Rc::clone(&props.capabilities);
    let mut known_models = models.data.iter().flat_map(|list| list.models.iter());
    let chosen = known_models.find(|model| model.id == handle.draft.base_model);
    let proposals = chosen.map(|model| proposed.by(model));
    let fields = StepProps {
        draft: handle.clone(),
        errors,
        capabilities,
        models,
        datasets,
        proposals,
        leave,
    };
    let (body, aside) = match step {
        Step::Setup => (
            form(step, setup::setup(&fields), onsubmit),
            setup::aside(has_datasets),
        ),
        Step::Configure => (
            form(step, configure::configure(&fields), onsubmit),
            html! {
                <div class="stack">
                    { part(estimate::use_estimate_card, known(&fields)) }
                    { review::setup_card(&known(&fields)) }
                </div>
            },
        ),
        Step::Review => (
            part(review::use_review, known(&fields)),
            part(estimate::use_estimate_card, known(&fields)),
        ),
    };
    html! {
        <div class="page">
            <PageHeader title={text::wizard_title()} sub={words(text::wizard_sub())} focus={!wants_focus}>
                { plain_part(frame::use_start_over) }
            </PageHeader>
            <div class="columns wizard">
                <div>
                    { steps_bar }
                    <div>{ frame::elsewhere(handle) }</div>
                    <div key={text::step_label(step)}>{ body }</div>
                </div>
                <aside><div key={text::step_label(step)}>{ aside }</div></aside>
            </div>
        </div>
    }
}

fn form(step: Step, fields: Html, onsubmit: Callback<SubmitEvent>) -> Html {
    html! { <form novalidate=true {onsubmit}>{ fields }{ frame::buttons(step, text::next(), false) }</form> }
}

fn known(fields: &StepProps) -> review::ReviewProps {
    review::ReviewProps {
        draft: fields.draft.clone(),
        capabilities: Rc::clone(&fields.capabilities),
        models: fields.models.data.clone(),
        datasets: fields.datasets.data.clone(),
    }
}

/// Puts the focus into a field once it is drawn: the given one at first, later whichever is set.
#[hook]
fn use_focus(at_first: Option<String>) -> Setter<Option<String>> {
    let focus = use_kept(|| at_first);
    let setter = focus.setter();
    use_change((*focus).clone(), move |field| {
        if let Some(field) = field {
            browser::focus_id(&control_id(field));
            setter.set(None);
        }
        None
    });
    focus.setter()
}

/// Sends to another page.
#[hook]
fn use_redirect(to: Rc<Route>) -> Html {
    use_change((), move |()| {
        to.replace();
        None
    });
    html! { <p class="visually-hidden" role="status">{ text::loading() }</p> }
}

/// What is asked of a model's proposals, whichever is chosen.
#[derive(Clone, PartialEq)]
struct Proposed {
    bounds: JobBounds,
    can_evaluate: bool,
}

impl Proposed {
    /// What a model proposes for this draft.
    fn by(&self, model: &BaseModel) -> Proposals {
        let mut defaults = model.defaults.clone();
        if !self.can_evaluate {
            defaults.evaluation_epochs = 0;
        }
        Proposals {
            defaults,
            bounds: self.bounds.clone(),
        }
    }
}

/// Fills what nobody has touched with what the chosen model proposes, as far as the epochs that are typed leave it room; a lone
/// model is chosen by itself. Remembers which step was reached, too.
#[hook]
fn use_defaults(handle: DraftHandle, reached: Step, models: &Loaded<ModelList>, proposed: Proposed) {
    let draft = &handle.draft;
    let epochs = [&draft.epochs, &draft.evaluation_epochs, &draft.warmup_epochs].map(Clone::clone);
    let known = (
        (reached, proposed),
        draft.base_model.clone(),
        draft.id.clone(),
        epochs,
        models.data.clone(),
    );
    use_change(known, move |((reached, proposed), chosen, _, _, models)| {
        handle.dispatch(DraftAction::Reached(*reached));
        let list = models.as_ref()?;
        let by = |model| Box::new(proposed.by(model));
        if let ([only], true) = (list.models.as_slice(), chosen.is_empty()) {
            handle.dispatch(DraftAction::OnlyModel(only.id.clone(), by(only)));
        }
        if let Some(model) = list.models.iter().find(|model| model.id == *chosen) {
            handle.dispatch(DraftAction::Defaults(by(model)));
        }
        None
    });
}

/// An empty draft with an id of its own.
fn fresh() -> Box<Draft> {
    Box::new(Draft::new(browser::random_id()))
}
