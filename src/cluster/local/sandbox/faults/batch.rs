//! Changes of nftables sets as netlink messages (`linux/netfilter/nfnetlink.h`, `nf_tables.h`).
//!
//! By messages and not by `nft`: the kernel makes the change while it takes the message, so that two looks at the clock
//! around the call say when, to some microseconds. To start a program takes milliseconds.

use crate::cluster::local::blueprint::fault::{Direction, Element, TableFamily, Verdict};
use crate::system::netlink::{array_at, attribute_bytes, message_bytes, messages};

const NFNL_MSG_BATCH_BEGIN: u16 = 0x10;
const NFNL_MSG_BATCH_END: u16 = 0x11;
const NFNL_SUBSYS_NFTABLES: u16 = 10;
const NFT_MSG_NEWSETELEM: u16 = 12;
const NFT_MSG_DELSETELEM: u16 = 14;
const NLM_F_REQUEST: u16 = 0x1;
const NLM_F_ACK: u16 = 0x4;
const NLM_F_EXCL: u16 = 0x200;
const NLM_F_CREATE: u16 = 0x400;
const NLMSG_ERROR: u16 = 2;
const NLA_F_NESTED: u16 = 0x8000;
const NFPROTO_INET: u8 = 1;
const NFPROTO_IPV4: u8 = 2;
const NFPROTO_IPV6: u8 = 10;
const NFTA_SET_ELEM_LIST_TABLE: u16 = 1;
const NFTA_SET_ELEM_LIST_SET: u16 = 2;
const NFTA_SET_ELEM_LIST_ELEMENTS: u16 = 3;
const NFTA_LIST_ELEM: u16 = 1;
const NFTA_SET_ELEM_KEY: u16 = 1;
const NFTA_SET_ELEM_DATA: u16 = 2;
const NFTA_DATA_VALUE: u16 = 1;
const NFTA_DATA_VERDICT: u16 = 2;
const NFTA_VERDICT_CODE: u16 = 1;
const NFTA_VERDICT_CHAIN: u16 = 2;
const NF_DROP: i32 = 0;
const NFT_GOTO: i32 = -4;

/// One transaction: all elements change in the same moment, or none does.
pub fn batch(direction: Direction, elements: &[Element]) -> Vec<u8> {
    let bound = |kind| {
        let header = header(0, NFNL_SUBSYS_NFTABLES);
        message_bytes(kind, NLM_F_REQUEST, &header)
    };
    let (kind, flags) = match direction {
        Direction::Add => (
            NFT_MSG_NEWSETELEM,
            NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL,
        ),
        Direction::Remove => (NFT_MSG_DELSETELEM, NLM_F_REQUEST),
    };
    let mut bytes = bound(NFNL_MSG_BATCH_BEGIN);
    for (index, element) in elements.iter().enumerate() {
        // Errors are always answered; one answer is enough to know that there was none.
        let is_last = index + 1 == elements.len();
        let flags = if is_last { flags | NLM_F_ACK } else { flags };
        bytes.extend(message_bytes(
            NFNL_SUBSYS_NFTABLES << 8 | kind,
            flags,
            &payload(direction, element),
        ));
    }
    bytes.extend(bound(NFNL_MSG_BATCH_END));
    bytes
}

/// The errors and acknowledgements in an answer: 0 for an acknowledgement, else the number of an error.
pub fn answers(datagram: &[u8]) -> impl Iterator<Item = i32> {
    messages(datagram)
        .filter(|message| message.kind == NLMSG_ERROR)
        .filter_map(|message| array_at(message.payload, 0))
        .map(|bytes| i32::from_ne_bytes(bytes).saturating_neg())
}

/// `struct nfgenmsg`.
fn header(family: u8, resource: u16) -> [u8; 4] {
    let [high, low] = resource.to_be_bytes();
    [family, 0, high, low]
}

fn payload(direction: Direction, element: &Element) -> Vec<u8> {
    let family = match element.family {
        TableFamily::Both => NFPROTO_INET,
        TableFamily::Ipv4 => NFPROTO_IPV4,
        TableFamily::Ipv6 => NFPROTO_IPV6,
    };
    let value = attribute_bytes(NFTA_DATA_VALUE, &element.key);
    let mut parts = nested(NFTA_SET_ELEM_KEY, &value);
    // To remove an element, its key is enough.
    if let (Direction::Add, Some(verdict)) = (direction, &element.verdict) {
        let (code, chain) = match verdict {
            Verdict::Drop => (NF_DROP, None),
            Verdict::Goto(chain) => (NFT_GOTO, Some(chain)),
        };
        let mut data = attribute_bytes(NFTA_VERDICT_CODE, &code.to_be_bytes());
        if let Some(chain) = chain {
            data.extend(attribute_bytes(NFTA_VERDICT_CHAIN, &text(chain)));
        }
        let verdict = nested(NFTA_DATA_VERDICT, &data);
        parts.extend(nested(NFTA_SET_ELEM_DATA, &verdict));
    }
    let mut bytes = header(family, 0).to_vec();
    bytes.extend(attribute_bytes(
        NFTA_SET_ELEM_LIST_TABLE,
        &text(&element.table),
    ));
    bytes.extend(attribute_bytes(NFTA_SET_ELEM_LIST_SET, &text(&element.set)));
    let elements = nested(NFTA_LIST_ELEM, &parts);
    bytes.extend(nested(NFTA_SET_ELEM_LIST_ELEMENTS, &elements));
    bytes
}

fn nested(kind: u16, attributes: &[u8]) -> Vec<u8> {
    attribute_bytes(kind | NLA_F_NESTED, attributes)
}

/// A text as the kernel has it, with a zero at its end.
fn text(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.push(0);
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::system::netlink::attribute;

    #[test]
    fn an_answer_has_the_number_of_its_error() {
        let answer = |code: i32| {
            let mut payload = code.to_ne_bytes().to_vec();
            payload.extend([0; 16]);
            message_bytes(NLMSG_ERROR, 0, &payload)
        };
        let mut datagram = answer(-17);
        datagram.extend(answer(0));
        assert_eq!(answers(&datagram).collect::<Vec<_>>(), [17, 0]);
        assert_eq!(answers(&message_bytes(3, 0, &[0; 20])).count(), 0);
    }

    proptest! {
        #[test]
        fn each_element_is_a_message_between_begin_and_end(
            keys in prop::collection::vec(prop::collection::vec(any::<u8>(), 4..30), 0..20),
            chain in prop::option::of("[a-z/.-]{1,60}"),
            is_added: bool,
        ) {
            let element = |key: &Vec<u8>| Element {
                family: TableFamily::Ipv6,
                table: "t".to_owned(),
                set: "s".to_owned(),
                key: key.clone(),
                verdict: Some(chain.clone().map_or(Verdict::Drop, Verdict::Goto)),
            };
            let elements: Vec<Element> = keys.iter().map(element).collect();
            let direction = if is_added { Direction::Add } else { Direction::Remove };
            let bytes = batch(direction, &elements);
            let all: Vec<_> = messages(&bytes).collect();
            prop_assert_eq!(all.len(), keys.len() + 2);
            prop_assert_eq!(all[0].kind, NFNL_MSG_BATCH_BEGIN);
            prop_assert_eq!(all[all.len() - 1].kind, NFNL_MSG_BATCH_END);
            for (message, key) in all[1..].iter().zip(&keys) {
                prop_assert_eq!(message.payload[0], NFPROTO_IPV6);
                let list = attribute(&message.payload[4..], NFTA_SET_ELEM_LIST_ELEMENTS | NLA_F_NESTED);
                let parts = attribute(list.unwrap(), NFTA_LIST_ELEM | NLA_F_NESTED).unwrap();
                let value = attribute(parts, NFTA_SET_ELEM_KEY | NLA_F_NESTED).unwrap();
                prop_assert_eq!(attribute(value, NFTA_DATA_VALUE).unwrap(), key);
                let data = attribute(parts, NFTA_SET_ELEM_DATA | NLA_F_NESTED);
                prop_assert_eq!(data.is_some(), is_added);
            }
        }
    }
}
