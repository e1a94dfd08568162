//! How long ago something was, with the exact time in its title.

use crate::{browser, text::format};
use shared::timestamp::Timestamp;
use yew::prelude::*;

/// An instant as it reads from `now_ms`.
pub fn relative_time(now_ms: i64, instant: Timestamp) -> Html {
    html! {
        <time datetime={browser::machine_time(instant)} title={browser::local_time(instant.unix_ms())}>
            { format::ago(now_ms, instant.unix_ms()) }
        </time>
    }
}
