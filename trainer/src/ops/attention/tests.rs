use super::*;
use crate::{
    random::{Purpose, Stream},
    rope::RopeScaling,
};

struct Case {
    qkv: Vec<f32>,
    grad: Vec<f32>,
    norms: Vec<f32>,
}

fn draw(path: u64, count: usize) -> Vec<f32> {
    let stream = Stream::new(11, Purpose::Caller, &[path]);
    (0..count as u64)
        .map(|place| stream.normal(place) as f32)
        .collect()
}

fn with_shape<R>(segments: &[Segment], body: impl FnOnce(Shape<'_>) -> R) -> R {
    let table = RopeTable::new(&RopeScaling::Default, 100.0, 6, 200, 200);
    let tables = vec![&table; segments.len()];
    body(Shape {
        heads: 4,
        key_heads: 2,
        head_dim: 6,
        segments,
        tables: &tables,
    })
}

fn norms_of(weights: &[f32]) -> Option<HeadNorms<'_>> {
    (!weights.is_empty()).then(|| HeadNorms {
        query: &weights[..6],
        key: &weights[6..],
        eps: 1e-5,
    })
}

fn run(shape: Shape<'_>, qkv: &[f32], norms: &[f32]) -> (Vec<f32>, Cache) {
    let mut cache = Cache::default();
    let mut attended = vec![0.0; qkv.len() / shape.width() * shape.query_width()];
    forward(
        shape,
        norms_of(norms),
        qkv,
        &mut cache,
        &mut Vec::new(),
        &mut attended,
    );
    (attended, cache)
}

fn objective(shape: Shape<'_>, case: &Case) -> f64 {
    let (attended, _) = run(shape, &case.qkv, &case.norms);
    attended
        .iter()
        .zip(&case.grad)
        .map(|(a, b)| f64::from(*a) * f64::from(*b))
        .sum()
}

fn check(norms: Vec<f32>) {
    // The second sequence is longer than one block of query rows.
    let segments = [
        Segment { start: 0, len: 3 },
        Segment {
            start: 3,
            len: BLOCK + 5,
        },
    ];
    with_shape(&segments, |shape| {
        let rows = BLOCK + 8;
        let mut case = Case {
            qkv: draw(1, rows * shape.width()),
            grad: draw(2, rows * shape.query_width()),
            norms,
        };
        let (attended, mut cache) = run(shape, &case.qkv, &case.norms);
        let mut grad_qkv = vec![0.0; case.qkv.len()];
        let mut grad_norms = vec![0.0; case.norms.len()];
        let gradients = Gradients {
            attended: &attended,
            grad_attended: &case.grad,
            qkv: &case.qkv,
            norm_weights: Some(&mut grad_norms),
        };
        backward(shape, norms_of(&case.norms), gradients, &mut cache, &mut grad_qkv);
        let step = 1e-2_f32;
        let difference = |case: &mut Case, pick: fn(&mut Case) -> &mut Vec<f32>, place: usize| {
            let kept = pick(case)[place];
            pick(case)[place] = kept + step;
            let up = objective(shape, case);
            pick(case)[place] = kept - step;
            let down = objective(shape, case);
            pick(case)[place] = kept;
            (up - down) / (2.0 * f64::from(step))
        };
        let width = shape.width();
        for place in [
            0,
            13,
            25,
            37,
            47,
            3 * width + 2,
            3 * width + 30,
            20 * width + 45,
            (rows - 1) * width + 1,
        ] {
            let expected = difference(&mut case, |case| &mut case.qkv, place);
            let found = f64::from(grad_qkv[place]);
            assert!(
                (found - expected).abs() < 3e-3 * (1.0 + expected.abs()),
                "{place}: {found} {expected}"
            );
        }
        for (place, found) in grad_norms.iter().enumerate() {
            let expected = difference(&mut case, |case| &mut case.norms, place);
            let found = f64::from(*found);
            assert!(
                (found - expected).abs() < 5e-3 * (1.0 + expected.abs()),
                "norm {place}: {found} {expected}"
            );
        }
    });
}

#[test]
fn gradients_agree_with_finite_differences() {
    check(Vec::new());
}

#[test]
fn gradients_through_head_norms_agree_with_finite_differences() {
    check(draw(3, 12));
}

#[test]
fn sequences_that_lie_together_do_not_see_each_other_or_the_future() {
    let both = [Segment { start: 0, len: 4 }, Segment { start: 4, len: 5 }];
    let alone = [Segment { start: 0, len: 5 }];
    let qkv = draw(4, 9 * 48);
    let packed = with_shape(&both, |shape| run(shape, &qkv, &[]).0);
    let single = with_shape(&alone, |shape| run(shape, &qkv[4 * 48..], &[]).0);
    assert!(
        packed[4 * 24..]
            .iter()
            .zip(&single)
            .all(|(a, b)| (a - b).abs() < 1e-6)
    );
    let mut changed = qkv.clone();
    changed[8 * 48..].fill(3.0);
    let other = with_shape(&both, |shape| run(shape, &changed, &[]).0);
    assert_eq!(packed[..8 * 24], other[..8 * 24]);
}
