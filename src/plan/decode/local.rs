//! The decoder of `local:`.

use super::link::{check_queue, link};
use super::tree::decoder::{At, Decoder, value_or_default};
use super::tree::fields::Fields;
use crate::diag::Problem;
use crate::plan::describe::keys::{LOCAL, LOCAL_PODS};
use crate::plan::model::family::Family;
use crate::plan::model::local::{LEAST_IPV6_MTU, Local, LocalPods};
use crate::plan::text::tree::NodeId;

pub fn local(decoder: &Decoder<'_>, id: NodeId) -> Option<Local> {
    let fields = decoder.mapping(id, &LOCAL)?;
    let default = Local::default();
    let links = fields.value("links").and_then(|id| link(decoder, id));
    let pods = fields.value("pods").and_then(|id| pods(decoder, id));
    let local = Local {
        nodes: fields.small_number("nodes").unwrap_or(default.nodes),
        links: links
            .as_ref()
            .map_or_else(Default::default, |found| found.link.clone()),
        offloads: value_or_default(fields.choice("offloads")),
        pods: pods.unwrap_or_default(),
        ip_families: Vec::new(),
    };
    if let Some(found) = &links {
        check_queue(decoder, found, &local);
    }
    let families = ip_families(decoder, &fields, local.least_mtu());
    Some(Local {
        ip_families: families.unwrap_or_default(),
        ..local
    })
}

fn pods(decoder: &Decoder<'_>, id: NodeId) -> Option<LocalPods> {
    let fields = decoder.mapping(id, &LOCAL_PODS)?;
    Some(LocalPods {
        mtu: fields.small_number("mtu"),
        offloads: fields.choice("offloads").map(|at| at.value),
    })
}

fn ip_families(
    decoder: &Decoder<'_>,
    fields: &Fields<'_, '_>,
    mtu: Option<u32>,
) -> Option<Vec<Family>> {
    let mut families: Vec<At<Family>> = Vec::new();
    for id in fields.list("ip_families")? {
        let Some(value) = decoder.value_of::<Family>(*id) else {
            continue;
        };
        let place = decoder.place(*id);
        let name = value.name();
        if let Some(first) = families.iter().find(|at| at.value == value) {
            let problem = Problem::new(place, format!("{name} is listed twice"));
            decoder.report(
                problem
                    .related(first.place, "first here")
                    .help("remove one"),
            );
            continue;
        }
        if let (Family::Ipv6, Some(mtu)) = (value, mtu.filter(|mtu| *mtu < LEAST_IPV6_MTU)) {
            let what = format!("an MTU of {mtu} bytes cannot carry {name}");
            let help = format!("set `mtu` to {LEAST_IPV6_MTU} or more, or remove the family");
            decoder.report(Problem::new(place, what).help(help));
        }
        families.push(At { value, place });
    }
    Some(families.iter().map(|at| at.value).collect())
}
