//! Curves over any range of steps, as quickly for a million as for a thousand.
//!
//! A short range is read step by step. A long one is read from blocks in small (`curves.rs`), which are made of complete blocks of
//! steps: while training records them, or by the first who looks. Only what lies outside of the blocks, at the ends of the range and where
//! training is, is read step by step then. When a step was recorded is read for the points that are left, so it needs no blocks, and each
//! of them stands exactly where it belongs.

use super::{Service, record::MAX_ATTEMPTS};
use crate::{
    curves::{LEVELS, Level, Parts, level_for},
    error::{Error, one_finding},
    store::{Store, attempts, curve_blocks, from_sql, steps},
};
use shared::{
    decimate::{m4, m4_by},
    id::{JobId, Subject},
    metrics::{Curve, Metrics, MetricsQuery, Series, SeriesSet, Times},
};
use std::{collections::BTreeSet, ops::RangeInclusive};

/// Pixel columns unless told, and at most.
const COLUMNS: u32 = 800;
const MAX_COLUMNS: u32 = 4000;

impl Service {
    /// A job's curves over a range of steps, reduced so that no extreme is hidden. A job without steps has no curves.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] for `points` or a range that is the wrong way round.
    pub async fn job_metrics(
        &self,
        subject: &Subject,
        id: &JobId,
        query: &MetricsQuery,
    ) -> Result<Metrics, Error> {
        let columns = columns(query)?;
        let job = self.find_job_row(subject, id).await?;
        let incomplete = job.lacks_steps == Some(true);
        let store = &self.inner.store;
        let Some((first, last)) = steps::range(store.read(), subject, id).await? else {
            return Ok(Metrics {
                from: query.from.unwrap_or(0),
                to: query.to.unwrap_or(0),
                curves: Vec::new(),
                times: query.times.then(Times::default),
                incomplete,
            });
        };
        let (from, to) = (query.from.unwrap_or(first), query.to.unwrap_or(last));
        // What lies beyond the steps that there are needs no reading.
        let (start, end) = (from.max(first), to.min(last));
        let span = end.saturating_sub(start) + 1;
        let level = level_for(span, columns);
        if level.is_some() {
            fill(store, subject, id, last).await?;
        }
        let wanted = query.series.unwrap_or_default();
        let reduced: Vec<_> = match level {
            None => {
                let read = steps::points(store.read(), subject, id, wanted, start, end).await?;
                let reduce = |points: Vec<(u64, f64)>| (points.len() as u64, m4(&points, from, to, columns));
                read.into_iter()
                    .map(|(series, points)| (series, reduce(points)))
                    .collect()
            }
            Some((level, width)) => {
                let read = Reading {
                    store,
                    subject,
                    id,
                    wanted,
                };
                let reduce = |parts: Parts| (parts.total(), m4_by(&parts.points, |step| step / width));
                let parts = read.parts(level, start, end).await?;
                parts
                    .into_iter()
                    .map(|(series, parts)| (series, reduce(parts)))
                    .collect()
            }
        };
        let curves: Vec<Curve> = reduced
            .into_iter()
            .filter(|(_, (total, _))| *total > 0)
            .map(|(series, (total_points, kept))| Curve {
                series,
                total_points,
                steps: kept.iter().map(|(step, _)| *step).collect(),
                values: kept
                    .iter()
                    .map(|(_, value)| value.is_finite().then_some(*value))
                    .collect(),
            })
            .collect();
        let times = if query.times {
            let (first, kept) = ((first, start..=end), curves.iter().flat_map(|curve| &curve.steps));
            Some(self.times(subject, id, first, kept.copied().collect()).await?)
        } else {
            None
        };
        Ok(Metrics {
            from,
            to,
            curves,
            times,
            incomplete,
        })
    }

    /// When these steps were recorded, with those at both sides of where training was taken up again and the ends of the range.
    async fn times(
        &self,
        subject: &Subject,
        id: &JobId,
        (first, range): (u64, RangeInclusive<u64>),
        mut steps: BTreeSet<u64>,
    ) -> Result<Times, Error> {
        let read = self.inner.store.read();
        for attempt in attempts::list(read, subject, id, MAX_ATTEMPTS).await? {
            if let Some(step) = attempt.to_attempt().from_step {
                steps.extend([step, step + 1]);
            }
        }
        steps.retain(|step| range.contains(step));
        steps.extend([first, *range.start(), *range.end()]);
        let wanted: Vec<u64> = steps.into_iter().collect();
        let recorded = steps::recorded_at(read, subject, id, &wanted).await?;
        let origin = recorded.first().map_or(0, |(_, at)| *at);
        let shown = recorded.into_iter().filter(|(step, _)| range.contains(step));
        Ok(Times::since(origin, shown))
    }
}

fn columns(query: &MetricsQuery) -> Result<u32, Error> {
    if let (Some(from), Some(to)) = (query.from, query.to)
        && from > to
    {
        return Err(Error::Invalid(one_finding(
            "to",
            "too_small",
            &[("min", &from.to_string())],
        )));
    }
    match query.points {
        None => Ok(COLUMNS),
        Some(0) => Err(Error::Invalid(one_finding(
            "points",
            "too_small",
            &[("min", "1")],
        ))),
        Some(points) if points > MAX_COLUMNS => Err(Error::Invalid(one_finding(
            "points",
            "too_large",
            &[("max", &MAX_COLUMNS.to_string())],
        ))),
        Some(points) => Ok(points),
    }
}

/// What is read of which job.
struct Reading<'a> {
    store: &'a Store,
    subject: &'a Subject,
    id: &'a JobId,
    wanted: SeriesSet,
}

type SeriesParts = Vec<(Series, Parts)>;

impl Reading<'_> {
    /// The parts of a range: from blocks as far as there are, what follows from the next finer level, the ends step by step.
    async fn parts(&self, level: Level, from: u64, to: u64) -> Result<SeriesParts, Error> {
        let Level { width, block } = level;
        let made = from_sql(curve_blocks::made(self.store.read(), self.id, width).await?);
        // Parts that the range and the blocks hold whole.
        let (inner, outer) = (from.div_ceil(width), ((to + 1) / width).min(made * block / width));
        if inner >= outer {
            return self.beyond(level, from, to).await;
        }
        let (first, next) = (inner * width, outer * width);
        let mut found = self.step_by_step(width, from, first).await?;
        for (series, parts) in &mut found {
            let (start, end) = (first / block, (next - 1) / block);
            let rows = curve_blocks::list(self.store.read(), self.id, width, *series, start, end).await?;
            for (_, bytes) in rows {
                let mut more = Parts::from_bytes(&bytes).unwrap_or_default();
                more.retain(inner, outer - 1, width);
                parts.append(more);
            }
        }
        let rest = self.beyond(level, next, to).await?;
        for ((_, parts), (_, more)) in found.iter_mut().zip(rest) {
            parts.append(more);
        }
        Ok(found)
    }

    /// The same where this level has no blocks.
    async fn beyond(&self, level: Level, from: u64, to: u64) -> Result<SeriesParts, Error> {
        let finer = LEVELS.into_iter().rev().find(|other| other.width < level.width);
        let Some(finer) = finer.filter(|_| from <= to) else {
            return self.step_by_step(level.width, from, to + 1).await;
        };
        let mut found = Box::pin(self.parts(finer, from, to)).await?;
        for (_, parts) in &mut found {
            *parts = parts.widened(finer.width, level.width);
        }
        Ok(found)
    }

    /// The parts of the steps from one to before another.
    async fn step_by_step(&self, width: u64, from: u64, before: u64) -> Result<SeriesParts, Error> {
        let read = if from < before {
            steps::points(
                self.store.read(),
                self.subject,
                self.id,
                self.wanted,
                from,
                before - 1,
            )
            .await?
        } else {
            self.wanted.iter().map(|series| (series, Vec::new())).collect()
        };
        Ok(read
            .into_iter()
            .map(|(series, points)| (series, Parts::of(&points, width)))
            .collect())
    }
}

/// Makes the blocks that the steps so far complete and nobody has made yet.
pub(crate) async fn fill(store: &Store, subject: &Subject, id: &JobId, last: u64) -> Result<(), Error> {
    let complete = |level: Level| (last + 1) / level.block;
    let [fine, coarse] = LEVELS;
    let made = from_sql(curve_blocks::made(store.read(), id, fine.width).await?);
    for number in made..complete(fine) {
        let (from, to) = (number * fine.block, (number + 1) * fine.block - 1);
        // Steps are recorded in order, but a lost one may still come: then the block waits for it.
        let expected = fine.block - u64::from(number == 0);
        let read = steps::points(store.read(), subject, id, SeriesSet::default(), from, to).await?;
        let is_whole = |(series, points): &(Series, Vec<(u64, f64)>)| {
            *series != Series::TrainLoss || points.len() as u64 == expected
        };
        if !read.iter().all(is_whole) {
            return Ok(());
        }
        let reduce = |(series, points): (Series, Vec<(u64, f64)>)| (series, Parts::of(&points, fine.width));
        let blocks = read.into_iter().map(reduce).collect();
        keep(store, id, fine, number, blocks).await?;
    }
    let made = from_sql(curve_blocks::made(store.read(), id, coarse.width).await?);
    for number in made..complete(coarse) {
        let ratio = coarse.block / fine.block;
        let mut blocks = Vec::new();
        for series in Series::ALL {
            let (from, to) = (number * ratio, (number + 1) * ratio - 1);
            let rows = curve_blocks::list(store.read(), id, fine.width, series, from, to).await?;
            if rows.len() as u64 != ratio {
                return Ok(());
            }
            let mut parts = Parts::default();
            for (_, bytes) in rows {
                parts.append(Parts::from_bytes(&bytes).unwrap_or_default());
            }
            blocks.push((series, parts.widened(fine.width, coarse.width)));
        }
        keep(store, id, coarse, number, blocks).await?;
    }
    Ok(())
}

async fn keep(
    store: &Store,
    id: &JobId,
    level: Level,
    number: u64,
    blocks: Vec<(Series, Parts)>,
) -> Result<(), Error> {
    let mut transaction = store.begin().await?;
    for (series, parts) in blocks {
        curve_blocks::insert(
            &mut transaction,
            id,
            level.width,
            series,
            number,
            &parts.to_bytes(),
        )
        .await?;
    }
    transaction.commit().await?;
    Ok(())
}
