//! What a recorded document of iperf3's client (`-J`) says about its test: the settings, and where it ran.
//!
//! The names are those of iperf3 3.1 to 3.22 (`iperf_api.c`, `iperf_client_api.c`).

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::tools::output::document;

/// A document of iperf3's client without its figures; see [`read_recording`].
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Document {
    start: Start,
    end: End,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Start {
    connected: Vec<Connection>,
    /// Only in a server's document.
    accepted_connection: Option<IgnoredAny>,
    version: String,
    system_info: String,
    timestamp: Time,
    /// Only where `-M` asked for it.
    tcp_mss: Option<u64>,
    sock_bufsize: u64,
    #[serde(rename = "test_start")]
    test: Option<Test>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Connection {
    local_host: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Time {
    timesecs: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Test {
    protocol: String,
    num_streams: u64,
    blksize: u64,
    omit: u64,
    duration: u64,
    target_bitrate: u64,
    reverse: u64,
    bidir: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct End {
    sender_tcp_congestion: Option<String>,
}

/// What a recorded document says about its test. Texts are empty where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    /// `3.16`.
    pub version: String,
    /// The client's `uname -a`.
    pub system: String,
    /// The client's own address.
    pub address: String,
    /// The congestion control of the sender.
    pub congestion: String,
    /// It is a server's document, which does not have the client's figures.
    pub is_server: bool,
    /// When the client connected, in seconds since 1970.
    pub started_s: Option<i64>,
    /// `None` for a test that failed before it began.
    pub settings: Option<Settings>,
}

/// The settings of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: String,
    pub streams: u64,
    /// The MSS that was asked for (`-M`).
    pub mss: Option<u64>,
    /// Bytes of a write, for UDP of a datagram (`-l`, or iperf3's own choice).
    pub block_bytes: u64,
    /// Bits per second of each stream (`-b`); `None` for unlimited.
    pub rate_bps: Option<u64>,
    /// Bytes (`-w`); `None` where none was asked for.
    pub window_bytes: Option<u64>,
    /// Seconds (`-t`); 0 for a test of so many bytes.
    pub duration_s: u64,
    /// Seconds (`-O`).
    pub omit_s: u64,
    /// The server sends (`-R`).
    pub is_reverse: bool,
    /// Both ends send (`--bidir`).
    pub is_bidirectional: bool,
}

/// Reads what a document says about its test, also among other lines; `None` for what is not a document of iperf3.
#[must_use]
pub fn read_recording(bytes: &[u8]) -> Option<Recording> {
    let is_one = |document: &serde_json::Value| document.get("start").is_some();
    let document: Document = serde_json::from_slice(bytes).ok().or_else(|| {
        let found = document::last(&String::from_utf8_lossy(bytes), is_one)?;
        serde_json::from_value(found).ok()
    })?;
    let Document { start, end } = document;
    let version = start.version.strip_prefix("iperf ")?.to_owned();
    let positive = |value: u64| (value > 0).then_some(value);
    let settings = start.test.map(|test| Settings {
        protocol: test.protocol,
        streams: test.num_streams.max(1),
        mss: start.tcp_mss.and_then(positive),
        block_bytes: test.blksize,
        rate_bps: positive(test.target_bitrate),
        window_bytes: positive(start.sock_bufsize),
        duration_s: test.duration,
        omit_s: test.omit,
        is_reverse: test.reverse != 0,
        is_bidirectional: test.bidir != 0,
    });
    let first = start.connected.into_iter().next().unwrap_or_default();
    Some(Recording {
        version,
        system: start.system_info,
        address: first.local_host,
        congestion: end.sender_tcp_congestion.unwrap_or_default(),
        is_server: start.accepted_connection.is_some(),
        started_s: start.timestamp.timesecs,
        settings,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording(name: &str) -> Recording {
        let path = format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"));
        read_recording(&std::fs::read(path).unwrap()).unwrap()
    }

    fn settings(name: &str) -> Settings {
        recording(name).settings.unwrap()
    }

    #[test]
    fn settings_are_read_from_recorded_documents() {
        let plain = recording("iperf3-3.12/tcp-ok-mss1460-omit1.json");
        assert_eq!((&*plain.version, &*plain.congestion), ("3.12", "bbr"));
        assert!(plain.system.starts_with("Linux vm "), "{}", plain.system);
        assert_eq!(plain.address, "10.244.2.13");
        let asked = plain.settings.unwrap();
        assert_eq!(
            (asked.mss, asked.omit_s, asked.duration_s),
            (Some(1460), 1, 2)
        );
        assert_eq!((asked.rate_bps, asked.window_bytes), (None, None));

        let udp = settings("iperf3-3.22/udp-ok-remote-vip.json");
        assert_eq!((&*udp.protocol, udp.block_bytes), ("UDP", 1400));
        assert_eq!(udp.rate_bps, Some(100_000_000));
        assert_eq!(settings("iperf3-3.22/tcp-ok-parallel4.json").streams, 4);
        assert!(settings("iperf3-3.18/tcp-ok-reverse.json").is_reverse);
        assert!(settings("iperf3-3.22/tcp-ok-bidir.json").is_bidirectional);
        assert_eq!(settings("iperf3-3.22/tcp-ok-bytes.json").duration_s, 0);
    }

    #[test]
    fn a_test_that_never_began_has_no_settings() {
        let refused = recording("iperf3-3.22/err-connection-refused-pod.json");
        assert_eq!((&*refused.version, refused.settings), ("3.22", None));
    }

    #[test]
    fn a_servers_document_is_recognised() {
        assert!(recording("iperf3-3.22/server-oneoff.json").is_server);
        assert!(!recording("iperf3-3.22/tcp-ok-against-oneoff.json").is_server);
    }

    #[test]
    fn other_texts_are_not_recordings() {
        for text in [
            "",
            "{}",
            "[]",
            "{\"start\": {}}",
            "{\"end\": {}}",
            "MSS, Maximum,",
        ] {
            assert_eq!(read_recording(text.as_bytes()), None, "{text}");
        }
        // A document that is cut off says nothing.
        assert_eq!(
            read_recording(b"{\"start\": {\"version\": \"iperf 3.16\""),
            None
        );
    }
}
