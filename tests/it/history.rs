//! Many runs over time.

use crate::history_simulation::{Nights, Noise, false_alarms, steps_found};

#[test]
#[ignore]
fn explore() {
    for (noise, series, deviation, calls) in [
        (Noise::Normal, 30, 0.02, 60),
        (Noise::Normal, 30, 0.1, 60),
        (Noise::Skewed, 30, 0.02, 60),
        (Noise::Skewed, 30, 0.1, 60),
    ] {
        let nights = Nights {
            series,
            runs: 60,
            noise,
            deviation,
        };
        eprintln!(
            "{noise:?} {series} {deviation}: {:?}",
            false_alarms(nights, calls)
        );
    }
    for (noise, series, changed) in [
        (Noise::Normal, 30, 1),
        (Noise::Normal, 30, 6),
        (Noise::Normal, 100, 1),
        (Noise::Normal, 100, 10),
        (Noise::Skewed, 30, 6),
    ] {
        for runs in [25, 60] {
            let nights = Nights {
                series,
                runs,
                noise,
                deviation: 0.02,
            };
            for after in [5, 8, 12] {
                let histories = (60 / changed / (if after > 5 { 2 } else { 1 })).min(30) as u32;
                let (now, ever) = steps_found(nights, changed, 3.0, after, histories);
                eprint!(
                    "{noise:?} {changed} of {series}, {runs} runs, after {after}: now {now:.3} ever {ever:.3};  "
                );
            }
            eprintln!();
        }
    }
}
