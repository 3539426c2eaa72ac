//! Whether the 95 % intervals cover the truth as often as they say, by simulation.

use crate::simulation::{Rule, Shape, cells, ratios, until};

/// Of so many cells the share found is within ±0.016 of the true one, 99.9 times in 100.
const CELLS: u32 = 2_000;
const ERROR: f64 = 0.016;

#[test]
fn fixed_repetition_covers() {
    for n in [2, 3, 5, 10, 20] {
        let found = cells(Shape::Normal, 0.03, &Rule::Fixed(n), CELLS);
        assert!((found.coverage - 0.95).abs() < ERROR, "{n}: {found:?}");
    }
}

#[test]
fn adaptive_repetition_covers_wherever_it_stops() {
    for spread in [0.004, 0.012, 0.02, 0.03, 0.04, 0.06] {
        let found = cells(Shape::Normal, spread, &Rule::Adaptive(until(2.0)), CELLS);
        assert!(found.coverage > 0.95 - ERROR, "{spread}: {found:?}");
    }
    let early = crate::simulation::Until {
        min: 2,
        ..until(2.0)
    };
    for spread in [0.02, 0.03] {
        let found = cells(Shape::Normal, spread, &Rule::Adaptive(early.clone()), CELLS);
        assert!(found.coverage > 0.95 - ERROR, "{spread}: {found:?}");
    }
}

#[test]
fn stopping_at_the_first_narrow_interval_would_not() {
    let naive = cells(Shape::Normal, 0.03, &Rule::Naive(until(2.0)), CELLS);
    assert!(naive.coverage < 0.95 - ERROR, "{naive:?}");
    let ours = cells(Shape::Normal, 0.03, &Rule::Adaptive(until(2.0)), CELLS);
    assert!(ours.samples < naive.samples * 1.5, "{ours:?} {naive:?}");
}

#[test]
fn many_looks_cost_little_more_than_one() {
    let many = crate::simulation::Until {
        max: 200,
        ..until(2.0)
    };
    let ours = cells(Shape::Normal, 0.06, &Rule::Adaptive(many.clone()), CELLS);
    assert!(ours.coverage > 0.95 - ERROR, "{ours:?}");
    let naive = cells(Shape::Normal, 0.06, &Rule::Naive(many), CELLS);
    assert!(ours.samples < naive.samples * 1.25, "{ours:?} {naive:?}");
}

#[test]
fn few_samples_suffice_where_little_spreads() {
    let found = cells(Shape::Normal, 0.004, &Rule::Adaptive(until(2.0)), CELLS);
    assert!(found.samples < 3.7 && found.reached > 0.999, "{found:?}");
    let wild = cells(Shape::Normal, 0.2, &Rule::Adaptive(until(2.0)), 200);
    assert!(wild.samples > 19.0 && wild.reached < 0.05, "{wild:?}");
}

#[test]
fn skewed_samples_cost_a_little_coverage() {
    let found = cells(Shape::Lognormal, 0.3, &Rule::Adaptive(until(20.0)), CELLS);
    assert!(found.coverage > 0.92, "{found:?}");
}

#[test]
fn ratios_cover() {
    for n in [3, 5, 10] {
        for wider in [1.0, 3.0] {
            let coverage = ratios(Shape::Normal, 0.03, wider, n, CELLS);
            assert!(coverage > 0.95 - ERROR, "{n}, {wider}: {coverage}");
        }
    }
}

/// What no level mends, and why the module says so.
#[test]
fn samples_that_follow_each_other_are_known_less_well_than_they_seem() {
    let found = cells(Shape::Correlated(0.5), 0.03, &Rule::Fixed(5), CELLS);
    assert!(found.coverage < 0.9, "{found:?}");
}
