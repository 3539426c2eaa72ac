//! The faults of the cluster: prepares each once, and knows which are on.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::freeze::{freeze, thaw};
use super::rules::Rules;
use crate::cluster::local::blueprint::fault::{FaultPlan, RuleChange};
use crate::cluster::local::blueprint::network::Step;
use crate::cluster::local::sandbox::netns::{Namespaces, enter, run_step};
use crate::cluster::local::sandbox::pods::kubelet::{Kubelet, Pod};
use crate::cluster::local::sandbox::threads::on_own_thread;
use crate::cluster::{Error, FaultSwitch};

/// All faults that were asked for.
#[derive(Debug, Default)]
pub struct Faults {
    namespaces: OnceLock<Namespaces>,
    prepared: Mutex<Prepared>,
}

#[derive(Debug, Default)]
struct Prepared {
    /// What has been done, by namespace.
    steps: Vec<(String, Step)>,
    faults: Vec<Arc<Fault>>,
}

#[derive(Debug)]
struct Fault {
    plan: FaultPlan,
    work: Work,
    is_on: Mutex<bool>,
}

#[derive(Debug)]
enum Work {
    Rules(Rules),
    Freeze(Arc<Pod>),
}

impl Faults {
    /// Has them happen in these namespaces.
    pub fn set_namespaces(&self, namespaces: Namespaces) {
        // A cluster is set up once.
        let _ = self.namespaces.set(namespaces);
    }

    /// Makes a fault ready, so that to begin it takes a moment.
    pub fn prepare(&self, plan: &FaultPlan, kubelet: &Kubelet) -> Result<(), Error> {
        self.find(plan, kubelet).map(drop)
    }

    /// Begins a fault, or ends it.
    pub fn switch(
        &self,
        plan: &FaultPlan,
        is_on: bool,
        kubelet: &Kubelet,
    ) -> Result<FaultSwitch, Error> {
        let fault = self.find(plan, kubelet)?;
        let mut was_on = lock(&fault.is_on);
        if *was_on == is_on {
            let (what, why) = if is_on {
                ("begin a fault", "it is on already")
            } else {
                ("end a fault", "it is not on")
            };
            return Err(Error::system(what, why));
        }
        let switched = fault.work.switch(is_on)?;
        *was_on = is_on;
        Ok(switched)
    }

    /// Ends all faults that are on; tries all, also after an error.
    pub fn end_all(&self) -> Result<(), Error> {
        let faults = lock(&self.prepared).faults.clone();
        let mut result = Ok(());
        for fault in faults {
            let mut is_on = lock(&fault.is_on);
            if *is_on {
                match fault.work.switch(false) {
                    Ok(_) => *is_on = false,
                    Err(error) => result = result.and(Err(error)),
                }
            }
        }
        result
    }

    /// The prepared fault.
    fn find(&self, plan: &FaultPlan, kubelet: &Kubelet) -> Result<Arc<Fault>, Error> {
        let mut prepared = lock(&self.prepared);
        if let Some(found) = prepared.faults.iter().find(|fault| fault.plan == *plan) {
            return Ok(Arc::clone(found));
        }
        let work = match plan {
            FaultPlan::Rules(change) => Work::Rules(self.rules(change, &mut prepared.steps)?),
            FaultPlan::Freeze(pod) => Work::Freeze(kubelet.pod(pod)?),
        };
        let fault = Arc::new(Fault {
            plan: plan.clone(),
            work,
            is_on: Mutex::default(),
        });
        prepared.faults.push(Arc::clone(&fault));
        Ok(fault)
    }

    fn rules(&self, change: &RuleChange, done: &mut Vec<(String, Step)>) -> Result<Rules, Error> {
        let what = "prepare a fault";
        let namespaces = self
            .namespaces
            .get()
            .ok_or_else(|| Error::system(what, "the network is not there yet"))?;
        for one in &change.prepare {
            if done.contains(one) {
                continue;
            }
            let (name, step) = one;
            let namespace = namespaces
                .get(name)
                .ok_or_else(|| Error::system(what, format!("there is no namespace `{name}`")))?;
            on_own_thread(what, || {
                enter(namespace)?;
                run_step(step, name)
            })?;
            done.push(one.clone());
        }
        Rules::new(change, namespaces)
    }
}

impl Work {
    fn switch(&self, is_on: bool) -> Result<FaultSwitch, Error> {
        match (self, is_on) {
            (Self::Rules(rules), _) => rules.switch(is_on),
            (Self::Freeze(pod), true) => freeze(pod),
            (Self::Freeze(pod), false) => thaw(pod),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
