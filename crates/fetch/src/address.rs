//! Which addresses may be connected to: global unicast alone, after IANA's special-purpose address registries
//! (RFC 6890), and what the operator allows.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether a connection to the address is permitted.
pub(crate) fn is_permitted(address: IpAddr, allowed: &[IpNet]) -> bool {
    // ::ffff:a.b.c.d is only another way to write a.b.c.d: the kernel connects by IPv4.
    let address = address.to_canonical();
    allowed.iter().any(|network| network.contains(&address)) || is_global_unicast(address)
}

fn is_global_unicast(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_global_unicast_v4(address),
        IpAddr::V6(address) => match translated(address) {
            Some(address) => is_global_unicast_v4(address),
            None => GLOBAL_V6.contains(&address) && !SPECIAL_V6.iter().any(|network| network.contains(&address)),
        },
    }
}

fn is_global_unicast_v4(address: Ipv4Addr) -> bool {
    !SPECIAL_V4.iter().any(|network| network.contains(&address))
}

/// The IPv4 address that a translator on the way will connect to (RFC 6052 2.1).
fn translated(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [.., a, b, c, d] = address.octets();
    NAT64.contains(&address).then(|| Ipv4Addr::new(a, b, c, d))
}

const SPECIAL_V4: [Ipv4Net; 16] = [
    v4([0, 0, 0, 0], 8),        // this network (RFC 791 3.2)
    v4([10, 0, 0, 0], 8),       // private (RFC 1918)
    v4([100, 64, 0, 0], 10),    // shared, carrier-grade NAT (RFC 6598)
    v4([127, 0, 0, 0], 8),      // loopback (RFC 1122 3.2.1.3)
    v4([168, 63, 129, 16], 32), // no special address by registry, but the host agent of every machine in Azure
    v4([169, 254, 0, 0], 16),   // link-local (RFC 3927), cloud metadata services among them
    v4([172, 16, 0, 0], 12),    // private (RFC 1918)
    v4([192, 0, 0, 0], 24),     // IETF protocol assignments (RFC 6890 2.1)
    v4([192, 0, 2, 0], 24),     // documentation (RFC 5737)
    v4([192, 88, 99, 0], 24),   // 6to4 relays (RFC 7526)
    v4([192, 168, 0, 0], 16),   // private (RFC 1918)
    v4([198, 18, 0, 0], 15),    // benchmarking (RFC 2544)
    v4([198, 51, 100, 0], 24),  // documentation (RFC 5737)
    v4([203, 0, 113, 0], 24),   // documentation (RFC 5737)
    v4([224, 0, 0, 0], 4),      // multicast (RFC 5771)
    v4([240, 0, 0, 0], 4),      // reserved (RFC 1112 4), broadcast among them
];

/// All that is assigned as global unicast (RFC 4291 2.4). Everything else is refused without being named: `::`, `::1`,
/// IPv4-compatible addresses, 64:ff9b:1::/48 (RFC 8215, where an operator decides in which bits the IPv4 address
/// stands), 100::/64, fc00::/7, fe80::/10, fec0::/10, ff00::/8, and what will be assigned one day.
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0, 0, 0], 3);

/// 6to4 and Teredo are refused as a whole rather than by the IPv4 address in them: nobody serves keys there any more.
const SPECIAL_V6: [Ipv6Net; 4] = [
    v6([0x2001, 0, 0, 0], 23), // IETF protocol assignments (RFC 2928): Teredo, benchmarking, ORCHID
    v6([0x2001, 0xdb8, 0, 0], 32), // documentation (RFC 3849)
    v6([0x2002, 0, 0, 0], 16), // 6to4 (RFC 7526)
    v6([0x3fff, 0, 0, 0], 20), // documentation (RFC 9637)
];

/// The well-known prefix of IPv4/IPv6 translation (RFC 6052 2.1): what DNS64 answers in networks without IPv4.
const NAT64: Ipv6Net = v6([0x64, 0xff9b, 0, 0], 96);

const fn v4([a, b, c, d]: [u8; 4], length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6([a, b, c, d]: [u16; 4], length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0), length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn permitted(address: &str, allowed: &[&str]) -> bool {
        let allowed: Vec<IpNet> = allowed.iter().map(|network| network.parse().unwrap()).collect();
        is_permitted(address.parse().unwrap(), &allowed)
    }

    /// The first and the last address of each network that is refused.
    const FORBIDDEN: [[&str; 2]; 37] = [
        ["0.0.0.0", "0.255.255.255"],
        ["10.0.0.0", "10.255.255.255"],
        ["100.64.0.0", "100.127.255.255"],
        ["127.0.0.0", "127.255.255.255"],
        ["168.63.129.16", "168.63.129.16"],
        ["169.254.0.0", "169.254.255.255"],
        ["169.254.169.254", "169.254.170.2"],
        ["172.16.0.0", "172.31.255.255"],
        ["192.0.0.0", "192.0.0.255"],
        ["192.0.2.0", "192.0.2.255"],
        ["192.88.99.0", "192.88.99.255"],
        ["192.168.0.0", "192.168.255.255"],
        ["198.18.0.0", "198.19.255.255"],
        ["198.51.100.0", "198.51.100.255"],
        ["203.0.113.0", "203.0.113.255"],
        ["224.0.0.0", "239.255.255.255"],
        ["240.0.0.0", "255.255.255.255"],
        ["::", "::1"],
        ["::7f00:1", "::8.8.8.8"],
        ["::ffff:0.0.0.0", "::ffff:127.0.0.1"],
        ["::ffff:169.254.169.254", "::ffff:255.255.255.255"],
        ["::ffff:0:8.8.8.8", "::ffff:0:127.0.0.1"],
        ["64:ff9b::127.0.0.1", "64:ff9b::10.1.2.3"],
        ["64:ff9b::169.254.169.254", "64:ff9b::0.0.0.0"],
        ["64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:8.8.8.8"],
        ["100::", "100::ffff:ffff:ffff:ffff"],
        ["1fff:ffff::", "4000::"],
        ["2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"],
        ["2001:0:7f00:1::1", "2001:2::1"],
        ["2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"],
        ["2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
        ["2002:7f00:1::1", "2002:a00:1::1"],
        ["3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"],
        ["fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
        ["fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
        ["fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
        ["ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
    ];

    /// What lies right beside them.
    const PERMITTED: [&str; 30] = [
        "1.0.0.0",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "168.63.129.15",
        "168.63.129.17",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "191.255.255.255",
        "192.0.1.0",
        "192.0.3.0",
        "192.88.98.255",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "198.51.99.255",
        "203.0.112.255",
        "223.255.255.255",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2001:200::",
        "2001:db9::",
        "2003::",
        "2a00:1450:4001:80e::200e",
    ];

    #[test]
    fn only_global_unicast_is_permitted() {
        for address in FORBIDDEN.as_flattened() {
            assert!(!permitted(address, &[]), "{address}");
        }
        for address in PERMITTED {
            assert!(permitted(address, &[]), "{address}");
        }
    }

    #[test]
    fn an_allowed_network_is_permitted_and_nothing_beside_it() {
        let allowed = ["10.1.0.0/16", "fd00:1::/32", "64:ff9b:1::/48"];
        for address in ["10.1.0.0", "10.1.255.255", "::ffff:10.1.2.3", "fd00:1::1", "64:ff9b:1::a01:1"] {
            assert!(permitted(address, &allowed), "{address}");
        }
        for address in ["10.0.255.255", "10.2.0.0", "127.0.0.1", "fd00:2::1", "64:ff9b::10.1.2.3", "::1"] {
            assert!(!permitted(address, &allowed), "{address}");
        }
        assert!(!permitted("::ffff:10.1.2.3", &["::/0"]), "a mapped address is one of IPv4");
    }

    proptest! {
        #[test]
        fn an_ipv4_address_is_judged_alike_in_every_form(bits: u32) {
            let address = Ipv4Addr::from(bits);
            let [a, b, c, d] = address.octets();
            let permitted = is_permitted(address.into(), &[]);
            prop_assert_eq!(is_permitted(address.to_ipv6_mapped().into(), &[]), permitted);
            let low = [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])];
            let translated = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, low[0], low[1]);
            prop_assert_eq!(is_permitted(translated.into(), &[]), permitted);
            for tunnelled in [
                Ipv6Addr::new(0, 0, 0, 0, 0, 0, low[0], low[1]),
                Ipv6Addr::new(0x2002, low[0], low[1], 0, 0, 0, 0, 1),
                Ipv6Addr::new(0x2001, 0, 0x0808, 0x0808, 0, 0, !low[0], !low[1]),
                Ipv6Addr::new(0x2001, 0, low[0], low[1], 0, 0, 0xf7f7, 0xf7f7),
            ] {
                prop_assert!(!is_permitted(tunnelled.into(), &[]), "{}", tunnelled);
            }
        }

        #[test]
        fn every_mapped_form_of_a_forbidden_ipv4_address_is_refused(network in 0..SPECIAL_V4.len(), host: u32) {
            let network = SPECIAL_V4[network];
            let bits = u32::from(network.network()) | (host & u32::from(network.hostmask()));
            let address = Ipv4Addr::from(bits);
            prop_assert!(!is_permitted(address.into(), &[]));
            prop_assert!(!is_permitted(address.to_ipv6_mapped().into(), &[]));
            // The url crate reads each of these as one and the same host.
            let [a, b, c, d] = address.octets();
            for host in [
                format!("{bits}"),
                format!("{bits:#x}"),
                format!("0{bits:o}"),
                format!("{a}.{}", bits & 0xff_ffff),
                format!("{a:#x}.{b:#o}.{}", u16::from_be_bytes([c, d])).replace("0o", "0"),
                format!("[::ffff:{address}]"),
                format!("[0:0:0:0:0:FFFF:{:x}:{:x}]", bits >> 16, bits & 0xffff),
            ] {
                let refused = crate::target::Target::parse(&format!("https://{host}/"), &[]);
                prop_assert_eq!(refused.map(|_| ()), Err(crate::FetchError::ForbiddenAddress), "{}", host);
            }
        }
    }
}
