//! Variants: how often ratios by pairs are right, and what pairing is worth.

use super::pairs_simulation::{Drift, Noise, Outcomes, Setting, power, runs};

const WAVE: Drift = Drift::Wave {
    height: 0.1,
    rounds: 20.0,
};

const NORMAL: Noise = Noise::Normal(0.03);
/// With a cost that is found about as often as 2 % is under [`NORMAL`].
const RECORDED: (&str, Noise, Drift, f64) = ("recorded", Noise::Recorded, Drift::Recorded, 0.1);

#[expect(clippy::unnecessary_wraps, reason = "the signature of all sections")]
pub fn measure() -> anyhow::Result<()> {
    println!("| noise | rounds | cost | interval contains it | found | by theory |");
    println!("|---|---|---|---|---|---|");
    for (name, noise, drift, cost) in [("normal", NORMAL, WAVE, 0.02), RECORDED] {
        for rounds in [6, 10, 20, 60] {
            let setting = Setting {
                rounds,
                noise,
                drift,
                cost,
            };
            let found = runs(setting, 2000);
            let theory = power((-cost).ln_1p(), noise.deviation() * 2f64.sqrt(), rounds);
            println!(
                "| {name} | {rounds} | {} | {} | {} | {} |",
                percent(cost),
                percent(found.share(found.covered)),
                percent(found.share(found.rejected)),
                percent(theory)
            );
        }
    }
    println!("\n| equal variants | false alarms | found at the reported size |");
    println!("|---|---|---|");
    for (name, noise, drift, _) in [("normal", NORMAL, WAVE, 0.0), RECORDED] {
        for rounds in [6, 10, 20] {
            let found = equal(rounds, noise, drift);
            println!(
                "| {name}, {rounds} rounds | {} | {} |",
                percent(found.share(found.rejected)),
                percent(found.share(found.found_at_reported))
            );
        }
    }
    println!("\n| machine | width by pairs, of that without (median) |");
    println!("|---|---|");
    for (name, drift) in [("quiet", Drift::None), ("load in phases", phases())] {
        let found = equal(20, NORMAL, drift);
        println!("| {name} | {:.2} |", found.median_width_ratio());
    }
    Ok(())
}

/// A load whose phases last five rounds and spread three times as much as a sample.
fn phases() -> Drift {
    Drift::Phases {
        deviation: 0.09,
        rounds: 5,
    }
}

fn equal(rounds: usize, noise: Noise, drift: Drift) -> Outcomes {
    let setting = Setting {
        rounds,
        noise,
        drift,
        cost: 0.0,
    };
    runs(setting, 2000)
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}
