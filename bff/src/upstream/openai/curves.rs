//! Curves and CSV of what was measured, and the upstream's own result file.

use super::{Inner, job_path, read};
use crate::upstream::{
    Answer, Download, UpstreamError,
    remote::{client::Reading, path_of},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use futures_util::StreamExt as _;
use shared::{
    decimate::m4,
    event::MeasuredStep,
    id::{JobId, encode_segment},
    metrics::{Curve, Metrics, MetricsQuery, Series},
};
use std::{collections::BTreeMap, sync::Arc};

/// Pixel columns unless told, and at most.
const COLUMNS: u32 = 800;
const MAX_COLUMNS: u32 = 4_000;
/// Largest result file: it has a line of some 40 bytes for each step.
const RESULT_BYTES: usize = 64 << 20;
/// How a result file begins.
const HEADER: &[u8] = b"step,";

/// The curves over a range of steps, reduced so that no extreme is hidden.
pub(super) fn reduced(steps: &BTreeMap<u64, &MeasuredStep>, query: MetricsQuery) -> Answer<Metrics> {
    let columns = query.points.unwrap_or(COLUMNS);
    if !(1..=MAX_COLUMNS).contains(&columns) {
        return Err(bad_query(format!("`points` must be 1 to {MAX_COLUMNS}")));
    }
    let first = steps.first_key_value().map_or(0, |(step, _)| *step);
    let last = steps.last_key_value().map_or(0, |(step, _)| *step);
    let (from, to) = (query.from.unwrap_or(first), query.to.unwrap_or(last));
    if query.from.is_some() && query.to.is_some() && from > to {
        return Err(bad_query("`to` must not be below `from`".to_owned()));
    }
    let mut curves = Vec::new();
    for series in query.series.unwrap_or_default().iter() {
        let measured = steps.iter().filter(|(step, _)| (from..=to).contains(*step));
        let points: Vec<(u64, f64)> = measured
            .filter_map(|(step, measured)| Some((*step, measured.value(series)?)))
            .collect();
        if !points.is_empty() {
            let kept = m4(&points, from, to, columns);
            curves.push(Curve {
                series,
                total_points: points.len() as u64,
                steps: kept.iter().map(|(step, _)| *step).collect(),
                values: kept.iter().map(|(_, value)| Some(*value)).collect(),
            });
        }
    }
    Ok(Metrics {
        from,
        to,
        curves,
        times: None,
        incomplete: false,
    })
}

fn bad_query(detail: String) -> UpstreamError {
    UpstreamError::Refused {
        status: 400,
        code: "invalid_query",
        detail,
        retry_after: None,
    }
}

/// Every measured step as a line, with a column for whatever was measured at any, blank where it wasn't.
fn csv(steps: &BTreeMap<u64, &MeasuredStep>) -> String {
    let is_measured = |series: &Series| steps.values().any(|step| step.value(*series).is_some());
    let columns: Vec<Series> = Series::ALL.into_iter().filter(is_measured).collect();
    let mut text = String::from("step,epoch");
    for series in &columns {
        text.push(',');
        text.push_str(series.as_str());
    }
    text.push('\n');
    let cell = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    for (step, measured) in steps {
        text.push_str(&format!("{step},{}", cell(measured.epoch)));
        for series in &columns {
            text.push(',');
            text.push_str(&cell(measured.value(*series)));
        }
        text.push('\n');
    }
    text
}

impl Inner {
    /// The upstream's own result file where the job has one, else what was measured.
    pub(super) async fn result_file(self: &Arc<Self>, id: &JobId) -> Answer<Download> {
        let job = self.client.get(&job_path(id, "")?).await?;
        let (content, incomplete) = match read::result_files(&job)?.first() {
            Some(file) => (self.result_content(file).await?, false),
            None => {
                let record = self.record_of(id).await?;
                (csv(&record.steps()).into_bytes(), record.incomplete)
            }
        };
        let content = Bytes::from(content);
        let mark = if incomplete { "-incomplete" } else { "" };
        Ok(Download {
            filename: format!("{}-metrics{mark}.csv", encode_segment(id.as_str())),
            content_type: "text/csv; charset=utf-8".to_owned(),
            bytes: Some(content.len() as u64),
            content: futures_util::stream::once(async move { Ok(content) }).boxed(),
        })
    }

    pub(super) async fn result_content(&self, file: &str) -> Answer<Vec<u8>> {
        let path = path_of("files", "result file", file, "/content")?;
        let mut content = Vec::new();
        let read = self.client.get_file(&path, |piece| {
            content.extend_from_slice(piece);
            if content.len() > RESULT_BYTES {
                Reading::Enough
            } else {
                Reading::More
            }
        });
        read.await.map_err(|error| match error {
            UpstreamError::NotFound(_) => UpstreamError::NotFound("result file"),
            other => other,
        })?;
        if content.len() > RESULT_BYTES {
            return Err(UpstreamError::InvalidResponse(format!(
                "its result file is larger than {RESULT_BYTES} bytes"
            )));
        }
        Ok(self.client.without_key(plain(content)))
    }
}

/// OpenAI serves result files in base64.
fn plain(content: Vec<u8>) -> Vec<u8> {
    if content.starts_with(HEADER) {
        return content;
    }
    let text: Vec<u8> = content
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    match BASE64_STANDARD.decode(text) {
        Ok(decoded) if decoded.starts_with(HEADER) => decoded,
        _ => content,
    }
}

/// The steps of a result file, by the names in its first line; nothing of what isn't one.
#[cfg(feature = "embedded")]
pub(super) fn steps_of(table: &[u8]) -> Vec<MeasuredStep> {
    let text = String::from_utf8_lossy(table);
    let mut lines = text.lines();
    let names: Vec<&str> = lines
        .next()
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .collect();
    let read = |line: &str| {
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        let value = |wanted: &[&str]| {
            let mut found = wanted.iter().filter_map(|wanted| {
                let place = names.iter().position(|name| name == wanted)?;
                cells
                    .get(place)?
                    .parse::<f64>()
                    .ok()
                    .filter(|value| value.is_finite())
            });
            found.next()
        };
        let step = cells
            .get(names.iter().position(|name| *name == "step")?)?
            .parse()
            .ok()?;
        let measured = MeasuredStep {
            step,
            train_loss: value(&["train_loss"]),
            train_token_accuracy: value(&["train_mean_token_accuracy", "train_accuracy"]),
            valid_loss: value(&["full_valid_loss", "valid_loss"]),
            valid_token_accuracy: value(&["full_valid_mean_token_accuracy", "valid_mean_token_accuracy"]),
            ..MeasuredStep::default()
        };
        (measured.train_loss.is_some() || measured.valid_loss.is_some()).then_some(measured)
    };
    lines.filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(step: u64, train_loss: f64, valid_loss: Option<f64>) -> MeasuredStep {
        MeasuredStep {
            step,
            train_loss: Some(train_loss),
            valid_loss,
            ..MeasuredStep::default()
        }
    }

    #[test]
    fn curves_have_what_was_measured_within_the_range_and_nothing_else() {
        let measured = [step(10, 2.5, None), step(20, 1.5, Some(2.0)), step(30, 1.0, None)];
        let steps = measured.iter().map(|step| (step.step, step)).collect();
        let query = MetricsQuery {
            from: Some(15),
            ..MetricsQuery::default()
        };
        let metrics = reduced(&steps, query).expect("the query is good");
        assert_eq!((metrics.from, metrics.to), (15, 30));
        let told: Vec<_> = metrics
            .curves
            .iter()
            .map(|curve| (curve.series, curve.steps.clone(), curve.total_points))
            .collect();
        assert_eq!(
            told,
            [
                (Series::TrainLoss, vec![20, 30], 2),
                (Series::ValidLoss, vec![20], 1)
            ]
        );
        for (from, to, points) in [
            (Some(3), Some(2), None),
            (None, None, Some(0)),
            (None, None, Some(4_001)),
        ] {
            assert!(
                reduced(
                    &steps,
                    MetricsQuery {
                        from,
                        to,
                        points,
                        ..MetricsQuery::default()
                    }
                )
                .is_err()
            );
        }
        let lines = "step,epoch,train_loss,valid_loss\n10,,2.5,\n20,,1.5,2\n30,,1,\n";
        assert_eq!(csv(&steps), lines);
    }

    #[cfg(feature = "embedded")]
    #[test]
    fn a_result_file_tells_steps_by_the_names_of_its_columns() {
        let table =
            b"step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\n1,2.5,0.5,,\n2,NaN,,,\n\
                      3,1.5,,2.0,0.25\nx,1,1,1,1\n";
        let steps = steps_of(table);
        assert_eq!(steps.len(), 2);
        assert_eq!((steps[0].step, steps[0].train_token_accuracy), (1, Some(0.5)));
        assert_eq!(
            (steps[1].valid_loss, steps[1].valid_token_accuracy),
            (Some(2.0), Some(0.25))
        );
        assert!(steps_of(b"no table").is_empty() && steps_of(b"").is_empty());
    }

    #[test]
    fn a_result_file_is_read_plain_and_in_base64() {
        let csv = b"step,train_loss\n1,2.5\n".to_vec();
        let encoded = BASE64_STANDARD.encode(&csv).into_bytes();
        assert_eq!(plain(encoded), csv);
        assert_eq!(plain(csv.clone()), csv);
        assert_eq!(plain(b"something else".to_vec()), b"something else");
    }
}
