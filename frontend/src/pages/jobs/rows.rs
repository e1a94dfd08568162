//! One row of the job list. It is drawn anew only when its own job changed.

use super::{act::Act, delete_several::must_be_cancelled, view::Entry};
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
use shared::status::JobStatus;
use std::rc::Rc;
use yew::prelude::*;

#[derive(PartialEq)]
pub(super) struct JobRowProps {
    pub(super) entry: Entry,
    pub(super) index: usize,
    pub(super) now: i64,
    pub(super) selected: bool,
    pub(super) can_delete: bool,
    pub(super) can_cancel: bool,
    pub(super) act: Callback<Act>,
}

#[hook]
pub(super) fn use_job_row(props: Rc<JobRowProps>) -> Html {
    let job = props.entry.job();
    let running = job.progress.as_ref().filter(|_| job.status == JobStatus::Running);
    let bar = running
        .filter(|progress| progress.total_steps > 0)
        .map(|progress| {
            meter(
                text::progress_of(&job.title()),
                progress.step as f64 / progress.total_steps as f64,
            )
        });
    let act = |make: fn(&JobRowProps, &MouseEvent) -> Act| {
        let props = Rc::clone(&props);
        Callback::from(move |event: MouseEvent| props.act.emit(make(&props, &event)))
    };
    let select = act(|props, event| Act::Select(props.index, event.shift_key()));
    let copy = act(|props, _| Act::Copy(props.entry.job().id.to_string()));
    let delete = act(|props, _| Act::Delete(Rc::new(props.entry.job().clone())));
    let stays = must_be_cancelled(job.status, props.can_cancel);
    html! {
        <tr class={if props.selected { "job-row is-selected" } else { "job-row" }} aria-rowindex={(props.index + 2).to_string()}>
            <td class="cell-check">
                <input type="checkbox" aria-label={text::select_named(&job.title_of_its_own())} checked={props.selected} onclick={select} />
            </td>
            <td class="cell-name">
                <div class="line" title={job.title()}>
                    { link(&Route::Job(job.id.to_string()), "row-link", job.title()) }
                    <span class="mono dim" hidden={!job.is_nameless()}>{ " " }{ job.id.as_str() }</span>
                </div>
                <div class="narrow-only line dim">
                    { status_pill(job.status) }
                    { " · " }{ relative_time(props.now, job.created_at) }{ format!(" · {}", job.base_model) }
                </div>
            </td>
            <td class="wide">{ status_pill(job.status) }<div class="row-bar">{ bar }</div></td>
            { text_cell("sub wide line", job.base_model.clone()) }
            { cell("dim wide line", relative_time(props.now, job.created_at)) }
            <td class={ACTIONS}>
                { icon_button(true, text::copy_id_of(&job.title_of_its_own()), Icon::Copy, copy) }
                <span class={if stays { "is-barred" } else { "" }}>
                    { icon_button(props.can_delete, text::delete_named(&job.title_of_its_own()), Icon::Trash, delete) }
                </span>
            </td>
        </tr>
    }
}

/// The place of a row whose page is on its way.
pub(super) fn blank_row(index: usize) -> Html {
    html! {
        <tr key={format!("blank {index}")} class="job-row" aria-rowindex={(index + 2).to_string()}>
            <td class="cell-check"></td>
            <td><div class="skeleton-line"><span class="visually-hidden">{ text::loading() }</span></div></td>
            <td class="wide" colspan="4"></td>
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::part::part;
    use shared::job::JobList;

    fn list(name: &str, status: &str) -> Rc<JobList> {
        let json = format!(
            r#"{{"jobs":[{{"id":"a/b","name":"{name}","base_model":"tiny","status":"{status}",
            "created_at":"2026-11-21T12:00:00Z","training_dataset":{{"id":"file-1","name":"mails.jsonl"}}}}],"summary":{{"running":0,"queued":0,"paused":0,"completed":0,
            "failed":0,"cancelled":0,"total":1}},"next_cursor":null}}"#
        );
        Rc::new(serde_json::from_str(&json).expect("this is a list"))
    }

    #[derive(Properties, PartialEq)]
    struct TableProps {
        name: &'static str,
        status: &'static str,
    }

    #[component]
    fn Table(props: &TableProps) -> Html {
        let entry = Entry::of(&list(props.name, props.status), 0);
        let props = JobRowProps {
            now: entry.job().created_at.unix_ms() + 7_200_000,
            entry,
            index: 41,
            selected: false,
            can_delete: true,
            can_cancel: true,
            act: Callback::noop(),
        };
        html! { <table><tbody>{ part(use_job_row, props) }</tbody></table> }
    }

    async fn render(status: &'static str) -> String {
        render_named("triage-1", status).await
    }

    async fn render_named(name: &'static str, status: &'static str) -> String {
        yew::ServerRenderer::<Table>::with_props(move || TableProps { name, status })
            .hydratable(false)
            .render()
            .await
    }

    #[tokio::test]
    async fn a_row_links_to_its_job_and_names_its_controls() {
        let html = render("succeeded").await;
        assert!(html.contains("href=\"/jobs/a%2Fb\""), "{html}");
        for name in ["Delete triage-1", "Select triage-1", "Copy id of triage-1"] {
            assert!(html.contains(&format!("aria-label=\"{name}\"")), "{name}: {html}");
        }
        assert!(html.contains("Completed") && html.contains("2 h ago"), "{html}");
        assert!(html.contains("datetime=\"2026-11-21T12:00:00Z\""), "{html}");
        assert!(html.contains("aria-rowindex=\"43\""), "{html}");
        assert!(!html.contains("is-barred"), "{html}");
    }

    #[tokio::test]
    async fn a_job_without_a_name_shows_what_it_is_and_its_id_beside() {
        let html = render_named("a/b", "succeeded").await;
        assert!(html.contains(">tiny · mails.jsonl</a>"), "{html}");
        assert!(html.contains("<span class=\"mono dim\"> a/b</span>"), "{html}");
        assert!(
            html.contains("aria-label=\"Delete tiny · mails.jsonl (a/b)\""),
            "{html}"
        );
        let named = render("succeeded").await;
        assert!(!named.contains("<span class=\"mono dim\"> a/b</span>"), "{named}");
    }

    #[tokio::test]
    async fn a_job_that_must_be_cancelled_first_looks_so() {
        assert!(render("running").await.contains("is-barred"));
    }
}
