//! What the plans of all runs of an import have in common: the tests and the paths, so that their cells match.

use std::collections::{BTreeSet, HashMap, HashSet};

use indexmap::{IndexMap, IndexSet};

use super::placed::{PathKey, Placed};
use super::shape::Shape;
use super::workers::{CLIENT, SERVER};
use crate::import::names::{Names, label};
use crate::plan::sweep::Sweep;
use crate::plan::{Expectations, Path, Test, ToolSpec, Via};

/// Tests and paths of all runs.
pub(super) struct SharedPlan {
    tests: IndexMap<Shape, SharedTest>,
    keys: IndexSet<PathKey>,
    paths: Vec<Path>,
}

/// A cell of a run: test, run, path, size.
type CellKey<'a> = (&'a Shape, (&'a str, &'a str), PathKey, Option<u64>);

struct SharedTest {
    name: String,
    label: String,
    /// Positions in the paths.
    paths: BTreeSet<usize>,
    /// All sizes, where a run has several. Else the size is the run's own and not part of a cell's id: for UDP without
    /// `-l` iperf3 computes it from the path's MTU.
    sweep: Option<BTreeSet<u64>>,
    /// What a run's plan says that has no document of the test.
    size: Option<u64>,
    /// The most samples of a cell.
    samples: u32,
}

impl SharedPlan {
    pub fn new(placed: &[Placed]) -> SharedPlan {
        let mut keys: IndexSet<PathKey> = placed.iter().map(Placed::path).collect();
        keys.sort();
        let mut names = Names::default();
        let paths = keys.iter().map(|key| path(&mut names, key)).collect();
        let mut tests: IndexMap<Shape, SharedTest> = IndexMap::new();
        let mut sizes: HashMap<(&Shape, (&str, &str)), BTreeSet<u64>> = HashMap::new();
        let mut samples: HashMap<CellKey<'_>, u32> = HashMap::new();
        for one in placed {
            let test = tests.entry(one.shape.clone()).or_insert(SharedTest {
                name: String::new(),
                label: String::new(),
                paths: BTreeSet::new(),
                sweep: None,
                size: one.size,
                samples: 1,
            });
            test.paths.extend(keys.get_index_of(&one.path()));
            if one.is_certain() {
                let in_run = sizes.entry((&one.shape, one.run())).or_default();
                in_run.extend(one.size);
            }
            let key = (&one.shape, one.run(), one.path(), one.size);
            let count = samples.entry(key).or_default();
            *count += 1;
            test.samples = test.samples.max(*count);
        }
        let swept: HashSet<&Shape> = sizes
            .iter()
            .filter(|(_, in_run)| in_run.len() > 1)
            .map(|((shape, _), _)| *shape)
            .collect();
        for ((shape, _), in_run) in &sizes {
            if let Some(test) = tests.get_mut(*shape).filter(|_| swept.contains(shape)) {
                test.sweep.get_or_insert_default().extend(in_run);
            }
        }
        tests.sort_unstable_keys();
        let names = test_names(&tests.keys().collect::<Vec<_>>());
        for (test, (name, label)) in tests.values_mut().zip(names) {
            (test.name, test.label) = (name, label);
        }
        SharedPlan { tests, keys, paths }
    }

    pub fn paths(&self) -> &[Path] {
        &self.paths
    }

    /// The tests as the plan of one run has them.
    pub fn tests_of(&self, run: &[Placed]) -> Vec<Test> {
        let tests = self.tests.iter().map(|(shape, test)| {
            let sizes = match &test.sweep {
                Some(sizes) => Some(Sweep::List(sizes.iter().copied().collect())),
                None => test.size_in(run, shape).map(Sweep::One),
            };
            let paths = test.paths.iter().filter_map(|path| self.paths.get(*path));
            Test {
                name: test.name.clone(),
                label: test.label.clone(),
                tool: ToolSpec::BuiltIn(shape.tool(sizes)),
                paths: paths.map(|path| path.name.clone()).collect(),
                timing: shape.timing(test.samples),
                together: false,
                load: Vec::new(),
                during: Vec::new(),
                find: None,
                expect: Expectations::default(),
            }
        });
        tests.collect()
    }

    /// Where a document of this run belongs: its test, its path and the size that the run's plan sets.
    pub fn position(&self, run: &[Placed], one: &Placed) -> Option<(usize, usize, Option<u64>)> {
        let (position, _, test) = self.tests.get_full(&one.shape)?;
        let size = match &test.sweep {
            Some(_) => one.size,
            None => test.size_in(run, &one.shape),
        };
        Some((position, self.keys.get_index_of(&one.path())?, size))
    }
}

impl SharedTest {
    /// The size in a run, of a test that does not sweep it.
    fn size_in(&self, run: &[Placed], shape: &Shape) -> Option<u64> {
        let mut own = run.iter().filter(|one| one.shape == *shape);
        let certain = own.clone().find(|one| one.is_certain());
        certain.or(own.next()).map_or(self.size, |one| one.size)
    }
}

/// The address that the client dialed does not say whether it is a pod's or a Service's: the plan says the plain one.
fn path(names: &mut Names, (cell, is_reverse): &PathKey) -> Path {
    let (text, from, to) = if *is_reverse {
        (format!("{cell} reverse"), SERVER, CLIENT)
    } else {
        (cell.clone(), CLIENT, SERVER)
    };
    Path {
        variant: 0,
        name: names.name(&text),
        label: label(&text),
        from: from.to_owned(),
        to: to.to_owned(),
        via: Via::PodIp,
        family: None,
        expect: Expectations::default(),
    }
}

/// Names and labels of the shapes. Streams and direction are in each name, all else where two would be
/// called the same.
fn test_names(shapes: &[&Shape]) -> Vec<(String, String)> {
    let called: Vec<(String, Vec<String>)> = shapes.iter().map(|shape| shape.words()).collect();
    let mut names = Names::default();
    let both = shapes.iter().zip(&called).map(|(shape, own)| {
        let is_alone = called.iter().filter(|other| *other == own).count() == 1;
        let (tool, words) = own;
        let mut words = words.clone();
        if !is_alone {
            words.extend(shape.details());
        }
        let default = ToolSpec::BuiltIn(shape.tool(None)).default_label();
        if words.is_empty() {
            return (names.name(tool), default);
        }
        let words = words.join(" ");
        let text = format!("{} {words}.", default.trim_end_matches('.'));
        (names.name(&format!("{tool} {words}")), label(&text))
    });
    both.collect()
}
