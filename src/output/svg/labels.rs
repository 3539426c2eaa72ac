//! Places for the names at the ends of lines.

/// Moves heights apart so that neighbors are at least `gap` apart and all are between `top` and
/// `bottom`, each as near to where it was as the others allow. The order stays. Where there is not
/// enough room, the gaps become smaller.
///
/// Without the gaps of those above it, no height may be less than the one above it: the nearest such
/// heights are the isotonic regression, found by pooling adjacent violators (Ayer et al. 1955, "An
/// empirical distribution function for sampling with incomplete information").
pub fn spread(wanted: &[f64], gap: f64, (top, bottom): (f64, f64)) -> Vec<f64> {
    let gaps = wanted.len().saturating_sub(1) as f64;
    let gap = gap.min((bottom - top) / gaps.max(1.0));
    let mut order: Vec<(usize, f64)> = wanted.iter().copied().enumerate().collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    // Heights that became one: how many, and their mean.
    let mut pools: Vec<(usize, f64)> = Vec::new();
    for (rank, (_, height)) in order.iter().enumerate() {
        let (mut count, mut mean) = (1, height - rank as f64 * gap);
        while let Some((others, above)) = pools.pop_if(|(_, above)| *above > mean) {
            let total = above * others as f64 + mean * count as f64;
            count += others;
            mean = total / count as f64;
        }
        pools.push((count, mean));
    }
    let pooled = pools
        .into_iter()
        .flat_map(|(count, mean)| std::iter::repeat_n(mean, count));
    let lowest = bottom - gaps * gap;
    let mut places = vec![top; wanted.len()];
    for (rank, ((at, _), height)) in order.iter().zip(pooled).enumerate() {
        if let Some(place) = places.get_mut(*at) {
            *place = height.min(lowest).max(top) + rank as f64 * gap;
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn labels_move_apart_and_stay_inside() {
        assert_eq!(spread(&[10.0, 50.0], 14.0, (0.0, 100.0)), [10.0, 50.0]);
        assert_eq!(spread(&[50.0, 50.0], 14.0, (0.0, 100.0)), [43.0, 57.0]);
        assert_eq!(spread(&[99.0, 98.0], 14.0, (0.0, 100.0)), [100.0, 86.0]);
        assert_eq!(
            spread(&[0.0, 0.0, 0.0], 60.0, (0.0, 100.0)),
            [0.0, 50.0, 100.0]
        );
    }

    proptest! {
        #[test]
        fn any_labels_are_apart(wanted in prop::collection::vec(-50.0..450.0, 0..40)) {
            let places = spread(&wanted, 15.0, (0.0, 400.0));
            let mut sorted = places.clone();
            sorted.sort_by(f64::total_cmp);
            let gap = 15.0_f64.min(400.0 / (wanted.len().max(2) - 1) as f64);
            prop_assert!(sorted.windows(2).all(|pair| pair[1] - pair[0] >= gap - 1e-6), "{:?}", sorted);
            prop_assert!(sorted.iter().all(|at| (-1e-6..=400.0 + 1e-6).contains(at)), "{:?}", sorted);
        }
    }
}
