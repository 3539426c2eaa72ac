//! What throughput costs in CPU.

use crate::results::Sample;
use crate::tools::name;

/// CPU at the ends together in percent, for each Gbit/s that a sample received. `ends` are the metrics of CPU, e.g.
/// [`name::CPU_PERCENT_CLIENT`]. None where one of them or the throughput is unknown, and where nothing was received.
#[must_use]
pub fn cpu_per_gbit(sample: &Sample, ends: &[&str]) -> Option<f64> {
    let cpu: Option<f64> = ends.iter().map(|end| sample.metrics.get(end)).sum();
    let cost = cpu? / (sample.metrics.get(name::THROUGHPUT_BPS)? / 1e9);
    cost.is_finite().then_some(cost)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::CellId;

    #[test]
    fn the_cost_is_that_of_all_ends_and_known_if_all_are_known() {
        let ends = [name::CPU_PERCENT_CLIENT, name::CPU_PERCENT_SERVER];
        let mut sample = Sample::example(&CellId("t/p".to_owned()));
        sample.metrics.set(name::THROUGHPUT_BPS, 8e9);
        sample.metrics.set(name::CPU_PERCENT_CLIENT, 40.0);
        assert_eq!(cpu_per_gbit(&sample, &ends[..1]), Some(5.0));
        assert_eq!(cpu_per_gbit(&sample, &ends), None);
        sample.metrics.set(name::CPU_PERCENT_SERVER, 80.0);
        assert_eq!(cpu_per_gbit(&sample, &ends), Some(15.0));
        sample.metrics.set(name::THROUGHPUT_BPS, 0.0);
        assert_eq!(cpu_per_gbit(&sample, &ends), None);
    }
}
