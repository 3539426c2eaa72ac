//! YAML text → a tree in which every node has its place.
//!
//! Aliases share the node of their anchor: nothing is expanded, so a few lines cannot become a
//! gigabyte. How large the expanded tree would be is counted all the same, and limited.

use std::collections::HashMap;

use granit_parser::{ErrorKind, Event, Options, Parser, ScalarStyle, ScanError};

use crate::diag::{Place, Problem, Problems, Span, quote};

/// Longer texts are refused unread.
pub const LARGEST_TEXT: usize = 1 << 20;
/// The most nodes that a plan may have when its aliases are expanded.
pub const MOST_NODES: u64 = 100_000;
/// How deep lists and mappings may stand in each other, aliases expanded.
pub const DEEPEST: u32 = 64;

/// A node of a [`Tree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeId(usize);

/// Nodes that stand in each other. Children have smaller ids than what they stand in.
#[derive(Debug, Default)]
pub struct Tree {
    nodes: Vec<Node>,
}

#[derive(Clone, Debug)]
pub struct Node {
    pub place: Place,
    pub kind: Kind,
    /// How many nodes this is when aliases are expanded.
    size: u64,
    depth: u32,
}

#[derive(Clone, Debug)]
pub enum Kind {
    Scalar(Scalar),
    List(Vec<NodeId>),
    Map(Map),
}

#[derive(Clone, Debug, Default)]
pub struct Map {
    pub entries: Vec<Entry>,
    /// A part of it could not be read, so that what seems to be missing may not be.
    pub incomplete: bool,
}

#[derive(Clone, Debug)]
pub struct Entry {
    pub key: String,
    pub key_place: Place,
    pub value: NodeId,
}

/// A scalar's text, and what YAML 1.2 takes it for.
#[derive(Clone, Debug)]
pub struct Scalar {
    pub text: String,
    pub value: Value,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    /// A whole number from 0.
    Whole(u64),
    /// Any other number.
    Number,
    Text,
}

impl Map {
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }
}

impl Tree {
    pub fn get(&self, id: NodeId) -> &Node {
        // Ids are only made by `add`, so this is always there; the fallback is for the types.
        static NULL: Node = Node {
            place: Place {
                source: 0,
                span: Span { start: 0, end: 0 },
            },
            kind: Kind::List(Vec::new()),
            size: 1,
            depth: 0,
        };
        self.nodes.get(id.0).unwrap_or(&NULL)
    }

    pub fn add(&mut self, place: Place, kind: Kind) -> NodeId {
        let (mut size, mut depth) = (1_u64, 0_u32);
        let mut hold = |child: NodeId| {
            let child = self.get(child);
            size = size.saturating_add(child.size);
            depth = depth.max(child.depth.saturating_add(1));
        };
        match &kind {
            Kind::Scalar(_) => {}
            Kind::List(items) => items.iter().for_each(|item| hold(*item)),
            Kind::Map(map) => map.entries.iter().for_each(|entry| hold(entry.value)),
        }
        self.nodes.push(Node {
            place,
            kind,
            size,
            depth,
        });
        NodeId(self.nodes.len() - 1)
    }

    /// What is wrong with the size of a node, if anything.
    pub fn too_large(&self, id: NodeId, place: Place) -> Option<Problem> {
        let node = self.get(id);
        if node.size > MOST_NODES {
            let problem = Problem::new(place, format!("a plan has at most {MOST_NODES} values"));
            Some(
                problem
                    .label("this is too much")
                    .help("aliases count as often as they are used"),
            )
        } else if node.depth > DEEPEST {
            Some(too_deep(place))
        } else {
            None
        }
    }
}

fn too_deep(place: Place) -> Problem {
    Problem::new(
        place,
        format!("lists and mappings stand more than {DEEPEST} deep in each other"),
    )
    .help("no plan needs that: a missing `]` or `}`?")
}

/// What is known of a list or mapping that has not ended.
struct Open {
    start: usize,
    /// Where its last part ended.
    end: usize,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<NodeId>),
    Map {
        map: Map,
        /// The key whose value comes next, and whether its entry is kept.
        key: Option<(String, Place, bool)>,
        seen: HashMap<String, Place>,
    },
}

/// Reads one text as source `source`, whose text starts `base` bytes into it. Without a node when
/// there is nothing, or nothing that could be read.
pub fn parse(
    tree: &mut Tree,
    problems: &mut Problems,
    source: usize,
    base: usize,
    text: &str,
) -> Option<NodeId> {
    if text.len() > LARGEST_TEXT {
        let place = Place {
            source,
            span: (base..base + 1).into(),
        };
        let what = format!(
            "a plan has at most 1 MiB; this has {} MiB",
            text.len().div_ceil(1 << 20)
        );
        problems.push(Problem::new(place, what).help("is this a plan?"));
        return None;
    }
    let mut builder = Builder {
        tree,
        problems,
        source,
        base,
        text,
        open: Vec::new(),
        anchors: HashMap::new(),
        expanded: 0,
        root: None,
    };
    match builder.read() {
        Ok(()) => builder.root,
        Err(problem) => {
            problems.push(*problem);
            None
        }
    }
}

struct Builder<'a> {
    tree: &'a mut Tree,
    problems: &'a mut Problems,
    source: usize,
    base: usize,
    text: &'a str,
    open: Vec<Open>,
    anchors: HashMap<usize, NodeId>,
    /// Nodes so far, aliases expanded.
    expanded: u64,
    root: Option<NodeId>,
}

/// A problem after which reading cannot go on.
type Fatal = Box<Problem>;

impl Builder<'_> {
    fn place(&self, start: usize, end: usize) -> Place {
        Place {
            source: self.source,
            span: (self.base + start..self.base + end).into(),
        }
    }

    fn read(&mut self) -> Result<(), Fatal> {
        let mut options = Options::default();
        options.set_emit_comments(false);
        let mut documents = 0;
        for event in Parser::new_from_str_with_options(self.text, options) {
            let (event, span) = event.map_err(|error| Box::new(self.not_yaml(&error)))?;
            let (start, end) = span
                .byte_range()
                .map_or((0, 0), |range| (range.start, range.end));
            if let Some(tag) = span.tag_span().and_then(|tag| tag.byte_range()) {
                let what = "tags have no meaning here";
                let place = self.place(tag.start, tag.end);
                let help = "leave it out, and put quotes around a value that is to be text";
                self.problems.push(Problem::new(place, what).help(help));
            }
            match event {
                Event::DocumentStart(..) => {
                    documents += 1;
                    if documents > 1 {
                        let problem = Problem::new(
                            self.place(start, end),
                            "a file holds one plan, not several",
                        )
                        .label("a second document starts here")
                        .help("put each plan into a file of its own");
                        return Err(problem.into());
                    }
                }
                Event::Scalar(text, style, anchor, _) => {
                    self.scalar(&text, style, anchor, start, end)?;
                }
                Event::SequenceStart(_, anchor, _) => {
                    self.start(start, end, anchor, Content::List(Vec::new()))?;
                }
                Event::MappingStart(_, anchor, _) => {
                    let content = Content::Map {
                        map: Map::default(),
                        key: None,
                        seen: HashMap::new(),
                    };
                    self.start(start, end, anchor, content)?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.end(start, end)?,
                Event::Alias(anchor) => self.alias(anchor, start, end)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Refuses a list, mapping or alias where a key has to stand.
    fn no_key(&self, start: usize, end: usize) -> Result<(), Fatal> {
        match self.open.last().map(|open| &open.content) {
            Some(Content::Map { key: None, .. }) => {
                let problem = Problem::new(self.place(start, end), "a key is a plain word")
                    .help("a key and its value are `key: value`; two braces belong to a template, which is no plan yet");
                Err(problem.into())
            }
            _ => Ok(()),
        }
    }

    fn start(
        &mut self,
        start: usize,
        end: usize,
        anchor: usize,
        content: Content,
    ) -> Result<(), Fatal> {
        self.no_key(start, end)?;
        if self.open.len() as u64 >= u64::from(DEEPEST) {
            return Err(too_deep(self.place(start, end)).into());
        }
        self.open.push(Open {
            start,
            end,
            anchor,
            content,
        });
        Ok(())
    }

    fn end(&mut self, start: usize, end: usize) -> Result<(), Fatal> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        // A bracket is a part of the node; an end without one lies beyond it.
        let end = if end > start { end } else { open.end };
        let place = self.place(open.start, end.max(open.start));
        let kind = match open.content {
            Content::List(items) => Kind::List(items),
            Content::Map { map, .. } => Kind::Map(map),
        };
        let id = self.tree.add(place, kind);
        self.put(id, open.anchor, end, 1, place)
    }

    fn alias(&mut self, anchor: usize, start: usize, end: usize) -> Result<(), Fatal> {
        self.no_key(start, end)?;
        let place = self.place(start, end);
        let Some(id) = self.anchors.get(&anchor).copied() else {
            let problem = Problem::new(place, "this alias stands within its own anchor")
                .help("a value cannot hold itself");
            return Err(problem.into());
        };
        self.put(id, 0, end, self.tree.get(id).size, place)
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        start: usize,
        end: usize,
    ) -> Result<(), Fatal> {
        let place = self.place(start, end);
        let plain = matches!(style, ScalarStyle::Plain);
        let mut value_place = place;
        if let Some(open) = self.open.last_mut()
            && let Content::Map { map, key, seen } = &mut open.content
        {
            open.end = open.end.max(end);
            match key {
                Some((_, key_place, _)) if start == end => value_place = *key_place,
                Some(_) => {}
                None => {
                    let mut kept = false;
                    if plain && text == "<<" {
                        map.incomplete = true;
                        self.problems.push(
                            Problem::new(place, "merge keys (`<<`) are not supported").help(
                                "write what all tests share under `defaults:`, or give a whole \
                                 value an anchor (`&a`) and use it again (`*a`)",
                            ),
                        );
                    } else if let Some(first) = seen.get(text) {
                        let what = format!("the key {} stands here twice", quote(text));
                        self.problems.push(
                            Problem::new(place, what)
                                .label("again here")
                                .related(*first, "first here")
                                .help("remove one of them"),
                        );
                    } else {
                        seen.insert(text.to_owned(), place);
                        kept = true;
                    }
                    *key = Some((text.to_owned(), place, kept));
                    return Ok(());
                }
            }
        }
        let value = if plain { resolve(text) } else { Value::Text };
        let scalar = Scalar {
            text: text.to_owned(),
            value,
        };
        let id = self.tree.add(value_place, Kind::Scalar(scalar));
        self.put(id, anchor, end, 1, place)
    }

    /// Puts a node that has ended where it belongs. `size` counts it without what was counted
    /// before.
    fn put(
        &mut self,
        id: NodeId,
        anchor: usize,
        end: usize,
        size: u64,
        place: Place,
    ) -> Result<(), Fatal> {
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
        self.expanded = self.expanded.saturating_add(size);
        if self.expanded > MOST_NODES {
            let problem = Problem::new(place, format!("a plan has at most {MOST_NODES} values"))
                .label("this is one too many")
                .help("an alias counts as what it stands for, as often as it is used");
            return Err(problem.into());
        }
        if let Some(problem) = self.tree.too_large(id, place) {
            return Err(problem.into());
        }
        match self.open.last_mut() {
            None => self.root = Some(id),
            Some(open) => {
                open.end = open.end.max(end);
                match &mut open.content {
                    Content::List(items) => items.push(id),
                    Content::Map { map, key, .. } => {
                        if let Some((key, key_place, true)) = key.take() {
                            map.entries.push(Entry {
                                key,
                                key_place,
                                value: id,
                            });
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn not_yaml(&self, error: &ScanError) -> Problem {
        let written = self.text.trim_end();
        let last = written.char_indices().next_back().map_or(0, |(at, _)| at);
        let at = error.marker().byte_offset().unwrap_or(0).min(last);
        let width = self.text[at..].chars().next().map_or(0, char::len_utf8);
        let place = self.place(at, at + width);
        if let ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart = error.kind()
        {
            let line = written[..at].rfind('\n').map_or(0, |newline| newline + 1);
            let tab = written[line..].find('\t').map_or(at, |tab| line + tab);
            let problem = Problem::new(self.place(tab, tab + 1), "a tab cannot indent in YAML");
            return problem.help("indent with spaces");
        }
        let (what, help) = match error.kind() {
            ErrorKind::UnknownAnchor => (
                "this alias has no anchor before it".to_owned(),
                "write `&name` before the value that `*name` stands for; put quotes around a text \
                 that starts with `*`",
            ),
            ErrorKind::RecursionLimitExceeded => return too_deep(place),
            ErrorKind::UnclosedFlowCollection { open } => (
                format!("`{open}` is never closed"),
                "close it, or look for a bracket too much before",
            ),
            ErrorKind::MismatchedFlowCollectionEnd { open, close } => (
                format!("the `{open}` that starts here is closed by `{close}`"),
                "a list is `[…]`, a mapping `{…}`",
            ),
            ErrorKind::UnexpectedEofFlowSequence | ErrorKind::ExpectedFlowSequenceSeparator => (
                "`,` or `]` has to stand here".to_owned(),
                "put `,` between items, and close the list that starts with `[`",
            ),
            ErrorKind::UnexpectedEofFlowMapping
            | ErrorKind::UnexpectedEofImplicitFlowMapping
            | ErrorKind::ExpectedFlowMappingSeparator => (
                "`,` or `}` has to stand here".to_owned(),
                "put `,` between entries, and close the mapping that starts with `{`",
            ),
            ErrorKind::UnclosedQuotedScalar => (
                "a quote is never closed".to_owned(),
                "end the text with the quote that it starts with",
            ),
            ErrorKind::MappingValueNotAllowed if !has_key_before(&self.text[..at]) => (
                "no key can stand here".to_owned(),
                "it stands deeper than the keys beside it: give it their column, or leave the key \
                 above it without a value",
            ),
            ErrorKind::MappingValueNotAllowed => (
                "a second `: ` in one line".to_owned(),
                "put quotes around a text with `: ` in it, or give the key a line of its own",
            ),
            ErrorKind::ExpectedBlockMappingKey
            | ErrorKind::ExpectedBlockSequenceEntry
            | ErrorKind::InvalidIndentation
            | ErrorKind::MappingKeyNotAllowed => (
                "nothing can stand here".to_owned(),
                "the keys of a mapping, and the `-` of a list, stand exactly below each other; \
                 each key has a colon and a space behind it",
            ),
            ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => (
                "a key without a colon and a space behind it".to_owned(),
                "write `key: value`; a text of several lines stands deeper than its key",
            ),
            ErrorKind::UnknownQuotedScalarEscape => (
                "an escape in these quotes is unknown".to_owned(),
                "in double quotes a `\\` starts an escape: use single quotes for a text with `\\`",
            ),
            ErrorKind::UnexpectedCharacter { character } => (
                format!("{} cannot start a value", quote(&character.to_string())),
                "put quotes around a text that starts with it",
            ),
            _ => (
                format!("this is not YAML: {}", error.info()),
                "from here on the plan could not be read; there may be more problems behind it",
            ),
        };
        Problem::new(place, what).help(help)
    }
}

/// Whether there is a key already on the line that a text ends in.
fn has_key_before(text: &str) -> bool {
    text.lines()
        .next_back()
        .is_some_and(|line| line.contains(": "))
}

/// What YAML 1.2 takes a plain scalar for, by `serde_yaml`'s rules.
fn resolve(text: &str) -> Value {
    let word = |c: char| c.is_ascii_alphanumeric() || "+-._~".contains(c);
    // At its start `serde_yaml` would take these for the marks of a document.
    let mark = text.starts_with("---") || text.starts_with("...");
    if mark || text.len() > 64 || !text.chars().all(word) {
        return Value::Text;
    }
    match serde_yaml::from_str(text) {
        Ok(serde_yaml::Value::Null) => Value::Null,
        Ok(serde_yaml::Value::Bool(value)) => Value::Bool(value),
        Ok(serde_yaml::Value::Number(number)) => {
            number.as_u64().map_or(Value::Number, Value::Whole)
        }
        _ => Value::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Source;

    fn read(text: &str) -> (Tree, Option<NodeId>, Problems) {
        let (mut tree, mut problems) = (Tree::default(), Problems::new(Source::new("t", text)));
        let root = parse(&mut tree, &mut problems, 0, 0, text);
        (tree, root, problems)
    }

    /// The tree with the text of each node's span.
    fn show(text: &str) -> String {
        fn walk(tree: &Tree, id: NodeId, text: &str) -> String {
            let node = tree.get(id);
            let place = &text[node.place.span.start..node.place.span.end];
            match &node.kind {
                Kind::Scalar(scalar) => format!("{place:?}={:?}", scalar.value),
                Kind::List(items) => {
                    let items: Vec<_> = items.iter().map(|id| walk(tree, *id, text)).collect();
                    format!("{place:?}=[{}]", items.join(", "))
                }
                Kind::Map(map) => {
                    let entry = |entry: &Entry| {
                        let key = &text[entry.key_place.span.start..entry.key_place.span.end];
                        format!("{key}: {}", walk(tree, entry.value, text))
                    };
                    let entries: Vec<_> = map.entries.iter().map(entry).collect();
                    format!("{place:?}={{{}}}", entries.join(", "))
                }
            }
        }
        let (tree, root, problems) = read(text);
        assert!(problems.is_empty(), "{problems}");
        root.map_or_else(String::new, |root| walk(&tree, root, text))
    }

    #[test]
    fn every_node_knows_its_text() {
        assert_eq!(
            show("ä: [1, 'x', ~]\nb:\n  c: 10s # so\n"),
            "\"ä: [1, 'x', ~]\\nb:\\n  c: 10s\"={ä: \"[1, 'x', ~]\"=[\"1\"=Whole(1), \"'x'\"=Text, \
             \"~\"=Null], b: \"c: 10s\"={c: \"10s\"=Text}}"
        );
        // Nothing stands at its key; an alias at its anchor; a byte order mark takes its bytes.
        assert_eq!(show("a:\n"), "\"a\"={a: \"a\"=Null}");
        assert_eq!(
            show("\u{feff}- &a {x: 1}\n- *a\n"),
            "\"- &a {x: 1}\\n- *a\"=[\"{x: 1}\"={x: \"1\"=Whole(1)}, \"{x: 1}\"={x: \"1\"=Whole(1)}]"
        );
    }

    #[test]
    fn scalars_follow_yaml_1_2() {
        let value = |text| resolve(text);
        assert_eq!(value("0x10"), Value::Whole(16));
        assert_eq!(value("-1"), Value::Number);
        assert_eq!(value("1.5"), Value::Number);
        assert_eq!(value("true"), Value::Bool(true));
        for text in ["no", "off", "10s", "1:30", "---", "a, b", "*a", "!x"] {
            assert_eq!(value(text), Value::Text, "{text}");
        }
        for text in ["", "~", "null"] {
            assert_eq!(value(text), Value::Null, "{text}");
        }
    }

    #[test]
    fn expansion_is_counted_and_not_done() {
        let laughs: Vec<String> = (0..30)
            .map(|level: u32| {
                let item = level
                    .checked_sub(1)
                    .map_or("x".to_owned(), |n| format!("*a{n}"));
                format!("a{level}: &a{level} [{}]\n", [item.as_str(); 10].join(", "))
            })
            .collect();
        let started = std::time::Instant::now();
        let (tree, root, problems) = read(&laughs.concat());
        assert!(root.is_none() && tree.nodes.len() < 100);
        assert!(
            problems.to_string().contains("at most 100000 values"),
            "{problems}"
        );
        let aliases = format!("a: &a 1\nb: [{}]", "*a,".repeat(300_000));
        let (_, root, problems) = read(&aliases);
        assert!(root.is_none());
        assert!(problems.to_string().contains("t:2:"), "{problems}");
        let (_, root, problems) = read(&"[".repeat(500_000));
        assert!(root.is_none());
        assert!(problems.to_string().contains("64 deep"), "{problems}");
        let (_, root, _) = read(&"x".repeat(LARGEST_TEXT + 1));
        assert!(root.is_none());
        assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
    }

    #[test]
    fn a_chain_of_aliases_is_as_deep_as_it_is_expanded() {
        let chain: Vec<String> = (0..100)
            .map(|level: u32| {
                let item = level
                    .checked_sub(1)
                    .map_or("x".to_owned(), |n| format!("*a{n}"));
                format!("a{level}: &a{level} [{item}]\n")
            })
            .collect();
        let (_, root, problems) = read(&chain.concat());
        assert!(root.is_none() && problems.to_string().contains("64 deep"));
    }
}
