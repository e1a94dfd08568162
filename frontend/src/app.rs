//! The root: who is signed in decides between the sign-in page and the pages themselves.

use crate::{
    api,
    browser::{self, Listener},
    chunk,
    components::{
        shell::{ShellProps, use_shell},
        toast::{ToastList, Toaster, toasts, use_toaster},
    },
    draft::{DraftHandle, use_stored_draft},
    kept::{Setter, use_kept},
    language::{self, Language},
    pages::{self, sign_in::SignInProps},
    part::{part, plain_part, use_change},
    place,
    query::{Poll, Store, use_query},
    route::Route,
    vitals,
};
use yew::prelude::*;
use yew_router::{
    Router,
    history::{AnyHistory, BrowserHistory},
    hooks::{use_navigator, use_route},
};

/// What everything may use: the data, a way to tell the user something, and the language.
#[derive(Clone)]
pub struct Services {
    /// The root store.
    pub store: Store,
    /// Shows notices.
    pub toaster: Toaster,
    language: Language,
    redraw: Setter<Language>,
}

impl Services {
    /// Keeps a choice of language and draws everything again in it: each part listens for other services.
    pub fn choose_language(&self, choice: Option<Language>) {
        language::choose(choice);
        self.redraw.set(language::spoken());
    }
}

impl PartialEq for Services {
    fn eq(&self, other: &Self) -> bool {
        self.store == other.store && self.toaster == other.toaster && self.language == other.language
    }
}

/// The root.
#[component]
pub fn App() -> Html {
    let list = use_reducer(ToastList::default);
    let store = use_memo((), |()| Store::default());
    let language = use_kept(language::spoken);
    let services = Services {
        store: (*store).clone(),
        toaster: Toaster::new(list.dispatcher()),
        language: *language,
        redraw: language.setter(),
    };
    html! {
        <ContextProvider<Services> context={services}>
            <Router history={AnyHistory::from(BrowserHistory::new())} basename={place::page()}>
                <div>{ plain_part(use_gate) }</div>
                { toasts(&list) }
            </Router>
        </ContextProvider<Services>>
    }
}

/// Where this browser remembers that somebody signed in. No secret: only whether asking early is worth it.
const SIGNED_IN_KEY: &str = "attune.signed-in";

#[derive(Clone, Copy, PartialEq)]
enum Door {
    /// The token of the address is being tried, or the server asked who is signed in.
    Trying,
    /// As far as we know somebody is signed in.
    Open,
    /// Nobody is. True where a token was wrong.
    Closed(bool),
}

#[hook]
fn use_gate() -> Html {
    let store = crate::query::hooks::use_store();
    let toaster = use_toaster();
    browser::keep_navigator(use_navigator());
    let door = use_kept(|| {
        if token_in_address().is_none() && browser::stored(SIGNED_IN_KEY).is_some() {
            Door::Open
        } else {
            Door::Trying
        }
    });
    {
        let (door, store) = (door.setter(), store.clone());
        use_change((), move |()| {
            store.on_signed_out(Callback::from({
                let door = door.clone();
                move |()| {
                    browser::store(SIGNED_IN_KEY, None);
                    door.set(Door::Closed(false));
                }
            }));
            let listeners = watch_foreground(&store);
            let token = token_in_address();
            if token.is_some() || browser::stored(SIGNED_IN_KEY).is_none() {
                wasm_bindgen_futures::spawn_local(
                    async move { door.set(knock(&store, &toaster, token).await) },
                );
            }
            Some(Box::new(listeners))
        });
    }
    use_change(matches!(*door, Door::Closed(_)), |is_closed| {
        if *is_closed {
            vitals::rest();
        }
        None
    });
    let opened = {
        let door = door.setter();
        Callback::from(move |()| door.set(Door::Open))
    };
    let view = match *door {
        // The frame of index.html, for the moment that it takes.
        Door::Trying => html! { <div class="shell"><div class="nav"></div><div class="main"></div></div> },
        Door::Open => plain_part(use_inside),
        Door::Closed(wrong) => part(pages::sign_in::use_sign_in_page, SignInProps { wrong, opened }),
    };
    html! { <div class="gate">{ view }</div> }
}

/// Tries the token of the address, or asks who is signed in: one request, where a page would send three that would
/// all be refused.
async fn knock(store: &Store, toaster: &Toaster, token: Option<String>) -> Door {
    let Some(token) = token else {
        return match store.ask_session().await {
            Err(error) if error.is_signed_out() => Door::Closed(false),
            _ => Door::Open,
        };
    };
    browser::replace_address(&browser::address().path);
    match store.sign_in(&token).await {
        Ok(_) => Door::Open,
        Err(error) if error.is_signed_out() => Door::Closed(true),
        Err(error) => {
            toaster.tell(Err(error));
            Door::Closed(false)
        }
    }
}

/// The token of the address that signs in. It is taken out of the address bar as soon as it is tried.
fn token_in_address() -> Option<String> {
    Some(browser::address().parameter("token")).filter(|token| !token.is_empty())
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

/// Everything that somebody who is signed in sees. It holds the draft, which outlives every page.
#[hook]
fn use_inside() -> Html {
    let session = use_query(api::session::session(), Poll::Never);
    use_change(session.data.is_some(), |is_known| {
        if *is_known {
            browser::store(SIGNED_IN_KEY, Some("1"));
        }
        None
    });
    let capabilities = use_query(api::capabilities::capabilities(), Poll::Never).data;
    use_change(capabilities.map(|known| known.browser_reports), |wanted| {
        if let Some(wanted) = wanted {
            vitals::ask_for(*wanted);
        }
        None
    });
    let draft = use_stored_draft();
    let route = use_route::<Route>().unwrap_or(Route::NotFound);
    html! {
        <ContextProvider<DraftHandle> context={draft}>
            { part(use_shell, ShellProps { lit: route.section(), page: html! { <div>{ part(chunk::use_page, route) }</div> } }) }
        </ContextProvider<DraftHandle>>
    }
}
