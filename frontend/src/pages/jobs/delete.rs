//! Deleting a job from its own page: the same question as on the list.

use super::delete_several::{DeleteSeveralProps, use_delete_several};
use shared::job::Job;
use std::rc::Rc;
use yew::prelude::*;

#[derive(PartialEq)]
pub(crate) struct DeleteJobProps {
    /// Which job is to go, if one is.
    pub(crate) job: Option<Rc<Job>>,
    /// Jobs have artifacts, which go with them.
    pub(crate) artifacts: bool,
    /// The dialog was closed; true where the job is gone.
    pub(crate) on_done: Callback<bool>,
}

#[hook]
pub(crate) fn use_delete_job(props: Rc<DeleteJobProps>) -> Html {
    let declined = {
        let on_done = props.on_done.clone();
        Callback::from(move |confirmed: bool| {
            if !confirmed {
                on_done.emit(false);
            }
        })
    };
    use_delete_several(Rc::new(DeleteSeveralProps {
        jobs: props.job.iter().cloned().collect(),
        artifacts: props.artifacts,
        can_cancel: false,
        on_work: Callback::noop(),
        on_close: declined,
        on_end: props.on_done.clone(),
    }))
}
