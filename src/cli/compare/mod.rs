//! `netplan compare`: its command line, the runs that it reads, the stored A/A floors.

pub(in crate::cli) mod command;
mod floor_file;
mod format;
mod sides;
