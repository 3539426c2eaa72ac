//! The whole of netplan on a real Kubernetes cluster, as a person uses it: the program itself, and the API
//! server asked beside it. `make e2e` runs these, one at a time, on the current kubeconfig's cluster, which
//! needs two nodes that have netplan's image. Ignored otherwise.
//!
//! What is checked is what happened, never how fast: nodes may share one machine.

mod admission;
mod api;
mod case;
mod chart;
mod cleanup;
mod detached;
mod host;
mod interrupt;
mod least_role;
mod network;
mod outage;
mod quick;
mod restarts;
mod standalone;
mod succession;
mod trouble;
