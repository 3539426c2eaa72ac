//! `variants.NAME.objects`: puts the text of each file beside its name, so that a plan needs no other file once
//! it has been read.

use std::collections::HashSet;
use std::path::Path;

use super::source_env::{SourceEnv, Unreadable};
use super::tree::{Entry, Kind, Map, NodeId, Scalar, Tree, Value};
use crate::diag::{Place, Problem, Problems, did_you_mean, quote};

const FILE: &str = "file";
const TEXT: &str = "text";
/// Where lists of files are; `None` is any name.
const LISTS: [Option<&str>; 3] = [Some("variants"), None, Some("objects")];

/// Reads the files that a plan names, and gives the new root. `unread` has the places of values that could not be
/// read. The name of a file is relative to the folder of the plan that says it.
pub fn attach(
    tree: &mut Tree,
    problems: &mut Problems,
    around: &dyn SourceEnv,
    unread: &HashSet<Place>,
    root: NodeId,
) -> NodeId {
    let mut reader = Reader {
        tree,
        problems,
        around,
        unread,
    };
    reader.within(root, &LISTS)
}

struct Reader<'a> {
    tree: &'a mut Tree,
    problems: &'a mut Problems,
    around: &'a dyn SourceEnv,
    unread: &'a HashSet<Place>,
}

impl Reader<'_> {
    /// A copy of the node in which the lists at the end of these keys have the texts. What an alias shares is not
    /// changed elsewhere.
    fn within(&mut self, id: NodeId, keys: &[Option<&str>]) -> NodeId {
        let node = self.tree.get(id).clone();
        let kind = match (node.kind, keys.split_first()) {
            (Kind::Map(mut map), Some((key, rest))) => {
                let is_on_the_way = |entry: &&mut Entry| key.is_none_or(|key| entry.key == key);
                for entry in map.entries.iter_mut().filter(is_on_the_way) {
                    entry.value = self.within(entry.value, rest);
                }
                Kind::Map(map)
            }
            (Kind::List(items), None) => {
                Kind::List(items.into_iter().map(|item| self.file(item)).collect())
            }
            _ => return id,
        };
        self.tree.add(node.place, kind)
    }

    /// An item with its text; the item itself where there is nothing to read.
    fn file(&mut self, id: NodeId) -> NodeId {
        let node = self.tree.get(id).clone();
        let map = match node.kind {
            Kind::Scalar(_) => Map {
                entries: vec![entry(FILE, node.place, id)],
                incomplete: false,
            },
            Kind::Map(map) if map.get(TEXT).is_none() => map,
            Kind::Map(_) | Kind::List(_) => return id,
        };
        let Some(text) = map.get(FILE).and_then(|file| self.text(file.value)) else {
            return id;
        };
        let place = self.tree.get(id).place;
        let text = self.tree.add(place, Kind::Scalar(text));
        let mut map = map;
        map.entries.push(entry(TEXT, place, text));
        self.tree.add(place, Kind::Map(map))
    }

    /// The text of the file that a node names; `None` also where the decoder says what is wrong with the name.
    fn text(&mut self, name: NodeId) -> Option<Scalar> {
        let node = self.tree.get(name);
        let place = node.place;
        let name = match &node.kind {
            Kind::Scalar(name) if name.value == Value::Text || name.filled => name.text.clone(),
            _ => return None,
        };
        if self.unread.contains(&place) {
            return None;
        }
        let sources = self.problems.sources();
        // A name of the command line is relative to the plan's folder.
        let is_set = sources.get(place.source).is_none_or(|s| s.name == "--set");
        let source = sources.get(if is_set { 0 } else { place.source })?;
        let folder = Path::new(&source.name).parent();
        let file = folder.unwrap_or(Path::new("")).join(&name);
        match self.around.read(&file) {
            Ok(text) => Some(Scalar {
                text,
                value: Value::Text,
                filled: true,
            }),
            Err(why) => {
                let what = format!("cannot read {}: {why}", quote(&name));
                let problem = self.advise(Problem::new(place, what), &why, &file);
                self.problems.push(problem);
                None
            }
        }
    }

    fn advise(&self, problem: Problem, why: &Unreadable, file: &Path) -> Problem {
        let folder = file
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let files = match why {
            Unreadable::Missing => self.around.files(folder.unwrap_or(Path::new("."))),
            Unreadable::Folder | Unreadable::Other(_) => Vec::new(),
        };
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        match did_you_mean(&name, files.iter().map(String::as_str)) {
            Some(meant) => problem.label(format!("did you mean {}?", quote(meant))),
            None => problem.help("the name is relative to the folder of the plan that says it"),
        }
    }
}

fn entry(key: &str, key_place: Place, value: NodeId) -> Entry {
    Entry {
        key: key.to_owned(),
        key_place,
        value,
    }
}
