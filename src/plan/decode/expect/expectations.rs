//! The decoder of `expect:`.

use indexmap::IndexMap;

use super::bound::{bound_of, compared, metric, possible};
use crate::catalog::Metric;
use crate::diag::Place;
use crate::plan::decode::tree::decoder::{At, Decoder};
use crate::plan::model::expect::{Expectation, Expectations};
use crate::plan::text::tree::{Kind, NodeId, Value};

/// One entry of `expect:`, to be checked against what the rest of the plan says.
#[derive(Clone, Debug)]
pub struct Expected {
    pub metric_place: Place,
    pub value_place: Place,
    pub metric: Metric,
    pub expectation: Expectation,
}

impl Expected {
    pub fn to_expectations(expected: &[Expected]) -> Expectations {
        let entry = |e: &Expected| (e.metric.clone(), e.expectation.clone());
        Expectations(expected.iter().map(entry).collect::<IndexMap<_, _>>())
    }
}

/// Reads `expect:`, as far as it can be read. `preferred` are the metrics that are probably meant.
pub fn expectations(
    decoder: &Decoder<'_>,
    id: NodeId,
    preferred: &[Metric],
) -> Option<Vec<Expected>> {
    let what = "a mapping with a metric and its bound, e.g. `throughput: '>= 9 Gbit/s'`";
    let fields = decoder.fields(id, what, false)?;
    let found = fields.entries().iter().filter_map(|entry| {
        let name = At {
            value: entry.key.as_str(),
            place: entry.key_place,
        };
        let value = expectation_text(decoder, entry.value);
        let metric = metric(decoder, name, preferred)?;
        let value = value?;
        let (comparison, bound) = compared(decoder, value, &metric)?;
        let bound = bound_of(decoder, bound, value.place, &metric)?;
        let expectation = Expectation { comparison, bound };
        possible(decoder, value.place, &metric, &expectation)?;
        Some(Expected {
            metric_place: name.place,
            value_place: value.place,
            metric,
            expectation,
        })
    });
    Some(found.collect())
}

/// The text of an expectation; a bare number is one too, that only lacks its comparison.
fn expectation_text<'t>(decoder: &Decoder<'t>, id: NodeId) -> Option<At<&'t str>> {
    let node = decoder.tree.get(id);
    match &node.kind {
        Kind::Scalar(scalar) if !matches!(scalar.value, Value::Null | Value::Bool(_)) => Some(At {
            value: &scalar.text,
            place: node.place,
        }),
        _ => decoder.expected(id, "an expectation", "write e.g. `'>= 9 Gbit/s'`"),
    }
}
