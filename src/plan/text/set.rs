//! `--set tests.0.duration=1s`: values that override those of a plan's text, put into its tree.

use super::parse;
use super::tree::{DEEPEST, Entry, Kind, Map, NodeId, Scalar, Tree, Value, too_deep};
use crate::diag::{Place, Problem, Problems, Source, did_you_mean, quote};

/// Puts the values into the tree, one after the other, and gives the new root. Nothing that an
/// alias shares is changed for the others: what lies on the way is copied.
pub fn apply(tree: &mut Tree, problems: &mut Problems, root: NodeId, set: &[String]) -> NodeId {
    let mut root = root;
    for argument in set {
        let source = problems.add_source(Source::new("--set", argument.clone()));
        let place = |start: usize, end: usize| Place {
            source,
            span: (start..end).into(),
        };
        let Some((path, value)) = argument.split_once('=') else {
            let problem = Problem::new(place(0, argument.len()), "there is no `=` in this");
            problems
                .push(problem.help("write `--set PATH=VALUE`, e.g. `--set tests.0.duration=1s`"));
            continue;
        };
        let Some(value) = read_value(tree, problems, source, path.len() + 1, value) else {
            continue;
        };
        if path.split('.').count() > DEEPEST as usize {
            problems.push(too_deep(place(0, path.len())));
            continue;
        }
        let mut steps = Vec::new();
        let mut start = 0;
        for word in path.split('.') {
            steps.push(Step {
                word,
                place: place(start, start + word.len()),
            });
            start += word.len() + 1;
        }
        match put(tree, root, &steps, value) {
            Ok(new) => match tree.too_large(new, place(0, argument.len())) {
                None => root = new,
                Some(problem) => problems.push(problem),
            },
            Err(problem) => problems.push(*problem),
        }
    }
    root
}

/// A value is YAML; nothing at all is null. A `>` or `|` at its start, which in YAML begins a text of
/// several lines, is the text's own: `--set 'tests.0.expect.throughput=>= 9 Gbit/s'`.
fn read_value(
    tree: &mut Tree,
    problems: &mut Problems,
    source: usize,
    base: usize,
    text: &str,
) -> Option<NodeId> {
    if text.trim_start().starts_with(['>', '|']) && !text.contains('\n') {
        let place = Place {
            source,
            span: (base..base + text.len()).into(),
        };
        let plain = Scalar {
            text: text.trim().to_owned(),
            value: Value::Text,
            filled: false,
        };
        return Some(tree.add(place, Kind::Scalar(plain)));
    }
    let before = problems.len();
    let value = parse::parse(tree, problems, source, base, text);
    if value.is_some() || problems.len() > before {
        return value;
    }
    let place = Place {
        source,
        span: (base..base).into(),
    };
    let null = Scalar {
        text: String::new(),
        value: Value::Null,
        filled: false,
    };
    Some(tree.add(place, Kind::Scalar(null)))
}

/// A word of a path.
#[derive(Clone, Copy)]
struct Step<'a> {
    word: &'a str,
    place: Place,
}

/// A copy of `node` that holds `value` at the end of the path.
fn put(
    tree: &mut Tree,
    node: NodeId,
    steps: &[Step<'_>],
    value: NodeId,
) -> Result<NodeId, Box<Problem>> {
    let Some((step, rest)) = steps.split_first() else {
        return Ok(value);
    };
    if step.word.is_empty() {
        let problem = Problem::new(step.place, "a part of the path is empty");
        return Err(problem
            .help("separate keys and indexes by one `.`, e.g. `tests.0.duration`")
            .into());
    }
    let found = tree.get(node);
    let place = found.place;
    let kind = match found.kind.clone() {
        Kind::Map(map) => Kind::Map(put_into_map(tree, map, *step, rest, value)?),
        Kind::Scalar(scalar) if scalar.value == Value::Null => {
            Kind::Map(put_into_map(tree, Map::default(), *step, rest, value)?)
        }
        Kind::List(mut items) => {
            let at = item(tree, &items, *step)?;
            if let Some(slot) = items.get_mut(at) {
                *slot = put(tree, *slot, rest, value)?;
            }
            Kind::List(items)
        }
        Kind::Scalar(scalar) => {
            let what = format!("there is nothing in {} to set", quote(&scalar.text));
            let problem = Problem::new(step.place, what)
                .related(place, "this is neither a list nor a mapping")
                .help("end the path before it");
            return Err(problem.into());
        }
    };
    Ok(tree.add(place, kind))
}

fn put_into_map(
    tree: &mut Tree,
    mut map: Map,
    step: Step<'_>,
    rest: &[Step<'_>],
    value: NodeId,
) -> Result<Map, Box<Problem>> {
    if let Some(entry) = map.entries.iter_mut().find(|entry| entry.key == step.word) {
        entry.value = put(tree, entry.value, rest, value)?;
        return Ok(map);
    }
    // A key that is not there is made. Whether it may be there, the decoder knows.
    let value = if rest.is_empty() {
        value
    } else {
        let empty = tree.add(step.place, Kind::Map(Map::default()));
        put(tree, empty, rest, value)?
    };
    map.entries.push(Entry {
        key: step.word.to_owned(),
        key_place: step.place,
        value,
    });
    Ok(map)
}

/// The index of a list's item, which may be named by its `name`.
fn item(tree: &Tree, items: &[NodeId], step: Step<'_>) -> Result<usize, Box<Problem>> {
    if let Ok(index) = step.word.parse::<usize>() {
        if index < items.len() {
            return Ok(index);
        }
        let problem = Problem::new(step.place, format!("there is no item {index}"));
        return Err(match items.len() {
            0 => problem.help("the list is empty"),
            1 => problem.help("the list has one item; write `0`"),
            length => problem.help(format!(
                "the list has {length} items: they count from `0` to `{}`",
                length - 1
            )),
        }
        .into());
    }
    let name = |item: &NodeId| match &tree.get(*item).kind {
        Kind::Map(map) => match &tree.get(map.get("name")?.value).kind {
            Kind::Scalar(scalar) => Some(scalar.text.as_str()),
            _ => None,
        },
        _ => None,
    };
    if let Some(index) = items.iter().position(|item| name(item) == Some(step.word)) {
        return Ok(index);
    }
    let what = format!("there is no item named {}", quote(step.word));
    let problem = Problem::new(step.place, what);
    Err(
        match did_you_mean(step.word, items.iter().filter_map(name)) {
            Some(word) => problem.label(format!("did you mean `{word}`?")),
            None => problem.help(
                "an item of a list is its index, which counts from `0`, or the `name` that \
                     the plan gives it",
            ),
        }
        .into(),
    )
}
