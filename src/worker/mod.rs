//! The role inside a worker pod: connects, starts tools, supervises them with deadlines.
