//! Everything that can be wrong with a policy, one rule a file.
//!
//! A rule's file holds its documentation for `sekisho explain`, an example that is also its golden case, how
//! the example is repaired, and the check. Codes are stable: a code that is no longer used is not given
//! again.

/// The rule's golden case.
macro_rules! example {
    ($name:literal) => {
        include_bytes!(concat!("../../tests/golden/", $name, ".toml"))
    };
}

pub(crate) mod address_family;
pub(crate) mod atapi_without_disk;
pub(crate) mod bad_address;
pub(crate) mod bad_endpoint;
pub(crate) mod bad_key;
pub(crate) mod bad_label;
pub(crate) mod bad_mac;
pub(crate) mod bad_name;
pub(crate) mod bad_network;
pub(crate) mod bad_path;
pub(crate) mod bad_selection;
pub(crate) mod bad_uuid;
pub(crate) mod clear_without_disk;
pub(crate) mod conceals_bridge;
pub(crate) mod dhcp_and_static;
pub(crate) mod disk_selector;
pub(crate) mod dns_outside_tunnel;
pub(crate) mod driver_cannot_log;
pub(crate) mod driver_class;
pub(crate) mod driver_not_built;
pub(crate) mod duplicate_device;
pub(crate) mod duplicate_key;
pub(crate) mod empty_list;
pub(crate) mod fleet;
pub(crate) mod gateway_outside;
pub(crate) mod gpt_writable;
pub(crate) mod ip_without_stack;
pub(crate) mod item_twice;
pub(crate) mod lba_covers_table;
pub(crate) mod lba_order;
pub(crate) mod log_version;
pub(crate) mod log_without_syslog;
pub(crate) mod missing_base;
pub(crate) mod missing_key;
pub(crate) mod needs_gateway;
pub(crate) mod net_without_nic;
pub(crate) mod never_matches;
pub(crate) mod nic_key_elsewhere;
pub(crate) mod no_recovery;
pub(crate) mod no_source;
pub(crate) mod not_a_host;
pub(crate) mod not_utf8;
pub(crate) mod nothing_dropped;
pub(crate) mod number_range;
pub(crate) mod peers_overlap;
pub(crate) mod repeated_item;
pub(crate) mod same_address;
pub(crate) mod same_peer;
pub(crate) mod selection_with_driver;
pub(crate) mod service_open;
pub(crate) mod service_unreachable;
pub(crate) mod shadowed_rule;
pub(crate) mod source_differs;
pub(crate) mod stack_without_address;
pub(crate) mod storage_without_volumes;
pub(crate) mod syslog_without_log;
pub(crate) mod toml_syntax;
pub(crate) mod tunnel_without_vpn;
pub(crate) mod unknown_driver;
pub(crate) mod unknown_ip;
pub(crate) mod unknown_key;
pub(crate) mod unknown_tunnel;
pub(crate) mod unknown_version;
pub(crate) mod unknown_via;
pub(crate) mod unknown_volume;
pub(crate) mod unknown_word;
pub(crate) mod unsupported;
pub(crate) mod unused_ip;
pub(crate) mod unused_tunnel;
pub(crate) mod unused_volume;
pub(crate) mod usb_passed;
pub(crate) mod volume_in_clear;
pub(crate) mod volume_place;
pub(crate) mod volume_twice;
pub(crate) mod volumes_overlap;
pub(crate) mod volumes_without_disk;
pub(crate) mod vpn_without_tunnel;
pub(crate) mod weaker;
pub(crate) mod which_disk;
pub(crate) mod wrong_type;

use crate::findings::Rule;

/// Every rule, in the order of codes.
pub(crate) static RULES: &[&Rule] = &[
    &toml_syntax::RULE,
    &duplicate_key::RULE,
    &not_utf8::RULE,
    &unknown_key::RULE,
    &missing_key::RULE,
    &wrong_type::RULE,
    &unknown_word::RULE,
    &number_range::RULE,
    &bad_name::RULE,
    &unknown_version::RULE,
    &empty_list::RULE,
    &bad_address::RULE,
    &bad_mac::RULE,
    &bad_key::RULE,
    &bad_network::RULE,
    &bad_endpoint::RULE,
    &bad_path::RULE,
    &bad_uuid::RULE,
    &bad_label::RULE,
    &repeated_item::RULE,
    &missing_base::RULE,
    &nothing_dropped::RULE,
    &duplicate_device::RULE,
    &unknown_driver::RULE,
    &driver_not_built::RULE,
    &bad_selection::RULE,
    &selection_with_driver::RULE,
    &item_twice::RULE,
    &never_matches::RULE,
    &shadowed_rule::RULE,
    &driver_class::RULE,
    &conceals_bridge::RULE,
    &net_without_nic::RULE,
    &volumes_without_disk::RULE,
    &storage_without_volumes::RULE,
    &nic_key_elsewhere::RULE,
    &usb_passed::RULE,
    &atapi_without_disk::RULE,
    &unknown_volume::RULE,
    &unused_volume::RULE,
    &volume_twice::RULE,
    &volume_place::RULE,
    &lba_order::RULE,
    &volumes_overlap::RULE,
    &volume_in_clear::RULE,
    &which_disk::RULE,
    &disk_selector::RULE,
    &lba_covers_table::RULE,
    &gpt_writable::RULE,
    &clear_without_disk::RULE,
    &vpn_without_tunnel::RULE,
    &tunnel_without_vpn::RULE,
    &unknown_tunnel::RULE,
    &unused_tunnel::RULE,
    &stack_without_address::RULE,
    &unknown_ip::RULE,
    &unused_ip::RULE,
    &same_address::RULE,
    &gateway_outside::RULE,
    &not_a_host::RULE,
    &dhcp_and_static::RULE,
    &peers_overlap::RULE,
    &same_peer::RULE,
    &needs_gateway::RULE,
    &ip_without_stack::RULE,
    &dns_outside_tunnel::RULE,
    &log_without_syslog::RULE,
    &syslog_without_log::RULE,
    &driver_cannot_log::RULE,
    &source_differs::RULE,
    &no_source::RULE,
    &unknown_via::RULE,
    &address_family::RULE,
    &log_version::RULE,
    &service_unreachable::RULE,
    &service_open::RULE,
    &no_recovery::RULE,
    &unsupported::RULE,
];
