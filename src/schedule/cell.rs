//! The words of the matrix.

use serde::{Deserialize, Serialize};

use super::own::OwnName;

/// The ordered cells of a run, and the rows that reports put them in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    pub rows: Vec<Row>,
    /// In the order in which they run. The cells of a row stand together.
    pub cells: Vec<Cell>,
}

/// A line of the matrix: a test on a path with all parameters fixed but the swept size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Counts from 1 over the whole plan, also when a selection leaves rows out.
    pub number: usize,
    /// As in nptest's CSV, without the number: `iperf TCP. Same VM using Pod IP`.
    pub label: String,
    /// Index into the plan's tests.
    pub test: usize,
    /// Index into the plan's paths.
    pub path: usize,
    /// The path's [`slot_of`](super::slot_of) its destination.
    pub slot: u16,
}

/// One point of the matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    pub id: CellId,
    /// Index into the schedule's rows.
    pub row: usize,
    pub params: Params,
}

/// Names a cell: `<test>/<path>` and, where the test sweeps, `/<param>=<value>,…`. The same for
/// the same plan.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CellId(pub String);

/// The values of a cell's parameters, in the order in which they vary.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params(pub Vec<(Param, u64)>);

/// A parameter that can be swept. Sizes are bytes, rates are bits per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "&'static str", from = "String")]
pub enum Param {
    Streams,
    Rate,
    WriteSize,
    Request,
    Response,
    /// One that a declared tool has of its own.
    Own(OwnName),
    Datagram,
    Mss,
}

impl Params {
    #[must_use]
    pub fn get(&self, param: Param) -> Option<u64> {
        self.0.iter().find(|(p, _)| *p == param).map(|(_, v)| *v)
    }

    /// The swept size that `result.csv` has its columns for: the MSS, else the datagram.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.get(Param::Mss).or_else(|| self.get(Param::Datagram))
    }
}
