//! The events of a YAML parser → tree: keys, anchors and aliases, and how much of them is too much.

use std::collections::HashMap;

use granit_parser::{Event, Options, Parser, ScalarStyle};

use super::scalar::resolve;
use super::syntax_errors;
use super::tree::{DEEPEST, Entry, Kind, MOST_NODES, Map, NodeId, Scalar, Tree, Value, too_deep};
use crate::diag::{Place, Problem, Problems, quote};

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

/// The tree as far as it has been read.
pub struct Builder<'a> {
    tree: &'a mut Tree,
    problems: &'a mut Problems,
    source: usize,
    base: usize,
    text: &'a str,
    open: Vec<Open>,
    anchors: HashMap<usize, NodeId>,
    /// Nodes so far, aliases expanded.
    expanded: u64,
    pub root: Option<NodeId>,
}

/// A problem after which reading cannot continue.
pub type Fatal = Box<Problem>;

impl<'a> Builder<'a> {
    /// Of a text that starts `base` bytes into source `source`.
    pub fn new(
        tree: &'a mut Tree,
        problems: &'a mut Problems,
        source: usize,
        base: usize,
        text: &'a str,
    ) -> Self {
        Self {
            tree,
            problems,
            source,
            base,
            text,
            open: Vec::new(),
            anchors: HashMap::new(),
            expanded: 0,
            root: None,
        }
    }
}

impl Builder<'_> {
    fn place(&self, start: usize, end: usize) -> Place {
        Place {
            source: self.source,
            span: (self.base + start..self.base + end).into(),
        }
    }

    /// Reads all of the text.
    ///
    /// # Errors
    /// The problem after which reading cannot continue.
    pub fn read(&mut self) -> Result<(), Fatal> {
        let mut options = Options::default();
        options.set_emit_comments(false);
        let mut documents = 0;
        for event in Parser::new_from_str_with_options(self.text, options) {
            let (event, span) = event.map_err(|error| {
                Box::new(syntax_errors::problem(self.text, &error, |start, end| {
                    self.place(start, end)
                }))
            })?;
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

    /// Refuses a list, mapping or alias where a key is required.
    fn no_key(&self, start: usize, end: usize) -> Result<(), Fatal> {
        match self.open.last().map(|open| &open.content) {
            Some(Content::Map { key: None, .. }) => {
                let problem = Problem::new(self.place(start, end), "a key is a plain word")
                    .help("a key and its value are `key: value`; `{{ … }}` is for templates, and a plan is not one");
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
            let problem = Problem::new(place, "this alias is inside its own anchor")
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
                        let what = format!("duplicate key {}", quote(text));
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
            filled: false,
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
                .help("each use of an alias counts as many values as it repeats");
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
}
