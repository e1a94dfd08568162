//! Curves over any range of steps, as quickly for a million as for a thousand.
//!
//! A short range is read step by step. A long one is read from blocks in small (`curves.rs`), which are made of complete blocks of
//! steps: while training records them, or by the first who looks. Only what lies outside of the blocks, at the ends of the range and where
//! training is, is read step by step then.

use super::Service;
use crate::{
    curves::{LEVELS, Level, Parts, level_for},
    error::{Error, one_finding},
    store::{Store, curve_blocks, from_sql, steps},
};
use shared::{
    decimate::{m4, m4_by},
    id::{JobId, Subject},
    metrics::{Curve, Metrics, MetricsQuery, Series},
};

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
        self.find_job_row(subject, id).await?;
        let store = &self.inner.store;
        let Some((first, last)) = steps::range(store.read(), subject, id).await? else {
            return Ok(Metrics {
                from: query.from.unwrap_or(0),
                to: query.to.unwrap_or(0),
                curves: Vec::new(),
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
        let mut curves = Vec::new();
        for series in Series::ALL {
            let (total_points, kept) = match level {
                None => {
                    let points = steps::points(store.read(), subject, id, series, start, end).await?;
                    (points.len() as u64, m4(&points, from, to, columns))
                }
                Some((level, width)) => {
                    let parts = parts(store, subject, id, series, level, (start, end)).await?;
                    (parts.total(), m4_by(&parts.points, |step| step / width))
                }
            };
            if total_points > 0 {
                curves.push(Curve {
                    series,
                    total_points,
                    steps: kept.iter().map(|(step, _)| *step).collect(),
                    values: kept
                        .iter()
                        .map(|(_, value)| value.is_finite().then_some(*value))
                        .collect(),
                });
            }
        }
        Ok(Metrics { from, to, curves })
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

/// The parts of a range: from blocks where there are, the rest from its steps.
async fn parts(
    store: &Store,
    subject: &Subject,
    id: &JobId,
    series: Series,
    level: Level,
    (from, to): (u64, u64),
) -> Result<Parts, Error> {
    let Level { width, block } = level;
    // Parts that the range holds whole; a part of which it holds some is read step by step.
    let (inner, outer) = (from.div_ceil(width), (to + 1) / width);
    let mut found = Parts::default();
    let mut next = from;
    if inner < outer {
        let (first, last) = (inner * width, outer * width - 1);
        let rows = curve_blocks::list(store.read(), id, width, series, first / block, last / block).await?;
        for (number, bytes) in rows {
            let Some(mut parts) = Parts::from_bytes(&bytes) else {
                continue;
            };
            let start = (from_sql(number) * block).max(first);
            if start > next {
                let points = steps::points(store.read(), subject, id, series, next, start - 1).await?;
                found.append(Parts::of(&points, width));
            }
            parts.retain(inner, outer - 1, width);
            found.append(parts);
            next = ((from_sql(number) + 1) * block).min(last + 1);
        }
    }
    if next <= to {
        let points = steps::points(store.read(), subject, id, series, next, to).await?;
        found.append(Parts::of(&points, width));
    }
    Ok(found)
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
        let mut blocks = Vec::new();
        for series in Series::ALL {
            let points = steps::points(store.read(), subject, id, series, from, to).await?;
            if series == Series::TrainLoss && points.len() as u64 != expected {
                return Ok(());
            }
            blocks.push((series, Parts::of(&points, fine.width)));
        }
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
