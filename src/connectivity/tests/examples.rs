//! Evidence of all kinds.

use std::net::IpAddr;
use std::time::Duration;

use crate::connectivity::evidence::{Answer, Endpoint, Evidence, Name, Segment};

pub(in crate::connectivity) const V4: (&str, &str) = ("10.1.0.5", "10.96.0.7");
pub(in crate::connectivity) const V6: (&str, &str) = ("fd01::5", "fd96::7");

pub(in crate::connectivity) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// `o` answers, `m` answers and loses full segments, `t` times out, `r` refuses, `u` is unreachable, `f`
/// fails; `-` is not tried.
fn answer(sign: char) -> Option<Answer> {
    let connected = |segment| Answer::Connected {
        took: Duration::from_millis(1),
        segment,
    };
    Some(match sign {
        'o' => connected(Segment::Answered(1448)),
        'm' => connected(Segment::Lost(1448)),
        't' => Answer::TimedOut,
        'r' => Answer::Refused,
        'u' => Answer::Unreachable("Network is unreachable".to_owned()),
        'f' => Answer::Failed("Permission denied".to_owned()),
        _ => return None,
    })
}

fn place(name: &str, node: &str, ips: &[&str]) -> Endpoint {
    Endpoint {
        name: name.to_owned(),
        node: node.to_owned(),
        ips: ips.iter().map(|text| ip(text)).collect(),
    }
}

/// The evidence of one family; a name leads to the cluster IP (`o`), to another address (`x`), or to none.
pub(in crate::connectivity) fn evidence(
    (pod_ip, service_ip): (&str, &str),
    pod: char,
    service: char,
    name: char,
) -> Evidence {
    let one = |text: &str, sign| answer(sign).map(|answer| (ip(text), answer));
    let resolved = match name {
        'o' => Ok(one(service_ip, service).into_iter().collect()),
        'x' => Ok(one("10.96.0.99", 't').into_iter().collect()),
        _ => Err("Temporary failure in name resolution".to_owned()),
    };
    Evidence {
        from: place("worker `w2`", "node-2", &[]),
        to: place("the orchestrator", "node-1", &[]),
        pod: one(pod_ip, pod).into_iter().collect(),
        service: one(service_ip, service).into_iter().collect(),
        name: Some(Name {
            host: "np-orchestrator".to_owned(),
            resolved,
        }),
        name_servers: vec!["10.96.0.10".to_owned()],
        is_listening: false,
        is_host: false,
    }
}
