//! What is made of a record, and how far back it goes.

use super::{ENTRIES, Entry, Reading, Record, Told};
use crate::upstream::openai::curves::reduced;
use shared::{
    event::{EventList, EventQuery, JobEvent, Level, MeasuredStep},
    id::EventId,
    metrics::MetricsQuery,
    timestamp::Timestamp,
};
use std::{ops::Range, sync::Arc};

const NOW: Timestamp = Timestamp::from_unix_ms(1_800_000_000_000);

fn message(id: &str) -> Entry {
    Entry {
        created_at: NOW,
        id: id.to_owned(),
        told: Told::Message(JobEvent {
            id: EventId::from(id),
            created_at: NOW,
            level: Level::Info,
            message: id.to_owned(),
        }),
    }
}

fn step(number: u64, train_loss: f64) -> Entry {
    Entry {
        created_at: NOW,
        id: format!("step-{number}-{train_loss}"),
        told: Told::Step(MeasuredStep {
            step: number,
            train_loss: Some(train_loss),
            ..MeasuredStep::default()
        }),
    }
}

/// A reading that came to the oldest event.
fn whole(entries: Vec<Entry>) -> Record {
    Record::default().with(Reading {
        newer: entries,
        joins: false,
        to_the_end: true,
    })
}

fn page(limit: u32, cursor: Option<&str>) -> EventQuery {
    EventQuery {
        limit: Some(limit),
        cursor: cursor.map(str::to_owned),
        ..Default::default()
    }
}

#[test]
fn pages_of_a_log_join_without_gap_and_leave_measured_steps_out() {
    let entries = ["a", "b", "c", "d"].map(message);
    let record = whole(
        entries
            .into_iter()
            .flat_map(|entry| [entry, step(1, 0.5)])
            .collect(),
    );
    let ids =
        |list: &EventList| -> Vec<String> { list.events.iter().map(|event| event.id.to_string()).collect() };
    let first = record.page(&page(3, None));
    assert_eq!(ids(&first), ["d", "c", "b"]);
    let second = record.page(&page(3, first.next_cursor.as_deref()));
    assert_eq!(
        (ids(&second), second.next_cursor.clone()),
        (vec!["a".to_owned()], None)
    );
    assert_eq!((first.total, second.total), (4, 4));
    let searched = record.page(&EventQuery {
        q: Some(" B ".to_owned()),
        ..page(1, None)
    });
    assert_eq!(
        (ids(&searched), searched.total, searched.next_cursor),
        (vec!["b".to_owned()], 1, None)
    );
    assert_eq!(ids(&record.page(&page(9, Some("gone")))), ["d", "c", "b", "a"]);
}

#[test]
fn a_step_that_is_told_again_counts_as_it_was_told_last() {
    let record = whole(vec![step(1, 3.0), step(2, 2.5), step(2, 2.0)]);
    let losses: Vec<_> = record.steps().values().map(|step| step.train_loss).collect();
    assert_eq!(losses, [Some(3.0), Some(2.0)]);
}

#[test]
fn the_times_of_a_curves_steps_are_those_of_their_events() {
    let mut entries = vec![step(1, 3.0), step(2, 2.5), step(5, 2.0), step(9, 1.0)];
    for (entry, seconds) in entries.iter_mut().zip([0, 10, 10, 75]) {
        entry.created_at = Timestamp::from_unix_ms(NOW.unix_ms() + 1_000 * seconds);
    }
    let record = whole(entries);
    let query = MetricsQuery {
        from: Some(2),
        ..MetricsQuery::default()
    };
    let metrics = reduced(&record.steps(), query).expect("the query is good");
    let times = record.times(&metrics);
    assert_eq!(times.steps, [2, 5, 9]);
    assert_eq!(times.elapsed_ms, [10_000, 10_000, 75_000]);
}

#[test]
fn a_record_is_one_unbroken_newest_part_and_says_where_older_ones_are_missing() {
    let read = |newer: &[&str], joins, to_the_end| Reading {
        newer: newer.iter().copied().map(message).collect(),
        joins,
        to_the_end,
    };
    let told = |record: &Record| -> (Vec<String>, bool) {
        let list = record.page(&page(9, None));
        assert_eq!(list.incomplete, record.incomplete);
        let ids = record.entries.iter().map(|entry| entry.id.clone());
        (ids.collect(), record.incomplete)
    };
    let of = |ids: &[&str], incomplete| (ids.iter().copied().map(str::to_owned).collect(), incomplete);
    let first = Record::default().with(read(&["a", "b"], false, true));
    assert_eq!(told(&first), of(&["a", "b"], false));
    let joined = first.with(read(&["c", "c"], true, false));
    assert_eq!(told(&joined), of(&["a", "b", "c"], false));
    let broken = joined.with(read(&["x", "y"], false, false));
    assert_eq!(
        told(&broken),
        of(&["x", "y"], true),
        "what lies between isn't known"
    );
    assert_eq!(
        told(&broken.with(read(&["z"], true, false))),
        of(&["x", "y", "z"], true)
    );
    let forgotten = joined.with(read(&["x"], false, true));
    assert_eq!(
        told(&forgotten),
        of(&["x"], true),
        "the upstream had older ones once"
    );
}

#[test]
fn a_very_long_record_loses_its_oldest_and_copies_nothing_for_what_is_added() {
    let reading = |numbers: Range<usize>, joins| Reading {
        newer: numbers.map(|number| step(number as u64, 1.0)).collect(),
        joins,
        to_the_end: true,
    };
    let full = Record::default().with(reading(0..ENTRIES, false));
    assert_eq!((full.entries.len(), full.incomplete), (ENTRIES, false));
    let longer = full.with(reading(ENTRIES..ENTRIES + 3, true));
    assert_eq!((longer.entries.len(), longer.incomplete), (ENTRIES, true));
    assert!(Arc::ptr_eq(&longer.entries[0], &full.entries[3]));
    assert_eq!(longer.steps().first_key_value().map(|(step, _)| *step), Some(3));
}
