//! A watch of a run's pods and of the events about them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use futures::stream::{BoxStream, StreamExt};
use k8s_openapi::api::core::v1::{Event, Pod};
use kube::Api;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, watcher};

use super::cluster_event::ClusterEvent;
use crate::cluster::Error;
use crate::cluster::kubernetes::api_error::{api_error, cause, code, status};
use crate::cluster::kubernetes::connection::Connection;

/// A watch of a run's pods, and if need be of the namespace's events. It survives dropped
/// connections and outdated versions (410 Gone): then it lists again and tells the difference.
///
/// Dropping the future of [`PodWatch::next`] loses nothing.
pub struct PodWatch {
    api: Api<Pod>,
    selector: String,
    pods: BoxStream<'static, watcher::Result<watcher::Event<Pod>>>,
    events: Option<BoxStream<'static, watcher::Result<watcher::Event<Event>>>>,
    known: BTreeMap<String, Pod>,
    /// The uids of a list that is under way.
    listed: Option<BTreeSet<String>>,
    /// The first list is complete.
    is_listed: bool,
    changes: VecDeque<Change>,
}

/// Something that happened.
#[derive(Debug)]
pub enum Change {
    /// A pod is there or has changed; `first` in the first list.
    Pod {
        pod: Box<Pod>,
        first: bool,
    },
    Gone(Box<Pod>),
    /// The first list is complete.
    Listed,
    /// The cluster says something about an object of this kind and name.
    Event {
        kind: String,
        name: String,
        event: ClusterEvent,
    },
    /// The API server does not answer; the watch keeps trying.
    Unanswered(String),
}

impl PodWatch {
    pub fn new(connection: &Connection, namespace: &str, selector: &str) -> Self {
        let api: Api<Pod> = Api::namespaced(connection.client.clone(), namespace);
        Self {
            pods: watch_pods(&api, selector),
            api,
            selector: selector.to_owned(),
            events: None,
            known: BTreeMap::new(),
            listed: None,
            is_listed: false,
            changes: VecDeque::new(),
        }
    }

    /// The pods that are there, as far as is known.
    pub fn pods(&self) -> impl Iterator<Item = &Pod> {
        self.known.values()
    }

    /// From now on it also tells what the cluster says about objects in the namespace.
    pub fn with_events(&mut self, connection: &Connection, namespace: &str) {
        let events: Api<Event> = Api::namespaced(connection.client.clone(), namespace);
        let events = watcher(events, watcher::Config::default());
        self.events = Some(events.default_backoff().boxed());
    }

    /// Nothing more is said about pods than their own status.
    pub fn without_events(&mut self) {
        self.events = None;
    }

    /// The next change.
    ///
    /// # Errors
    /// When the permission to watch pods is missing.
    pub async fn next(&mut self) -> Result<Change, Error> {
        loop {
            if let Some(change) = self.changes.pop_front() {
                return Ok(change);
            }
            let events = self.events.as_mut();
            tokio::select! {
                item = self.pods.next() => match item {
                    Some(Ok(event)) => self.take_pod(event),
                    Some(Err(error)) => self.take_error(error)?,
                    None => return Err(watch_ended()),
                },
                item = next_of(events) => match item {
                    Some(Ok(watcher::Event::Apply(event) | watcher::Event::InitApply(event))) => {
                        self.changes.extend(event_change(event));
                    }
                    // They only help; nothing depends on them.
                    Some(Err(error)) if is_refusal(&error) => self.events = None,
                    Some(_) => {}
                    None => self.events = None,
                },
            }
        }
    }

    fn take_pod(&mut self, event: watcher::Event<Pod>) {
        match event {
            watcher::Event::Init => self.listed = Some(BTreeSet::new()),
            watcher::Event::InitApply(pod) => {
                if let (Some(listed), Some(uid)) = (&mut self.listed, &pod.metadata.uid) {
                    listed.insert(uid.clone());
                }
                self.record_pod(pod);
            }
            watcher::Event::InitDone => {
                let listed = self.listed.take().unwrap_or_default();
                let gone: Vec<String> = self
                    .known
                    .keys()
                    .filter(|uid| !listed.contains(*uid))
                    .cloned()
                    .collect();
                for uid in gone {
                    self.record_deletion(&uid, None);
                }
                if !std::mem::replace(&mut self.is_listed, true) {
                    self.changes.push_back(Change::Listed);
                }
            }
            watcher::Event::Apply(pod) => self.record_pod(pod),
            watcher::Event::Delete(pod) => {
                let uid = pod.metadata.uid.clone().unwrap_or_default();
                self.record_deletion(&uid, Some(pod));
            }
        }
    }

    fn record_pod(&mut self, pod: Pod) {
        let uid = pod.metadata.uid.clone().unwrap_or_default();
        let version = pod.metadata.resource_version.clone();
        let earlier = self.known.insert(uid, pod.clone());
        let is_news = version.is_none()
            || earlier.is_none_or(|earlier| earlier.metadata.resource_version != version);
        if is_news {
            self.changes.push_back(Change::Pod {
                pod: Box::new(pod),
                first: !self.is_listed,
            });
        }
    }

    fn record_deletion(&mut self, uid: &str, last: Option<Pod>) {
        let known = self.known.remove(uid);
        if let Some(pod) = last.or(known) {
            self.changes.push_back(Change::Gone(Box::new(pod)));
        }
    }

    fn take_error(&mut self, error: watcher::Error) -> Result<(), Error> {
        if is_refusal(&error) {
            return Err(match error {
                watcher::Error::InitialListFailed(error)
                | watcher::Error::WatchStartFailed(error)
                | watcher::Error::WatchFailed(error) => api_error("watch the pods", &error),
                _ => watch_ended(),
            });
        }
        if let watcher::Error::WatchStartFailed(error) = &error
            && code(error) == Some(410)
        {
            // kube begins anew only when a watch that is open says so.
            self.pods = watch_pods(&self.api, &self.selector);
            return Ok(());
        }
        let why = match &error {
            watcher::Error::InitialListFailed(error)
            | watcher::Error::WatchStartFailed(error)
            | watcher::Error::WatchFailed(error) => cause(error),
            // An outdated version; the next thing is a new list.
            watcher::Error::WatchError(status) if status.code == 410 => return Ok(()),
            error => crate::diag::error_chain(error),
        };
        self.changes.push_back(Change::Unanswered(why));
        Ok(())
    }
}

fn watch_pods(
    api: &Api<Pod>,
    selector: &str,
) -> BoxStream<'static, watcher::Result<watcher::Event<Pod>>> {
    let config = watcher::Config::default().labels(selector);
    watcher(api.clone(), config).default_backoff().boxed()
}

fn watch_ended() -> Error {
    Error::cannot("watch the pods", "the watch has ended", "try again")
}

async fn next_of<T>(stream: Option<&mut BoxStream<'static, T>>) -> Option<T> {
    match stream {
        Some(stream) => stream.next().await,
        None => std::future::pending().await,
    }
}

/// Whether trying again is of no use.
fn is_refusal(error: &watcher::Error) -> bool {
    match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => {
            status(error).is_some_and(|status| matches!(status.code, 401 | 403 | 405))
                || matches!(error, kube::Error::Auth(_))
        }
        watcher::Error::WatchError(status) => matches!(status.code, 401 | 403),
        watcher::Error::NoResourceVersion => true,
    }
}

fn event_change(event: Event) -> Option<Change> {
    Some(Change::Event {
        kind: event.involved_object.kind?,
        name: event.involved_object.name?,
        event: ClusterEvent {
            reason: event.reason.unwrap_or_default(),
            message: event.message.unwrap_or_default(),
            is_warning: event.type_.as_deref() == Some("Warning"),
        },
    })
}
