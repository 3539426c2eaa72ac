//! Random histories in which orchestrators are replaced: what was acknowledged while a worker held it stays in the
//! journal, however often and whenever that happens.

use proptest::prelude::*;

use super::super::copy::claim::{self, Claim};
use super::super::copy::epoch::Epoch;
use super::super::copy::succession::{Step, Succession};
use super::super::message::Session;
use super::super::*;
use super::actions::{Action, actions_without_cancel};
use super::cells::{CellSpec, WORKERS, cell, cells, policy};
use super::journal_check::check;
use super::machine::Machine;
use super::plans::Policy;
use super::world::World;
use crate::tools::How;

/// The end of an orchestrator, and the beginning of the next.
#[derive(Clone, Debug)]
struct Replacement {
    /// Of the next one.
    salt: u32,
    /// The workers join it in this order.
    first: usize,
    /// This one does not join before the deadline.
    late: Option<usize>,
    /// The next one is on the node of the last, in the same pod.
    is_restart: bool,
    /// Tools that outlive sessions run on.
    pods_stay: bool,
}

fn replacement() -> impl Strategy<Value = Replacement> {
    let late = prop::option::weighted(0.3, 0..WORKERS.len());
    let numbers = (
        any::<u32>(),
        0..WORKERS.len(),
        late,
        prop::bool::weighted(0.3),
        any::<bool>(),
    );
    numbers.prop_map(|(salt, first, late, is_restart, pods_stay)| Replacement {
        salt,
        first,
        late,
        is_restart,
        pods_stay,
    })
}

/// What the next orchestrator begins with: the newest copy of those that it finds.
fn newest_copy(
    world: &World,
    replacement: &Replacement,
) -> (Epoch, claim::HeldJournal, Vec<EventKind>) {
    let own_events = if replacement.is_restart {
        world.whole_journal()
    } else {
        Vec::new()
    };
    let own = claim::HeldJournal {
        epoch: if replacement.is_restart {
            world.state.epoch()
        } else {
            Epoch::default()
        },
        next_seq: own_events.len() as u64,
        complete: false,
    };
    let mut succession = Succession::new(own, WORKERS.map(str::to_owned), replacement.salt);
    for nth in 0..WORKERS.len() {
        let nth = (nth + replacement.first) % WORKERS.len();
        if Some(nth) == replacement.late {
            continue;
        }
        assert_eq!(succession.step(), Step::Wait, "the newest is not known yet");
        let copy = world.copies.get(WORKERS[nth]).cloned().unwrap_or_default();
        succession.worker_joined(WORKERS[nth], Session(nth as u64 + 1), copy.claim());
    }
    if replacement.late.is_some() {
        assert_eq!(succession.step(), Step::Wait);
        succession.deadline_passed();
    }
    match succession.step() {
        Step::Begin { epoch } => (epoch, own, own_events),
        Step::Fetch {
            worker,
            epoch,
            copy,
            ..
        } => {
            let events = world.copies[worker.as_str()].events.clone();
            assert_eq!(copy.next_seq, events.len() as u64);
            (epoch, copy, events)
        }
        Step::Wait => panic!("all that will come is there"),
    }
}

/// Whether a worker that the next orchestrator finds has all that was acknowledged as held.
fn is_findable(world: &World, replacement: &Replacement) -> bool {
    let journal = world.whole_journal();
    let held = &journal[..world.held.min(journal.len())];
    let found = (0..WORKERS.len()).filter(|nth| Some(*nth) != replacement.late);
    let mut copies = found.filter_map(|nth| world.copies.get(WORKERS[nth]));
    replacement.is_restart || copies.any(|copy| copy.events.starts_with(held))
}

/// Whether the late worker has seen more than each of the others. A successor that does not wait for it cannot know of
/// that, and what it continues from may be older: docs/kubernetes.md says so.
fn is_only_witness(world: &World, late: Option<usize>) -> bool {
    let seen = |nth: usize| {
        let copy = world.copies.get(WORKERS[nth]).cloned().unwrap_or_default();
        (copy.obeyed, copy.epoch, copy.events.len())
    };
    late.is_some_and(|late| {
        let mut others = (0..WORKERS.len()).filter(|nth| *nth != late);
        let (obeyed, epoch, events) = seen(late);
        !others.any(|other| {
            let other = seen(other);
            other.0 >= obeyed && (other.1, other.2) >= (epoch, events)
        })
    })
}

fn replay(cells: &[CellSpec], policy: Policy, parts: Vec<(Vec<Action>, Replacement)>) {
    let mut world = World::new(cells, policy, &[]);
    let mut restarts: Vec<usize> = Vec::new();
    let mut written: Vec<Vec<EventKind>> = Vec::new();
    for (actions, mut replacement) in parts {
        for action in actions {
            world.perform(action);
        }
        if is_only_witness(&world, replacement.late) {
            replacement.late = None;
        }
        if world.finished {
            break;
        }
        let journal = world.whole_journal();
        if matches!(journal.last(), Some(EventKind::RunEnded { .. })) {
            break;
        }
        let held = world.held.min(journal.len());
        let (epoch, base, events) = newest_copy(&world, &replacement);
        let found = (0..WORKERS.len()).filter(|nth| Some(*nth) != replacement.late);
        let mut copies = found.filter_map(|nth| world.copies.get(WORKERS[nth]));
        assert!(copies.all(|copy| copy.obeyed < epoch), "workers refuse it");
        written.push(journal.clone());
        if is_findable(&world, &replacement) {
            assert!(
                events.len() >= held && events[..held] == journal[..held],
                "acknowledged events are lost"
            );
            // An orchestrator that nobody copied from leaves the next one the copy of an earlier one.
            let mut written = written.iter();
            assert!(
                written.any(|journal| journal.starts_with(&events)),
                "events that nobody wrote"
            );
        }
        world.held = world.held.min(events.len());
        restarts.retain(|at| *at <= events.len());
        restarts.push(events.len());
        world.succeed(epoch, base, events, replacement.pods_stay);
    }
    world.end_well();
    while world.superseded {
        // It finds all workers, so none of them has obeyed a greater epoch.
        let replacement = Replacement {
            salt: 0,
            first: 0,
            late: None,
            is_restart: false,
            pods_stay: true,
        };
        let (epoch, base, events) = newest_copy(&world, &replacement);
        world.held = world.held.min(events.len());
        restarts.retain(|at| *at <= events.len());
        restarts.push(events.len());
        world.succeed(epoch, base, events, replacement.pods_stay);
        world.end_well();
    }
    check(
        &world.whole_journal(),
        cells,
        policy,
        world.cancelled,
        &restarts,
    );
    // Whoever comes later finds all of it, if the worker that held it is still there.
    let journal = world.whole_journal();
    let holder = world.state.holder();
    let stays = holder.filter(|name| world.believed.get(*name) == world.sessions.get(*name));
    assert!(stays.is_none_or(|holder| world.copies[holder].events == journal));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 600,
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_was_acknowledged_outlives_every_orchestrator(
        cells in cells(),
        policy in policy(),
        parts in prop::collection::vec((actions_without_cancel(), replacement()), 1..4),
    ) {
        replay(&cells, policy, parts);
    }
}

const LISTED: Policy = super::cells::LISTED;

/// The commands that a state gives when a worker joins it that has obeyed this epoch.
fn commands_when_joined(obeyed: Epoch) -> Vec<Command> {
    let mut world = World::new(&[cell(0, 1)], LISTED, &[]);
    let place = Place {
        claim: Claim { obeyed, copy: None },
        ..Place::default()
    };
    world.state.handle(
        Timestamp::UNIX_EPOCH,
        Input::WorkerJoined {
            worker: "w1".to_owned(),
            session: Session(1),
            place,
        },
    )
}

#[test]
fn an_orchestrator_steps_down_for_a_later_one() {
    let own = World::new(&[cell(0, 1)], LISTED, &[]).state.epoch();
    let steps_down = |obeyed| {
        let commands = commands_when_joined(obeyed);
        commands
            .iter()
            .any(|command| matches!(command, Command::StepDown(_)))
    };
    assert!(!steps_down(own) && !steps_down(Epoch::default()));
    assert!(steps_down(own.successor(0)));
}

#[test]
fn a_client_waits_for_the_copy_and_starts_without_a_holder_that_does_not_answer() {
    let mut world = World::new(&[cell(0, 1)], LISTED, &[]);
    for worker in WORKERS {
        world.join(worker, Machine::on_node(1));
    }
    world.settle();
    let holder = world.state.holder().unwrap().to_owned();
    // A worker comes back: its event is not copied yet when the server is ready.
    world.vanish("w5");
    let left = world.mail.remove(0);
    world.deliver(left);
    let held: Vec<Input> = std::mem::take(&mut world.mail);
    assert!(
        held.iter().all(|input| matches!(input, Input::Held { .. })),
        "{held:?}"
    );
    world.ready(0);
    let ready = world.mail.remove(0);
    world.deliver(ready);
    assert!(world.clients.is_empty(), "the copy lacks an event");
    let timer = *world.timers.last().unwrap();
    world.deliver(Input::TimerFired(timer));
    assert_ne!(world.state.holder(), Some(holder.as_str()));
    world.settle();
    assert_eq!(world.clients.len(), 1, "another worker has the copy");
    world.end_client(world.clients[0].0, How::Code(0));
    world.end_well();
    check(&world.whole_journal(), &world.specs, LISTED, false, &[]);
}

#[test]
fn a_holder_that_catches_up_in_slices_is_not_rejected() {
    let mut world = World::new(&[cell(0, 1)], LISTED, &[]);
    for worker in WORKERS {
        world.join(worker, Machine::on_node(1));
    }
    world.settle();
    // Two events, and then the server is ready. The holder has said nothing yet.
    for worker in ["w5", "w4"] {
        world.vanish(worker);
    }
    world.ready(0);
    for input in std::mem::take(&mut world.mail) {
        world.deliver(input);
    }
    world.mail.clear();
    assert!(world.clients.is_empty(), "the copy lacks events");
    let holder = world.state.holder().unwrap().to_owned();
    let timer = *world.timers.last().unwrap();
    let session = world.sessions[holder.as_str()];
    let held = world.state.acknowledged() + 1;
    assert!(held < world.state.next_seq(), "a slice");
    let slice = Input::Held {
        session,
        held: Ok(held),
    };
    world.deliver(slice);
    assert!(world.clients.is_empty(), "the copy still lacks events");
    world.deliver(Input::TimerFired(timer));
    assert_eq!(
        world.state.holder(),
        Some(holder.as_str()),
        "it was slow, not silent"
    );
    let timer = *world.timers.last().unwrap();
    world.deliver(Input::TimerFired(timer));
    assert_ne!(world.state.holder(), Some(holder.as_str()), "it is silent");
}

#[test]
fn an_orchestrator_without_workers_ends_no_cell_that_its_successor_may_measure() {
    for is_known in [false, true] {
        let mut world = World::new(&[cell(0, 1)], LISTED, &[]);
        world.join_all();
        world.settle();
        for worker in WORKERS {
            world.vanish(worker);
        }
        world.settle();
        if is_known {
            // A command line reaches this orchestrator, and says what the cluster says.
            for worker in WORKERS {
                world.deliver(Input::WorkerGivenUp {
                    worker: worker.to_owned(),
                    reason: "Evicted".to_owned(),
                });
            }
        } else {
            let timer = *world.timers.last().unwrap();
            world.deliver(Input::TimerFired(timer));
        }
        let ended = world.whole_journal();
        let ended = ended
            .iter()
            .any(|event| matches!(event, EventKind::RunEnded { .. }));
        assert_eq!(ended, is_known);
    }
}
