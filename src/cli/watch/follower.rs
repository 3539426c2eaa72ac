//! Follows an orchestrator's records to the run's end, over as many connections as it takes.

use std::pin::{Pin, pin};
use std::time::Duration;

use anyhow::anyhow;
use futures::stream::{Stream, StreamExt};
use tokio::time::Instant;
use tonic::Code;

use super::connection::{Lost, connect};
use super::diagnosis::Diagnosis;
use super::health::{ClusterHealth, health_changes};
use super::missing_workers::MissingWorkers;
use super::pods::{EndedPods, pods_ended};
use super::sink::{Heard, Sink};
use crate::cli::during::Performer;
use crate::cli::interrupt::{Interrupt, Signalled};
use crate::cli::progress::Phase;
use crate::cluster::{Cluster, Health, PodEnded};
use crate::rpc::pb::{CancelRequest, CollectedRequest, WatchRequest};
use crate::rpc::{self, Identity};

/// Attempts in a row to reconnect to the orchestrator, without an event in between, before the run is
/// given up.
const RECONNECTS: u32 = 5;
/// The wait before the first of these attempts; the second waits twice as long, and so on.
const RECONNECT_AFTER: Duration = Duration::from_millis(300);

/// The pods of a local cluster start within a second or two. Without a sample after this long the run ends.
const BEGINS_WITHIN: Duration = Duration::from_secs(120);

/// What becomes of the run when the person interrupts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum OnInterrupt {
    /// It is cancelled; the orchestrator has this long to stop the tool and end the journal.
    Cancel { within: Duration },
    /// The run continues; only the watching ends.
    Detach,
}

/// Why there is nothing more to follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Followed {
    /// The run's last record is here.
    Over,
    /// The sink has enough.
    Enough,
    /// The person has interrupted, and the run was cancelled if that was possible.
    Interrupted,
    /// The person has detached, and the run continues.
    Detached,
}

/// Follows one run.
#[derive(Debug)]
pub(in crate::cli) struct Follower<'a> {
    /// The rendered name of the orchestrator's pod.
    orchestrator: String,
    identity: &'a Identity,
    interrupt: &'a mut Interrupt,
    on_interrupt: OnInterrupt,
    /// The cluster outlives this process; then so may the run when the terminal closes.
    lasting: bool,
    interrupted_at: Option<Instant>,
    over: bool,
    pods: EndedPods,
    health: ClusterHealth,
    missing: MissingWorkers,
    /// When a run that has not begun by then is given up.
    begins_by: Option<Instant>,
    performer: Performer,
}

impl<'a> Follower<'a> {
    pub fn new(
        orchestrator: String,
        identity: &'a Identity,
        interrupt: &'a mut Interrupt,
        on_interrupt: OnInterrupt,
        lasting: bool,
    ) -> Self {
        Self {
            pods: EndedPods::new(orchestrator.clone(), lasting),
            orchestrator,
            identity,
            interrupt,
            on_interrupt,
            lasting,
            interrupted_at: None,
            over: false,
            health: ClusterHealth::default(),
            missing: MissingWorkers::since(Instant::now()),
            begins_by: None,
            performer: Performer::idle(),
        }
    }

    /// Does what `during:` says while samples run.
    pub fn with_performer(mut self, performer: Performer) -> Self {
        self.performer = performer;
        self
    }

    /// Follows until there is nothing more.
    pub async fn follow<C: Cluster + Sync>(
        &mut self,
        cluster: &C,
        sink: &mut dyn Sink,
    ) -> Result<Followed, Lost> {
        let mut pods = pin!(pods_ended(cluster));
        let mut health = pin!(health_changes(cluster));
        self.missing = MissingWorkers::since(Instant::now());
        // A real cluster has deadlines of its own, and may have to pull an image.
        self.begins_by = (!self.lasting).then(|| Instant::now() + BEGINS_WITHIN);
        let mut lost = 0;
        loop {
            let known = sink.begins_at();
            let error = match self
                .session(cluster, pods.as_mut(), health.as_mut(), sink)
                .await
            {
                Err(Lost::Again(error)) => error,
                over => return over,
            };
            if sink.begins_at() > known {
                lost = 0;
            }
            let is_silent = self.health.explains_silence();
            if is_silent {
                lost = 0;
            }
            if lost == RECONNECTS {
                return match self.interrupted_at {
                    Some(_) => Ok(Followed::Interrupted),
                    None => Err(Lost::Again(error)),
                };
            }
            lost += 1;
            let pause = RECONNECT_AFTER * if is_silent { RECONNECTS } else { lost };
            let mut pause = pin!(tokio::time::sleep(pause));
            loop {
                tokio::select! {
                    () = &mut pause => break,
                    Some(changed) = health.next() => self.say_health(&changed, sink),
                    signalled = self.interrupt.next() => return Ok(self.without_orchestrator(signalled)),
                }
            }
        }
    }

    /// One connection to the orchestrator. `Ok` when there is nothing more to follow.
    async fn session<C: Cluster + Sync>(
        &mut self,
        cluster: &C,
        mut pods: Pin<&mut impl Stream<Item = PodEnded>>,
        mut health: Pin<&mut impl Stream<Item = Health>>,
        sink: &mut dyn Sink,
    ) -> Result<Followed, Lost> {
        let from_seq = sink.begins_at();
        let (orchestrator, identity) = (self.orchestrator.clone(), self.identity);
        let connect = async {
            let mut client = connect(cluster, &orchestrator, identity).await?;
            let answer = client.watch(WatchRequest { from_seq }).await;
            let answer = answer.map_err(|status| match status.code() {
                Code::OutOfRange => Lost::Final(sink.begun_anew()),
                _ => Lost::Again(anyhow!("{}", crate::diag::error_chain(&status))),
            })?;
            rpc::same_version(answer.metadata()).map_err(|error| Lost::Final(error.into()))?;
            Ok((client, answer.into_inner()))
        };
        let (mut client, mut records) = {
            let mut connect = pin!(connect);
            loop {
                tokio::select! {
                    connected = &mut connect => break connected?,
                    ended = pods.next(), if !self.pods.is_blind() => match self.pod_ended(ended, &*sink) {
                        // The connection waits for its successor.
                        Err(Lost::Again(error)) => sink.say(&error.to_string()),
                        heard => heard?,
                    },
                    signalled = self.interrupt.next() => {
                        return Ok(self.without_orchestrator(signalled));
                    }
                    Some(changed) = health.next() => self.say_health(&changed, sink),
                    () = sleep_until(self.begins_by) => return Err(Self::never_began()),
                }
            }
        };
        loop {
            if sink.has_begun() {
                self.begins_by = None;
            }
            self.pods.pass_on(&mut client).await;
            let gives_up_at = self.gives_up_at();
            tokio::select! {
                record = records.message() => match record {
                    Ok(Some(record)) => {
                        self.missing.take(&record);
                        if let Some(go) = &record.go {
                            self.performer.take(go, cluster, &mut client).await;
                            continue;
                        }
                        if record.gathering.is_some() {
                            continue;
                        }
                        match sink.take(&record).map_err(Lost::Final)? {
                            Heard::More => {}
                            Heard::RunEnded => self.over = true,
                            Heard::Enough => return Ok(Followed::Enough),
                        }
                    }
                    Ok(None) if self.over => {
                        if let Some(through_seq) = sink.holds_through() {
                            // The orchestrator may be gone already; then it needs no telling.
                            let _ = client.collected(CollectedRequest { through_seq }).await;
                        }
                        return Ok(match self.interrupted_at {
                            Some(_) => Followed::Interrupted,
                            None => Followed::Over,
                        });
                    }
                    Ok(None) => {
                        let error = anyhow!("the orchestrator ended its report before the run's end");
                        return Err(Lost::Again(error));
                    }
                    Err(status) if status.code() == Code::OutOfRange => {
                        return Err(Lost::Final(sink.begun_anew()));
                    }
                    Err(status) => {
                        let error = anyhow!("lost the orchestrator: {}", crate::diag::error_chain(&status));
                        return Err(Lost::Again(error));
                    }
                },
                next = self.performer.next() => {
                    let done = self.performer.perform(next, cluster, &mut client).await;
                    done.map_err(Lost::Again)?;
                }
                ended = pods.next(), if !self.pods.is_blind() => self.pod_ended(ended, sink)?,
                signalled = self.interrupt.next() => {
                    let OnInterrupt::Cancel { within } = self.on_interrupt else {
                        return Ok(Followed::Detached);
                    };
                    if self.lasting && signalled == Signalled::Hangup {
                        return Ok(Followed::Detached);
                    }
                    if self.interrupted_at.replace(Instant::now()).is_some() {
                        return Ok(Followed::Interrupted);
                    }
                    sink.enter(Phase::Stopping);
                    // Without an answer the deadline of the interrupt ends it.
                    let _ = tokio::time::timeout(within, client.cancel(CancelRequest {})).await;
                }
                Some(changed) = health.next() => self.say_health(&changed, sink),
                () = sleep_until(self.missing.next_look()) => {
                    let diagnosis = Diagnosis { cluster, orchestrator: &orchestrator, identity };
                    self.missing.look(diagnosis, sink).await;
                }
                () = sleep_until(gives_up_at) => return Ok(Followed::Interrupted),
                () = sleep_until(self.begins_by) => return Err(Self::never_began()),
            }
        }
    }

    /// A signal while the orchestrator cannot be told of it.
    fn without_orchestrator(&mut self, signalled: Signalled) -> Followed {
        let goes = self.lasting && signalled == Signalled::Hangup;
        if goes || self.on_interrupt == OnInterrupt::Detach {
            Followed::Detached
        } else {
            Followed::Interrupted
        }
    }

    fn gives_up_at(&self) -> Option<Instant> {
        match (self.interrupted_at, self.on_interrupt) {
            (Some(at), OnInterrupt::Cancel { within }) => Some(at + within),
            _ => None,
        }
    }

    fn pod_ended(&mut self, ended: Option<PodEnded>, sink: &dyn Sink) -> Result<(), Lost> {
        let is_ending = self.over || self.interrupted_at.is_some();
        self.pods.take(ended, is_ending, sink)
    }

    /// Says how the cluster's health has changed.
    fn say_health(&mut self, health: &Health, sink: &dyn Sink) {
        if let Some(message) = self.health.take(health, self.over) {
            sink.say(&message);
        }
    }

    /// The workers do not join, and the cluster does not say why.
    fn never_began() -> Lost {
        let limit = BEGINS_WITHIN.as_secs();
        Lost::Final(anyhow!(
            "the run has not begun within {limit} s: not all of its workers have joined the orchestrator; \
             `netplan doctor --on local` says whether this machine can run it"
        ))
    }
}

/// Sleeps until then, or for ever.
async fn sleep_until(then: Option<Instant>) {
    match then {
        Some(then) => tokio::time::sleep_until(then).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::watch::health::SILENCE_BORNE;
    use crate::cli::watch::tests::fake_cluster::FakeCluster;
    use crate::rpc::pb::Record;

    struct Nothing;

    impl Sink for Nothing {
        fn begins_at(&self) -> u64 {
            0
        }

        fn take(&mut self, _: &Record) -> anyhow::Result<Heard> {
            Ok(Heard::More)
        }

        fn begun_anew(&self) -> anyhow::Error {
            anyhow!("begun anew")
        }

        fn enter(&self, _: Phase) {}

        fn say(&self, _: &str) {}

        fn has_begun(&self) -> bool {
            false
        }

        fn holds_through(&self) -> Option<u64> {
            None
        }
    }

    /// Follows a run on this cluster to its end; returns that, and how long it took.
    async fn follow(cluster: &FakeCluster, lasting: bool) -> (Result<Followed, Lost>, Duration) {
        let identities = rpc::RunIdentities::issue("r1", &[]).unwrap();
        let mut interrupt = Interrupt::listen().unwrap();
        let mut follower = Follower::new(
            "np-r1-orchestrator".to_owned(),
            &identities.client,
            &mut interrupt,
            OnInterrupt::Detach,
            lasting,
        );
        let begun = Instant::now();
        let ended = follower.follow(cluster, &mut Nothing).await;
        (ended, begun.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_local_run_that_does_not_begin_ends() {
        let (ended, took) = follow(&FakeCluster::default(), false).await;
        let Err(Lost::Final(error)) = ended else {
            panic!("it ends with an error");
        };
        assert!(error.to_string().contains("has not begun within 120 s"));
        assert!(took >= BEGINS_WITHIN);
    }

    /// How long a run on a lasting cluster is followed whose orchestrator cannot be reached.
    async fn given_up_after(is_silent: bool) -> Duration {
        let cluster = FakeCluster {
            refuses: true,
            is_silent,
            ..FakeCluster::default()
        };
        let (ended, took) = follow(&cluster, true).await;
        assert!(matches!(ended, Err(Lost::Again(_))));
        took
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_api_server_is_borne_longer_than_a_lost_orchestrator() {
        let lost = given_up_after(false).await;
        assert!(lost < SILENCE_BORNE, "{lost:?}");
        let silent = given_up_after(true).await;
        let longest = SILENCE_BORNE + lost;
        assert!((SILENCE_BORNE..longest).contains(&silent), "{silent:?}");
    }
}
