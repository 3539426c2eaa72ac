//! The address families of this machine.

use std::path::Path;

use crate::plan::{Family, Local};

/// Whether the kernel has IPv6. It can be left out, or switched off with `ipv6.disable=1`.
pub fn has_ipv6() -> bool {
    Path::new("/proc/sys/net/ipv6").exists()
}

/// The settings, with IPv4 alone where they name no family and the kernel has only that.
pub fn with_families(settings: &Local) -> Local {
    let mut settings = settings.clone();
    if settings.ip_families.is_empty() && !has_ipv6() {
        settings.ip_families = vec![Family::Ipv4];
    }
    settings
}
