//! One row of the job list. It is drawn anew only when its own job changed.

use crate::{
    components::{
        button::icon_button,
        icon::Icon,
        link::link,
        meter::meter,
        relative_time::relative_time,
        status_pill::status_pill,
        table::{ACTIONS, cell, text_cell},
    },
    route::Route,
    text,
};
use shared::{job::Job, status::JobStatus};
use std::rc::Rc;
use yew::prelude::*;

#[derive(PartialEq)]
pub(super) struct JobRowProps {
    pub(super) job: Rc<Job>,
    pub(super) now: i64,
    pub(super) can_delete: bool,
    pub(super) ask_delete: Callback<Rc<Job>>,
}

#[hook]
pub(super) fn use_job_row(props: Rc<JobRowProps>) -> Html {
    let job = &props.job;
    let ask = {
        let props = Rc::clone(&props);
        Callback::from(move |_: MouseEvent| props.ask_delete.emit(Rc::clone(&props.job)))
    };
    let running = job.progress.as_ref().filter(|_| job.status == JobStatus::Running);
    let bar = running
        .filter(|progress| progress.total_steps > 0)
        .map(|progress| {
            meter(
                text::progress_of(&job.name),
                progress.step as f64 / progress.total_steps as f64,
            )
        });
    html! {
        <tr>
            <td>
                { link(&Route::Job(job.id.to_string()), "row-link", job.name.clone()) }
                <div class="narrow-only dim">
                    { format!("{} · ", job.base_model) }{ relative_time(props.now, job.created_at) }
                </div>
            </td>
            <td>{ status_pill(job.status) }<div class="row-bar">{ bar }</div></td>
            { text_cell("sub wide", job.base_model.clone()) }
            { cell("dim wide", relative_time(props.now, job.created_at)) }
            { cell(ACTIONS, icon_button(props.can_delete, text::delete_named(&job.name), Icon::Trash, ask)) }
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::part::part;

    fn job() -> Job {
        let json = r#"{"id":"a/b","name":"triage-1","base_model":"tiny","status":"succeeded","created_at":"2026-11-21T12:00:00Z"}"#;
        serde_json::from_str(json).expect("this is a job")
    }

    #[component]
    fn Table() -> Html {
        let now = job().created_at.unix_ms() + 7_200_000;
        let props = JobRowProps {
            job: Rc::new(job()),
            now,
            can_delete: true,
            ask_delete: Callback::noop(),
        };
        html! { <table><tbody>{ part(use_job_row, props) }</tbody></table> }
    }

    #[tokio::test]
    async fn a_row_links_to_its_job_and_names_its_button() {
        let html = yew::ServerRenderer::<Table>::new()
            .hydratable(false)
            .render()
            .await;
        assert!(html.contains("href=\"/jobs/a%2Fb\""), "{html}");
        assert!(html.contains("aria-label=\"Delete triage-1\""), "{html}");
        assert!(html.contains("Completed") && html.contains("2 h ago"), "{html}");
        assert!(html.contains("datetime=\"2026-11-21T12:00:00Z\""), "{html}");
    }
}
