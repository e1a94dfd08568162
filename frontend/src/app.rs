//! The root: who is signed in decides between the sign-in page and the pages themselves.

use crate::{
    api,
    browser::{self, Listener},
    components::{shell::Shell, toast::ToastProvider},
    draft::DraftProvider,
    pages,
    query::{Poll, Store, use_query},
    route::Route,
};
use shared::id::{DatasetId, JobId};
use yew::prelude::*;
use yew_router::prelude::*;

/// The root.
#[component]
pub fn App() -> Html {
    let store = use_memo((), |()| Store::default());
    html! {
        <ContextProvider<Store> context={(*store).clone()}>
            <ToastProvider>
                <BrowserRouter>
                    <Gate />
                </BrowserRouter>
            </ToastProvider>
        </ContextProvider<Store>>
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Door {
    /// The token of the address is being tried.
    Trying,
    /// As far as we know somebody is signed in.
    Open,
    /// Nobody is. True where a token was wrong.
    Closed(bool),
}

#[component]
fn Gate() -> Html {
    let store = crate::query::hooks::use_store();
    let door = use_state(|| {
        if browser::address_parameter("token").is_some() {
            Door::Trying
        } else {
            Door::Open
        }
    });
    {
        let (door, store) = (door.setter(), store.clone());
        use_effect_with((), move |()| {
            store.on_signed_out(Callback::from({
                let door = door.clone();
                move |()| door.set(Door::Closed(false))
            }));
            let listeners = watch_foreground(&store);
            if let Some(token) = browser::address_parameter("token") {
                browser::drop_address_parameter("token");
                wasm_bindgen_futures::spawn_local(async move {
                    door.set(match store.sign_in(&token).await {
                        Ok(_) => Door::Open,
                        Err(error) => Door::Closed(error.is_signed_out()),
                    });
                });
            }
            move || drop(listeners)
        });
    }
    let opened = {
        let door = door.setter();
        Callback::from(move |()| door.set(Door::Open))
    };
    let view = match *door {
        Door::Trying => html! { <div key="trying"></div> },
        Door::Open => html! { <Inside key="open" /> },
        Door::Closed(wrong) => html! { <pages::sign_in::SignInPage key="closed" {wrong} {opened} /> },
    };
    html! { <div class="gate">{ view }</div> }
}

fn watch_foreground(store: &Store) -> Vec<Listener> {
    let wake = |store: &Store| {
        let store = store.clone();
        move |_| store.schedule()
    };
    let document =
        browser::document().map(|document| Listener::new(&document, "visibilitychange", wake(store)));
    let window = browser::window().map(|window| Listener::new(&window, "online", wake(store)));
    document.into_iter().chain(window).collect()
}

#[component]
fn Inside() -> Html {
    let _session = use_query(api::session::session(), Poll::Never);
    html! {
        <DraftProvider>
            <Shell>
                <Switch<Route> render={page} />
            </Shell>
        </DraftProvider>
    }
}

fn page(route: Route) -> Html {
    use shared::validate::Step;
    match route {
        Route::Dashboard => html! { <pages::dashboard::DashboardPage /> },
        Route::Jobs => html! { <pages::jobs::JobsPage /> },
        Route::NewJob => html! { <pages::wizard::WizardStart /> },
        Route::Setup => html! { <pages::wizard::WizardPage key="setup" step={Step::Setup} /> },
        Route::Configure => html! { <pages::wizard::WizardPage key="configure" step={Step::Configure} /> },
        Route::Review => html! { <pages::wizard::WizardPage key="review" step={Step::Review} /> },
        Route::Job { id } => html! { <pages::job::JobPage key={id.as_str()} id={JobId::new(id.as_str())} /> },
        Route::Datasets => html! { <pages::datasets::DatasetsPage /> },
        Route::Dataset { id } => {
            html! { <pages::dataset::DatasetPage key={id.as_str()} id={DatasetId::new(id.as_str())} /> }
        }
        Route::Models => html! { <pages::models::ModelsPage /> },
        Route::Settings => html! { <pages::settings::SettingsPage /> },
        Route::NotFound => html! { <pages::not_found::NotFoundPage /> },
    }
}
