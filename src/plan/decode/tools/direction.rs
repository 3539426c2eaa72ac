//! The decoder of the direction of a test's payload.

use crate::catalog::{BUILT_IN_TOOLS, BuiltInTool, Direction, ToolOption};
use crate::diag::{Problem, one_of};
use crate::plan::decode::tree::decoder::Decoder;
use crate::plan::model::sweep::Sweep;
use crate::plan::text::tree::NodeId;

/// Reads a direction, or a list of directions that are cells.
pub fn direction(
    decoder: &Decoder<'_>,
    id: NodeId,
    tool: &BuiltInTool,
    option: &ToolOption,
) -> Option<Sweep<u64>> {
    if !decoder.is_list(id) {
        return word(decoder, id, tool, option).map(Sweep::One);
    }
    let items = decoder.list(id, "`- forward`")?;
    // Read all entries before one can fail the whole: every problem is reported.
    let found: Vec<Option<u64>> = items
        .iter()
        .map(|item| word(decoder, *item, tool, option))
        .collect();
    let values: Vec<u64> = found.into_iter().collect::<Option<_>>()?;
    for (at, value) in values.iter().enumerate() {
        let first = values.iter().position(|other| other == value);
        if let (Some(first), Some(direction)) = (
            first.filter(|first| *first < at),
            Direction::from_number(*value),
        ) {
            decoder.duplicate(items.get(at), items.get(first), direction.word());
            return None;
        }
    }
    Some(Sweep::List(values))
}

fn word(decoder: &Decoder<'_>, id: NodeId, tool: &BuiltInTool, option: &ToolOption) -> Option<u64> {
    let words = Direction::ALL.map(|direction| (direction.word(), direction.number()));
    let number = decoder.choice(id, &words)?;
    if !option.limits.contains(&number) {
        let able = BUILT_IN_TOOLS.into_iter().filter(|tool| {
            let option = tool.option(option.name);
            option.is_some_and(|option| option.limits.contains(&number))
        });
        let able: Vec<String> = able
            .map(|tool| format!("{}: {{ direction: both }}", tool.name))
            .collect();
        let what = format!("{} does not send both ways at once", tool.name);
        decoder.report(Problem::new(decoder.place(id), what).help(format!(
            "use {}, or `direction: [forward, reverse]` for a cell of each",
            one_of(able.iter().map(String::as_str))
        )));
        return None;
    }
    Some(number)
}
