//! Devices that arrive are decided while the guest waits, long after the heap of the hypervisor is spoken for.

#![cfg(test)]

use sekisho_abi::pci::{Address, Identity};
use sekisho_abi::selection::{Matcher, parse};

/// Every item, each of which lets the last entry decide.
const EVERY_ITEM: &str = "\
    slot=ff:1f.7, class=0280, driver=conceal, and, \
    class=????, id=8086:*, subsystem=*:*, revision=??, if=??, class_code=??????, header_type=??, number=?*, \
    driver=conceal, and, \
    device=pro1000, number=1, number=0, driver=pro1000, net=pass, and, \
    driver=ahci, and, driver=none, and, \
    slot=*, driver=conceal";

#[test]
fn a_decision_takes_no_memory() {
    let selection = parse(EVERY_ITEM).unwrap();
    let mut matcher = Matcher::new(&selection);
    let longest = Identity {
        address: Address::from_devfn(0xff, 0xff),
        vendor: 0xffff,
        device: 0xffff,
        revision: 0xff,
        class_code: 0xffff_ffff,
        header_type: 0xff,
        subsystem_vendor: 0xffff,
        subsystem: 0xffff,
    };
    let nic = Identity {
        vendor: 0x8086,
        device: 0x100e,
        class_code: 0x02_0000,
        ..longest
    };
    let mut entries = Vec::with_capacity(2);
    let taken = allocation_counter::measure(|| {
        for device in [&longest, &nic] {
            entries.push(matcher.decide(device).map(|decision| decision.entry));
        }
    });
    assert_eq!(entries, [Some(5), Some(1)]);
    assert_eq!(taken.count_total, 0);
}
