use super::*;
use shared::status::JobStatus;

fn list(names: &str) -> Rc<JobList> {
    let job = |id: char| {
        let status = if id.is_uppercase() { "succeeded" } else { "running" };
        let id = id.to_ascii_lowercase();
        format!(
            r#"{{"id":"{id}","name":"n","base_model":"m","status":"{status}","created_at":"2026-11-21T12:00:00Z"}}"#
        )
    };
    let jobs: Vec<_> = names.chars().map(job).collect();
    let text = format!(
        r#"{{"jobs":[{}],"summary":{{"running":0,"queued":0,"paused":0,"completed":0,"failed":0,"cancelled":0,
        "total":3}},"next_cursor":null}}"#,
        jobs.join(",")
    );
    Rc::new(serde_json::from_str(&text).expect("it is a list"))
}

fn ids(list: &JobList) -> String {
    list.jobs.iter().map(|job| job.id.as_str()).collect()
}

fn settled(old: &str, new: &str, held: bool) -> (String, bool) {
    let mut view = View::default();
    let new = list(new);
    assert!(!view.settle(0, Some(list(old)), &[], held));
    let waits = view.settle(0, Some(Rc::clone(&new)), &[new], held);
    (ids(&view.shown[0].1), waits)
}

#[test]
fn rows_stay_in_place_while_one_is_pointed_at() {
    assert_eq!(settled("abc", "bc", false), ("bc".to_owned(), false));
    assert_eq!(settled("abc", "bc", true), ("abc".to_owned(), true));
    assert_eq!(settled("abc", "xabc", true), ("abc".to_owned(), true));
}

#[test]
fn rows_behind_the_others_move_nothing() {
    assert_eq!(settled("abc", "abcd", true), ("abcd".to_owned(), false));
}

#[test]
fn a_row_that_stays_in_place_still_tells_the_newest() {
    let (old, new) = (list("abc"), list("Cab"));
    let kept = in_place(&old, &new, &[Rc::clone(&new)]);
    assert_eq!(ids(&kept), "abc");
    assert_eq!(kept.jobs[2].status, JobStatus::Succeeded);
    assert_eq!(kept.jobs[0].status, JobStatus::Running);
}

#[test]
fn a_page_that_is_not_there_leaves_its_place() {
    let mut view = View::default();
    view.settle(1, Some(list("ab")), &[], false);
    let (first, rows) = view.rows(&(0..=1));
    assert_eq!((first, rows.len()), (0, PAGE + 2));
    assert!(rows[PAGE - 1].is_none() && rows[PAGE].is_some());
}
