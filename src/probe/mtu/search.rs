//! Which sizes to try next, and what the outcomes mean. Sizes are those of IP packets, in bytes.

use crate::tools::probe_output::MtuLimit;

/// Sizes that are tried at once between what arrives and what does not.
const AT_ONCE: u32 = 8;

/// What came of a packet of some size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Arrived,
    /// The sender's interface, or a router by ICMP, says that it is too big, and the largest size that it takes; 0 where it
    /// does not say.
    TooBig {
        said_by: SaidBy,
        mtu: u32,
    },
    /// Neither an answer nor an ICMP message, each time that it was sent.
    Silence,
}

/// Who says that a packet is too big.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SaidBy {
    Interface,
    Router,
}

impl From<SaidBy> for MtuLimit {
    fn from(said_by: SaidBy) -> Self {
        match said_by {
            SaidBy::Interface => MtuLimit::Interface,
            SaidBy::Router => MtuLimit::Icmp,
        }
    }
}

/// The search in one direction.
#[derive(Clone, Debug)]
pub(super) struct Search {
    /// The largest size that arrives.
    arrived: u32,
    /// The smallest size that somebody calls too big.
    refused: (u32, MtuLimit),
    /// The smallest size of which nothing was heard, and whether that was so twice.
    silent: Option<(u32, bool)>,
    /// A size that may be the result.
    hint: Option<u32>,
}

impl Search {
    /// A search between a size that arrives and the largest that there is.
    pub(super) fn new(arrived: u32, largest: u32) -> Self {
        Self {
            arrived,
            refused: (largest.saturating_add(1), MtuLimit::Interface),
            silent: None,
            hint: Some(largest),
        }
    }

    /// The sizes to try now; none when the search is over.
    pub(super) fn candidates(&self) -> Vec<u32> {
        let silent = self.silent.map_or(u32::MAX, |(size, _)| size);
        let above = self.refused.0.min(silent);
        let is_inside = |size: &u32| (self.arrived + 1..above).contains(size);
        if let Some(hint) = self.hint.filter(is_inside) {
            return vec![hint];
        }
        let between = above.saturating_sub(self.arrived + 1);
        if between > 0 {
            let parts = AT_ONCE.min(between);
            let nth = |n| self.arrived + 1 + (n * between + between / 2) / parts;
            let mut sizes: Vec<u32> = (0..parts).map(nth).collect();
            sizes.retain(is_inside);
            sizes.dedup();
            return sizes;
        }
        match self.silent {
            // Losses may be an accident.
            Some((size, false)) if size < self.refused.0 => vec![size],
            _ => Vec::new(),
        }
    }

    /// Takes the outcomes of all candidates.
    pub(super) fn take(&mut self, outcomes: &[(u32, Outcome)]) {
        self.hint = None;
        for (size, outcome) in outcomes {
            if *outcome == Outcome::Arrived {
                self.arrived = self.arrived.max(*size);
            }
        }
        if self.refused.0 <= self.arrived {
            self.refused.0 = self.arrived + 1;
        }
        if self.silent.is_some_and(|(size, _)| size <= self.arrived) {
            self.silent = None;
        }
        for &(size, outcome) in outcomes {
            if let Outcome::TooBig { said_by, mtu } = outcome
                && size > self.arrived
            {
                let is_new = (self.arrived + 1..size).contains(&mtu);
                let refused = if is_new { mtu + 1 } else { size };
                if refused < self.refused.0 {
                    self.refused = (refused, said_by.into());
                    self.hint = is_new.then_some(mtu);
                }
            }
        }
        for &(size, outcome) in outcomes {
            if outcome != Outcome::Silence || size <= self.arrived {
                continue;
            }
            self.silent = match self.silent {
                Some((known, _)) if known == size => Some((size, true)),
                Some((known, is_sure)) if known < size => Some((known, is_sure)),
                _ => Some((size, false)),
            };
        }
    }

    /// The largest size that arrives, and why no larger one does.
    pub(super) fn found(&self) -> (u32, MtuLimit) {
        let (refused, limit) = self.refused;
        match self.silent {
            Some((size, _)) if size < refused => (self.arrived, MtuLimit::Silence),
            _ => (self.arrived, limit),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A hop of a path: the largest packet that it takes, and whether it says so when one is larger.
    type Hop = (u32, bool);

    const LARGEST: u32 = 65_535;

    fn outcome(interface: u32, hops: &[Hop], size: u32) -> Outcome {
        let too_big = |said_by, mtu| Outcome::TooBig { said_by, mtu };
        if size > interface {
            return too_big(SaidBy::Interface, interface);
        }
        match hops.iter().find(|(mtu, _)| size > *mtu) {
            None => Outcome::Arrived,
            Some((mtu, true)) => too_big(SaidBy::Router, *mtu),
            Some((_, false)) => Outcome::Silence,
        }
    }

    /// The result, and the rounds that it took. `is_lost` says whether all packets of a size are lost in a round.
    fn search(
        interface: u32,
        hops: &[Hop],
        is_lost: impl Fn(usize, u32) -> bool,
    ) -> ((u32, MtuLimit), usize) {
        let mut search = Search::new(68, LARGEST);
        for round in 0..40 {
            let sizes = search.candidates();
            if sizes.is_empty() {
                return (search.found(), round);
            }
            let outcomes = sizes.into_iter().map(|size| {
                let outcome = match outcome(interface, hops, size) {
                    Outcome::Arrived if is_lost(round, size) => Outcome::Silence,
                    outcome => outcome,
                };
                (size, outcome)
            });
            let outcomes: Vec<_> = outcomes.collect();
            search.take(&outcomes);
        }
        panic!("no end: {search:?}")
    }

    #[test]
    fn a_healthy_path_takes_two_rounds() {
        let never = |_, _| false;
        assert_eq!(search(1500, &[], never), ((1500, MtuLimit::Interface), 2));
        assert_eq!(
            search(LARGEST + 1, &[], never),
            ((LARGEST, MtuLimit::Interface), 1)
        );
        assert_eq!(
            search(1500, &[(1400, true)], never),
            ((1400, MtuLimit::Icmp), 3)
        );
        let (found, rounds) = search(1500, &[(1400, false)], never);
        assert_eq!(found, (1400, MtuLimit::Silence));
        assert!(rounds <= 8, "{rounds}");
    }

    #[test]
    fn a_router_that_says_no_size_is_believed_all_the_same() {
        let mut search = Search::new(68, 1500);
        while let sizes @ [_, ..] = &search.candidates()[..] {
            let outcome = |size: &u32| {
                if *size > 1300 {
                    Outcome::TooBig {
                        said_by: SaidBy::Router,
                        mtu: 0,
                    }
                } else {
                    Outcome::Arrived
                }
            };
            let outcomes: Vec<_> = sizes.iter().map(|size| (*size, outcome(size))).collect();
            search.take(&outcomes);
        }
        assert_eq!(search.found(), (1300, MtuLimit::Icmp));
    }

    proptest! {
        #[test]
        fn the_size_and_its_reason_are_exact(
            interface in 68..=9000_u32, hops in prop::collection::vec((68..=9000_u32, any::<bool>()), 0..4),
        ) {
            let ((largest, limit), rounds) = search(interface, &hops, |_, _| false);
            let smallest = hops.iter().map(|(mtu, _)| *mtu).min().unwrap_or(u32::MAX);
            prop_assert_eq!(largest, interface.min(smallest));
            let expected = match outcome(interface, &hops, largest + 1) {
                Outcome::TooBig { said_by, .. } => said_by.into(),
                _ => MtuLimit::Silence,
            };
            prop_assert_eq!(limit, expected);
            prop_assert!(rounds <= 12, "{}", rounds);
        }

        /// A size that is lost in one round only is no limit.
        #[test]
        fn losses_in_one_round_are_no_black_hole(
            interface in 1000..=9000_u32, round in 0_usize..3, lost in 0..=9000_u32,
        ) {
            let (found, _) = search(interface, &[], |now, size| now == round && size >= lost);
            prop_assert_eq!(found, (interface, MtuLimit::Interface));
        }
    }
}
