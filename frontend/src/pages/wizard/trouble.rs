//! A submit that failed for a reason that no field is to blame for: what happened, that the draft is kept, and a way on.

use super::review::ReviewProps;
use crate::{
    api::ApiError,
    components::{
        button::button_if,
        card::paragraph,
        icon::{Icon, icon},
        link::link,
    },
    draft::DraftAction,
    kept::Kept,
    route::Route,
    text,
};
use yew::prelude::*;

/// What leads on from a failed submit.
#[derive(Debug, PartialEq, Eq)]
enum WayOn {
    /// Send it again as it is: the draft's id keeps it from becoming two jobs.
    Again,
    /// Make room in the list first.
    MakeRoom,
    /// Let the same values become another job.
    AnotherJob,
}

fn way_on(error: &ApiError, has_limit: bool) -> WayOn {
    match error {
        ApiError::Problem(problem) if problem.code == "idempotency_key_reused" => WayOn::AnotherJob,
        ApiError::Problem(problem) if problem.status == 429 && has_limit => WayOn::MakeRoom,
        _ => WayOn::Again,
    }
}

/// Stands above the button that failed.
pub(super) fn trouble(props: &ReviewProps, failure: &Kept<Option<ApiError>>) -> Html {
    let Some(error) = failure.as_ref() else {
        return Html::default();
    };
    let way_on = way_on(error, props.capabilities.max_jobs.is_some());
    let (handle, over) = (props.draft.clone(), failure.setter());
    let renew = Callback::from(move |_: MouseEvent| {
        handle.dispatch(DraftAction::Renew);
        over.set(None);
    });
    let title = if way_on == WayOn::MakeRoom {
        text::workspace_full().to_owned()
    } else {
        text::submit_title(error)
    };
    html! {
        <div class="notice notice-error" role="alert">
            <span class="notice-icon">{ icon(Icon::Alert) }</span>
            <div>
                { paragraph("notice-title", title) }
                { paragraph("notice-body", text::submit_advice(error)) }
                <div class="buttons">
                    <button type="submit" class="button" hidden={way_on != WayOn::Again}>{ text::try_again() }</button>
                    <span hidden={way_on != WayOn::MakeRoom}>{ link(&Route::Jobs, "button", text::make_room()) }</span>
                    { button_if(way_on == WayOn::AnotherJob, "button", text::another_job(), renew) }
                </div>
            </div>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_has_a_way_on() {
        let problem = |status: u16, code: &str| {
            let json = format!(r#"{{"title":"t","status":{status},"code":"{code}"}}"#);
            ApiError::Problem(Box::new(serde_json::from_str(&json).expect("this is a problem")))
        };
        assert_eq!(way_on(&problem(429, "upstream_limit"), true), WayOn::MakeRoom);
        assert_eq!(way_on(&problem(429, "upstream_limit"), false), WayOn::Again);
        assert_eq!(
            way_on(&problem(409, "idempotency_key_reused"), true),
            WayOn::AnotherJob
        );
        assert_eq!(way_on(&problem(504, "upstream_timeout"), true), WayOn::Again);
        assert_eq!(way_on(&ApiError::Unreachable, true), WayOn::Again);
    }
}
