//! Sending a file: chosen or dropped, with a bar, and what went wrong.

use crate::{
    browser,
    components::{
        button::button,
        icon::{Icon, icon},
        meter::meter,
        toast::use_toaster,
    },
    kept::{Setter, use_kept},
    query::hooks::use_store,
    route::Route,
    text,
};
use std::rc::Rc;
use wasm_bindgen::JsCast as _;
use web_sys::{File, HtmlInputElement};
use yew::prelude::*;

#[derive(PartialEq)]
pub(super) struct UploadProps {
    /// Largest file in bytes that the server takes.
    pub(super) limit: Option<u64>,
}

#[derive(Clone, PartialEq)]
enum Upload {
    Waiting,
    Sending { name: String, sent: u64, total: u64 },
    Failed(String),
}

/// A file that can't be sent at all, and why.
fn refused(bytes: u64, limit: Option<u64>) -> Option<String> {
    match limit {
        _ if bytes == 0 => Some(text::empty_file().to_owned()),
        Some(limit) if bytes > limit => Some(text::too_large(limit)),
        _ => None,
    }
}

/// What to call a dataset that comes from this file.
fn name_of(filename: &str) -> String {
    let short = [".jsonl", ".ndjson", ".json"]
        .iter()
        .find_map(|ending| filename.strip_suffix(ending));
    short
        .filter(|short| !short.is_empty())
        .unwrap_or(filename)
        .chars()
        .take(200)
        .collect()
}

#[hook]
pub(super) fn use_upload_card(props: Rc<UploadProps>) -> Html {
    let upload = use_kept(|| Upload::Waiting);
    let send = use_sending(upload.setter(), props.limit);
    let over = use_kept(|| false);
    let input = use_node_ref();
    let busy = matches!(*upload, Upload::Sending { .. });
    let onchange = {
        let send = send.clone();
        Callback::from(move |event: Event| {
            let Some(input) = event.target() else { return };
            let input: HtmlInputElement = input.unchecked_into();
            if let Some(file) = input.files().and_then(|files| files.get(0)) {
                send.emit(file);
            }
            input.set_value("");
        })
    };
    let hover = |inside: bool| {
        let over = over.setter();
        Callback::from(move |event: DragEvent| {
            event.prevent_default();
            over.set(inside);
        })
    };
    let ondrop = {
        let over = over.setter();
        Callback::from(move |event: DragEvent| {
            event.prevent_default();
            over.set(false);
            let file = event
                .data_transfer()
                .and_then(|data| data.files())
                .and_then(|files| files.get(0));
            if let (Some(file), false) = (file, busy) {
                send.emit(file);
            }
        })
    };
    let choose = {
        let input = input.clone();
        Callback::from(move |_: MouseEvent| {
            if let Some(input) = input.cast::<HtmlInputElement>() {
                input.click();
            }
        })
    };
    html! {
        <section
            class={if *over { "card drop is-over" } else { "card drop" }}
            aria-label={text::upload_dataset()}
            ondragover={hover(true)}
            ondragleave={hover(false)}
            {ondrop}
        >
            <input
                ref={input}
                type="file"
                id="dataset-file"
                class="visually-hidden"
                tabindex="-1"
                accept=".jsonl,.ndjson,.json"
                aria-label={text::dataset_file()}
                {onchange}
            />
            <div class="drop-ask" hidden={busy}>
                <span class="drop-icon">{ icon(Icon::Upload) }</span>
                <div class="drop-words"><b>{ text::drop_here() }</b><span class="dim">{ text::drop_or() }</span></div>
                { button("button", text::choose_file(), choose) }
            </div>
            <div>{ progress(&upload) }</div>
        </section>
    }
}

fn progress(upload: &Upload) -> Html {
    match upload {
        Upload::Waiting => html! { <div key="waiting"></div> },
        Upload::Failed(why) => {
            html! { <p key="failed" class="field-error" role="alert">{ why.as_str() }</p> }
        }
        Upload::Sending { name, sent, total } => html! {
            <div key="sending" class="drop-busy">
                <div class="running-head">
                    <b>{ text::uploading_named(name) }</b><span class="sub">{ text::uploaded(*sent, *total) }</span>
                </div>
                { meter(text::uploading(), *sent as f64 / (*total).max(1) as f64) }
            </div>
        },
    }
}

/// Sends a file and tells how far it is; then shows the dataset that it became to whoever has waited for it.
#[hook]
fn use_sending(upload: Setter<Upload>, limit: Option<u64>) -> Callback<File> {
    let store = use_store();
    let toaster = use_toaster();
    Callback::from(move |file: File| {
        let total = file.size() as u64;
        if let Some(why) = refused(total, limit) {
            upload.set(Upload::Failed(why));
            return;
        }
        let name = name_of(&file.name());
        let told = {
            let (upload, name) = (upload.clone(), name.clone());
            move |sent: u64| {
                upload.set(Upload::Sending {
                    name: name.clone(),
                    sent: sent.min(total),
                    total,
                });
            }
        };
        told(0);
        let (store, toaster, upload) = (store.clone(), toaster.clone(), upload.clone());
        wasm_bindgen_futures::spawn_local(async move {
            match store.upload_dataset(&name, &file, told).await {
                Ok(dataset) => {
                    upload.set(Upload::Waiting);
                    toaster.good(&text::upload_done(&dataset.name));
                    // Whoever went on to something else while the bytes were on their way stays there.
                    if Route::parse(&browser::address().path) == Route::Datasets {
                        Route::Dataset(dataset.id.to_string()).go();
                    }
                }
                Err(error) => upload.set(Upload::Failed(text::error_line(&error))),
            }
        });
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_refused_before_a_byte_is_sent() {
        assert!(refused(0, None).is_some());
        assert!(refused(11, Some(10)).is_some_and(|why| why.contains("10 bytes")));
        assert!(refused(10, Some(10)).is_none());
    }

    #[test]
    fn a_dataset_is_called_like_its_file() {
        assert_eq!(name_of("chats.jsonl"), "chats");
        assert_eq!(name_of(".jsonl"), ".jsonl");
        assert_eq!(name_of("notes.txt"), "notes.txt");
        assert_eq!(name_of(&"x".repeat(300)).len(), 200);
    }
}
