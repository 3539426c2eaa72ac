//! Real runs with variants whose cost is known: false alarms, the known cost, and what pairing is worth.
//!
//! A declared tool reports a share of what iperf3 measured: 100 % under the base and under `equal`, 98 % under `costly`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use netplan::report::Report;
use netplan::report::variants::paired;
use netplan::statistics::{ALPHA, Difference, Interval, Summary};
use netplan::tools::name;

use super::runs::run;
use super::table::{Goal, Unit, figure};

/// Runs without other load, and as many under a load in phases.
const RUNS: usize = 30;
const COSTLY: f64 = 0.98;
/// How long a phase of the load lasts: several rounds.
const PHASE: Duration = Duration::from_secs(12);
/// Computing threads for each CPU: samples of a loaded phase differ from others by more than the noise within a round.
const THREADS_PER_CPU: usize = 4;

const PERCENT: Unit = Unit("%", 1);
const RATIO: Unit = Unit("", 4);
const SHARE: Unit = Unit("", 2);

const PLAN: &str = r#"
version: 1
name: known-cost
workers: { w1: {}, w2: { other_node_than: w1 } }
tools:
  transfer:
    parameters: { share: { default: 100, min: 1, max: 100 } }
    ports: [{ name: listen, port: 18000, per_path: true }]
    server:
      command: [iperf3, --server, --forceflush, --port, '{{ port }}']
      ready: { line: listening }
    client:
      command:
        - sh
        - -c
        - >-
          iperf3 --client "$0" --port "$1" --bytes 60M --format m
          | awk -v share="$2" '/receiver/ { print "rate", $7 * share / 100 }'
        - '{{ target }}'
        - '{{ port }}'
        - '{{ share }}'
    metrics:
      throughput: { regex: 'rate (?<value>[0-9.]+)', unit: Mbit/s }
variants:
  base: {}
  equal: {}
  costly: { tests: { transfer: { share: 98 } } }
paths: [{ name: remote, from: w2, to: w1, via: pod_ip }]
order: interleaved
defaults: { duration: 1s, repeat: 24 }
tests: [{ transfer: {} }]
"#;

/// What a run says of both variants.
struct Seen {
    equal: Interval,
    costly: Interval,
    costly_ratio: f64,
    /// The width of the interval of `equal` by pairs over that of two independent groups.
    width_ratio: f64,
    /// The deviation of a sample over the noise within a round.
    spread: f64,
}

pub fn measure() -> anyhow::Result<()> {
    let quiet = measured()?;
    let loaded = under_load(measured)?;
    let all = || quiet.iter().chain(&loaded);
    let how =
        format!("{RUNS} runs of 24 rounds without other load and {RUNS} under a load in phases");
    let share = |is: fn(&Seen) -> bool| {
        let count = all().filter(|seen| is(seen)).count();
        [100.0 * count as f64 / all().count() as f64]
    };
    figure(
        "equal variants in real runs: false alarms",
        share(|seen| !seen.equal.contains(0.0)),
        PERCENT,
        Goal::AtMost(100.0 * 7.0 / 60.0),
        &how,
    )?;
    figure(
        "a known cost of 2 %: the interval contains it",
        share(|seen| seen.costly.contains(COSTLY.ln())),
        PERCENT,
        Goal::AtLeast(100.0 * 53.0 / 60.0),
        &how,
    )?;
    let ratios = all().map(|seen| seen.costly_ratio);
    figure(
        "a known cost of 2 %: the ratio",
        ratios,
        RATIO,
        Goal::None,
        &how,
    )?;
    for (load, runs, most) in [
        ("no other load", &quiet, 1.1),
        ("load in phases", &loaded, 0.5),
    ] {
        let widths = runs.iter().map(|seen| seen.width_ratio);
        let what = format!("{load}: width by pairs, of that without");
        figure(&what, widths, SHARE, Goal::AtMost(most), "equal variants")?;
        let spreads = runs.iter().map(|seen| seen.spread);
        let what = format!("{load}: spread of samples, of that in a round");
        figure(
            &what,
            spreads,
            SHARE,
            Goal::None,
            "equal variants, logarithms",
        )?;
    }
    Ok(())
}

fn measured() -> anyhow::Result<Vec<Seen>> {
    let runs = std::iter::repeat_with(|| {
        let run = run(PLAN, &[])?;
        Seen::from_report(&Report::from_events(&run.events)?)
    });
    runs.take(RUNS).collect()
}

impl Seen {
    fn from_report(report: &Report) -> anyhow::Result<Seen> {
        let [base, equal, costly] = report.cells.as_slice() else {
            anyhow::bail!("the run has {} cells, not 3", report.cells.len());
        };
        let interval = |cell| {
            let pairs = paired(base, cell, name::THROUGHPUT_BPS).context("no pairs")?;
            let interval = pairs.difference.interval(ALPHA).context("no interval")?;
            anyhow::Ok((pairs, interval))
        };
        let ((_, equal_interval), (costly, costly_interval)) =
            (interval(equal)?, interval(costly)?);
        let logs = [base, equal].map(|cell| -> Vec<f64> {
            let samples = cell.samples.iter();
            let values = samples.filter_map(|sample| sample.metrics.get(name::THROUGHPUT_BPS));
            values.map(f64::ln).collect()
        });
        let [of_base, of_equal] = &logs;
        let unpaired = Difference::welch(of_base, of_equal).context("no difference")?;
        let width = unpaired.half_width(ALPHA).context("no width")?;
        let pairs = of_base.iter().zip(of_equal);
        let within = Summary::from_values(pairs.map(|(base, equal)| equal - base));
        let overall = Summary::from_values(logs.iter().flatten().copied());
        let deviations = within
            .zip(overall)
            .and_then(|(within, overall)| within.stddev.zip(overall.stddev));
        let (within, overall) = deviations.context("no samples")?;
        Ok(Seen {
            equal: equal_interval,
            costly: costly_interval,
            costly_ratio: costly.ratio(),
            width_ratio: equal_interval.half() / width,
            // The difference of two samples has twice the variance of one.
            spread: overall / (within / 2f64.sqrt()),
        })
    }
}

/// Does something while all CPUs compute in every other phase.
fn under_load<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let is_over = AtomicBool::new(false);
    let threads = THREADS_PER_CPU * thread::available_parallelism()?.get();
    let begun = Instant::now();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| compute_in_phases(begun, &is_over));
        }
        let done = work();
        is_over.store(true, Ordering::Relaxed);
        done
    })
}

fn compute_in_phases(begun: Instant, is_over: &AtomicBool) {
    for phase in 1_u32.. {
        let ends = begun + PHASE * phase;
        while Instant::now() < ends {
            if is_over.load(Ordering::Relaxed) {
                return;
            }
            if phase.is_multiple_of(2) {
                std::hint::spin_loop();
            } else {
                thread::sleep(Duration::from_millis(10));
            }
        }
    }
}
