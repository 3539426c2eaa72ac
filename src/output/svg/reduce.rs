//! Long series made short without losing their extremes.

use crate::report::document::Point;

/// At most two points for each of `columns` stretches of the x axis: those with the smallest and the
/// largest value, in their order. A stretch without a value keeps one point, so that a gap stays a gap.
/// A series that is short enough stays as it is.
#[must_use]
pub fn reduce(points: &[Point], columns: usize) -> Vec<Point> {
    if points.len() <= 2 * columns {
        return points.to_vec();
    }
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return Vec::new();
    };
    let extent = last.x.saturating_sub(first.x).max(1) as f64;
    let column = |point: &Point| {
        let share = point.x.saturating_sub(first.x) as f64 / extent;
        (share * columns as f64).min(columns as f64 - 1.0).floor()
    };
    let mut kept = Vec::with_capacity(2 * columns);
    for stretch in points.chunk_by(|a, b| column(a).total_cmp(&column(b)).is_eq()) {
        let measured = || {
            let with_y = stretch.iter().enumerate();
            with_y.filter_map(|(at, point)| Some((at, point.y?)))
        };
        let lowest = measured().reduce(|best, next| if next.1 < best.1 { next } else { best });
        let highest = measured().reduce(|best, next| if next.1 > best.1 { next } else { best });
        match (lowest, highest) {
            (Some((low, _)), Some((high, _))) => {
                kept.extend(stretch.get(low.min(high)));
                kept.extend(stretch.get(low.max(high)).filter(|_| low != high));
            }
            _ => kept.extend(stretch.first()),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn short_series_stay_and_long_ones_keep_their_extremes() {
        let point = |x: u64| Point::new(x, Some(if x == 777 { 9.0 } else { 1.0 }));
        let long: Vec<Point> = (0..100_000).map(point).collect();
        assert_eq!(reduce(&long[..20], 10), long[..20]);
        let short = reduce(&long, 500);
        assert!(short.len() <= 1000, "{}", short.len());
        assert!(short.contains(&point(777)));
    }

    proptest! {
        #[test]
        fn any_series_becomes_short_and_stays_in_order(
            values in prop::collection::vec(prop::option::of(-1e6..1e6), 0..3000),
            columns in 1_usize..200,
        ) {
            let points: Vec<Point> = (0..).zip(&values).map(|(x, y)| Point::new(x, *y)).collect();
            let short = reduce(&points, columns);
            prop_assert!(short.len() <= 2 * columns);
            prop_assert!(short.windows(2).all(|pair| pair[0].x < pair[1].x));
            let top = |all: &[Point]| all.iter().filter_map(|p| p.y).fold(f64::NEG_INFINITY, f64::max);
            prop_assert!(top(&short).total_cmp(&top(&points)).is_eq());
        }
    }
}
