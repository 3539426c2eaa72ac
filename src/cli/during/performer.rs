//! Does what `during:` says after each go, and tells the orchestrator when it was done.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::command::Running;
use crate::cli::terminal::printer;
use crate::cluster::{self, Cluster, FaultSwitch};
use crate::plan::{By, Deed, During, Fault, Plan};
use crate::render::RunContext;
use crate::rpc::Client;
use crate::rpc::pb::{Go, MarkRequest, mark_request::Edge};

/// An orchestrator that takes a mark answers at once.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);
/// Calls that measure the round trip; the shortest counts.
const ROUND_TRIPS: usize = 3;
/// Marks that wait to be sent.
const WAITING: usize = 1024;

/// Does what `during:` of a plan's tests says.
#[derive(Debug)]
pub(in crate::cli) struct Performer {
    /// By test.
    entries: HashMap<String, Vec<During>>,
    known: HashSet<u64>,
    /// Goes whose samples run and that marks by hand belong to: id and entry.
    by_hand: Vec<(u64, u32)>,
    /// A press of Enter.
    enter: Arc<Notify>,
    next: mpsc::Receiver<Next>,
    sender: mpsc::Sender<Next>,
    /// The rendered names of the workers' pods.
    pods: HashMap<String, String>,
    /// Those that the orchestrator did not take.
    unsent: VecDeque<Done>,
    round_trip: Duration,
    running: JoinSet<()>,
}

/// What comes next.
#[derive(Clone, Debug)]
pub(in crate::cli) enum Next {
    /// The orchestrator has to be told.
    Done(Done),
    /// A fault begins, and lasts this long.
    Begin(Breach, Duration),
    /// A fault ends.
    End(Breach),
}

/// A fault of a go.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Breach {
    go: u64,
    entry: u32,
    /// Of the pod.
    fault: Fault,
    /// As the plan has it.
    text: String,
}

/// Something that was done.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Done {
    go: u64,
    entry: u32,
    edge: Edge,
    exit_code: Option<i32>,
    text: String,
    when: When,
}

/// When something was done.
#[derive(Clone, Copy, Debug)]
enum When {
    /// By the clock of this process.
    At(Instant),
    /// Between two moments, by the clock of the machine, which the cluster shares.
    Between(FaultSwitch),
}

impl Performer {
    /// Does what the plan of a run says. `enter` is notified of each press of Enter.
    pub fn new(plan: &Plan, run: &RunContext, enter: Arc<Notify>) -> Self {
        let tests = plan.tests.iter().filter(|test| !test.during.is_empty());
        let entries = tests.map(|test| (test.name.clone(), test.during.clone()));
        let pods = plan
            .workers
            .keys()
            .map(|name| (name.clone(), run.worker(name)));
        let (sender, next) = mpsc::channel(WAITING);
        Self {
            entries: entries.collect(),
            known: HashSet::new(),
            by_hand: Vec::new(),
            enter,
            next,
            sender,
            pods: pods.collect(),
            unsent: VecDeque::new(),
            round_trip: Duration::ZERO,
            running: JoinSet::new(),
        }
    }

    /// Does nothing.
    pub fn idle() -> Self {
        let (sender, next) = mpsc::channel(1);
        Self {
            entries: HashMap::new(),
            known: HashSet::new(),
            by_hand: Vec::new(),
            enter: Arc::default(),
            next,
            sender,
            pods: HashMap::new(),
            unsent: VecDeque::new(),
            round_trip: Duration::ZERO,
            running: JoinSet::new(),
        }
    }

    /// Begins to do what follows a go, which was so long ago as it says.
    pub async fn take(&mut self, go: &Go, cluster: &(impl Cluster + Sync), client: &mut Client) {
        if go.is_over {
            self.by_hand.retain(|(open, _)| *open != go.id);
            return;
        }
        let begun = Instant::now();
        let begun = begun
            .checked_sub(Duration::from_micros(go.elapsed_us))
            .unwrap_or(begun);
        let Some(entries) = self.entries.get(&go.test) else {
            return;
        };
        if !self.known.insert(go.id) {
            return;
        }
        for (entry, during) in (0..).zip(entries) {
            match (&during.what, during.at) {
                (Deed::Run(argv), Some(at)) => {
                    let work = Work {
                        go: go.id,
                        entry,
                        sender: self.sender.clone(),
                    };
                    let argv = argv.clone();
                    self.running.spawn(async move {
                        sleep_until(begun + at.0).await;
                        work.run(&argv).await;
                    });
                }
                (Deed::By(By::Hand), _) => {
                    self.by_hand.push((go.id, entry));
                    let test = &go.test;
                    printer::note(&format!("{test}: the samples run; Enter sets a mark"));
                }
                (Deed::Fault(fault), Some(at)) => {
                    let pod = |worker: &str| {
                        let variant = format!("{worker}-{}", go.variant);
                        let pod = self.pods.get(&variant).or_else(|| self.pods.get(worker));
                        pod.cloned().unwrap_or_default()
                    };
                    let breach = Breach {
                        go: go.id,
                        entry,
                        fault: fault.with_worker(pod),
                        text: fault_text(fault),
                    };
                    // An error comes again when it begins.
                    let _ = cluster.prepare_fault(&breach.fault).await;
                    let (sender, lasts) = (self.sender.clone(), during.lasts);
                    self.running.spawn(async move {
                        sleep_until(begun + at.0).await;
                        let lasts = lasts.map_or(Duration::ZERO, |lasts| lasts.0);
                        let _ = sender.send(Next::Begin(breach, lasts)).await;
                    });
                }
                (Deed::Run(_) | Deed::Fault(_), None) => {}
            }
        }
        self.measure(client).await;
    }

    /// Measures the round trip to the orchestrator.
    async fn measure(&mut self, client: &mut Client) {
        let mut shortest = None;
        for _ in 0..ROUND_TRIPS {
            let begun = Instant::now();
            let call = client.mark(MarkRequest::default());
            if let Ok(Ok(_)) = timeout(ANSWERS_WITHIN, call).await {
                let took = begun.elapsed();
                shortest = Some(shortest.map_or(took, |shortest: Duration| shortest.min(took)));
            }
        }
        self.round_trip = shortest.unwrap_or(self.round_trip);
    }

    /// What comes next. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Next {
        if let Some(done) = self.unsent.pop_front() {
            return Next::Done(done);
        }
        loop {
            tokio::select! {
                Some(next) = self.next.recv() => return next,
                () = self.enter.notified() => {
                    if let Some((go, entry)) = self.by_hand.last() {
                        return Next::Done(Done {
                            go: *go,
                            entry: *entry,
                            edge: Edge::Moment(true),
                            exit_code: None,
                            text: "Enter".to_owned(),
                            when: When::At(Instant::now()),
                        });
                    }
                }
            }
        }
    }

    /// Does what comes next.
    ///
    /// # Errors
    /// The orchestrator does not answer.
    pub async fn perform(
        &mut self,
        next: Next,
        cluster: &(impl Cluster + Sync),
        client: &mut Client,
    ) -> anyhow::Result<()> {
        let done = match next {
            Next::Done(done) => done,
            Next::Begin(breach, lasts) => {
                let begun = cluster.begin_fault(&breach.fault).await;
                if begun.is_ok() {
                    let (sender, breach) = (self.sender.clone(), breach.clone());
                    let ends = Instant::now() + lasts;
                    self.running.spawn(async move {
                        sleep_until(ends).await;
                        let _ = sender.send(Next::End(breach)).await;
                    });
                }
                switched(breach, Edge::Begin(true), begun)
            }
            Next::End(breach) => {
                let ended = cluster.end_fault(&breach.fault).await;
                switched(breach, Edge::End(true), ended)
            }
        };
        self.tell(done, client).await
    }

    /// Tells the orchestrator. Without an answer it is told again in the next session.
    ///
    /// # Errors
    /// The orchestrator does not answer.
    async fn tell(&mut self, done: Done, client: &mut Client) -> anyhow::Result<()> {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let request = MarkRequest {
            go: done.go,
            entry: done.entry,
            edge: Some(done.edge),
            exit_code: done.exit_code,
            text: done.text.clone(),
            ..MarkRequest::default()
        };
        let request = match done.when {
            When::At(at) => MarkRequest {
                age_us: micros(at.elapsed()),
                round_trip_us: micros(self.round_trip),
                ..request
            },
            When::Between(FaultSwitch { before, after }) => {
                let half = after.duration_since(before).unsigned_abs() / 2;
                MarkRequest {
                    happened_us: u64::try_from((before + half).as_microsecond()).ok(),
                    // Microseconds are rounded.
                    within_us: micros(half).saturating_add(1),
                    ..request
                }
            }
        };
        match timeout(ANSWERS_WITHIN, client.mark(request)).await {
            Ok(Ok(_)) => Ok(()),
            outcome => {
                self.unsent.push_front(done);
                Err(match outcome {
                    Ok(Err(status)) => {
                        anyhow::anyhow!(
                            "lost the orchestrator: {}",
                            crate::diag::error_chain(&status)
                        )
                    }
                    _ => anyhow::anyhow!("the orchestrator does not take a mark"),
                })
            }
        }
    }
}

/// What came of the beginning or the end of a fault.
fn switched(breach: Breach, edge: Edge, outcome: Result<FaultSwitch, cluster::Error>) -> Done {
    let Breach {
        go, entry, text, ..
    } = breach;
    let done = |when| Done {
        go,
        entry,
        edge,
        exit_code: None,
        text,
        when,
    };
    match outcome {
        Ok(switch) => done(When::Between(switch)),
        Err(error) => {
            let done = done(When::At(Instant::now()));
            Done {
                edge: Edge::Moment(true),
                text: format!("{}: {error}", done.text),
                ..done
            }
        }
    }
}

/// A fault as the plan has it: `cut: [node-1, node-2]`.
fn fault_text(fault: &Fault) -> String {
    let value = serde_json::to_value(fault).unwrap_or_default();
    let value = value.get(fault.key()).map(ToString::to_string);
    let value = value
        .unwrap_or_default()
        .replace('"', "")
        .replace(',', ", ");
    format!("{}: {value}", fault.key())
}

/// A command that is about to run.
struct Work {
    go: u64,
    entry: u32,
    sender: mpsc::Sender<Next>,
}

impl Work {
    async fn run(self, argv: &[String]) {
        let line = argv.join(" ");
        let begun = Instant::now();
        match Running::start(argv) {
            Ok(running) => {
                self.say(Edge::Begin(true), None, line.clone(), begun).await;
                let ended = running.ended().await;
                let text = if ended.why.is_empty() {
                    line
                } else {
                    format!("{line}: {}", ended.why)
                };
                self.say(Edge::End(true), ended.exit_code, text, ended.at)
                    .await;
            }
            Err(why) => self.say(Edge::Moment(true), None, why, begun).await,
        }
    }

    async fn say(&self, edge: Edge, exit_code: Option<i32>, text: String, at: Instant) {
        let done = Done {
            go: self.go,
            entry: self.entry,
            edge,
            exit_code,
            text,
            when: When::At(at),
        };
        // Nobody listens any more when the run is over.
        let _ = self.sender.send(Next::Done(done)).await;
    }
}
