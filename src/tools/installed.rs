//! What one end of a path has of a tool, and whether that is good enough for a sample.

use std::cmp::Ordering;

use crate::schedule::Params;

/// A tool as one end has it, as far as that is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Installed<'a> {
    /// What the tool says of its version; see [`VersionQuery::read`].
    pub version: Option<&'a str>,
    /// Whether `/etc/protocols` names `tcp`, so that getprotobyname(3) finds it.
    pub names_tcp: Option<bool>,
}

/// What an installation is used for.
#[derive(Clone, Copy, Debug)]
pub enum Use<'a> {
    Server,
    /// With these parameters.
    Client(&'a Params),
}

/// How a tool is asked for its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VersionQuery {
    /// The program that is asked, and the option that makes it answer on stdout.
    pub argv: [&'static str; 2],
    /// The text before the version at the beginning of a line; the first that matches counts.
    pub before: &'static [&'static str],
}

impl VersionQuery {
    /// The version that an answer names, cut to a length that no version has; `unknown` when it
    /// names none.
    #[must_use]
    pub fn read(&self, answer: &str) -> String {
        const LONGEST: usize = 64;
        let word = |before: &&str| {
            answer
                .lines()
                .find_map(|line| line.strip_prefix(before)?.split_whitespace().next())
        };
        let version = self.before.iter().find_map(word).unwrap_or("unknown");
        version.chars().take(LONGEST).collect()
    }
}

/// Whether a version is older than another. Only numbers with dots between them are compared: what
/// else a build calls itself says nothing about its age.
#[must_use]
pub fn is_older(version: &str, than: &str) -> bool {
    match (numbers(version), numbers(than)) {
        (Some(version), Some(than)) => {
            let length = version.len().max(than.len());
            let part = |of: &[u32], at| of.get(at).copied().unwrap_or(0);
            let parts = (0..length).map(|at| part(&version, at).cmp(&part(&than, at)));
            parts.fold(Ordering::Equal, Ordering::then) == Ordering::Less
        }
        _ => false,
    }
}

/// The numbers of `3.12` or `2.7.0`.
fn numbers(version: &str) -> Option<Vec<u32>> {
    let parts = version.split('.').map(|part| {
        let is_number = part.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| part.parse().ok()).flatten()
    });
    parts.collect()
}

/// Whether the text of `/etc/protocols` (protocols(5)) has an entry whose name or alias is `tcp`.
#[must_use]
pub fn names_tcp(protocols: &str) -> bool {
    protocols.lines().any(|line| {
        let entry = line.split('#').next().unwrap_or_default();
        let mut words = entry.split_whitespace();
        let name = words.next();
        // The number is between the name and its aliases.
        words.next().is_some() && name.into_iter().chain(words).any(|word| word == "tcp")
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn versions_are_read_from_the_tools_answers() {
        let iperf3 = VersionQuery {
            argv: ["iperf3", "--version"],
            before: &["iperf version ", "iperf "],
        };
        for (answer, version) in [
            ("iperf 3.12 (cJSON 1.7.15)\nLinux vm 6.1.0 x86_64\n", "3.12"),
            ("iperf version 3.0.7 (28 August 2014)\n", "3.0.7"),
            ("iperf 3.19+ (cJSON 1.7.15)", "3.19+"),
            ("wrapped by site tools\niperf 3.16\n", "3.16"),
            ("iperf \n", "unknown"),
            ("", "unknown"),
        ] {
            assert_eq!(iperf3.read(answer), version, "{answer}");
        }
        let long = format!("iperf {}", "9".repeat(10_000));
        assert_eq!(iperf3.read(&long).len(), 64);
    }

    #[test]
    fn only_numbers_are_compared() {
        for (version, than, older) in [
            ("3.9", "3.12", true),
            ("3.0.7", "3.12", true),
            ("3.1", "3.12", true),
            ("3.11.9", "3.12", true),
            ("3.12", "3.12", false),
            ("3.12.0", "3.12", false),
            ("3.12", "3.12.0", false),
            ("3.120", "3.12", false),
            ("4", "3.12", false),
            ("3", "3.12", true),
            // A build from a repository, a fake, nothing at all.
            ("3.9+", "3.12", false),
            ("unknown", "3.12", false),
            ("3.9-mod1", "3.12", false),
            ("", "3.12", false),
            ("3.", "3.12", false),
            ("99999999999.1", "3.12", false),
        ] {
            assert_eq!(is_older(version, than), older, "{version} {than}");
        }
    }

    #[test]
    fn tcp_is_found_by_its_name_or_an_alias() {
        for (protocols, found) in [
            ("ip\t0\tIP\ntcp\t6\tTCP\t\t# transmission control\n", true),
            ("tcp 6", true),
            ("x 6 TCP tcp", true),
            // Names are told apart by case.
            ("x 6 TCP", false),
            ("#tcp 6 TCP", false),
            ("udp 17 UDP # not tcp", false),
            ("tcp", false),
            ("", false),
        ] {
            assert_eq!(names_tcp(protocols), found, "{protocols:?}");
        }
    }

    proptest! {
        #[test]
        fn an_order_is_kept(one in prop::collection::vec(0..50_u32, 1..4), other in prop::collection::vec(0..50_u32, 1..4)) {
            let text = |parts: &[u32]| parts.iter().map(u32::to_string).collect::<Vec<_>>().join(".");
            let (left, right) = (text(&one), text(&other));
            let padded = |parts: &[u32]| {
                let mut parts = parts.to_vec();
                parts.resize(4, 0);
                parts
            };
            prop_assert_eq!(is_older(&left, &right), padded(&one) < padded(&other));
        }

        #[test]
        fn any_text_is_read_without_a_panic(text: String, other: String) {
            let query = VersionQuery { argv: ["a", "b"], before: &["iperf "] };
            let _ = (query.read(&text), is_older(&text, &other), names_tcp(&text));
        }
    }
}
