//! The switch for telling the operator how quick the page is.

use super::{segment, segments, setting};
use crate::{
    kept::use_kept,
    text,
    vitals::{self, Choice},
};
use yew::prelude::*;

/// The switch; words alone where the browser has said no already.
#[hook]
pub(super) fn use_vitals() -> Html {
    let chosen = use_kept(vitals::choice);
    let choose = {
        let chosen = chosen.setter();
        Callback::from(move |on: bool| {
            vitals::choose(on);
            chosen.set(vitals::choice());
        })
    };
    let choice = |on: bool| {
        let (name, label, value) = if on {
            ("on", text::switched_on(), Choice::On)
        } else {
            ("off", text::switched_off(), Choice::Off)
        };
        segment(
            "browser-reports",
            name,
            label,
            *chosen == value,
            choose.reform(move |_| on),
        )
    };
    let (hint, control) = if *chosen == Choice::Objection {
        (text::browser_reports_objected(), Html::default())
    } else {
        let choices = [choice(false), choice(true)].into_iter().collect();
        (
            text::browser_reports_hint(),
            segments(text::browser_reports(), choices),
        )
    };
    setting(text::browser_reports(), hint.to_owned(), control)
}
