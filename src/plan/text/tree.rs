//! A tree in which every node has its place.
//!
//! Aliases share the node of their anchor: nothing is expanded, so a few lines cannot become a
//! gigabyte. How large the expanded tree would be is counted all the same, and limited.

use crate::diag::{Place, Problem, Span};

/// Longer texts are refused unread.
pub const LARGEST_TEXT: usize = 1 << 20;
/// The most nodes that a plan may have when its aliases are expanded.
pub const MOST_NODES: u64 = 100_000;
/// How deep lists and mappings may be nested, with aliases expanded.
pub const DEEPEST: u32 = 64;

/// A node of a [`Tree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NodeId(usize);

/// Nested nodes. Children have smaller ids than their parents.
#[derive(Debug, Default)]
pub struct Tree {
    pub nodes: Vec<Node>,
}

#[derive(Clone, Debug)]
pub struct Node {
    pub place: Place,
    pub kind: Kind,
    /// How many nodes this is when aliases are expanded.
    pub size: u64,
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
    /// A variable has been replaced in it: it may be taken for a text, whatever it looks like.
    pub filled: bool,
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

    /// Replaces a scalar.
    pub fn replace(&mut self, id: NodeId, kind: Kind) {
        if let Some(node) = self.nodes.get_mut(id.0) {
            node.kind = kind;
        }
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

pub fn too_deep(place: Place) -> Problem {
    Problem::new(
        place,
        format!("lists and mappings are nested more than {DEEPEST} deep"),
    )
    .help("no plan needs that: a missing `]` or `}`?")
}
