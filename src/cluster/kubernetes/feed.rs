//! The pods of a run as they change, and what the cluster says about them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use futures::stream::{BoxStream, StreamExt};
use k8s_openapi::api::core::v1::{Event, Pod};
use kube::Api;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, watcher};

use super::access::Access;
use super::failure::{cause, code, failed, status};
use super::startup::Said;
use crate::cluster::Error;

/// A watch of a run's pods, and if need be of the namespace's events. It survives dropped
/// connections and outdated versions (410 Gone): then it lists again and tells the difference.
///
/// Dropping the future of [`Feed::next`] loses nothing.
pub(super) struct Feed {
    api: Api<Pod>,
    selector: String,
    pods: BoxStream<'static, watcher::Result<watcher::Event<Pod>>>,
    events: Option<BoxStream<'static, watcher::Result<watcher::Event<Event>>>>,
    known: BTreeMap<String, Pod>,
    /// The uids of a list that is under way.
    listed: Option<BTreeSet<String>>,
    /// The first list has come to its end.
    begun: bool,
    changes: VecDeque<Change>,
}

/// Something that happened.
#[derive(Debug)]
pub(super) enum Change {
    /// A pod is there or has changed; `first` in the first list.
    Pod {
        pod: Box<Pod>,
        first: bool,
    },
    Gone(Box<Pod>),
    /// The first list is complete.
    Begun,
    /// The cluster says something about an object of this kind and name.
    Said {
        kind: String,
        name: String,
        said: Said,
    },
    /// The API server does not answer; the watch goes on trying.
    Trouble(String),
}

impl Feed {
    pub fn new(access: &Access, namespace: &str, selector: &str) -> Self {
        let api: Api<Pod> = Api::namespaced(access.client.clone(), namespace);
        Self {
            pods: watch_pods(&api, selector),
            api,
            selector: selector.to_owned(),
            events: None,
            known: BTreeMap::new(),
            listed: None,
            begun: false,
            changes: VecDeque::new(),
        }
    }

    /// The pods that are there, as far as is known.
    pub fn pods(&self) -> impl Iterator<Item = &Pod> {
        self.known.values()
    }

    /// From now on it also tells what the cluster says about objects in the namespace.
    pub fn with_events(&mut self, access: &Access, namespace: &str) {
        let events: Api<Event> = Api::namespaced(access.client.clone(), namespace);
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
    /// When one may not watch pods.
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
                        self.changes.extend(said(event));
                    }
                    // They are a help where one may see them; nothing depends on them.
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
                self.is_there(pod);
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
                    self.is_gone(&uid, None);
                }
                if !std::mem::replace(&mut self.begun, true) {
                    self.changes.push_back(Change::Begun);
                }
            }
            watcher::Event::Apply(pod) => self.is_there(pod),
            watcher::Event::Delete(pod) => {
                let uid = pod.metadata.uid.clone().unwrap_or_default();
                self.is_gone(&uid, Some(pod));
            }
        }
    }

    fn is_there(&mut self, pod: Pod) {
        let uid = pod.metadata.uid.clone().unwrap_or_default();
        let version = pod.metadata.resource_version.clone();
        let earlier = self.known.insert(uid, pod.clone());
        let is_news = version.is_none()
            || earlier.is_none_or(|earlier| earlier.metadata.resource_version != version);
        if is_news {
            self.changes.push_back(Change::Pod {
                pod: Box::new(pod),
                first: !self.begun,
            });
        }
    }

    fn is_gone(&mut self, uid: &str, last: Option<Pod>) {
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
                | watcher::Error::WatchFailed(error) => failed("watch the pods", &error),
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
        let words = match &error {
            watcher::Error::InitialListFailed(error)
            | watcher::Error::WatchStartFailed(error)
            | watcher::Error::WatchFailed(error) => cause(error),
            // An outdated version; the next thing is a new list.
            watcher::Error::WatchError(status) if status.code == 410 => return Ok(()),
            error => crate::rpc::words(error),
        };
        self.changes.push_back(Change::Trouble(words));
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
    Error::Api {
        what: "watch the pods".to_owned(),
        cause: "the watch has ended".to_owned(),
        help: "try again".to_owned(),
    }
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

fn said(event: Event) -> Option<Change> {
    Some(Change::Said {
        kind: event.involved_object.kind?,
        name: event.involved_object.name?,
        said: Said {
            reason: event.reason.unwrap_or_default(),
            message: event.message.unwrap_or_default(),
            is_warning: event.type_.as_deref() == Some("Warning"),
        },
    })
}
