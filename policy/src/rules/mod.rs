//! Everything that can be wrong with a policy, one rule a file.
//!
//! A rule's file holds its documentation for `sekisho explain`, an example that is also its golden case, how the
//! example is repaired, and the check. Codes are stable: a code that is no longer used is not given again.

/// The rule's golden case.
macro_rules! example {
    ($name:literal) => {
        include_bytes!(concat!("../../tests/golden/", $name, ".toml"))
    };
}

/// The modules, and the list of their rules in the order of codes.
macro_rules! rules {
    ($($module:ident),* $(,)?) => {
        $( pub(crate) mod $module; )*

        /// Every rule, in the order of codes.
        pub(crate) static RULES: &[&crate::findings::Rule] = &[$( &$module::RULE ),*];
    };
}

rules! {
    toml_syntax,
    duplicate_key,
    not_utf8,
    unknown_key,
    missing_key,
    wrong_type,
    unknown_word,
    number_range,
    bad_name,
    unknown_version,
    empty_list,
    bad_address,
    bad_mac,
    bad_key,
    bad_network,
    bad_endpoint,
    bad_path,
    bad_uuid,
    bad_label,
    repeated_item,
    duplicate_device,
    unknown_driver,
    driver_not_built,
    bad_selection,
    selection_with_driver,
    item_twice,
    never_matches,
    shadowed_rule,
    driver_class,
    conceals_bridge,
    net_without_nic,
    volumes_without_disk,
    storage_without_volumes,
    nic_key_elsewhere,
    usb_passed,
    unknown_volume,
    unused_volume,
    volume_twice,
    volume_place,
    lba_order,
    volumes_overlap,
    volume_in_clear,
    which_disk,
    disk_selector,
    lba_covers_table,
    gpt_writable,
    clear_without_disk,
    vpn_without_tunnel,
    tunnel_without_vpn,
    unknown_tunnel,
    unused_tunnel,
    stack_without_address,
    unknown_ip,
    unused_ip,
    same_address,
    gateway_outside,
    not_a_host,
    dhcp_and_static,
    peers_overlap,
    same_peer,
    needs_gateway,
    ip_without_stack,
    dns_outside_tunnel,
    log_without_syslog,
    syslog_without_log,
    driver_cannot_log,
    source_differs,
    no_source,
    unknown_via,
    address_family,
    service_unreachable,
    service_open,
    no_recovery,
    unsupported,
}
