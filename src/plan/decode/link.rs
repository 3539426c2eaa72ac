//! The decoder of `local.links`.

use super::tree::decoder::{At, Decoder};
use super::tree::fields::Fields;
use crate::diag::Problem;
use crate::plan::describe::key::{Kind, Limits};
use crate::plan::describe::keys::LINK;
use crate::plan::model::local::{DEFAULT_MTU, Link, Local, largest_packet};
use crate::plan::model::queue::Queue;
use crate::plan::model::units::{Bytes, Duration, Quantity};
use crate::plan::text::tree::NodeId;

/// A link, and the place of its queue.
pub struct FoundLink {
    pub link: Link,
    queue: Option<At<Queue>>,
}

/// Reads `local.links`.
pub fn link(decoder: &Decoder<'_>, id: NodeId) -> Option<FoundLink> {
    let fields = decoder.mapping(id, &LINK)?;
    let queue = queue(decoder, &fields);
    let link = Link {
        rate: fields.rate("rate").map(|rate| rate.value),
        delay: fields.duration("delay").map(|delay| delay.value),
        queue: queue.map(|queue| queue.value),
        loss: fields.percent("loss"),
        mtu: fields.small_number("mtu"),
    };
    Some(FoundLink { link, queue })
}

/// A number has bytes, and so has a text with a unit of them; all else is a time.
fn queue(decoder: &Decoder<'_>, fields: &Fields<'_, '_>) -> Option<At<Queue>> {
    let (kinds, id) = fields.either("queue")?;
    let most = |kind: &Kind| match kind {
        Kind::Duration(Limits { most, .. }) | Kind::Bytes(Limits { most, .. }) => Some(*most),
        _ => None,
    };
    let [time, bytes] = kinds else { return None };
    let is_bytes = decoder
        .scalar_text(id)
        .is_some_and(|text| Bytes::parse(text).is_ok());
    let value = if is_bytes {
        let bytes = decoder.bounded(id, Bytes(1), Bytes(most(bytes)?))?;
        Queue::Bytes(bytes)
    } else {
        let longest = std::time::Duration::from_secs(most(time)?);
        Queue::Time(decoder.bounded(id, Duration::default(), Duration(longest))?)
    };
    Some(At {
        value,
        place: decoder.place(id),
    })
}

/// Refuses a queue without a rate, and one that is too short for two packets.
pub fn check_queue(decoder: &Decoder<'_>, found: &FoundLink, local: &Local) {
    let Some(At { value, place }) = found.queue else {
        return;
    };
    let Some(rate) = found.link.rate else {
        let what = "a link without a `rate` has no queue";
        decoder.report(Problem::new(place, what).help("add `rate` to the link, or remove `queue`"));
        return;
    };
    let mtu = found
        .link
        .mtu
        .unwrap_or(DEFAULT_MTU)
        .max(local.pods.mtu.unwrap_or(0));
    let least = 2 * largest_packet(mtu.into(), local.offloads);
    let bytes = value.bytes(rate);
    if bytes < least {
        let what = format!("a queue of {bytes} bytes has no room for two packets");
        let help = format!(
            "the largest packets need {least} bytes: make the queue longer, or the `mtu` smaller"
        );
        decoder.report(Problem::new(place, what).help(help));
    }
}
