//! One dataset: what reading its file found, line by line, what is in it, and how it begins.

use crate::{
    api,
    components::{
        face::{face, skeleton_block, skeleton_lines},
        link::Link,
        page_header::PageHeader,
        relative_time::relative_time,
        status_pill::dataset_pill,
    },
    draft::{DraftAction, use_draft},
    pages::datasets::{DeleteDatasetProps, use_delete_dataset},
    part::part,
    query::{
        Poll,
        hooks::{use_now, use_optional_query, use_store},
        use_query,
    },
    route::{Route, Section},
    text::{self, format},
};
use shared::{
    dataset::{Dataset, DatasetPreview, DatasetReport, DatasetStatus, PreviewExample},
    id::DatasetId,
    training_line::{Finding, Severity},
};
use std::rc::Rc;
use yew::prelude::*;
use yew_router::prelude::*;

/// Which dataset.
#[derive(PartialEq)]
pub struct DatasetProps {
    /// Its id.
    pub id: DatasetId,
}

/// One dataset.
#[hook]
pub fn use_dataset_page(props: Rc<DatasetProps>) -> Html {
    let now = use_now(30_000);
    let store = use_store();
    let navigator = use_navigator();
    let draft = use_draft();
    let leaving = use_state(|| false);
    let status = store
        .read(&api::datasets::dataset(&props.id))
        .map(|dataset| dataset.status);
    let reading = matches!(status, Some(DatasetStatus::Uploading | DatasetStatus::Validating));
    let dataset = use_query(
        api::datasets::dataset(&props.id),
        if reading { Poll::Every(1_500) } else { Poll::Never },
    );
    let read = matches!(status, Some(DatasetStatus::Ready | DatasetStatus::Error));
    let report = use_optional_query(read.then(|| api::datasets::report(&props.id)), Poll::Never);
    let preview = use_optional_query(read.then(|| api::datasets::preview(&props.id)), Poll::Never);
    let name = dataset.data.as_ref().map_or_else(
        || text::section_label(Section::Datasets).to_owned(),
        |dataset| dataset.name.clone(),
    );
    let train = {
        let (navigator, id) = (navigator.clone(), props.id.to_string());
        Callback::from(move |_: MouseEvent| {
            if let (Some(draft), Some(navigator)) = (&draft, &navigator) {
                draft.dispatch(DraftAction::Set("training_dataset", id.clone()));
                navigator.push(&Route::Setup);
            }
        })
    };
    let ask = {
        let leaving = leaving.clone();
        Callback::from(move |_: MouseEvent| leaving.set(true))
    };
    let on_done = {
        let leaving = leaving.clone();
        Callback::from(move |gone: bool| {
            leaving.set(false);
            if let (true, Some(navigator)) = (gone, &navigator) {
                navigator.push(&Route::Datasets);
            }
        })
    };
    let above =
        html! { <Link to={Route::Datasets}>{ text::section_label(Section::Datasets) }{ " /" }</Link> };
    let beside = dataset.data.as_ref().map(|dataset| dataset_pill(dataset.status));
    let sub = dataset.data.as_ref().map(|dataset| headline(dataset, now));
    html! {
        <div class="page">
            <PageHeader title={name} {above} beside={html! { { for beside } }} sub={html! { { for sub } }}>
                <button type="button" class="button quiet" hidden={dataset.data.is_none()} onclick={ask}>{ text::delete() }</button>
                <button type="button" class="button primary" hidden={status != Some(DatasetStatus::Ready)} onclick={train}>{ text::train_on_this() }</button>
            </PageHeader>
            { face(&dataset, || skeleton_block("skeleton-list"), |_| None, |dataset| {
                if dataset.status == DatasetStatus::Ready || dataset.status == DatasetStatus::Error {
                    html! {
                        <div key="read" class="columns">
                            <div class="stack">
                                <section class="card" aria-label={text::findings()}>
                                    <div class="card-head"><h2>{ text::findings() }</h2><span class="dim">{ report.data.as_deref().map(shown).unwrap_or_default() }</span></div>
                                    { face(&report, || skeleton_lines(2), no_findings, findings) }
                                </section>
                                <section class="card" aria-label={text::preview()}>
                                    <div class="card-head"><h2>{ text::preview() }</h2></div>
                                    { face(&preview, || skeleton_lines(5), no_preview, examples) }
                                </section>
                            </div>
                            <section class="card" aria-label={text::statistics()}>
                                <div class="card-head"><h2>{ text::statistics() }</h2></div>
                                <div class="card-body">{ face(&report, || skeleton_lines(3), |_| None, statistics) }</div>
                            </section>
                        </div>
                    }
                } else {
                    html! { <div key="unread" class="card card-body"><p class="dim" role="status">{ text::being_read() }</p></div> }
                }
            }) }
            { part(use_delete_dataset, DeleteDatasetProps { dataset: dataset.data.clone().filter(|_| *leaving), on_done }) }
        </div>
    }
}

fn headline(dataset: &Dataset, now: i64) -> Html {
    html! {
        <>
            { format!("{} · {} · ", dataset.filename, format::bytes(dataset.bytes)) }
            { relative_time(now, dataset.created_at) }
            { " · " }<span class="mono dim">{ dataset.id.to_string() }</span>
        </>
    }
}

fn shown(report: &DatasetReport) -> String {
    let all = report.errors + report.warnings;
    if report.findings.is_empty() {
        String::new()
    } else {
        text::findings_shown(report.findings.len(), all)
    }
}

fn no_findings(report: &DatasetReport) -> Option<Html> {
    report
        .findings
        .is_empty()
        .then(|| html! { <p class="card-body dim">{ text::no_findings() }</p> })
}

fn findings(report: &Rc<DatasetReport>) -> Html {
    html! {
        <div class="findings-scroll" tabindex="0" role="group" aria-label={text::findings()}>
            <p class="card-body dim" hidden={report.errors == 0}>{ text::findings_stop() }</p>
            <table>
                <thead><tr><th scope="col" class="number">{ text::line() }</th><th scope="col">{ text::findings() }</th></tr></thead>
                <tbody>{ for report.findings.iter().enumerate().map(|(index, finding)| finding_row(index, finding)) }</tbody>
            </table>
        </div>
    }
}

fn finding_row(index: usize, finding: &Finding) -> Html {
    let class = if finding.severity == Severity::Error {
        "is-bad"
    } else {
        "is-warn"
    };
    let line = if finding.line == 0 {
        text::whole_file().to_owned()
    } else {
        format::count(finding.line)
    };
    html! {
        <tr key={index}>
            <td class="number mono finding-line">{ line }</td>
            <td>
                <span class={classes!("finding-word", class)}>{ text::severity_label(finding.severity) }</span>
                { " " }{ text::sentence(&finding.message) }
                <div class="dim">{ text::sentence(&finding.advice) }</div>
            </td>
        </tr>
    }
}

fn no_preview(preview: &DatasetPreview) -> Option<Html> {
    preview
        .examples
        .is_empty()
        .then(|| html! { <p class="card-body dim">{ text::no_preview() }</p> })
}

fn examples(preview: &Rc<DatasetPreview>) -> Html {
    html! { <ol class="examples">{ for preview.examples.iter().map(example) }</ol> }
}

fn example(example: &PreviewExample) -> Html {
    let messages = example.messages.iter().enumerate().map(|(index, message)| {
        html! {
            <div key={index} class={classes!("message", (message.role == "assistant").then_some("is-answer"))}>
                <span class="message-role">{ message.role.clone() }</span>
                <span class="message-text">{ message.content.clone() }</span>
            </div>
        }
    });
    html! { <li key={example.line}><span class="example-line dim mono">{ example.line }</span><div class="messages">{ for messages }</div></li> }
}

fn statistics(report: &Rc<DatasetReport>) -> Html {
    let facts = [
        (
            text::format_name(),
            report.format.map_or_else(
                || text::none().to_owned(),
                |line_format| text::line_format_label(line_format).to_owned(),
            ),
        ),
        (text::examples(), format::count(report.examples)),
        (text::messages(), format::count(report.messages)),
        (text::lines(), format::count(report.lines)),
        (text::duplicates(), format::count(report.duplicates)),
        (text::errors(), format::count(report.errors)),
        (text::warnings(), format::count(report.warnings)),
    ];
    html! { <dl class="facts">{ for facts.into_iter().map(|(label, value)| html! { <div key={label}><dt>{ label }</dt><dd>{ value }</dd></div> }) }</dl> }
}
