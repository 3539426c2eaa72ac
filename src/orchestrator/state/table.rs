//! Typed numbers for the rows of the state's tables, so that a worker is not taken for a cell.

use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

/// Counts the rows of a [`Table`] from 0.
pub(super) trait Id: Copy {
    fn from_index(index: usize) -> Self;
    fn index(self) -> usize;
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(super) struct $name(u32);

        impl Id for $name {
            /// Plans have a million cells at most, and fewer of everything else.
            fn from_index(index: usize) -> Self {
                Self(u32::try_from(index).unwrap_or(u32::MAX))
            }

            fn index(self) -> usize {
                self.0 as usize
            }
        }
    )* };
}

ids! {
    /// A cell's place in the schedule.
    CellIndex
    /// A worker's place in the plan.
    WorkerId
    /// A node that a worker was seen on.
    NodeId
    /// Two workers with cells between them, one with cells to itself, or the workers of a batch.
    PairId
    /// Cells that are measured at once.
    BatchId
}

impl CellIndex {
    /// The number itself, for what is derived from it.
    pub fn number(self) -> u32 {
        self.0
    }
}

/// Rows that are found by the id of their kind.
#[derive(Clone, Debug)]
pub(super) struct Table<I, T> {
    rows: Vec<T>,
    id: PhantomData<I>,
}

impl<I: Id, T> Table<I, T> {
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn ids(&self) -> impl DoubleEndedIterator<Item = I> + Clone + use<I, T> {
        (0..self.rows.len()).map(I::from_index)
    }

    pub fn iter(&self) -> impl Iterator<Item = (I, &T)> {
        self.ids().zip(&self.rows)
    }

    pub fn push(&mut self, row: T) -> I {
        self.rows.push(row);
        I::from_index(self.rows.len() - 1)
    }
}

impl<I, T> Default for Table<I, T> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            id: PhantomData,
        }
    }
}

impl<I, T> FromIterator<T> for Table<I, T> {
    fn from_iter<R: IntoIterator<Item = T>>(rows: R) -> Self {
        Self {
            rows: rows.into_iter().collect(),
            id: PhantomData,
        }
    }
}

impl<I: Id, T> Index<I> for Table<I, T> {
    type Output = T;

    fn index(&self, id: I) -> &T {
        &self.rows[id.index()]
    }
}

impl<I: Id, T> IndexMut<I> for Table<I, T> {
    fn index_mut(&mut self, id: I) -> &mut T {
        &mut self.rows[id.index()]
    }
}
