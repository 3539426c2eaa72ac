//! Both ends must be the same version of netplan.

use tonic::Response;
use tonic::metadata::{AsciiMetadataValue, MetadataMap};

/// This netplan's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Response metadata: the orchestrator's version.
const HEADER: &str = "netplan-version";

/// The orchestrator has another version than this netplan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the run's pods are netplan {}, this is netplan {VERSION}: give the plan an image of this version \
     (`kubernetes: {{ image: … }}`), or use {} for this run",
    .theirs.as_deref().unwrap_or("of another version"),
    .theirs.as_ref().map_or_else(|| "the netplan that is in the image".to_owned(), |theirs| format!("netplan {theirs}"))
)]
pub struct OtherVersion {
    /// `None` when it does not say.
    pub theirs: Option<String>,
}

/// Adds this version to an answer.
#[must_use]
pub fn with_version<T>(mut response: Response<T>) -> Response<T> {
    let version = AsciiMetadataValue::from_static(VERSION);
    response.metadata_mut().insert(HEADER, version);
    response
}

/// Whether an answer comes from the same version as this one.
///
/// # Errors
/// When it does not, or does not say.
pub fn same_version(answer: &MetadataMap) -> Result<(), OtherVersion> {
    let theirs = answer.get(HEADER).and_then(|value| value.to_str().ok());
    if theirs == Some(VERSION) {
        return Ok(());
    }
    Err(OtherVersion {
        theirs: theirs.map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_is_named_with_what_to_do() {
        let ours = with_version(Response::new(()));
        assert_eq!(same_version(ours.metadata()), Ok(()));
        let mut theirs = MetadataMap::new();
        let silent = same_version(&theirs).unwrap_err();
        assert!(silent.to_string().contains("of another version"));
        theirs.insert(HEADER, AsciiMetadataValue::from_static("9.9.9"));
        let other = same_version(&theirs).unwrap_err().to_string();
        assert!(other.contains("netplan 9.9.9, this is netplan"), "{other}");
        assert!(other.contains("use netplan 9.9.9 for"), "{other}");
    }
}
