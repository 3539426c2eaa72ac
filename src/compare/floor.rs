//! The A/A floor: how much runs of one unchanged setup differ from each other.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::results::MachineKey;
use crate::statistics::Spread;
use crate::statistics::judge::Scale;

/// The version of the file, in it as `version`. Entries of version 1 do not say how they were measured.
const VERSION: u32 = 2;

/// How cells were measured, by name, e.g. `duration` and `streams`: with other settings runs differ more or less.
pub type Settings = BTreeMap<String, String>;

/// The floors of all machines that were calibrated: a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Floors {
    pub version: u32,
    pub floors: Vec<Floor>,
}

/// How much runs on one machine differ from each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Floor {
    pub machine: MachineKey,
    pub entries: Vec<FloorEntry>,
}

/// How much a metric of a test on a path differs from run to run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FloorEntry {
    pub test: String,
    pub path: String,
    pub settings: Settings,
    /// By the journal's name.
    pub metric: String,
    pub scale: Scale,
    /// The cells that a run's figure is the mean of.
    pub cells: usize,
    /// The runs that it is known from.
    pub runs: usize,
    /// The standard deviation of a run's figure on the scale: of logarithms, in percentage points, or in the metric's unit.
    pub deviation: f64,
}

impl Default for Floors {
    fn default() -> Floors {
        Floors {
            version: VERSION,
            floors: Vec::new(),
        }
    }
}

impl Floors {
    /// The floor of a machine. Both have to know the CPU: an unknown machine has no floor.
    #[must_use]
    pub fn get(&self, machine: &MachineKey) -> Option<&Floor> {
        let known = |key: &MachineKey| !key.cpus.is_empty();
        let fits = |floor: &&Floor| known(&floor.machine) && floor.machine.matches(machine);
        let same = self.floors.iter().find(|floor| floor.machine == *machine);
        let found = same.or_else(|| self.floors.iter().find(fits));
        found.filter(|_| known(machine))
    }

    /// Adds a floor. Of the same machine it replaces the entries of the same test, path, settings and metric.
    pub fn set(&mut self, floor: Floor) {
        let old = self
            .floors
            .iter_mut()
            .find(|other| other.machine == floor.machine);
        let Some(old) = old else {
            self.floors.push(floor);
            return;
        };
        let new: HashSet<Key<'_>> = floor.entries.iter().map(FloorEntry::key).collect();
        old.entries.retain(|entry| !new.contains(&entry.key()));
        old.entries.extend(floor.entries);
    }

    /// Whether this netplan reads files of a version.
    #[must_use]
    pub fn is_known_version(version: u32) -> bool {
        version == VERSION
    }
}

/// What an entry is of: test, path, settings and metric.
type Key<'a> = (&'a str, &'a str, &'a Settings, &'a str);

impl FloorEntry {
    fn key(&self) -> Key<'_> {
        (&self.test, &self.path, &self.settings, &self.metric)
    }
}

/// Finds the entries of a floor.
#[derive(Debug)]
pub struct FloorIndex<'a>(HashMap<Key<'a>, &'a FloorEntry>);

impl<'a> FloorIndex<'a> {
    #[must_use]
    pub fn new(floor: &'a Floor) -> FloorIndex<'a> {
        let entries = floor.entries.iter();
        FloorIndex(entries.map(|entry| (entry.key(), entry)).collect())
    }

    /// How much a run's figure spreads: the mean of a metric over so many cells of a test on a path. None for other
    /// settings, and for fewer cells than the floor is of, whose mean spreads more.
    #[must_use]
    pub fn spread(
        &self,
        (test, path): (&str, &str),
        settings: &Settings,
        metric: &str,
        cells: usize,
    ) -> Option<Spread> {
        let entry = self.0.get(&(test, path, settings, metric))?;
        let is_usable = entry.deviation.is_finite() && entry.deviation >= 0.0 && entry.runs > 1;
        (is_usable && entry.cells <= cells).then_some(Spread {
            deviation: entry.deviation,
            freedom: entry.runs as f64 - 1.0,
        })
    }
}
