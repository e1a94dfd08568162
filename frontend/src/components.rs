//! What pages share. Each component has its styles in the `.css` file beside it.

pub mod alert_rules;
pub mod bell;
pub mod button;
pub mod card;
pub mod confirm_dialog;
pub mod dialog;
pub mod face;
pub mod field;
pub mod icon;
pub mod link;
pub mod messages;
pub mod meter;
pub mod page_header;
pub mod relative_time;
pub mod remove_dialog;
pub mod retry;
pub mod select;
pub mod shell;
pub mod status_pill;
pub mod table;
pub mod toast;
