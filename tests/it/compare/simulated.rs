//! How often verdicts are wrong and how often they find a change, by simulation: fewer comparisons than in the
//! figures, with a seed.

use crate::verdict_simulation::{Noise, Setting, comparisons};

const NORMAL: Noise = Noise::Normal {
    paths: 30,
    deviation: 0.01,
};

#[test]
fn unchanged_runs_seldom_fail() {
    for runs in [2, 5, 10] {
        let found = comparisons(
            Setting {
                noise: Noise::Recorded,
                runs,
                change: 0.0,
                limit: Some(0.025),
            },
            400,
        );
        // 5 %, and four standard deviations of a share of 400.
        assert!(
            found.share(found.failed) < 0.05 + 0.044,
            "{runs}: {found:?}"
        );
        assert!(found.lopsidedness() < 4.0, "{runs}: {found:?}");
    }
}

#[test]
fn a_change_of_5_percent_is_found() {
    let setting = |runs| Setting {
        noise: NORMAL,
        runs,
        change: 0.05,
        limit: Some(0.025),
    };
    let five = comparisons(setting(5), 400);
    assert!(five.share(five.found) > 0.92, "{five:?}");
    let ten = comparisons(setting(10), 400);
    assert!(
        ten.share(ten.found) > 0.99 && ten.share(ten.failed) > 0.94,
        "{ten:?}"
    );
}

#[test]
fn what_would_have_been_found_is_found_in_nine_of_ten() {
    for runs in [3, 5, 10] {
        let found = comparisons(
            Setting {
                noise: NORMAL,
                runs,
                change: 0.0,
                limit: None,
            },
            1_000,
        );
        let share = found.share(found.found_at_reported);
        assert!((0.86..0.94).contains(&share), "{runs}: {found:?}");
    }
}
