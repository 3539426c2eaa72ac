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

/// A TCP connection between two workers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    pub from: String,
    pub to: String,
    pub port: u16,
}

/// A connection that the policies of a variant forbid, and one that no policy forbids. To try both shows whether a cluster
/// enforces policies: a failure of the first says something only if the second succeeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForbiddenConnection {
    pub variant: String,
    pub forbidden: Connection,
    /// Between the same workers of the base, if possible.
    pub permitted: Connection,
}

/// `VARIANT,FROM,TO,PORT,FROM,TO,PORT`, first the one that is forbidden: no name has a comma.
impl fmt::Display for ForbiddenConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.variant)?;
        for Connection { from, to, port } in [&self.forbidden, &self.permitted] {
            write!(f, ",{from},{to},{port}")?;
        }
        Ok(())
    }
}

impl FromStr for ForbiddenConnection {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split(',').collect();
        let connection = |from: &str, to: &str, port: &str| {
            let port = port.parse().ok().filter(|port| *port > 0)?;
            Some(Connection {
                from: from.to_owned(),
                to: to.to_owned(),
                port,
            })
        };
        let read = match parts[..] {
            [variant, from, to, port, other_from, other_to, other_port] if !parts.contains(&"") => {
                let forbidden = connection(from, to, port);
                forbidden
                    .zip(connection(other_from, other_to, other_port))
                    .map(|(forbidden, permitted)| Self {
                        variant: variant.to_owned(),
                        forbidden,
                        permitted,
                    })
            }
            _ => None,
        };
        read.ok_or_else(|| "write VARIANT,FROM,TO,PORT,FROM,TO,PORT".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_read_as_it_is_written() {
        let text = "policy,w2-policy,w1-policy,65535,w2,w1,65534";
        let read: ForbiddenConnection = text.parse().unwrap();
        assert_eq!((read.forbidden.port, read.permitted.port), (65535, 65534));
        assert_eq!(read.to_string(), text);
        for bad in [
            "",
            "a,b,c,1",
            "a,b,c,1,b,c,0",
            "a,b,c,x,b,c,1",
            "a,,c,1,b,c,1",
            "a,b,c,1,b,c,1,d",
        ] {
            assert!(bad.parse::<ForbiddenConnection>().is_err(), "{bad}");
        }
    }
}
