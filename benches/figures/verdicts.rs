//! How often verdicts are wrong, and how often they find a change. Simulations: they measure no network.

use super::table::{Goal, Unit, figure};
use super::verdict_simulation::{Noise, Outcomes, Setting, comparisons};

/// Comparisons with recorded noise.
const UNCHANGED: u32 = 1_000;
/// Comparisons of each setting of the power.
const POWER: u32 = 5_000;

const PERCENT: Unit = Unit("%", 1);

pub fn measure() -> anyhow::Result<()> {
    for runs in [2, 5, 10] {
        let found = comparisons(
            Setting {
                noise: Noise::Recorded,
                runs,
                change: 0.0,
                limit: Some(0.025),
            },
            UNCHANGED,
        );
        let how = format!(
            "{UNCHANGED} simulated comparisons with recorded noise and drift; `slower` {} times, `faster` {} times in {} \
             answers",
            found.false_slower, found.false_faster, found.unchanged_answers,
        );
        figure(
            &format!("unchanged, {runs} runs a side: exit code 4 at `--fail-on 2.5%`"),
            [percent(&found, found.failed)],
            PERCENT,
            Goal::AtMost(5.0),
            &how,
        )?;
        figure(
            "false `slower` against false `faster` in them",
            [found.lopsidedness()],
            Unit("standard errors apart", 1),
            Goal::AtMost(2.6),
            "of a binomial share; 2.6 is exceeded by chance in 1 %",
        )?;
    }
    let normal = |paths, deviation| Noise::Normal { paths, deviation };
    for (runs, of, goal) in [
        (5, "answered `slower`", 95.0),
        (10, "exit code 4 at `--fail-on 2.5%`", 95.0),
    ] {
        let found = comparisons(
            Setting {
                noise: normal(30, 0.01),
                runs,
                change: 0.05,
                limit: Some(0.025),
            },
            POWER,
        );
        let count = if runs == 5 { found.found } else { found.failed };
        figure(
            &format!("a path 5 % slower, {runs} runs a side: {of}"),
            [percent(&found, count)],
            PERCENT,
            Goal::AtLeast(goal),
            &format!("{POWER} simulated comparisons of 30 paths, 1 % from run to run"),
        )?;
    }
    for (paths, runs, deviation) in [(1, 5, 0.01), (13, 3, 0.01), (30, 5, 0.01), (30, 10, 0.02)] {
        let found = comparisons(
            Setting {
                noise: normal(paths, deviation),
                runs,
                change: 0.0,
                limit: None,
            },
            POWER,
        );
        let how = format!(
            "{POWER} simulated comparisons; {:.1} % reported on the average; {:.0} % found in another comparison with \
             fresh runs",
            100.0 * found.reported / f64::from(found.comparisons),
            percent(&found, found.found_again),
        );
        figure(
            &format!(
                "found at the reported size: {paths} paths, {runs} runs, {:.0} %",
                deviation * 100.0
            ),
            [percent(&found, found.found_at_reported)],
            PERCENT,
            Goal::Between(87.0, 93.0),
            &how,
        )?;
    }
    Ok(())
}

fn percent(outcomes: &Outcomes, count: u32) -> f64 {
    100.0 * outcomes.share(count)
}
