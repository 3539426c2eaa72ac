//! The decoder of `find:`.

use super::bound::{compared, metric, possible, unfit};
use crate::catalog::{Metric, Search};
use crate::diag::{Place, Problem, quote, some_of};
use crate::plan::decode::tree::decoder::{At, Decoder};
use crate::plan::describe::keys::FIND;
use crate::plan::model::expect::{Bound, Condition, Expectation, Find};
use crate::plan::model::tools::tool::ToolSpec;
use crate::plan::model::units::{BitRate, Percent};
use crate::plan::text::tree::NodeId;

/// Reads `find:`.
pub fn find(decoder: &Decoder<'_>, id: NodeId, measured: &[Metric]) -> Option<Find> {
    let fields = decoder.mapping(id, &FIND)?;
    let goal = fields.choice("rate").map(|at| at.value);
    let (from, to) = (fields.rate("from"), fields.rate("to"));
    let within = fields.percent("within");
    let condition = fields
        .value("while")
        .and_then(|id| condition(decoder, id, measured));
    let low = from.map_or(BitRate(1_000_000), |from| from.value);
    let high = to.map_or(BitRate(100_000_000_000), |to| to.value);
    if low >= high
        && let Some(place) = to.or(from).map(|at| at.place)
    {
        let what = format!("there is no rate between `{low}` and `{high}`");
        let problem = Problem::new(place, what);
        decoder.report(match from.zip(to) {
            Some((from, _)) => problem
                .related(from.place, "starts here")
                .help("`from` is the lowest rate that is tried, `to` the highest"),
            None => problem.help("without them `from` is `1 Mbit/s` and `to` is `100 Gbit/s`"),
        });
        return None;
    }
    Some(Find {
        rate: goal?,
        from: low,
        to: high,
        within: within.unwrap_or(Percent(5.0)),
        condition: condition?,
    })
}

/// `lost_percent <= 0.1`: a metric that gets worse as the rate rises, and its bound.
fn condition(decoder: &Decoder<'_>, id: NodeId, measured: &[Metric]) -> Option<Condition> {
    let text = decoder.text(id)?;
    let at = text.value.find(['<', '>', '=', '≤', '≥', '!']);
    let Some((word, rest)) = at.map(|at| text.value.split_at(at)) else {
        let what = format!("{} does not compare a metric", quote(text.value));
        let help = "write e.g. `'lost_percent <= 0.1'`";
        decoder.report(Problem::new(text.place, what).help(help));
        return None;
    };
    let name = At {
        value: word.trim(),
        place: text.place,
    };
    let metric = metric(decoder, name, measured)?;
    let rest = At {
        value: rest,
        place: text.place,
    };
    let (comparison, bound) = compared(decoder, rest, &metric)?;
    if metric.unit().more_is_better() || comparison.is_floor() {
        let what = format!(
            "`{metric} {}` never fails as the rate rises",
            comparison.sign()
        );
        let help = "a search needs what gets worse with the rate, from above, e.g. \
                    `'lost_percent <= 0.1'`";
        decoder.report(Problem::new(text.place, what).help(help));
        return None;
    }
    if bound.contains(" of ") {
        let what = "a search cannot compare with another path";
        let help = "its bound is a value, e.g. `'lost_percent <= 0.1'`";
        decoder.report(Problem::new(text.place, what).help(help));
        return None;
    }
    let value = match metric.unit().parse(bound) {
        Ok(value) => value,
        Err(error) => return unfit(decoder, text.place, &metric, error),
    };
    let expectation = Expectation {
        comparison,
        bound: Bound::Absolute(value),
    };
    possible(decoder, text.place, &metric, &expectation)?;
    if !measured.is_empty() && !measured.contains(&metric) {
        let problem = Problem::new(text.place, format!("this test does not measure `{metric}`"));
        let costs = |metric: &&Metric| !metric.unit().more_is_better();
        let costs: Vec<&str> = measured.iter().filter(costs).map(Metric::word).collect();
        decoder.report(problem.help(format!("a search may look at {}", some_of(&costs))));
        return None;
    }
    Some(Condition {
        metric,
        comparison,
        bound: value,
    })
}

const RATE_IS_SET: (&str, &str) = (
    "the tool's `rate` is what `find` searches for",
    "remove the tool's `rate`; `from` and `to` of `find` bound the search",
);

/// Whether the tool sends at a rate that a search may set; reports it if not.
pub fn may_find(decoder: &Decoder<'_>, place: Place, tool: &ToolSpec) -> bool {
    let (what, help) = match tool {
        ToolSpec::BuiltIn(used) => match used.mode.search {
            Search::Never { why, help } => (why, help),
            Search::ByRate if used.options.contains_key("rate") => RATE_IS_SET,
            Search::ByRate => return true,
        },
        ToolSpec::Declared(used) if used.values.contains_key("rate") => RATE_IS_SET,
        ToolSpec::Declared(used) if used.tool.uses.contains("rate") => return true,
        ToolSpec::Declared(_) => (
            "this tool does not send at a rate, so there is none to find",
            "a tool from `tools:` sends at a rate when a command of it has `{{ rate }}`",
        ),
    };
    decoder.report(Problem::new(place, what).help(help));
    false
}
