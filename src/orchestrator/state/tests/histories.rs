//! Thousands of random histories against the state: messages late, doubled, lost and out of order,
//! workers that vanish and come back elsewhere, tools that fail in every way, late timers, Cancel.

use proptest::prelude::*;

use super::super::*;
use super::actions::actions;
use super::cells::{policy, shapes};
use super::journal_check::check;
use super::world::World;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 3000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_history_ends_with_each_cell_ended_once(
        shapes in shapes(),
        policy in policy(),
        actions in actions(),
    ) {
        let mut world = World::new(&shapes, policy, &[]);
        for (kind, pick) in actions {
            world.act(kind, pick);
        }
        world.end_well();
        check(&world.journal, &shapes, policy, world.cancelled, None);
    }

    #[test]
    fn a_run_that_is_cut_off_anywhere_goes_on(
        shapes in shapes(),
        policy in policy(),
        actions in actions(),
        cut in 0..1000_usize,
        more in actions(),
    ) {
        let mut world = World::new(&shapes, policy, &[]);
        for (kind, pick) in actions {
            if kind != 48 {
                world.act(kind, pick);
            }
        }
        let mut journal = world.journal;
        journal.retain(|event| !matches!(event, EventKind::RunEnded { .. }));
        journal.truncate(cut % (journal.len() + 1));
        let cut = journal.len();
        let mut world = World::new(&shapes, policy, &journal);
        for (kind, pick) in more {
            world.act(kind, pick);
        }
        world.end_well();
        journal.append(&mut world.journal);
        check(&journal, &shapes, policy, world.cancelled, Some(cut));
    }
}
