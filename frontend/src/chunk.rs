//! Pages whose code comes when they are first opened, so that the first visit doesn't wait for it.
//!
//! Which function begins a chunk stands here; what only its page needs goes into the chunk by itself when `cargo xtask`
//! cuts the module up (feature `split`). Without the feature, as under `trunk serve` and in tests, all of it is one module
//! and nothing waits. The dashboard, the frame and the sign-in page are in the main module.
//!
//! A chunk belongs to one build. After the server was upgraded an open page may find its chunks gone: reloading helps, and
//! the page says so.

use crate::{
    browser,
    components::{
        button::button,
        card::paragraph,
        icon::{Icon, icon},
    },
    kept::use_kept,
    pages::{self, dataset::DatasetProps, job::JobProps, wizard::WizardProps},
    part::{keyed_part, plain_part, use_change},
    route::Route,
    text,
    vitals::use_page_measured,
};
use shared::{
    id::{DatasetId, JobId},
    validate::Step,
};
use std::{
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};
use yew::prelude::*;

/// A chunk could not be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Unreachable;

#[cfg(feature = "split")]
impl From<wasm_split_helpers::SplitLoaderError> for Unreachable {
    fn from(_: wasm_split_helpers::SplitLoaderError) -> Self {
        Self
    }
}

type Drawn = Pin<Box<dyn Future<Output = Result<Html, Unreachable>>>>;

/// Declares how a page is drawn by code of the chunk `$chunk`.
macro_rules! chunk {
    ($chunk:ident, $name:ident($($argument:ident: $type:ty)?) => $body:expr) => {
        #[cfg(feature = "split")]
        #[wasm_split_helpers::wasm_split($chunk, fallible)]
        fn $name($($argument: $type)?) -> Result<Html, Unreachable> {
            Ok($body)
        }

        #[cfg(not(feature = "split"))]
        async fn $name($($argument: $type)?) -> Result<Html, Unreachable> {
            Ok($body)
        }
    };
}

chunk!(jobs, jobs() => plain_part(pages::jobs::use_jobs_page));
chunk!(wizard, wizard(step: Step) => keyed_part(text::step_label(step), pages::wizard::use_wizard_page, WizardProps { step }));
chunk!(job, job(id: String) => keyed_part(&id, pages::job::use_job_page, JobProps { id: JobId::new(id.as_str()) }));
chunk!(job, compare() => plain_part(pages::compare::use_compare_page));
chunk!(library, datasets() => plain_part(pages::datasets::use_datasets_page));
chunk!(library, dataset(id: String) => keyed_part(&id, pages::dataset::use_dataset_page, DatasetProps { id: DatasetId::new(id.as_str()) }));
chunk!(library, models() => plain_part(pages::models::use_models_page));
chunk!(library, playground() => plain_part(pages::playground::use_playground_page));
chunk!(library, notifications() => plain_part(pages::notifications::use_notifications_page));
chunk!(library, announcer() => plain_part(pages::notifications::announcer::use_announcer));
chunk!(library, settings() => plain_part(pages::settings::use_settings_page));

fn draw(route: &Route) -> Drawn {
    match route {
        Route::Dashboard => here(plain_part(pages::dashboard::use_dashboard_page)),
        Route::NotFound => here(plain_part(pages::not_found::use_not_found_page)),
        Route::Jobs => Box::pin(jobs()),
        Route::Setup => Box::pin(wizard(Step::Setup)),
        Route::Configure => Box::pin(wizard(Step::Configure)),
        Route::Review => Box::pin(wizard(Step::Review)),
        Route::Job(id) => Box::pin(job(id.clone())),
        Route::Compare => Box::pin(compare()),
        Route::Datasets => Box::pin(datasets()),
        Route::Dataset(id) => Box::pin(dataset(id.clone())),
        Route::Models => Box::pin(models()),
        Route::Playground => Box::pin(playground()),
        Route::Notifications => Box::pin(notifications()),
        Route::Settings => Box::pin(settings()),
    }
}

/// A page whose code is here.
fn here(page: Html) -> Drawn {
    Box::pin(std::future::ready(Ok(page)))
}

fn now(page: &mut Drawn) -> Poll<Result<Html, Unreachable>> {
    page.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

/// The page of a route, or its skeleton until its code is there.
#[hook]
pub fn use_page(route: Rc<Route>) -> Html {
    let failed = use_kept(|| None::<Route>);
    let arrived = use_kept(|| ());
    let page = now(&mut draw(&route));
    {
        let (failed, arrived) = (failed.setter(), arrived.setter());
        let waited = page.is_pending();
        use_change((*route).clone(), move |route| {
            let mut page = draw(route);
            if now(&mut page).is_pending() {
                let route = route.clone();
                failed.set(None);
                wasm_bindgen_futures::spawn_local(async move {
                    match page.await {
                        Ok(_) => arrived.set(()),
                        Err(Unreachable) => failed.set(Some(route)),
                    }
                });
            } else if waited {
                // It came between the drawing and this.
                arrived.set(());
            }
            None
        });
    }
    use_page_measured((*route).clone(), matches!(page, Poll::Ready(Ok(_))));
    let has_failed = failed.as_ref() == Some(&*route);
    match page {
        Poll::Ready(Ok(page)) => html! { <div key="page">{ page }</div> },
        Poll::Pending if !has_failed => {
            html! { <div key="waits" class="page" aria-busy="true">{ skeleton() }</div> }
        }
        Poll::Pending | Poll::Ready(Err(Unreachable)) => {
            html! { <div key="gone" class="page">{ unreachable_view() }</div> }
        }
    }
}

/// Whoever shows notifications outside of the page, as soon as its code is there.
#[hook]
pub fn use_announcer() -> Html {
    let arrived = use_kept(|| ());
    {
        let arrived = arrived.setter();
        use_change((), move |()| {
            wasm_bindgen_futures::spawn_local(async move {
                if announcer().await.is_ok() {
                    arrived.set(());
                }
            });
            None
        });
    }
    let mut drawn: Drawn = Box::pin(announcer());
    match now(&mut drawn) {
        Poll::Ready(Ok(drawn)) => drawn,
        Poll::Ready(Err(Unreachable)) | Poll::Pending => Html::default(),
    }
}

/// The same as in index.html.
fn skeleton() -> Html {
    html! {
        <>
            <header class="page-header"><div class="page-header-text"><div class="skeleton skeleton-title"></div><div class="skeleton skeleton-sub"></div></div></header>
            <div class="skeleton skeleton-list"></div>
        </>
    }
}

fn unreachable_view() -> Html {
    html! {
        <div class="notice notice-error" role="alert">
            <span class="notice-icon">{ icon(Icon::Alert) }</span>
            <div>
                { paragraph("notice-title", text::page_code_missing()) }
                { paragraph("notice-body", text::page_code_advice()) }
                { button("button", text::reload(), Callback::from(|_: MouseEvent| browser::reload())) }
            </div>
        </div>
    }
}
