//! One dataset: what reading its file found, line by line, what is in it, and how it begins.

use crate::{
    api, browser,
    components::{
        button::button_if,
        card::{card, facts, padded_card, paragraph, words},
        face::{face, skeleton_block, skeleton_lines},
        link::{Link, link},
        messages::messages,
        page_header::PageHeader,
        relative_time::relative_time,
        remove_dialog::{RemoveDialogProps, use_remove_dialog},
        status_pill::dataset_pill,
        table::{cell, table},
    },
    draft::{DraftAction, use_draft},
    kept::use_kept,
    pages::datasets::leaving_dataset,
    part::{part, use_change},
    query::{
        Poll,
        hooks::{use_now, use_optional_query, use_store},
        use_query,
    },
    route::{Route, Section, dataset_line, use_address},
    text::{self, format},
};
use shared::{
    dataset::{Dataset, DatasetPreview, DatasetReport, DatasetStatus, PreviewExample},
    id::DatasetId,
    training_line::{Finding, Severity},
};
use std::{num::NonZeroU32, rc::Rc};
use yew::prelude::*;

/// The line that the address names.
const MARKED: &str = "marked-line";

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
    let draft = use_draft();
    let leaving = use_kept(|| false);
    let status = store
        .read(&api::datasets::dataset(&props.id))
        .map(|dataset| dataset.status);
    let is_read = matches!(status, Some(DatasetStatus::Ready | DatasetStatus::Error));
    let poll = if is_read { Poll::Never } else { Poll::Every(1_500) };
    let dataset = use_query(api::datasets::dataset(&props.id), poll);
    let report = use_optional_query(is_read.then(|| api::datasets::report(&props.id)), Poll::Never);
    let line = use_address()
        .parameter("line")
        .parse::<NonZeroU32>()
        .ok()
        .map(|line| u64::from(line.get()));
    let wanted = match line {
        Some(line) => api::datasets::lines_around(&props.id, line),
        None => api::datasets::preview(&props.id),
    };
    let preview = use_optional_query(is_read.then_some(wanted), Poll::Never);
    // The line is brought into sight once it is drawn with what stands above it, and again where another is asked for; not where
    // the answer is renewed.
    let is_drawn = preview.data.is_some() && report.data.is_some();
    use_change(line.filter(|_| is_drawn), |line| {
        if line.is_some() {
            // Whatever takes the focus is brought into sight.
            browser::focus_id(MARKED);
        }
        None
    });
    let data = dataset.data.clone();
    let title = data.as_ref().map_or_else(
        || text::section_label(Section::Datasets).to_owned(),
        |data| data.name.clone(),
    );
    let train = {
        let id = props.id.to_string();
        Callback::from(move |_: MouseEvent| {
            if let Some(draft) = &draft {
                draft.dispatch(DraftAction::Set("training_dataset", id.clone()));
                Route::Setup.go();
            }
        })
    };
    let ask = {
        let leaving = leaving.setter();
        Callback::from(move |_: MouseEvent| leaving.set(true))
    };
    let on_close = {
        let leaving = leaving.setter();
        Callback::from(move |()| leaving.set(false))
    };
    let on_gone = Callback::from(|()| Route::Datasets.go());
    let going = data.clone().filter(|_| *leaving);
    let found = face(
        &report,
        || skeleton_lines(2),
        no_findings,
        |report| findings(&props.id, report),
    );
    let begins = face(
        &preview,
        || skeleton_lines(5),
        |preview| no_preview(preview, line),
        |preview| examples(preview, line),
    );
    let counts = face(
        &report,
        || skeleton_lines(3),
        |_| None,
        |report| statistics(report),
    );
    let shown = report
        .data
        .as_deref()
        .map(text::findings_shown)
        .unwrap_or_default();
    let whole = match line {
        Some(_) => link(
            &Route::Dataset(props.id.to_string()),
            "quiet-link",
            text::show_beginning(),
        ),
        None => Html::default(),
    };
    let view = face(
        &dataset,
        || skeleton_block("skeleton-list"),
        |_| None,
        |_| {
            if !is_read {
                return html! { <p key="unread" class="card card-body dim" role="status">{ text::being_read() }</p> };
            }
            html! {
                <div key="read" class="columns">
                    <div class="stack">
                        { card(text::findings(), html! { <span class="dim">{ shown }</span> }, found) }
                        { card(text::preview(), whole.clone(), begins) }
                    </div>
                    { padded_card(text::statistics(), Html::default(), counts) }
                </div>
            }
        },
    );
    html! {
        <div class="page">
            <PageHeader
                {title}
                above={link(&Route::Datasets, "", text::datasets_above())}
                beside={data.as_ref().map(|data| dataset_pill(data.status)).unwrap_or_default()}
                sub={data.as_ref().map(|data| headline(data, now)).unwrap_or_default()}
            >
                { button_if(data.is_some(), "button quiet", text::delete(), ask) }
                { button_if(status == Some(DatasetStatus::Ready), "button primary", text::train_on_this(), train) }
            </PageHeader>
            { view }
            { part(use_remove_dialog, RemoveDialogProps { leaving: going.as_ref().map(leaving_dataset), on_close, on_gone }) }
        </div>
    }
}

fn headline(dataset: &Dataset, now: i64) -> Html {
    html! {
        <>
            { words(text::file_line(dataset)) }
            { relative_time(now, dataset.created_at) }
            { " · " }<span class="mono dim">{ dataset.id.as_str() }</span>
        </>
    }
}

fn no_findings(report: &DatasetReport) -> Option<Html> {
    report
        .findings
        .is_empty()
        .then(|| paragraph("card-body dim", text::no_findings()))
}

fn findings(id: &DatasetId, report: &DatasetReport) -> Html {
    let rows = report
        .findings
        .iter()
        .enumerate()
        .map(|(index, finding)| finding_row(id, index, finding));
    let columns = [(text::line(), "number"), (text::findings(), "")];
    html! {
        <div class="findings-scroll" tabindex="0" role="group" aria-label={text::findings()}>
            <p class="card-body dim" hidden={report.errors == 0}>{ text::findings_stop() }</p>
            { table("", &columns, rows.collect()) }
        </div>
    }
}

fn finding_row(id: &DatasetId, index: usize, finding: &Finding) -> Html {
    let class = match finding.severity {
        Severity::Error => "finding-word is-bad",
        Severity::Warning => "finding-word is-warn",
    };
    let line = if finding.line == 0 {
        words(text::whole_file())
    } else {
        Link {
            to: dataset_line(id.as_str(), finding.line),
            class: "line-link",
            label: Some(text::show_line(finding.line)),
            content: words(format::count(finding.line)),
            ..Link::default()
        }
        .view()
    };
    html! {
        <tr key={index}>
            { cell("number mono finding-line", line) }
            <td>
                <span {class}>{ text::severity_label(finding.severity) }</span>
                { " " }<span lang="en">{ text::sentence(&finding.message) }</span>
                <div class="dim" lang="en">{ text::sentence(&finding.advice) }</div>
            </td>
        </tr>
    }
}

fn no_preview(preview: &DatasetPreview, line: Option<u64>) -> Option<Html> {
    let has_it = |line: u64| preview.examples.iter().any(|example| example.line == line);
    let nothing = match line {
        Some(line) if !has_it(line) => text::no_such_line(line),
        None if preview.examples.is_empty() => text::no_preview().to_owned(),
        _ => return None,
    };
    Some(paragraph("card-body dim", nothing))
}

fn examples(preview: &DatasetPreview, marked: Option<u64>) -> Html {
    let examples = preview
        .examples
        .iter()
        .map(|shown| example(shown, marked == Some(shown.line)));
    html! { <ol class="examples">{ for examples }</ol> }
}

fn example(example: &PreviewExample, is_marked: bool) -> Html {
    let body = match example.raw() {
        Some(raw) => html! {
            <div class="raw-line"><span class="dim">{ text::no_example() }</span><code>{ raw.to_owned() }</code></div>
        },
        None => messages(example),
    };
    html! {
        <li
            key={example.line}
            id={is_marked.then_some(MARKED)}
            class={is_marked.then_some("is-marked")}
            tabindex={is_marked.then_some("-1")}
            aria-current={is_marked.then_some("true")}
        >
            <span class="example-line dim mono">{ example.line }</span>{ body }
        </li>
    }
}

fn statistics(report: &DatasetReport) -> Html {
    let line_format = report.format.map_or(text::none(), text::line_format_label);
    let mut list = vec![(text::format_name(), words(line_format))];
    for (label, number) in [
        (text::examples(), report.examples),
        (text::messages(), report.messages),
        (text::lines(), report.lines),
        (text::duplicates(), report.duplicates),
        (text::errors(), report.errors),
        (text::warnings(), report.warnings),
    ] {
        list.push((label, words(format::count(number))));
    }
    facts(list)
}
