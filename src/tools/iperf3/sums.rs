//! The sums at the end of iperf3's document: of one direction, or of both.

use serde_json::Value;

/// The sums of a document's end, over one direction or both.
#[derive(Clone, Copy)]
pub(super) struct Sums<'a> {
    pub end: &'a Value,
    pub is_both: bool,
}

impl Sums<'_> {
    /// The names of a sum: that of the forward direction, and where both were measured the reverse one's.
    pub fn names(self, sum: &str) -> impl Iterator<Item = String> + use<> {
        let reverse = self.is_both.then(|| format!("{sum}_bidir_reverse"));
        std::iter::once(sum.to_owned()).chain(reverse)
    }

    fn values(self, sum: &str, key: &str) -> Option<Vec<f64>> {
        let value = |sum: String| self.end.get(&sum)?.get(key)?.as_f64();
        self.names(sum).map(value).collect()
    }

    /// The sum of a figure over the directions; `None` where a direction lacks it or does not know it.
    pub fn all(self, sum: &str, key: &str) -> Option<f64> {
        let values = self.values(sum, key)?;
        // -1 is what iperf3 says of what it does not know.
        let known = self.is_both && values.contains(&-1.0);
        (!known).then(|| values.iter().sum())
    }

    /// The mean of a figure over the directions; `None` where one lacks it.
    pub fn mean(self, sum: &str, key: &str) -> Option<f64> {
        let values = self.values(sum, key)?;
        Some(values.iter().sum::<f64>() / values.len() as f64)
    }
}
