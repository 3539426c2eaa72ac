//! Follows an orchestrator's records to the run's end, over as many connections as it takes.

use std::pin::{Pin, pin};
use std::time::Duration;

use anyhow::anyhow;
use futures::stream::{self, Stream, StreamExt};
use tokio::time::Instant;
use tonic::Code;

use super::interrupt::{Interrupt, Signalled};
use super::progress::Phase;
use crate::cluster::{Cluster, Exit, Next, PodEnded};
use crate::render::ORCHESTRATOR_PORT;
use crate::rpc::pb::{CancelRequest, CollectedRequest, GiveUpRequest, Record, WatchRequest};
use crate::rpc::{self, Client, Identity};

/// The orchestrator is a process that has just been started; it listens within milliseconds.
const ORCHESTRATOR_LISTENS_WITHIN: Duration = Duration::from_secs(20);
/// A lost connection to the orchestrator is made again so often in a row, without an event in
/// between, before the run is given up.
const RECONNECTS: u32 = 5;
/// Before the first of these attempts in a row; the second waits twice as long, and so on.
const RECONNECT_AFTER: Duration = Duration::from_millis(300);

/// The pods of a local cluster start within a second or two. Without a sample after this long the run ends.
const BEGINS_WITHIN: Duration = Duration::from_secs(120);
/// The orchestrator answers at once.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// Takes a run's records.
pub(super) trait Sink {
    /// The record to begin with.
    fn begins_at(&self) -> u64;

    /// Takes the next record.
    fn take(&mut self, record: &Record) -> anyhow::Result<Heard>;

    /// What to say of an orchestrator that knows nothing of the records that are here.
    fn begun_anew(&self) -> anyhow::Error;

    /// Says something that a person should know.
    fn say(&self, message: &str);

    /// The run has begun to measure.
    fn has_begun(&self) -> bool;

    /// Takes note of a new phase of the run.
    fn enter(&self, phase: Phase);

    /// Every record up to this one is on disk here.
    fn holds_through(&self) -> Option<u64>;
}

/// What a record means for whoever follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    More,
    /// It was the run's last.
    RunEnded,
    /// No more is of interest.
    Enough,
}

/// What becomes of the run when the person interrupts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnInterrupt {
    /// It is cancelled; the orchestrator has this long to stop the tool and end the journal.
    Cancel { within: Duration },
    /// It goes on; only the watching ends.
    Detach,
}

/// Why there is nothing more to follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Followed {
    /// The run's last record is here.
    Over,
    /// The sink has enough.
    Enough,
    /// The person has interrupted, and the run was cancelled as far as that went.
    Interrupted,
    /// The person has gone, and the run goes on.
    Detached,
}

/// Follows one run.
#[derive(Debug)]
pub(super) struct Follower<'a> {
    /// The rendered name of the orchestrator's pod.
    pub orchestrator: String,
    pub identity: &'a Identity,
    pub interrupt: &'a mut Interrupt,
    pub on_interrupt: OnInterrupt,
    /// The cluster lives on without this process; then so may the run when the terminal closes.
    pub lasting: bool,
    interrupted_at: Option<Instant>,
    over: bool,
    /// One may not watch the pods.
    blind: bool,
    /// Workers that the cluster does not start again, and what became of them; the orchestrator does not
    /// know yet.
    given_up: Vec<GiveUpRequest>,
    /// When a run that has not begun by then is given up.
    begins_by: Option<Instant>,
}

/// Why a connection to the orchestrator was of no more use.
#[derive(Debug)]
pub(super) enum Lost {
    /// The next one may be; the run itself may be well.
    Again(anyhow::Error),
    /// There is nothing to come back to.
    Final(anyhow::Error),
}

impl From<Lost> for anyhow::Error {
    fn from(lost: Lost) -> Self {
        let (Lost::Again(error) | Lost::Final(error)) = lost;
        error
    }
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
            orchestrator,
            identity,
            interrupt,
            on_interrupt,
            lasting,
            interrupted_at: None,
            over: false,
            blind: false,
            given_up: Vec::new(),
            begins_by: None,
        }
    }

    /// Follows until there is nothing more.
    pub async fn follow<C: Cluster + Sync>(
        &mut self,
        cluster: &C,
        sink: &mut dyn Sink,
    ) -> Result<Followed, Lost> {
        let mut pods = pin!(pods_ended(cluster));
        // A real cluster has deadlines of its own, and may have to pull an image.
        self.begins_by = (!self.lasting).then(|| Instant::now() + BEGINS_WITHIN);
        let mut lost = 0;
        loop {
            let known = sink.begins_at();
            let error = match self.session(cluster, pods.as_mut(), sink).await {
                Err(Lost::Again(error)) => error,
                over => return over,
            };
            if sink.begins_at() > known {
                lost = 0;
            }
            if lost == RECONNECTS {
                return match self.interrupted_at {
                    Some(_) => Ok(Followed::Interrupted),
                    None => Err(Lost::Again(error)),
                };
            }
            lost += 1;
            tokio::select! {
                () = tokio::time::sleep(RECONNECT_AFTER * lost) => {}
                signalled = self.interrupt.next() => return Ok(self.without_orchestrator(signalled)),
            }
        }
    }

    /// One connection to the orchestrator. `Ok` when there is nothing more to follow.
    async fn session<C: Cluster + Sync>(
        &mut self,
        cluster: &C,
        mut pods: Pin<&mut impl Stream<Item = PodEnded>>,
        sink: &mut dyn Sink,
    ) -> Result<Followed, Lost> {
        let from_seq = sink.begins_at();
        let (orchestrator, identity) = (self.orchestrator.clone(), self.identity);
        let connect = async {
            let mut client = connect(cluster, &orchestrator, identity).await?;
            let answer = client.watch(WatchRequest { from_seq }).await;
            let answer = answer.map_err(|status| match status.code() {
                Code::OutOfRange => Lost::Final(sink.begun_anew()),
                _ => Lost::Again(anyhow!("{}", rpc::words(&status))),
            })?;
            rpc::same_version(answer.metadata()).map_err(|error| Lost::Final(error.into()))?;
            Ok((client, answer.into_inner()))
        };
        let (mut client, mut records) = {
            let mut connect = pin!(connect);
            loop {
                tokio::select! {
                    connected = &mut connect => break connected?,
                    ended = pods.next(), if !self.blind => match self.pod_ended(ended, &*sink) {
                        // Its successor is what is waited for.
                        Err(Lost::Again(error)) => sink.say(&error.to_string()),
                        heard => heard?,
                    },
                    signalled = self.interrupt.next() => {
                        return Ok(self.without_orchestrator(signalled));
                    }
                    () = sleep_until(self.begins_by) => return Err(Self::never_began()),
                }
            }
        };
        loop {
            if sink.has_begun() {
                self.begins_by = None;
            }
            self.pass_on_given_up(&mut client).await;
            let gives_up_at = self.gives_up_at();
            tokio::select! {
                record = records.message() => match record {
                    Ok(Some(record)) => match sink.take(&record).map_err(Lost::Final)? {
                        Heard::More => {}
                        Heard::RunEnded => self.over = true,
                        Heard::Enough => return Ok(Followed::Enough),
                    },
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
                    Err(status) => {
                        let error = anyhow!("lost the orchestrator: {}", rpc::words(&status));
                        return Err(Lost::Again(error));
                    }
                },
                ended = pods.next(), if !self.blind => self.pod_ended(ended, sink)?,
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

    /// The workers do not join, and the cluster does not say why.
    fn never_began() -> Lost {
        let limit = BEGINS_WITHIN.as_secs();
        Lost::Final(anyhow!(
            "the run has not begun within {limit} s: not all of its workers have joined the orchestrator; \
             `netplan doctor --on local` says whether this machine can run it"
        ))
    }

    /// Tells the orchestrator which workers it need not wait for.
    async fn pass_on_given_up(&mut self, client: &mut Client) {
        while let Some(request) = self.given_up.last() {
            let asked = client.give_up(request.clone());
            match tokio::time::timeout(ANSWERS_WITHIN, asked).await {
                Ok(Ok(_)) => drop(self.given_up.pop()),
                // It does not know the worker, or the call: there is no use in saying it again.
                Ok(Err(status)) if status.code() != Code::Unavailable => drop(self.given_up.pop()),
                // The next connection tells it.
                _ => return,
            }
        }
    }

    /// The plan's name for the worker of a pod.
    fn worker_of<'p>(&self, pod: &'p str) -> Option<&'p str> {
        let prefix = self.orchestrator.strip_suffix("orchestrator")?;
        pod.strip_prefix(prefix)
    }

    fn pod_ended(&mut self, ended: Option<PodEnded>, sink: &dyn Sink) -> Result<(), Lost> {
        let Some(pod) = ended else {
            if self.lasting {
                // Only the watch of the pods has; the records come all the same.
                self.blind = true;
                return Ok(());
            }
            let error = anyhow!("the local cluster has ended by itself");
            return Err(Lost::Final(error));
        };
        // A worker that has been said goodbye to may end before the last record is here.
        let well = pod.exit == Exit::Code(0) && pod.pod != self.orchestrator;
        if well || self.over || self.interrupted_at.is_some() {
            return Ok(());
        }
        let said = pod.last_lines.join("\n  ");
        let message = if said.is_empty() {
            pod.to_string()
        } else {
            format!("{pod}\n  {said}")
        };
        if pod.pod == self.orchestrator {
            match pod.next {
                Next::Restarted(_) => {}
                Next::GaveUp(_) => return Err(Lost::Final(anyhow!(message))),
                Next::Replaced | Next::Stays => return Err(Lost::Again(anyhow!(message))),
            }
        }
        if let Next::GaveUp(_) | Next::Stays = pod.next {
            if !self.lasting && !sink.has_begun() {
                return Err(Lost::Final(anyhow!(message)));
            }
            if let Some(worker) = self.worker_of(&pod.pod) {
                self.given_up.push(GiveUpRequest {
                    worker: worker.to_owned(),
                    words: pod.to_string(),
                });
            }
        }
        sink.say(&message);
        Ok(())
    }
}

/// The pods that end, one after the other. To find one out takes a cluster several steps, and what
/// comes between two of them does not cut it short.
fn pods_ended<C: Cluster + Sync>(cluster: &C) -> impl Stream<Item = PodEnded> {
    stream::unfold(cluster, async |cluster: &C| {
        let pod = cluster.ended().await?;
        Some((pod, cluster))
    })
    .fuse()
}

/// Connects to the orchestrator.
async fn connect<C: Cluster + Sync>(
    cluster: &C,
    orchestrator: &str,
    identity: &Identity,
) -> Result<Client, Lost> {
    let within = ORCHESTRATOR_LISTENS_WITHIN;
    let stream = cluster
        .connect(orchestrator, ORCHESTRATOR_PORT, within)
        .await
        .map_err(|error| Lost::Again(error.into()))?;
    let client = rpc::connect_over(stream, identity).await;
    client.map_err(|error| Lost::Again(error.into()))
}

/// Asks the orchestrator to stop the run.
pub(super) async fn cancel<C: Cluster + Sync>(
    cluster: &C,
    orchestrator: &str,
    identity: &Identity,
) -> anyhow::Result<()> {
    let mut client = connect(cluster, orchestrator, identity).await?;
    let answer = client.cancel(CancelRequest {}).await;
    let answer = answer.map_err(|status| anyhow!("{}", rpc::words(&status)))?;
    rpc::same_version(answer.metadata())?;
    Ok(())
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
    use crate::cluster::Error;
    use crate::render::Manifest;

    /// A cluster in which a pod has ended; it takes some steps to find that out.
    struct Slow;

    impl Cluster for Slow {
        type Stream = tokio::io::DuplexStream;

        async fn apply(&self, _: &[Manifest]) -> Result<(), Error> {
            Ok(())
        }

        async fn connect(&self, pod: &str, _: u16, _: Duration) -> Result<Self::Stream, Error> {
            let pod = pod.to_owned();
            Err(Error::NoSuchPod { pod })
        }

        async fn ended(&self) -> Option<PodEnded> {
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            Some(PodEnded {
                pod: "w1".to_owned(),
                exit: Exit::Code(1),
                last_lines: Vec::new(),
                next: Next::Replaced,
            })
        }

        async fn logs(&self, _: &str) -> Result<String, Error> {
            Ok(String::new())
        }

        fn description(&self) -> serde_json::Value {
            serde_json::Value::Null
        }

        async fn down(self) -> Result<(), Error> {
            Ok(())
        }
    }

    /// A cluster whose orchestrator cannot be reached, and does not end either.
    struct Silent;

    impl Cluster for Silent {
        type Stream = tokio::io::DuplexStream;

        async fn apply(&self, _: &[Manifest]) -> Result<(), Error> {
            Ok(())
        }

        async fn connect(&self, _: &str, _: u16, _: Duration) -> Result<Self::Stream, Error> {
            std::future::pending().await
        }

        async fn ended(&self) -> Option<PodEnded> {
            std::future::pending().await
        }

        async fn logs(&self, _: &str) -> Result<String, Error> {
            Ok(String::new())
        }

        fn description(&self) -> serde_json::Value {
            serde_json::Value::Null
        }

        async fn down(self) -> Result<(), Error> {
            Ok(())
        }
    }

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

    #[tokio::test(start_paused = true)]
    async fn a_local_run_that_does_not_begin_ends() {
        let identities = rpc::RunIdentities::issue("r1", &[]).unwrap();
        let mut interrupt = Interrupt::listen().unwrap();
        let mut follower = Follower::new(
            "np-r1-orchestrator".to_owned(),
            &identities.client,
            &mut interrupt,
            OnInterrupt::Detach,
            false,
        );
        let begun = Instant::now();
        let Err(Lost::Final(error)) = follower.follow(&Silent, &mut Nothing).await else {
            panic!("it ends with an error");
        };
        assert!(error.to_string().contains("has not begun within 120 s"));
        assert!(begun.elapsed() >= BEGINS_WITHIN);
    }

    #[tokio::test]
    async fn news_of_a_pod_come_through_between_records() {
        let mut pods = pin!(pods_ended(&Slow));
        for _record in 0..100 {
            tokio::select! {
                biased;
                pod = pods.next() => {
                    assert_eq!(pod.unwrap().pod, "w1");
                    return;
                }
                () = tokio::task::yield_now() => {}
            }
        }
        panic!("it never came");
    }
}
