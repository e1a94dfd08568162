use super::*;

const KEY: &str = "/api/jobs";

fn parse(text: &str) -> Result<Value, ApiError> {
    text.parse::<u32>()
        .map(|number| Rc::new(number) as Value)
        .map_err(|error| ApiError::Unreadable(error.to_string()))
}

fn request() -> Request {
    Request {
        key: KEY.into(),
        resource: Resource::Jobs,
        parse,
    }
}

fn text(value: u32) -> String {
    value.to_string()
}

fn number(value: u32) -> Value {
    Rc::new(value)
}

fn shown(cache: &Cache) -> Option<u32> {
    cache.get(KEY)?.value()?.downcast_ref::<u32>().copied()
}

fn observed(poll: Poll) -> Cache {
    let mut cache = Cache::default();
    cache.observe(&request(), 1, poll, 0);
    cache
}

fn answer(cache: &mut Cache, now: i64, answer: Result<String, ApiError>) -> bool {
    let due = cache.take_due(now, true);
    assert_eq!(due.len(), 1, "one request is due at {now}");
    cache.finish(KEY, due[0].1, answer, now)
}

#[test]
fn two_observers_share_one_request() {
    let mut cache = observed(Poll::Never);
    cache.observe(&request(), 2, Poll::Never, 0);
    assert_eq!(cache.take_due(0, true).len(), 1);
    assert!(cache.take_due(0, true).is_empty(), "it is under way");
}

#[test]
fn polling_runs_while_visible_and_counts_from_the_answer() {
    let mut cache = observed(Poll::Every(1000));
    assert!(answer(&mut cache, 10, Ok(text(1))));
    assert_eq!(cache.next_due(true), Some(1010));
    assert_eq!(cache.next_due(false), None);
    assert!(cache.take_due(1009, true).is_empty());
    assert!(
        !answer(&mut cache, 1010, Ok(text(1))),
        "an equal answer changes nothing"
    );
}

#[test]
fn failures_back_off_and_the_last_answer_stays() {
    let mut cache = observed(Poll::Every(1000));
    answer(&mut cache, 0, Ok(text(7)));
    answer(&mut cache, 1000, Err(ApiError::Unreachable));
    assert_eq!(cache.next_due(true), Some(3000));
    answer(&mut cache, 3000, Err(ApiError::Unreachable));
    assert_eq!(cache.next_due(true), Some(7000));
    assert_eq!(shown(&cache), Some(7));
    assert!(cache.get(KEY).is_some_and(|entry| entry.error().is_some()));
    answer(&mut cache, 7000, Ok(text(8)));
    assert_eq!(cache.next_due(true), Some(8000));
    assert!(cache.get(KEY).is_some_and(|entry| entry.error().is_none()));
}

#[test]
fn what_is_asked_once_is_asked_again_where_the_failure_may_pass() {
    let mut cache = observed(Poll::Never);
    answer(&mut cache, 0, Err(ApiError::Unreachable));
    assert_eq!(cache.next_due(false), None, "nobody looks on");
    assert_eq!(cache.next_due(true), Some(2000));
    answer(&mut cache, 2000, Ok(text(1)));
    assert_eq!(cache.next_due(true), None, "once is enough");
    cache.invalidate(Resource::Jobs);
    answer(&mut cache, 3000, Err(ApiError::Status(502)));
    assert_eq!(cache.next_due(true), Some(5000), "what is known is out of date");
}

#[test]
fn a_refusal_is_not_repeated_until_somebody_asks() {
    let mut cache = observed(Poll::Every(1000));
    answer(&mut cache, 0, Err(ApiError::Status(404)));
    assert_eq!(cache.next_due(true), None);
    cache.release(KEY, 1, 0);
    cache.observe(&request(), 2, Poll::Never, 0);
    answer(&mut cache, 1, Err(ApiError::Status(404)));
    assert_eq!(cache.next_due(true), None);
    cache.refresh(KEY);
    assert!(answer(&mut cache, 2, Ok(text(1))), "a retry asks anew");
}

#[test]
fn a_change_makes_the_answer_under_way_worthless() {
    let mut cache = observed(Poll::Never);
    let before = cache.take_due(0, true);
    cache.invalidate(Resource::Jobs);
    let after = cache.take_due(1, true);
    assert_eq!(after.len(), 1, "asked again after the change");
    assert!(!cache.finish(KEY, before[0].1, Ok(text(1)), 2));
    assert!(cache.finish(KEY, after[0].1, Ok(text(2)), 3));
    assert_eq!(shown(&cache), Some(2));
    cache.invalidate(Resource::Datasets);
    assert_eq!(cache.next_due(true), None, "other resources are left alone");
}

#[test]
fn what_is_below_an_address_is_asked_anew_where_it_was_asked_before_its_answer() {
    let mut cache = observed(Poll::Never);
    let of_part = Request {
        key: format!("{KEY}/events").into(),
        ..request()
    };
    let of_another = Request {
        key: format!("{KEY}-of-others/events").into(),
        ..request()
    };
    answer(&mut cache, 0, Ok(text(1)));
    cache.observe(&of_part, 2, Poll::Never, 0);
    cache.observe(&of_another, 3, Poll::Never, 0);
    let due = cache.take_due(0, true);
    assert_eq!(due.len(), 2);
    cache.invalidate_older_below(KEY);
    assert!(
        cache.take_due(0, true).is_empty(),
        "both were asked after it came"
    );

    cache.put(&request(), number(2), 0);
    cache.invalidate_older_below(KEY);
    let again = cache.take_due(0, true);
    assert_eq!(again.len(), 1, "what isn't below it is left alone");
    let (key, ticket) = &again[0];
    assert!(!cache.finish(&of_part.key, due[0].1, Ok(text(1)), 0), "too old");
    assert!(cache.finish(key, *ticket, Ok(text(1)), 0));
    cache.invalidate_older_below(KEY);
    assert!(cache.take_due(0, true).is_empty(), "once is enough");
}

#[test]
fn what_nobody_shows_is_cancelled_and_later_forgotten() {
    let mut cache = observed(Poll::Every(1000));
    let due = cache.take_due(0, true);
    cache.release(KEY, 1, 5);
    assert_eq!(
        cache.next_due(false),
        Some(i64::MIN),
        "it is cancelled without delay"
    );
    assert_eq!(cache.abandon().len(), 1);
    assert!(!cache.finish(KEY, due[0].1, Ok(text(1)), 6));
    assert_eq!(cache.next_due(true), None);
    cache.forget_old(FORGET_MS);
    assert!(cache.get(KEY).is_some());
    cache.forget_old(FORGET_MS + 5);
    assert!(cache.get(KEY).is_none());
}

#[test]
fn of_what_nobody_shows_only_the_newest_is_kept() {
    let mut cache = observed(Poll::Never);
    let of_page = |page: i64| Request {
        key: format!("{KEY}?offset={page}").into(),
        ..request()
    };
    let pages = KEPT as i64 + 30;
    for page in 0..pages {
        let request = of_page(page);
        cache.observe(&request, 2, Poll::Never, page);
        cache.release(&request.key, 2, page);
    }
    cache.forget_old(pages);
    assert!(cache.get(KEY).is_some(), "what is shown stays");
    assert!(cache.get(&of_page(29).key).is_none());
    assert!(cache.get(&of_page(30).key).is_some());
    assert!(cache.get(&of_page(pages - 1).key).is_some());
}

#[test]
fn an_optimistic_change_rolls_back_unless_a_newer_answer_came() {
    let mut cache = observed(Poll::Never);
    answer(&mut cache, 0, Ok(text(1)));
    let undo = cache
        .optimistic(KEY, number(2))
        .expect("there is an answer to change");
    assert_eq!(shown(&cache), Some(2));
    cache.roll_back(undo);
    assert_eq!(shown(&cache), Some(1));
    answer(&mut cache, 1, Ok(text(1)));
    let undo = cache
        .optimistic(KEY, number(3))
        .expect("there is an answer to change");
    cache.invalidate(Resource::Jobs);
    answer(&mut cache, 2, Ok(text(4)));
    cache.roll_back(undo);
    assert_eq!(shown(&cache), Some(4));
}

#[test]
fn a_hidden_page_asks_only_for_what_is_told_outside_of_it() {
    let mut cache = observed(Poll::Every(1_000));
    answer(&mut cache, 0, Ok("1".to_owned()));
    assert!(cache.take_due(60_000, false).is_empty());
    cache.observe(&request(), 2, Poll::EvenHidden(30_000), 0);
    assert_eq!(cache.next_due(false), Some(30_000));
    assert_eq!(
        cache.next_due(true),
        Some(1_000),
        "the shorter wait counts while it is visible"
    );
    let due = cache.take_due(30_000, false);
    assert_eq!(due.len(), 1);
    cache.finish(KEY, due[0].1, Err(ApiError::Unreachable), 30_000);
    assert!(
        cache.next_due(false).is_some_and(|at| at > 30_000),
        "it is tried again, too"
    );
}
