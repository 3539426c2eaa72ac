#!/bin/sh
# One TCP measurement over a virtual IP between two emulated nodes, with nothing of netplan in it:
# what throughput.rs compares with. Prints what CLIENT prints. Run as
#
#   VIRTUAL_IP=10.96.0.12 PORT=5201 SERVER='iperf3 -s -1 -p 5201' \
#   CLIENT='iperf3 -c 10.96.0.12 -p 5201 -t 3 -O 1 -J' \
#   unshare --user --map-root-user --net --mount --pid --fork --kill-child --mount-proc sh by-hand.sh
#
#   pod w3 ──── node n2 ════ node n1 ──── pod w2
#   10.244.2.11   192.168.77.2  .1   10.244.1.12
set -eu
PATH=$PATH:/usr/sbin:/sbin

# `ip netns` keeps its names here.
mount -t tmpfs none /run
mkdir /run/netns

for ns in n1 n2 w2 w3; do
    ip netns add $ns
done
on() { # NAMESPACE COMMAND...
    ns=$1
    shift
    ip netns exec "$ns" "$@"
}

ip link add to2 netns n1 type veth peer name to1 netns n2
ip link add pod2 netns n1 type veth peer name eth0 netns w2
ip link add pod3 netns n2 type veth peer name eth0 netns w3

node() { # NODE ITS-NUMBER OTHER-NUMBER POD-INTERFACE POD-ADDRESS
    ip -n "$1" -batch - <<LINES
link set lo up
address add 192.168.77.$2 peer 192.168.77.$3/32 dev to$3
link set to$3 up
route add 10.244.$3.0/24 via 192.168.77.$3 dev to$3
address add 10.244.$2.1/32 dev $4
link set $4 up
route add $5/32 dev $4
route add 10.96.0.0/16 dev $4
LINES
    on "$1" sysctl -qw net.ipv4.ip_forward=1
    on "$1" nft -f - <<RULES
table ip by-hand {
    set virtual-ips { type ipv4_addr; elements = { $VIRTUAL_IP }; }
    chain to-masquerade { meta mark set meta mark or 0x4000; }
    chain endpoint-w2 { ip saddr 10.244.1.12 jump to-masquerade; meta l4proto { tcp, udp } dnat to 10.244.1.12; }
    chain pick-endpoint { ip saddr != 10.244.0.0/16 jump to-masquerade; numgen random mod 1 vmap { 0 : goto endpoint-w2 }; }
    map service-ports {
        type ipv4_addr . inet_proto . inet_service : verdict;
        elements = { $VIRTUAL_IP . tcp . $PORT : goto pick-endpoint, $VIRTUAL_IP . udp . $PORT : goto pick-endpoint };
    }
    chain masquerading {
        meta mark & 0x4000 == 0 return;
        meta mark set meta mark xor 0x4000;
        masquerade fully-random;
    }
    chain nat-in { type nat hook prerouting priority dstnat; ip daddr . meta l4proto . th dport vmap @service-ports; }
    chain nat-out { type nat hook postrouting priority srcnat; jump masquerading; }
    chain forwarded {
        type filter hook forward priority filter;
        ct state new ip daddr @virtual-ips reject;
        ct state new ip daddr 10.96.0.0/16 drop;
    }
}
RULES
}
node n1 1 2 pod2 10.244.1.12
node n2 2 1 pod3 10.244.2.11

pod() { # NAMESPACE ADDRESS GATEWAY
    ip -n "$1" -batch - <<LINES
link set lo up
address add $2/32 dev eth0
link set eth0 up
route add $3/32 dev eth0
route add default via $3 dev eth0
LINES
}
pod w2 10.244.1.12 10.244.1.1
pod w3 10.244.2.11 10.244.2.1

# Each segment is a packet of its own on every interface, as netplan has it unless told otherwise.
for where in n1:to2 n1:pod2 n2:to1 n2:pod3 w2:eth0 w3:eth0; do
    on ${where%:*} ethtool -K ${where#*:} tso off gso off gro off tx-udp-segmentation off
done

on w2 $SERVER >/dev/null &
tries=0
until on w2 ss -Htln "sport = :$PORT" | grep -q .; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || { echo "the server does not listen" >&2; exit 1; }
    sleep 0.02
done
on w3 $CLIENT
