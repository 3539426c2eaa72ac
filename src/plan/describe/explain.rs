//! What a key of the language means: the texts, types and bounds of the schema, by path.

use std::fmt;

use serde_json::{Map, Value};

use super::explain_text::{first_type, named, quantity, range, split_default, words};
use super::schema::language;
use crate::diag::{did_you_mean, one_of, quote};

/// What stands at a path of the language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// From the top, without names and indexes: `workers.same_node_as`. Empty at the top.
    pub path: String,
    /// The last key of it; a metric's has a dot of its own, as in `latency.p99`.
    pub name: String,
    /// What a value is: `text`, `number from 1 to 128, list or mapping`.
    pub kind: String,
    /// The paragraphs of its text, without the default.
    pub text: Vec<String>,
    /// What it is when it is left out, if that is said.
    pub default: Option<String>,
    /// Whether it has to be there.
    pub required: bool,
    /// The words that it may be, each with its text.
    pub words: Vec<(String, String)>,
    /// The keys in it, without what is in those.
    pub keys: Vec<Explanation>,
}

/// There is no such path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownPath {
    what: String,
    help: String,
}

impl fmt::Display for UnknownPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.what, self.help)
    }
}

impl std::error::Error for UnknownPath {}

/// Explains a path as in `workers.same_node_as`, or the whole language when it is empty. Names and
/// indexes may be there, as in `tests.0.iperf3.mss`, or not.
///
/// # Errors
/// For a key that there is not, with the one that is probably meant.
pub fn explain(path: &str) -> Result<Explanation, UnknownPath> {
    let schema = language();
    let language = Language { root: &schema };
    let mut at = Node {
        path: String::new(),
        name: String::new(),
        required: false,
        choice: None,
        values: vec![&schema],
    };
    // A name or an index is skipped once for each level of names or items.
    let mut skips = 0;
    let mut rest = path.trim_matches('.');
    while !rest.is_empty() {
        let keys = language.keys(&at);
        let begins = |key: &&Node<'_>| {
            let behind = rest.strip_prefix(key.name.as_str());
            behind.is_some_and(|behind| behind.is_empty() || behind.starts_with('.'))
        };
        if let Some(key) = keys.iter().filter(begins).max_by_key(|key| key.name.len()) {
            rest = rest.get(key.name.len() + 1..).unwrap_or_default();
            at = key.clone();
            skips = language.levels(&at);
            continue;
        }
        let (step, behind) = rest.split_once('.').unwrap_or((rest, ""));
        let names = || keys.iter().map(|key| key.name.as_str());
        let near = did_you_mean(step, names());
        if near.is_none() && skips > 0 {
            skips -= 1;
            rest = behind;
            continue;
        }
        let place = if at.path.is_empty() {
            "at the top of a plan".to_owned()
        } else {
            format!("in `{}`", at.path)
        };
        // A key of another place may be meant, as `repeat` for `defaults.repeat`.
        let elsewhere = language.elsewhere(rest);
        let help = match near {
            None if !elsewhere.is_empty() => format!(
                "did you mean {}?",
                one_of(elsewhere.iter().map(String::as_str))
            ),
            Some(near) => format!("did you mean `{}`?", at.below(near)),
            None if keys.is_empty() => format!("`{}` has no keys", at.path),
            None => format!(
                "keys there are {}",
                one_of(names()).replace(" or ", " and ")
            ),
        };
        return Err(UnknownPath {
            what: format!("there is no key {} {place}", quote(step)),
            help,
        });
    }
    Ok(language.explain(&at, true))
}

/// A place in the language, and what the schema says of it, nearest first.
#[derive(Clone)]
struct Node<'a> {
    path: String,
    name: String,
    required: bool,
    /// What is said of a choice of which it is the only key.
    choice: Option<&'a str>,
    values: Vec<&'a Value>,
}

impl Node<'_> {
    fn below(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }
}

struct Language<'a> {
    root: &'a Value,
}

impl<'a> Language<'a> {
    fn explain(&self, node: &Node<'a>, with_keys: bool) -> Explanation {
        let views: Vec<&Map<String, Value>> = node
            .values
            .iter()
            .flat_map(|value| self.same(value))
            .collect();
        let mut text: Vec<String> = Vec::new();
        let mut default = None;
        for paragraph in views
            .iter()
            .filter_map(|view| view.get("description")?.as_str())
        {
            let (paragraph, said) = split_default(paragraph);
            default = default.or(said);
            // What a type says of itself may only go on where its place began.
            if let Some(begun) = text
                .iter_mut()
                .find(|begun| paragraph.starts_with(begun.trim_end_matches('.')))
            {
                *begun = paragraph;
            } else if !paragraph.is_empty() {
                text.push(paragraph);
            }
        }
        if text.is_empty() {
            text.extend(node.choice.map(str::to_owned));
        }
        let keys = if with_keys {
            let keys = self.keys(node);
            keys.iter().map(|key| self.explain(key, false)).collect()
        } else {
            Vec::new()
        };
        Explanation {
            path: node.path.clone(),
            name: node.name.clone(),
            kind: node
                .values
                .first()
                .map_or_else(String::new, |value| self.kind(value)),
            text,
            default,
            required: node.required,
            words: views.iter().flat_map(|view| words(view)).collect(),
            keys,
        }
    }

    /// The paths that end in this one: the first few, nearest to the top first.
    fn elsewhere(&self, path: &str) -> Vec<String> {
        /// No key lies deeper.
        const DEEPEST: usize = 8;
        let ending = format!(".{path}");
        let mut found = Vec::new();
        let mut level = vec![Node {
            path: String::new(),
            name: String::new(),
            required: false,
            choice: None,
            values: vec![self.root],
        }];
        for _ in 0..DEEPEST {
            level = level.iter().flat_map(|node| self.keys(node)).collect();
            let here = level.iter().filter(|node| node.path.ends_with(&ending));
            found.extend(here.map(|node| node.path.clone()));
        }
        found.truncate(4);
        found
    }

    /// A schema with what it refers to: all of them hold.
    fn same(&self, value: &'a Value) -> Vec<&'a Map<String, Value>> {
        let Some(object) = value.as_object() else {
            return Vec::new();
        };
        let mut all = vec![object];
        let reference = object.get("$ref").and_then(Value::as_str);
        let target = reference.and_then(|name| self.root.pointer(name.strip_prefix('#')?));
        all.extend(target.into_iter().flat_map(|target| self.same(target)));
        if let Some(Value::Array(parts)) = object.get("allOf") {
            all.extend(parts.iter().flat_map(|part| self.same(part)));
        }
        all
    }

    /// The schemas in which keys are, through alternatives, items and names.
    fn inner(&self, value: &'a Value) -> Vec<&'a Map<String, Value>> {
        let mut inner = Vec::new();
        for view in self.same(value) {
            inner.push(view);
            // Names beside keys, as those of declared tools in a test, hide none of its keys.
            let below = if view.contains_key("properties") {
                ["items"].as_slice()
            } else {
                &["items", "additionalProperties"]
            };
            let below = below.iter().filter_map(|key| view.get(*key));
            inner.extend(below.flat_map(|below| self.inner(below)));
            let choices = ["anyOf", "oneOf"].into_iter().filter_map(|of| view.get(of));
            let choices = choices.filter_map(Value::as_array).flatten();
            inner.extend(choices.flat_map(|choice| self.inner(choice)));
        }
        inner
    }

    /// How many names and indexes may stand before the next key.
    fn levels(&self, node: &Node<'a>) -> usize {
        let views = node.values.iter().flat_map(|value| self.inner(value));
        let level = |view: &Map<String, Value>| {
            view.get("items").is_some()
                || view
                    .get("additionalProperties")
                    .is_some_and(Value::is_object)
        };
        views.filter(|view| level(view)).count().min(1)
    }

    fn keys(&self, node: &Node<'a>) -> Vec<Node<'a>> {
        let mut keys: Vec<Node<'a>> = Vec::new();
        for view in node.values.iter().flat_map(|value| self.inner(value)) {
            let Some(Value::Object(properties)) = view.get("properties") else {
                continue;
            };
            // The limits of a range's ends are no keys of their own.
            if !view.contains_key("type") {
                continue;
            }
            let required = view.get("required").and_then(Value::as_array);
            for (name, value) in properties {
                if keys.iter().any(|key| key.name == *name) {
                    continue;
                }
                keys.push(Node {
                    path: node.below(name),
                    name: name.clone(),
                    // A key that is there alone is a choice.
                    required: properties.len() > 1
                        && required.is_some_and(|keys| keys.iter().any(|key| key == name)),
                    choice: view
                        .get("description")
                        .and_then(Value::as_str)
                        .filter(|_| properties.len() == 1),
                    values: vec![value],
                });
            }
        }
        keys
    }

    /// What a value is, in a few words.
    fn kind(&self, value: &'a Value) -> String {
        let name = value.as_object().and_then(named);
        if let Some(kind) = name.and_then(quantity) {
            return kind.to_owned();
        }
        let views = self.same(value);
        if let Some(kind) = views.iter().find_map(|view| quantity(named(view)?)) {
            return kind.to_owned();
        }
        if views.iter().any(|view| !words(view).is_empty()) {
            let choices = views
                .iter()
                .filter_map(|view| view.get("oneOf")?.as_array());
            let mappings = choices.flatten().any(|one| one.get("properties").is_some());
            let kind = if mappings { "word or mapping" } else { "word" };
            return kind.to_owned();
        }
        for view in &views {
            if let Some(Value::Array(choices)) = view.get("anyOf")
                && !view.contains_key("properties")
            {
                let mut kinds: Vec<String> = Vec::new();
                for kind in choices.iter().map(|choice| self.kind(choice)) {
                    if !kinds.contains(&kind) {
                        kinds.push(kind);
                    }
                }
                return match kinds.split_last() {
                    Some((last, rest)) if !rest.is_empty() => {
                        let range = range(&views).replacen(' ', "; ", 1);
                        format!("{} or {last}{range}", rest.join(", "))
                    }
                    _ => kinds.concat(),
                };
            }
        }
        let of = |key| views.iter().find_map(|view| view.get(key));
        match of("type").map(first_type).unwrap_or_default() {
            "integer" | "number" => format!("number{}", range(&views)),
            "boolean" => "true or false".to_owned(),
            "array" => match of("items").map(|items| self.kind(items)) {
                Some(items) => format!("list of {items}"),
                None => "list".to_owned(),
            },
            "object" if of("properties").is_some() => "mapping".to_owned(),
            "object" => match of("additionalProperties").filter(|below| below.is_object()) {
                Some(below) => format!("mapping of names to {}", self.kind(below)),
                None => "mapping".to_owned(),
            },
            "string" if of("items").is_some() => "text or list of text".to_owned(),
            "string" => "text".to_owned(),
            _ if of("const").is_some() => of("const").map(Value::to_string).unwrap_or_default(),
            _ => "value".to_owned(),
        }
    }
}
