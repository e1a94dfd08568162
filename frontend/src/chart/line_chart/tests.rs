use super::*;
use crate::part::part;

fn lines() -> Vec<Line> {
    let train = Line {
        key: "train_loss".into(),
        name: "Train loss".into(),
        steps: vec![1, 2, 3, 4],
        x: vec![1.0, 2.0, 3.0, 4.0],
        y: vec![Some(2.0), Some(99.0), None, Some(0.5)],
        ..Line::default()
    };
    let valid = Line {
        key: "valid_loss".into(),
        name: "Validation loss".into(),
        hue: 1,
        dashed: true,
        steps: vec![4],
        x: vec![4.0],
        y: vec![Some(0.6)],
        ..Line::default()
    };
    vec![train, valid]
}

fn props() -> LineChartProps {
    LineChartProps {
        lines: Rc::new(lines()),
        all: Rc::new(lines()),
        axis: Axis::Step,
        log: false,
        range: (1.0, 10.0),
        whole: (1.0, 10.0),
        marks: vec![(3, 3.0), (40, 40.0)],
        growing: true,
        measure: Measure::Loss,
        on_range: Callback::noop(),
        picked: None,
        on_pick: None,
    }
}

#[component]
fn Chart() -> Html {
    part(use_line_chart, props())
}

#[component]
fn Zoomed() -> Html {
    let props = LineChartProps {
        range: (1.0, 4.0),
        log: true,
        ..props()
    };
    part(use_line_chart, props)
}

fn drawn<'a>(html: &'a str, class: &str) -> &'a str {
    let tag = html
        .split('<')
        .find(|tag| tag.contains(&format!("class=\"{class}\"")));
    let path = tag.and_then(|tag| tag.split(" d=\"").nth(1));
    path.and_then(|rest| rest.split('"').next()).expect("it is drawn")
}

fn heights(path: &str) -> Vec<f64> {
    let points = path.split(['M', 'L']);
    points
        .filter_map(|point| point.split(' ').nth(1)?.parse().ok())
        .collect()
}

#[tokio::test]
async fn a_chart_draws_its_spike_marks_its_gap_and_tells_both() {
    let html = yew::ServerRenderer::<Chart>::new()
        .hydratable(false)
        .render()
        .await;
    assert!(
        html.contains("role=\"slider\"") && html.contains("Train loss: 2.000 at step 1"),
        "{html}"
    );
    assert_eq!(html.matches("class=\"gap-mark\"").count(), 1, "{html}");
    let marks = html.matches("class=\"attempt-mark\"").count();
    assert_eq!(marks, 1, "40 is beyond the axis: {html}");
    assert!(html.contains("1 step without a number"), "{html}");
    let train = drawn(&html, "line-raw");
    assert_eq!(
        (train.matches('M').count(), train.matches('L').count()),
        (2, 1),
        "broken once: {train}"
    );
    let highest = heights(train).into_iter().fold(f64::INFINITY, f64::min);
    assert!(highest < 30.0, "the spike is inside, near the top: {train}");
    assert!(!html.contains("overview-line"), "all is shown: {html}");
}

#[tokio::test]
async fn a_part_on_a_logarithmic_axis_shows_where_it_is() {
    let html = yew::ServerRenderer::<Zoomed>::new()
        .hydratable(false)
        .render()
        .await;
    assert!(
        html.contains("overview-line") && html.contains("overview-part"),
        "{html}"
    );
    let [first, spike, last] = heights(drawn(&html, "line-raw"))[..] else {
        panic!("three points are drawn: {html}")
    };
    // 99 stands 1.7 decades above 2, which stands 0.6 above 0.5.
    let decades = |one: f64, other: f64| (one / other).log10();
    let ratio = (first - spike) / (last - first);
    let expected = decades(99.0, 2.0) / decades(2.0, 0.5);
    assert!((ratio - expected).abs() < 0.02, "{ratio} {expected}");
}
