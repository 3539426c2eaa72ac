//! The addresses of the worker's own Service, by DNS.

use std::net::IpAddr;
use std::pin::pin;
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::time::{Instant, sleep};

use super::pauses::Pauses;
use super::settings::Settings;

/// How long the name of the worker's own Service may take to be known.
const SERVICE_KNOWN_WITHIN: Duration = Duration::from_secs(30);
/// After this long without it, the worker says so.
const SERVICE_EXPECTED_WITHIN: Duration = Duration::from_secs(2);

/// The cluster IPs of the worker's own Service, one of each family. First comes the one of the pod's
/// address family where there is one. The cluster's DNS may hear of the Service later than the pod starts.
///
/// # Errors
/// Why the Service has no usable address.
pub(super) async fn cluster_ips(
    service: &str,
    settings: &Settings,
) -> Result<[Option<IpAddr>; 2], String> {
    let end = Instant::now() + SERVICE_KNOWN_WITHIN;
    let mut patience = pin!(sleep(SERVICE_EXPECTED_WITHIN));
    let mut is_late = false;
    let mut pauses = Pauses::default();
    loop {
        let mut lookup = pin!(lookup_host((service, 0)));
        let found = loop {
            tokio::select! {
                found = &mut lookup => break found,
                () = &mut patience, if !is_late => {
                    is_late = true;
                    (settings.tell)(&format!(
                        "DNS has not told the address of the pod's own Service `{service}` within {} s",
                        SERVICE_EXPECTED_WITHIN.as_secs()
                    ));
                }
            }
        };
        let why = match found {
            Ok(addresses) => {
                let addresses: Vec<IpAddr> = addresses.map(|address| address.ip()).collect();
                let [first, other] = one_of_each_family(&addresses, settings.pod_ip);
                let is_own =
                    |ip: &IpAddr| *ip == settings.pod_ip || Some(*ip) == settings.other_pod_ip;
                match first {
                    // A pod's own short name is the pod: measuring by it would leave the Service out.
                    Some(address) if is_own(&address) => {
                        return Err(format!(
                            "it leads to the pod's own address {address}; \
                             give the name as `<service>.<namespace>.svc`"
                        ));
                    }
                    Some(_) => return Ok([first, other]),
                    None => "the name is known, without an address".to_owned(),
                }
            }
            Err(error) => error.to_string(),
        };
        if Instant::now() >= end {
            return Err(why);
        }
        sleep(pauses.next()).await;
    }
}

/// The first address of the family of `like`, and of the other one. Where there is none of the first, the other
/// takes its place.
fn one_of_each_family(addresses: &[IpAddr], like: IpAddr) -> [Option<IpAddr>; 2] {
    let find = |is_like: bool| {
        let mut addresses = addresses.iter().copied();
        addresses.find(|ip| (ip.is_ipv4() == like.is_ipv4()) == is_like)
    };
    match find(true) {
        Some(first) => [Some(first), find(false)],
        None => [find(false), None],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pods_family_comes_first() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let (v4, v6) = (ip("10.96.0.1"), ip("fd00::1"));
        let ordered = |found: &[IpAddr], like| one_of_each_family(found, like);
        assert_eq!(ordered(&[v6, v4], v4), [Some(v4), Some(v6)]);
        assert_eq!(ordered(&[v4, v6], v6), [Some(v6), Some(v4)]);
        assert_eq!(ordered(&[v6, ip("fd00::2")], v6), [Some(v6), None]);
        assert_eq!(ordered(&[v6], v4), [Some(v6), None]);
        assert_eq!(ordered(&[], v4), [None, None]);
    }
}
