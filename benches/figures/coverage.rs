//! How often the intervals of tables cover the truth. A simulation: it measures no network.

use super::simulation::{Found, Rule, Shape, cells, ratios, until};

/// Of so many cells a share is found to ±0.3 %.
const CELLS: u32 = 20_000;

/// What samples are like, by what words; the spread in units of the bound, and the bound in percent.
const KINDS: [(&str, Shape, f64); 4] = [
    ("normal", Shape::Normal, 2.0),
    ("lognormal", Shape::Lognormal, 20.0),
    ("normal, correlated by 0.3", Shape::Correlated(0.3), 2.0),
    ("normal, correlated by 0.5", Shape::Correlated(0.5), 2.0),
];

/// Standard deviations of a sample, in units of the bound.
const SPREADS: [f64; 6] = [0.25, 0.5, 1.0, 1.5, 2.0, 4.0];

#[expect(clippy::unnecessary_wraps, reason = "every section has this signature")]
pub fn measure() -> anyhow::Result<()> {
    println!();
    println!(
        "Coverage of 95 % intervals, simulated with {CELLS} cells a figure. Adaptive: 3 to 20"
    );
    println!(
        "samples until within the bound; naive: the same, stopped by the plain 95 % interval."
    );
    println!();
    println!(
        "| samples | s.d. / bound | 3 fixed | 5 fixed | 10 fixed | adaptive (samples, in bound) | \
         naive (samples, in bound) |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    for (words, shape, bound) in KINDS {
        for times in SPREADS {
            let spread = times * bound / 100.0;
            let of = |rule| cells(shape, spread, &rule, CELLS);
            let [three, five, ten] = [3, 5, 10].map(|n| percent(of(Rule::Fixed(n)).coverage));
            println!(
                "| {words}, ±{bound} % | {times} | {three} | {five} | {ten} | {} | {} |",
                stopped(of(Rule::Adaptive(until(bound)))),
                stopped(of(Rule::Naive(until(bound)))),
            );
        }
    }
    println!();
    println!(
        "Coverage of the 95 % interval of a ratio of two means, standard deviation 3 % each, or"
    );
    println!("3 % and 9 %.");
    println!();
    println!("| samples each | normal, alike | normal, unlike | lognormal, alike |");
    println!("| ---: | ---: | ---: | ---: |");
    for n in [2, 3, 5, 10, 20] {
        println!(
            "| {n} | {} | {} | {} |",
            percent(ratios(Shape::Normal, 0.03, 1.0, n, CELLS)),
            percent(ratios(Shape::Normal, 0.03, 3.0, n, CELLS)),
            percent(ratios(Shape::Lognormal, 0.03, 1.0, n, CELLS)),
        );
    }
    Ok(())
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn stopped(found: Found) -> String {
    format!(
        "{} ({:.1}, {:.0} %)",
        percent(found.coverage),
        found.samples,
        found.reached * 100.0
    )
}
