//! Which changes are accepted: a file that people commit.
//!
//! ```json
//! {
//!   "version": 1,
//!   "accepted": [
//!     { "run": "7f3a9c", "because": "kernel 6.18 without offloads; ticket 4711" }
//!   ]
//! }
//! ```

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::diag::json;

/// The version of the file.
const VERSION: u32 = 1;

/// From this run on, the level that was found is the right one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    /// The id of the first run at the new level.
    pub run: String,
    pub because: String,
}

/// All accepted changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acceptances {
    version: u32,
    pub accepted: Vec<Acceptance>,
}

/// Why a text has no acceptances.
#[derive(Debug, Error)]
pub enum AcceptanceError {
    #[error(
        "{0}; the file is {{\"version\": 1, \"accepted\": [{{\"run\": ID, \"because\": TEXT}}]}}"
    )]
    Text(#[from] serde_json::Error),
    #[error(
        "it has version {0}, and this netplan reads version {VERSION}; use the netplan that wrote it"
    )]
    Version(u32),
}

impl Default for Acceptances {
    fn default() -> Acceptances {
        Acceptances {
            version: VERSION,
            accepted: Vec::new(),
        }
    }
}

impl Acceptances {
    /// Reads the file's text.
    ///
    /// # Errors
    /// When it is not such a file.
    pub fn from_json(text: &[u8]) -> Result<Acceptances, AcceptanceError> {
        let acceptances: Acceptances = serde_json::from_slice(text)?;
        match acceptances.version {
            VERSION => Ok(acceptances),
            other => Err(AcceptanceError::Version(other)),
        }
    }

    /// Adds one; of a run that is accepted already, the reason changes.
    pub fn add(&mut self, acceptance: Acceptance) {
        let known = self.accepted.iter_mut().find(|it| it.run == acceptance.run);
        match known {
            Some(known) => *known = acceptance,
            None => self.accepted.push(acceptance),
        }
    }

    /// The file's text, with a newline at its end.
    ///
    /// # Errors
    /// Never: there are no maps with other keys than strings.
    pub fn to_json(&self) -> serde_json::Result<String> {
        Ok(json::to_string_pretty(self)? + "\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_what_it_read_and_what_was_added() {
        let mut accepted = Acceptances::default();
        let add = |accepted: &mut Acceptances, because: &str| {
            accepted.add(Acceptance {
                run: "7f3a9c".to_owned(),
                because: because.to_owned(),
            });
        };
        add(&mut accepted, "a");
        add(&mut accepted, "b");
        assert_eq!(accepted.accepted.len(), 1);
        let text = accepted.to_json().unwrap();
        assert_eq!(Acceptances::from_json(text.as_bytes()).unwrap(), accepted);
        let newer = text.replace("\"version\": 1", "\"version\": 2");
        let refused = Acceptances::from_json(newer.as_bytes()).unwrap_err();
        assert!(refused.to_string().contains("version 2"), "{refused}");
        assert!(Acceptances::from_json(b"[]").is_err());
    }
}
