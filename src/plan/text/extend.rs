//! `extends: other.yaml`: a plan over another one. Mappings merge; lists and single values replace.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use super::parse;
use super::source_env::{SourceEnv, Unreadable};
use super::tree::{Kind, Map, NodeId, Tree, Value};
use super::variables;
use crate::diag::{Place, Problem, Problems, Source, did_you_mean, quote, some_of};

pub const KEY: &str = "extends";
const EXAMPLE: &str = "write e.g. `extends: base.yaml`, or a list of such names";
/// What the names of plans end in.
const ENDINGS: [&str; 2] = [".yaml", ".yml"];
/// More files on top of each other help nobody.
const MOST_FILES: usize = 32;

/// Whether a text is a key at the top of a plan.
type IsKey = fn(&str) -> bool;

/// Puts what the plan at `root` extends below it, and gives the new root. The plan is in the file
/// of this name; names of files are relative to those that say them.
pub fn resolve(
    tree: &mut Tree,
    problems: &mut Problems,
    around: &dyn SourceEnv,
    root: NodeId,
    name: &str,
    is_key: IsKey,
) -> NodeId {
    let mut extender = Extender {
        tree,
        problems,
        around,
        is_key,
        read: HashMap::new(),
        open: vec![Open {
            file: normal(Path::new(name)),
            place: None,
        }],
    };
    extender.resolve(root)
}

/// A file that is being read, and where it is said to be.
struct Open {
    file: PathBuf,
    place: Option<Place>,
}

struct Extender<'a> {
    tree: &'a mut Tree,
    problems: &'a mut Problems,
    around: &'a dyn SourceEnv,
    is_key: IsKey,
    /// What was read already, without what could not be.
    read: HashMap<PathBuf, Option<NodeId>>,
    open: Vec<Open>,
}

impl Extender<'_> {
    fn resolve(&mut self, root: NodeId) -> NodeId {
        let Kind::Map(map) = &self.tree.get(root).kind else {
            return root;
        };
        let Some(entry) = map.get(KEY).cloned() else {
            return root;
        };
        let own = Map {
            entries: map
                .entries
                .iter()
                .filter(|e| e.key != KEY)
                .cloned()
                .collect(),
            incomplete: map.incomplete,
        };
        let place = self.tree.get(root).place;
        let own = self.tree.add(place, Kind::Map(own));
        let files = match &self.tree.get(entry.value).kind {
            Kind::List(items) => items.clone(),
            _ => vec![entry.value],
        };
        let mut base: Option<NodeId> = None;
        let mut missing = files.is_empty();
        if missing {
            let place = self.tree.get(entry.value).place;
            let problem = Problem::new(place, "the list names no file");
            self.problems.push(problem.help(EXAMPLE));
        }
        for file in files {
            match self.file(file) {
                Some(next) => base = Some(base.map_or(next, |base| merge(self.tree, base, next))),
                None => missing = true,
            }
        }
        let merged = base.map_or(own, |base| merge(self.tree, base, own));
        if !missing {
            return merged;
        }
        // What seems to be missing may be in the file that could not be read.
        match self.tree.get(merged).kind.clone() {
            Kind::Map(map) => {
                let incomplete = Map {
                    incomplete: true,
                    ..map
                };
                self.tree.add(place, Kind::Map(incomplete))
            }
            _ => merged,
        }
    }

    /// The root of a file that is extended, with what it extends itself.
    fn file(&mut self, id: NodeId) -> Option<NodeId> {
        let place = self.tree.get(id).place;
        let unread = variables::fill(self.tree, self.problems, self.around, id);
        if unread.contains(&place) {
            return None;
        }
        let name = match &self.tree.get(id).kind {
            Kind::Scalar(scalar) if scalar.value != Value::Null && !scalar.text.is_empty() => {
                scalar.text.clone()
            }
            _ => {
                let problem = Problem::new(place, "expected the name of a file");
                self.problems.push(problem.help(EXAMPLE));
                return None;
            }
        };
        let folder = self.open.last().and_then(|open| open.file.parent());
        let file = normal(&folder.unwrap_or(Path::new("")).join(&name));
        if let Some(at) = self.open.iter().position(|open| open.file == file) {
            self.problems.push(self.circle(at, place, &name));
            return None;
        }
        if let Some(read) = self.read.get(&file) {
            return *read;
        }
        if self.read.len() >= MOST_FILES {
            let what = format!("a plan extends at most {MOST_FILES} files");
            self.problems
                .push(Problem::new(place, what).label("this is one too many"));
            return None;
        }
        let root = self.parse(&file, place, &name);
        let resolved = root.map(|root| {
            self.open.push(Open {
                file: file.clone(),
                place: Some(place),
            });
            let resolved = self.resolve(root);
            self.open.pop();
            resolved
        });
        self.read.insert(file, resolved);
        resolved
    }

    fn parse(&mut self, file: &Path, place: Place, name: &str) -> Option<NodeId> {
        let text = match self.around.read(file) {
            Ok(text) => text,
            Err(why) => {
                let what = format!("cannot read {}: {why}", quote(name));
                let problem = Problem::new(place, what);
                let problem = self.advise(problem, &why, file, name);
                self.problems.push(problem);
                return None;
            }
        };
        if let Err(why) = is_plan(&text, self.is_key) {
            let what = format!("{} is not a plan: {why}", quote(name));
            self.problems.push(Problem::new(place, what).help(
                "extend a file with the keys that plans share, e.g. `version`, `workers` and `paths`",
            ));
            return None;
        }
        let name = file.display().to_string();
        let source = self.problems.add_source(Source::new(name, text.clone()));
        parse::parse(self.tree, self.problems, source, 0, &text)
    }

    /// What to do about a file that cannot be read.
    fn advise(&self, problem: Problem, why: &Unreadable, file: &Path, name: &str) -> Problem {
        let relative = "the name is relative to the folder of the file that says it";
        match why {
            Unreadable::Missing => {
                let folder = file.parent().unwrap_or(Path::new(""));
                let found = self.plans_in(if folder.as_os_str().is_empty() {
                    Path::new(".")
                } else {
                    folder
                });
                match misspelt(name, &found) {
                    Some(meant) => problem.label(format!("did you mean {}?", quote(&meant))),
                    None => problem.help(relative),
                }
            }
            Unreadable::Folder => {
                let found = self.plans_in(file);
                let names: Vec<&str> = found.iter().map(String::as_str).collect();
                problem.help(if names.is_empty() {
                    EXAMPLE.to_owned()
                } else {
                    format!(
                        "name a file in it: there {} {}",
                        is(&names),
                        some_of(&names)
                    )
                })
            }
            Unreadable::Other(_) => problem.help(relative),
        }
    }

    /// The plans in a folder that may be extended: not those that are being read.
    fn plans_in(&self, folder: &Path) -> Vec<String> {
        let mut files = self.around.files(folder);
        files.retain(|file| {
            let is_open = self
                .open
                .iter()
                .any(|open| open.file == normal(&folder.join(file)));
            !is_open && ENDINGS.iter().any(|ending| file.ends_with(ending))
        });
        files.sort();
        files
    }

    /// The file at `at` of those that are open extends itself by the entry at `place`.
    fn circle(&self, at: usize, place: Place, name: &str) -> Problem {
        let what = format!("{} extends itself", quote(name));
        let problem = Problem::new(place, what);
        let problem = match self.open.get(at + 1).and_then(|open| open.place) {
            Some(begin) => problem
                .label("back to it")
                .related(begin, "it extends this file"),
            None => problem,
        };
        problem.help("remove one of them, or move what both need to a third file")
    }
}

/// Whether a text means to be a plan. Only then its lines may be shown: whoever writes `extends:` may
/// name any file that this process can read.
fn is_plan(text: &str, is_key: IsKey) -> Result<(), &'static str> {
    // A name and a description are what other files have, too.
    let tells = |key: &str| is_key(key) && !["name", "description"].contains(&key);
    let (mut tree, mut problems) = (Tree::default(), Problems::default());
    let root = parse::parse(&mut tree, &mut problems, 0, 0, text);
    match root.map(|root| &tree.get(root).kind) {
        Some(Kind::Map(map)) if map.entries.iter().any(|entry| tells(&entry.key)) => Ok(()),
        Some(Kind::Map(_)) => Err("it has none of the keys of a plan"),
        Some(_) => Err("it is not a mapping"),
        None if problems.is_empty() => Err("it is empty"),
        None => {
            // It cannot be parsed, but a line of it may tell.
            let key = |line: &str| {
                let (key, value) = line.split_once(':')?;
                (value.is_empty() || value.starts_with([' ', '\r'])).then(|| tells(key))
            };
            let tells = text.lines().filter_map(key).any(|tells| tells);
            tells.then_some(()).ok_or("it is not YAML")
        }
    }
}

fn is(names: &[&str]) -> &'static str {
    if names.len() == 1 { "is" } else { "are" }
}

/// The name of a file, as the plan would write it, that a misspelt one most likely means.
fn misspelt(name: &str, found: &[String]) -> Option<String> {
    let (folder, file) = match name.rsplit_once('/') {
        Some((folder, file)) => (Some(folder), file),
        None => (None, name),
    };
    let stem = |name: &'_ str| {
        let ending = ENDINGS.iter().find(|ending| name.ends_with(**ending));
        name.len() - ending.map_or(0, |ending| ending.len())
    };
    // The ending is as long as many names, and does not tell them apart.
    let stems = found.iter().map(|found| &found[..stem(found)]);
    let meant = did_you_mean(&file[..stem(file)], stems)?;
    let meant = found.iter().find(|found| found[..stem(found)] == *meant)?;
    Some(match folder {
        Some(folder) => format!("{folder}/{meant}"),
        None => meant.clone(),
    })
}

/// A file's name without `.` and without folders that are left again.
fn normal(file: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in file.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(normal.components().next_back(), Some(Component::Normal(_))) =>
            {
                normal.pop();
            }
            part => normal.push(part),
        }
    }
    if normal.as_os_str().is_empty() {
        normal.push(".");
    }
    normal
}

/// `own` over `base`. Mappings merge key by key; all else of `own` replaces what is there.
fn merge(tree: &mut Tree, base: NodeId, own: NodeId) -> NodeId {
    let (Kind::Map(below), Kind::Map(above)) = (&tree.get(base).kind, &tree.get(own).kind) else {
        return own;
    };
    let (mut merged, above) = (below.clone(), above.clone());
    let place = tree.get(own).place;
    let index: HashMap<String, usize> = merged
        .entries
        .iter()
        .enumerate()
        .map(|(at, entry)| (entry.key.clone(), at))
        .collect();
    for entry in above.entries {
        match index
            .get(&entry.key)
            .and_then(|at| merged.entries.get_mut(*at))
        {
            Some(there) => {
                there.key_place = entry.key_place;
                there.value = merge(tree, there.value, entry.value);
            }
            None => merged.entries.push(entry),
        }
    }
    merged.incomplete |= above.incomplete;
    tree.add(place, Kind::Map(merged))
}
