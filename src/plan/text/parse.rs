//! YAML text → tree.

use super::tree::{LARGEST_TEXT, NodeId, Tree};
use super::tree_builder::Builder;
use crate::diag::{Place, Problem, Problems};

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
    let mut builder = Builder::new(tree, problems, source, base, text);
    match builder.read() {
        Ok(()) => builder.root,
        Err(problem) => {
            problems.push(*problem);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Source;
    use crate::plan::text::tree::{Entry, Kind};

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
        // An empty value has the place of its key; an alias that of its anchor; a byte order mark takes its bytes.
        assert_eq!(show("a:\n"), "\"a\"={a: \"a\"=Null}");
        assert_eq!(
            show("\u{feff}- &a {x: 1}\n- *a\n"),
            "\"- &a {x: 1}\\n- *a\"=[\"{x: 1}\"={x: \"1\"=Whole(1)}, \"{x: 1}\"={x: \"1\"=Whole(1)}]"
        );
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
