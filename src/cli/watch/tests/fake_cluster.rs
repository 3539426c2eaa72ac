//! A cluster that does nothing.

use std::time::Duration;

use crate::cluster::{Cluster, Error, PodAddresses, PodEnded};
use crate::render::Manifest;

/// A cluster whose orchestrator cannot be reached.
pub struct FakeCluster {
    /// The pod that ends, which takes some steps to find out. Without one no pod ever ends.
    pub ended: Option<PodEnded>,
}

impl Cluster for FakeCluster {
    type Stream = tokio::io::DuplexStream;

    async fn apply(&self, _: &[Manifest]) -> Result<(), Error> {
        Ok(())
    }

    async fn connect(&self, _: &str, _: u16, _: Duration) -> Result<Self::Stream, Error> {
        std::future::pending().await
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
