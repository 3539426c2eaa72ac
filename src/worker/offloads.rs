//! Switches segmentation offloads of a pod's interface off. It takes the capability `NET_ADMIN`.

use std::net::IpAddr;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::host_info::interface_with;
use super::tool_process::process;
use crate::tools::{How, SMALLEST_OUTPUT_BYTES, first_lines};

/// The features as `ethtool -K` calls them. Each is switched by itself: drivers fix some of them.
const FEATURES: [&str; 4] = ["tso", "gso", "gro", "tx-udp-segmentation"];

/// How long the driver may take for a feature; some reset the interface.
const PATIENCE: Duration = Duration::from_secs(10);

/// Switches the offloads of the interface that has this address off. The features that stay on, with the reasons.
///
/// # Errors
/// When there is no such interface, or `ethtool` does not start.
pub async fn switch_offloads_off(pod_ip: IpAddr) -> Result<Vec<String>, String> {
    let interface =
        interface_with(pod_ip).ok_or_else(|| format!("no interface has the address {pod_ip}"))?;
    let mut stayed = Vec::new();
    for feature in FEATURES {
        let argv = ["ethtool", "-K", &interface, feature, "off"].map(str::to_owned);
        let (_never, mut stop) = oneshot::channel();
        let deadline = Instant::now() + PATIENCE;
        let (ended, _) = process::run(&argv, SMALLEST_OUTPUT_BYTES, deadline, &mut stop).await;
        match &ended.how {
            How::Code(0) => {}
            How::NotFound(program) => return Err(format!("`{program}` is not in the image")),
            How::NotStarted(why) => return Err(why.clone()),
            _ => stayed.push(format!(
                "`{}` failed: {}",
                argv.join(" "),
                first_lines(&ended)
            )),
        }
    }
    Ok(stayed)
}
