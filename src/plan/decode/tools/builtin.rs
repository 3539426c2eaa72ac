//! The decoder of iperf3's and netperf's options. Limits are those of the tools and of Linux.

use std::ops::RangeInclusive;

use crate::diag::{Place, Problem, quote};
use crate::plan::decode::decoder::{At, Decoder};
use crate::plan::decode::fields::Fields;
use crate::plan::model::sweep::Sweep;
use crate::plan::model::tools::limits;
use crate::plan::model::tools::tool::{Iperf3, Netperf, NetperfTest, Protocol};
use crate::plan::model::units::{BitRate, Bytes};
use crate::plan::text::tree::NodeId;

/// The payload of a datagram that is not split on a link with an MTU of 1500, and some room.
const DATAGRAM: u64 = 1460;
const MIB: u64 = 1 << 20;

/// A parameter with its number of values.
#[derive(Clone, Copy, Debug)]
pub struct Swept {
    pub place: Place,
    pub values: u64,
}

const IPERF3: [&str; 9] = [
    "protocol",
    "streams",
    "mss",
    "datagram",
    "rate",
    "write_size",
    "window",
    "congestion",
    "zerocopy",
];
const NETPERF: [&str; 6] = [
    "test",
    "mss",
    "datagram",
    "write_size",
    "request",
    "response",
];

/// Options of UDP.
pub const NOT_FOR_TCP: &[&str] = &["datagram"];
/// Options of TCP; and `zerocopy: true`.
pub const NOT_FOR_UDP: &[&str] = &["mss", "write_size", "congestion"];

/// The options that other netperf tests have.
pub fn not_for_netperf(test: NetperfTest) -> &'static [&'static str] {
    match test {
        NetperfTest::TcpStream => &["datagram", "request", "response"],
        NetperfTest::TcpRr | NetperfTest::TcpCrr => &["datagram", "write_size"],
        NetperfTest::UdpStream => &["mss", "write_size", "request", "response"],
        NetperfTest::UdpRr => &["mss", "datagram", "write_size"],
    }
}

/// Whether a key is an option of any tool.
pub fn is_option(key: &str) -> bool {
    IPERF3.contains(&key) || NETPERF.contains(&key)
}

/// Sweeps of one tool.
struct Sweeps<'a, 'd, 't> {
    decoder: &'d Decoder<'t>,
    fields: &'a Fields<'d, 't>,
    swept: &'a mut Vec<Swept>,
}

impl Sweeps<'_, '_, '_> {
    fn note<T: Copy + Into<u64>>(&mut self, id: NodeId, sweep: Sweep<T>) -> Sweep<T> {
        self.swept.push(Swept {
            place: self.decoder.place(id),
            values: sweep.len(),
        });
        sweep
    }

    fn numbers(
        &mut self,
        key: &'static str,
        limits: RangeInclusive<u64>,
        unit: &str,
    ) -> Option<Sweep<u64>> {
        let (least, most) = limits.into_inner();
        let (fields, decoder) = (self.fields, self.decoder);
        fields.optional(key, |id| {
            let read = |id, least, most| decoder.whole(id, least, most, unit);
            let sweep = decoder.sweep(id, least, most, unit, read)?;
            Some(self.note(id, sweep))
        })
    }

    fn bytes(&mut self, key: &'static str, least: u64, most: u64) -> Option<Sweep<Bytes>> {
        let (fields, decoder) = (self.fields, self.decoder);
        fields.optional(key, |id| {
            let read = |id, least, most| decoder.bounded(id, Bytes(least), Bytes(most));
            let sweep = decoder.sweep(id, least, most, "bytes", read)?;
            Some(self.note(id, sweep))
        })
    }

    fn rates(&mut self, key: &'static str) -> Option<Sweep<BitRate>> {
        let (fields, decoder) = (self.fields, self.decoder);
        let (least, most) = (1_000, 1_000_000_000_000);
        fields.optional(key, |id| {
            let read = |id, least, most| decoder.rate_limit(id, BitRate(least), BitRate(most));
            let sweep = decoder.sweep(id, least, most, "bit/s", read)?;
            Some(self.note(id, sweep))
        })
    }
}

/// Notes the options that this kind of test does not have.
fn not_for(
    decoder: &Decoder<'_>,
    fields: &Fields<'_, '_>,
    kind: &str,
    keys: &[&str],
    instead: impl Fn(&str) -> String,
) {
    for key in keys {
        if let Some(place) = fields.key_place(key) {
            let what = format!("`{key}` does nothing for {kind}");
            decoder.report(Problem::new(place, what).help(instead(key)));
        }
    }
}

pub fn iperf3(decoder: &Decoder<'_>, id: NodeId, swept: &mut Vec<Swept>) -> Option<Iperf3> {
    let fields = decoder.fields(
        id,
        "a mapping with options of iperf3, as in `{ protocol: tcp }`",
        true,
    )?;
    let protocol = fields.optional("protocol", |id| {
        decoder.choice(id, &[("tcp", Protocol::Tcp), ("udp", Protocol::Udp)])
    });
    let known = protocol.is_some() || fields.key_place("protocol").is_none();
    let protocol = protocol.unwrap_or_default();
    let mut sweeps = Sweeps {
        decoder,
        fields: &fields,
        swept,
    };
    let streams = sweeps.numbers("streams", limits::STREAMS, "streams");
    let mss = sweeps.numbers("mss", limits::IPERF3_MSS, "bytes");
    let datagram = sweeps.numbers("datagram", limits::IPERF3_DATAGRAM, "bytes");
    let rate = sweeps.rates("rate");
    let write_size = sweeps.bytes("write_size", 1, MIB);
    let window = fields.optional("window", |id| {
        decoder.bounded(id, Bytes(1), Bytes(512 * MIB))
    });
    let congestion = fields.optional("congestion", |id| congestion(decoder, id));
    let zerocopy = fields.optional("zerocopy", |id| decoder.boolean(id));
    fields.done_else(elsewhere);
    match (known, protocol) {
        (true, Protocol::Tcp) => not_for(decoder, &fields, "TCP", NOT_FOR_TCP, |_| {
            "TCP has segments, whose size is `mss`; for datagrams write `protocol: udp`".to_owned()
        }),
        (true, Protocol::Udp) => {
            not_for(decoder, &fields, "UDP", NOT_FOR_UDP, |key| match key {
                "congestion" => "UDP has no congestion control; leave it out".to_owned(),
                _ => "the size of UDP's datagrams is `datagram`".to_owned(),
            });
            if zerocopy == Some(true) {
                not_for(decoder, &fields, "UDP", &["zerocopy"], |_| {
                    "leave it out".to_owned()
                });
            }
        }
        (false, _) => {}
    }
    let datagram = match protocol {
        Protocol::Tcp => datagram,
        Protocol::Udp => datagram.or(Some(Sweep::One(DATAGRAM))),
    };
    Some(Iperf3 {
        protocol,
        streams: streams.unwrap_or(Sweep::One(1)),
        mss,
        datagram,
        rate,
        write_size,
        window,
        congestion,
        zerocopy: zerocopy.unwrap_or_default(),
    })
}

/// The name of a congestion control algorithm, as Linux limits it (`TCP_CA_NAME_MAX`).
fn congestion(decoder: &Decoder<'_>, id: NodeId) -> Option<String> {
    let At { value, place } = decoder.text(id)?;
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if value.is_empty() || value.len() > 15 || !value.chars().all(word) {
        let what = format!("{} names no congestion control", quote(value));
        let help = "`sysctl net.ipv4.tcp_available_congestion_control` lists them, as in `cubic`";
        decoder.report(Problem::new(place, what).help(help));
        return None;
    }
    Some(value.to_owned())
}

pub fn netperf(decoder: &Decoder<'_>, id: NodeId, swept: &mut Vec<Swept>) -> Option<Netperf> {
    let fields = decoder.fields(
        id,
        "a mapping with options of netperf, as in `{ test: TCP_RR }`",
        true,
    )?;
    let test = fields.optional("test", |id| {
        let tests = [
            ("TCP_STREAM", NetperfTest::TcpStream),
            ("TCP_RR", NetperfTest::TcpRr),
            ("TCP_CRR", NetperfTest::TcpCrr),
            ("UDP_STREAM", NetperfTest::UdpStream),
            ("UDP_RR", NetperfTest::UdpRr),
        ];
        decoder.choice(id, &tests)
    });
    let known = test.is_some() || fields.key_place("test").is_none();
    let test = test.unwrap_or_default();
    // A request or response over UDP is one datagram.
    let message = match test {
        NetperfTest::UdpRr => limits::LARGEST_DATAGRAM,
        _ => MIB,
    };
    let mut sweeps = Sweeps {
        decoder,
        fields: &fields,
        swept,
    };
    let mss = sweeps.numbers("mss", limits::NETPERF_MSS, "bytes");
    let datagram = sweeps.numbers("datagram", limits::NETPERF_DATAGRAM, "bytes");
    let write_size = sweeps.bytes("write_size", 1, 16 * MIB);
    let request = sweeps.bytes("request", 1, message);
    let response = sweeps.bytes("response", 1, message);
    fields.done_else(elsewhere);
    let kind = match test {
        NetperfTest::TcpStream => "TCP_STREAM",
        NetperfTest::TcpRr => "TCP_RR",
        NetperfTest::TcpCrr => "TCP_CRR",
        NetperfTest::UdpStream => "UDP_STREAM",
        NetperfTest::UdpRr => "UDP_RR",
    };
    if known {
        not_for(decoder, &fields, kind, not_for_netperf(test), |key| {
            let has = match key {
                "datagram" => "`UDP_STREAM`",
                "write_size" => "`TCP_STREAM`",
                "mss" => "`TCP_STREAM`, `TCP_RR` and `TCP_CRR`",
                _ => "`TCP_RR`, `TCP_CRR` and `UDP_RR`",
            };
            let instead = match (test, key) {
                (NetperfTest::TcpStream, "datagram") => "; the size of TCP's segments is `mss`",
                (NetperfTest::UdpStream, "mss" | "write_size") => {
                    "; the size of UDP's datagrams is `datagram`"
                }
                (
                    NetperfTest::TcpRr | NetperfTest::TcpCrr | NetperfTest::UdpRr,
                    "datagram" | "write_size",
                ) => "; the sizes of its messages are `request` and `response`",
                _ => "",
            };
            format!(
                "{has} {} it{instead}",
                if has.contains("and") { "have" } else { "has" }
            )
        });
    }
    let datagram = match test {
        NetperfTest::UdpStream => datagram.or(Some(Sweep::One(DATAGRAM))),
        _ => datagram,
    };
    Some(Netperf {
        test,
        mss,
        datagram,
        write_size,
        request,
        response,
    })
}

/// Where keys belong that people put among a tool's options.
fn elsewhere(key: &str) -> Option<String> {
    if crate::plan::decode::timing::PartialTiming::KEYS.contains(&key)
        || matches!(key, "paths" | "name" | "label" | "expect" | "find")
    {
        return Some(format!(
            "`{key}` stands beside the tool, not among its options"
        ));
    }
    match key {
        "parallel" | "threads" => Some("parallel streams are `streams`".to_owned()),
        "bandwidth" | "bitrate" => Some("the sending rate is `rate`".to_owned()),
        _ => None,
    }
}
