//! A cluster that does nothing.

use std::time::Duration;

use crate::cluster::{Cluster, Error, Health, PodAddresses, PodEnded};
use crate::render::Manifest;

/// A cluster whose orchestrator cannot be reached.
#[derive(Default)]
pub struct FakeCluster {
    /// The pod that ends, which takes some steps to find out. Without one no pod ever ends.
    pub ended: Option<PodEnded>,
    /// Connections fail in time; without it they hang.
    pub refuses: bool,
    /// The API server does not answer; without it its health never changes.
    pub is_silent: bool,
}

impl Cluster for FakeCluster {
    type Stream = tokio::io::DuplexStream;

    async fn apply(&self, _: &[Manifest]) -> Result<(), Error> {
        Ok(())
    }

    async fn connect(&self, pod: &str, port: u16, within: Duration) -> Result<Self::Stream, Error> {
        if !self.refuses {
            return std::future::pending().await;
        }
        tokio::time::sleep(within).await;
        Err(Error::Connect {
            pod: pod.to_owned(),
            port,
            why: "no answer".to_owned(),
        })
    }

    async fn ended(&self) -> Option<PodEnded> {
        let Some(ended) = &self.ended else {
            return std::future::pending().await;
        };
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        Some(ended.clone())
    }

    async fn health(&self, last: &Health) -> Health {
        if self.is_silent && *last == Health::Answers {
            return Health::Silent("no answer within 5 s".to_owned());
        }
        std::future::pending().await
    }

    async fn logs(&self, _: &str) -> Result<String, Error> {
        Ok(String::new())
    }

    async fn addresses(&self, _: &str) -> Result<PodAddresses, Error> {
        Ok(PodAddresses::default())
    }

    fn description(&self) -> serde_json::Value {
        serde_json::Value::Null
    }

    async fn down(self) -> Result<(), Error> {
        Ok(())
    }
}
