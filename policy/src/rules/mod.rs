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
    bad_address,
    bad_mac,
    bad_key,
    bad_network,
    bad_endpoint,
    bad_path,
    bad_uuid,
    bad_label,
    unknown_driver,
    driver_not_built,
    bad_selection,
    selection_with_driver,
    item_twice,
}
