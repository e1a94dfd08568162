//! Sending a file: chosen or dropped, with a bar, and what went wrong.

use crate::{
    components::{
        icon::{Icon, icon},
        meter::meter,
        toast::use_toaster,
    },
    query::hooks::use_store,
    route::Route,
    text,
};
use std::rc::Rc;
use wasm_bindgen::JsCast as _;
use web_sys::{File, HtmlInputElement};
use yew::prelude::*;
use yew_router::prelude::*;

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
    let store = use_store();
    let toaster = use_toaster();
    let navigator = use_navigator();
    let upload = use_state(|| Upload::Waiting);
    let over = use_state(|| false);
    let input = use_node_ref();
    let busy = matches!(*upload, Upload::Sending { .. });
    let send = {
        let (upload, limit) = (upload.setter(), props.limit);
        Callback::from(move |file: File| {
            let total = file.size() as u64;
            if let Some(why) = refused(total, limit) {
                upload.set(Upload::Failed(why));
                return;
            }
            let name = name_of(&file.name());
            upload.set(Upload::Sending {
                name: name.clone(),
                sent: 0,
                total,
            });
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
            let (store, toaster, navigator, upload) =
                (store.clone(), toaster.clone(), navigator.clone(), upload.clone());
            wasm_bindgen_futures::spawn_local(async move {
                match store.upload_dataset(&name, &file, told).await {
                    Ok(dataset) => {
                        upload.set(Upload::Waiting);
                        if let Some(toaster) = toaster {
                            toaster.good(text::upload_done(&dataset.name));
                        }
                        if let Some(navigator) = navigator {
                            navigator.push(&Route::Dataset {
                                id: dataset.id.to_string(),
                            });
                        }
                    }
                    Err(error) => upload.set(Upload::Failed(text::error_line(&error))),
                }
            });
        })
    };
    let onchange = {
        let send = send.clone();
        Callback::from(move |event: Event| {
            let Some(input) = event
                .target()
                .and_then(|target| target.dyn_into::<HtmlInputElement>().ok())
            else {
                return;
            };
            if let Some(file) = input.files().and_then(|files| files.get(0)) {
                send.emit(file);
            }
            input.set_value("");
        })
    };
    let ondragover = {
        let over = over.clone();
        Callback::from(move |event: DragEvent| {
            event.prevent_default();
            over.set(true);
        })
    };
    let ondragleave = {
        let over = over.clone();
        Callback::from(move |_: DragEvent| over.set(false))
    };
    let ondrop = {
        let over = over.clone();
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
    let (name, share, words) = match &*upload {
        Upload::Sending { name, sent, total } => (
            name.clone(),
            *sent as f64 / (*total).max(1) as f64,
            text::uploaded(*sent, *total),
        ),
        Upload::Waiting | Upload::Failed(_) => Default::default(),
    };
    let failure = match &*upload {
        Upload::Failed(why) => why.clone(),
        Upload::Waiting | Upload::Sending { .. } => String::new(),
    };
    html! {
        <section class={classes!("card", "drop", over.then_some("is-over"))} aria-label={text::upload_dataset()} {ondragover} {ondragleave} {ondrop}>
            <input ref={input} type="file" id="dataset-file" class="visually-hidden" tabindex="-1" accept=".jsonl,.ndjson,.json" aria-label={text::dataset_file()} {onchange} />
            <div class="drop-ask" hidden={busy}>
                <span class="drop-icon">{ icon(Icon::Upload) }</span>
                <div class="drop-words"><b>{ text::drop_here() }</b><span class="dim">{ text::drop_or() }</span></div>
                <button type="button" class="button" onclick={choose}>{ text::choose_file() }</button>
            </div>
            <div class="drop-busy" hidden={!busy}>
                <div class="running-head"><b>{ format!("{} {name}", text::uploading()) }</b><span class="sub">{ words }</span></div>
                { meter(text::uploading(), share) }
            </div>
            <p class="field-error" role="alert" hidden={failure.is_empty()}>{ failure.clone() }</p>
        </section>
    }
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
