//! Kubernetes objects that a variant adds to the run, and the connections that its policies forbid.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// A file of objects: a template that yields YAML documents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ObjectFile {
    /// As the plan names it.
    pub file: String,
    /// What the file holds.
    pub text: String,
    /// Other kinds than `NetworkPolicy` are allowed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub trust: bool,
}

/// The most bytes of all files of all variants together: they are a part of the plan, which a `ConfigMap` holds.
pub const MOST_OBJECT_BYTES: usize = 256 << 10;

/// A TCP connection that the policies of a variant forbid. To try it shows whether a cluster enforces them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForbiddenConnection {
    pub variant: String,
    /// The names of the workers.
    pub from: String,
    pub to: String,
    pub port: u16,
}

/// `VARIANT,FROM,TO,PORT`: no name has a comma.
impl fmt::Display for ForbiddenConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            variant,
            from,
            to,
            port,
        } = self;
        write!(f, "{variant},{from},{to},{port}")
    }
}

impl FromStr for ForbiddenConnection {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split(',').collect();
        let port = |text: &str| text.parse().ok().filter(|port| *port > 0);
        match parts[..] {
            [variant, from, to, number] if !parts.contains(&"") => port(number).map(|port| Self {
                variant: variant.to_owned(),
                from: from.to_owned(),
                to: to.to_owned(),
                port,
            }),
            _ => None,
        }
        .ok_or_else(|| "write VARIANT,FROM,TO,PORT".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_read_as_it_is_written() {
        let text = "policy,w2-policy,w1-policy,65535";
        let read: ForbiddenConnection = text.parse().unwrap();
        assert_eq!(read.port, 65535);
        assert_eq!(read.to_string(), text);
        for bad in ["", "a,b,c", "a,b,c,0", "a,,c,1", "a,b,c,1,d", "a,b,c,x"] {
            assert!(bad.parse::<ForbiddenConnection>().is_err(), "{bad}");
        }
    }
}
