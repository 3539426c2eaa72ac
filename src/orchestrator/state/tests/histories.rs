//! Thousands of random histories against the state: messages late, doubled, lost and out of order,
//! workers that vanish and come back elsewhere, tools that fail in every way, late timers, Cancel.

use proptest::prelude::*;

use super::super::lane::LanePhase;
use super::super::*;
use super::actions::{Action, actions, actions_without_cancel};
use super::cells::{CellSpec, cells, policy};
use super::journal_check::check;
use super::plans::Policy;
use super::world::World;
use crate::results::Sample;

/// The world after these actions.
fn world_after(cells: &[CellSpec], policy: Policy, actions: Vec<Action>) -> World {
    let mut world = World::new(cells, policy, &[]);
    for action in actions {
        world.perform(action);
    }
    world
}

/// Continues the run after these events with these actions, to its end.
fn continue_and_check(
    cells: &[CellSpec],
    policy: Policy,
    mut journal: Vec<EventKind>,
    actions: Vec<Action>,
) {
    let cut = journal.len();
    let mut world = World::new(cells, policy, &journal);
    for action in actions {
        world.perform(action);
    }
    world.end_well();
    journal.append(&mut world.journal);
    check(&journal, cells, policy, world.cancelled, &[cut]);
}

/// Which sample an event is, if it is one.
fn sample_of(event: &EventKind) -> Option<(&str, u32, u32)> {
    match event {
        EventKind::Sample(sample) => Some(name_of(sample)),
        _ => None,
    }
}

fn name_of(sample: &Sample) -> (&str, u32, u32) {
    (&sample.cell.0, sample.sample, sample.attempt)
}

/// The samples that wait for an observation, as events name them.
fn pending_in(state: &State) -> Vec<(String, u32, u32)> {
    let lanes = state.lanes.values();
    let pending = lanes.filter_map(|lane| match &lane.phase {
        LanePhase::Stopping { pending, .. } => pending.as_ref(),
        LanePhase::Running(_) | LanePhase::Cooling(_) => None,
    });
    let names = pending.map(|pending| name_of(&pending.sample));
    names
        .map(|(cell, sample, attempt)| (cell.to_owned(), sample, attempt))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 3000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_history_ends_with_each_cell_ended_once(
        cells in cells(),
        policy in policy(),
        actions in actions(),
    ) {
        let mut world = world_after(&cells, policy, actions);
        world.end_well();
        check(&world.journal, &cells, policy, world.cancelled, &[]);
    }

    #[test]
    fn a_run_that_is_cut_off_anywhere_continues(
        cells in cells(),
        policy in policy(),
        actions in actions_without_cancel(),
        cut in 0..1000_usize,
        more in actions(),
    ) {
        let mut journal = world_after(&cells, policy, actions).journal;
        journal.retain(|event| !matches!(event, EventKind::RunEnded { .. }));
        journal.truncate(cut % (journal.len() + 1));
        continue_and_check(&cells, policy, journal, more);
    }

    #[test]
    fn an_orchestrator_that_is_stopped_publishes_what_is_pending(
        cells in cells(),
        policy in policy(),
        actions in actions_without_cancel(),
        more in actions(),
    ) {
        let mut world = world_after(&cells, policy, actions);
        let pending = pending_in(&world.state);
        let before = world.journal.len();
        world.stop();
        let published = world.journal[before..].iter().filter_map(sample_of);
        let published: Vec<_> = published.map(|(cell, sample, attempt)| (cell.to_owned(), sample, attempt)).collect();
        prop_assert_eq!(published, pending);
        if !world.finished {
            continue_and_check(&cells, policy, world.journal, more);
        }
    }
}
