//! What a job is watched for: told in short, and changed where it stands.

use crate::{
    api,
    components::{
        alert_rules::{AlertRulesProps, use_alert_rules},
        card::{card, facts, paragraph, words},
        face::{face, skeleton_lines},
    },
    kept::use_kept,
    part::part,
    query::{Poll, use_query},
    text,
};
use shared::{alert::AlertRules, id::JobId};
use std::rc::Rc;
use yew::prelude::*;

#[derive(PartialEq)]
pub(super) struct AlertsProps {
    pub(super) id: JobId,
}

#[hook]
pub(super) fn use_alerts(props: Rc<AlertsProps>) -> Html {
    let open = use_kept(|| false);
    let rules = use_query(api::alerts::rules(Some(&props.id)), Poll::Never);
    let toggle = {
        let open = open.clone();
        Callback::from(move |_: MouseEvent| open.set(!*open))
    };
    let (expanded, label) = if *open {
        ("true", text::close())
    } else {
        ("false", text::change_alerts())
    };
    let beside = html! {
        <button type="button" class="button small" aria-expanded={expanded} onclick={toggle}>{ label }</button>
    };
    let body = if *open {
        let job = Some(props.id.clone());
        html! { <div key="form">{ part(use_alert_rules, AlertRulesProps { job }) }</div> }
    } else {
        let shown = face(
            &rules,
            || skeleton_lines(1),
            nothing_watched,
            |rules| watched(rules),
        );
        html! { <div key="short">{ shown }</div> }
    };
    card(text::alerts(), beside, body)
}

fn nothing_watched(rules: &AlertRules) -> Option<Html> {
    let words = || paragraph("card-body dim", text::nothing_watched());
    rules.rules.is_empty().then(words)
}

fn watched(rules: &AlertRules) -> Html {
    let list = rules.rules.iter().map(|rule| {
        let (label, _) = text::alert_condition(rule.condition);
        (label, words(text::alert_action(Some(rule.action))))
    });
    html! { <div class="card-body">{ facts(list.collect()) }</div> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[component]
    fn Watched() -> Html {
        let given = r#"{"rules":[{"condition":"divergence","action":"pause"},{"condition":"late","action":"notify"}]}"#;
        watched(&api::json::read(given).expect("rules"))
    }

    #[tokio::test]
    async fn what_is_watched_for_is_told_with_what_happens_then() {
        let html = yew::LocalServerRenderer::<Watched>::new()
            .hydratable(false)
            .render()
            .await;
        assert!(
            html.contains("<dt>Loss diverges</dt><dd>Notify and pause</dd>"),
            "{html}"
        );
        assert!(html.contains("<dt>Late</dt><dd>Notify</dd>"), "{html}");
        assert!(nothing_watched(&AlertRules::default()).is_some());
    }
}
