//! The frame around every page: navigation at the side, on a phone at the bottom. Its static twin stands in
//! index.html, so that the frame is there before this code is.

use crate::{
    api,
    components::{
        bell::use_bell,
        icon::{Icon, icon},
        link::Link,
    },
    part::plain_part,
    query::{Poll, hooks::use_optional_query, use_query},
    route::{Route, Section},
    text,
};
use shared::capabilities::Capabilities;
use std::rc::Rc;
use yew::prelude::*;

/// What an upstream can do is found out as it is used.
const CAPABILITIES: Poll = Poll::Every(60_000);

const fn section_icon(section: Section) -> Icon {
    match section {
        Section::Dashboard => Icon::Home,
        Section::Jobs => Icon::Jobs,
        Section::Datasets => Icon::Data,
        Section::Models => Icon::Model,
        Section::Playground => Icon::Chat,
        Section::Settings => Icon::Settings,
    }
}

fn is_offered(section: Section, capabilities: Option<&Capabilities>) -> bool {
    capabilities.is_none_or(|known| match section {
        Section::Datasets => known.datasets,
        Section::Playground => known.chat,
        _ => true,
    })
}

/// What the frame is drawn around.
#[derive(PartialEq)]
pub struct ShellProps {
    /// The entry of the navigation that is lit.
    pub lit: Option<Section>,
    /// The page.
    pub page: Html,
}

/// The frame around every page.
#[hook]
pub fn use_shell(props: Rc<ShellProps>) -> Html {
    let capabilities = use_query(api::capabilities::capabilities(), CAPABILITIES);
    let summary = use_query(api::jobs::overview(), Poll::Every(5000));
    let datasets_known = capabilities
        .data
        .as_ref()
        .is_some_and(|capabilities| capabilities.datasets);
    let datasets = use_optional_query(datasets_known.then(api::datasets::list), Poll::Never);
    let session = use_query(api::session::session(), Poll::Never);
    let lit = props.lit;
    let number = |section: Section| match section {
        Section::Jobs => summary.data.as_ref().map(|list| list.summary.total),
        Section::Models => summary.data.as_ref().and_then(|list| list.outlook?.models),
        Section::Datasets => datasets.data.as_ref().map(|list| list.datasets.len() as u64),
        _ => None,
    };
    let entries = Section::ALL
        .into_iter()
        .filter(|section| is_offered(*section, capabilities.data.as_deref()));
    let links = entries.map(|section| {
        let number = number(section).map(text::format::count).unwrap_or_default();
        let label = text::section_label(section);
        let content = html! {
            <>{ icon(section_icon(section)) }<span class="nav-label">{ label }</span><span class="nav-count">{ number }</span></>
        };
        let current = lit == Some(section);
        Link { to: section.route().path(), class: "nav-link", key: label, current, content, ..Link::default() }.view()
    });
    let new_tab = Link {
        to: Route::Setup.path(),
        class: "nav-link",
        label: Some(text::new_job().to_owned()),
        content: html! { <>{ icon(Icon::Plus) }<span class="nav-label">{ text::new_tab() }</span></> },
        ..Link::default()
    };
    let has_alerts = (capabilities.data.as_ref()).is_some_and(|known| known.alerts);
    let upstream = (capabilities.data.as_deref())
        .map(text::upstream_and_cores)
        .unwrap_or_default();
    let who = (session.data.as_ref())
        .map(|session| text::signed_in(session.subject.as_str()))
        .unwrap_or_default();
    html! {
        <div class="shell">
            <nav class="nav" aria-label={text::main_navigation()}>
                <div class="brand">{ icon(Icon::Logo) }<span>{ text::product() }</span></div>
                <div class="nav-links">{ for links }</div>
                <div class="nav-new">{ new_tab.view() }</div>
                <div class="nav-foot"><div>{ upstream }</div><div>{ who }</div></div>
            </nav>
            { if has_alerts { plain_part(use_bell) } else { Html::default() } }
            <main id="main" class="main" tabindex="-1">{ props.page.clone() }</main>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::is_offered;
    use crate::route::Section;
    use shared::capabilities::Capabilities;

    #[test]
    fn navigation_hides_what_the_upstream_lacks() {
        assert!(is_offered(Section::Datasets, Some(&Capabilities::engine())));
        assert!(!is_offered(
            Section::Datasets,
            Some(&Capabilities::job_training_api())
        ));
        assert!(is_offered(Section::Jobs, Some(&Capabilities::job_training_api())));
    }
}
