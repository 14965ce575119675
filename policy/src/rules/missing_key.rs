//! E0105: a key that must be said is not.

use crate::diagnostic::Diagnostic;
use crate::findings::Rule;
use crate::read::{Key, Shape};
use crate::source::Span;

pub(crate) static RULE: Rule = Rule {
    code: "E0105",
    title: "a key is missing",
    text: "The table needs this key. What decides over a device or a sector has no default: it must be \
           written, so that a reviewer sees it.",
    example: example!("missing-key"),
    repair: &[(
        "network = \"conceal\"\n",
        "network = \"conceal\"\nother = \"pass\"\n",
    )],
    check: None,
};

pub(crate) fn finding<S: Shape>(span: Span, key: &Key) -> Diagnostic {
    let table = S::quoted();
    let what = key.description.trim().trim_end_matches('.');
    let line = example(key.name, S::TITLE).unwrap_or_else(|| format!("`{}`", key.name));
    RULE.at(span, format!("`{}` is missing here", key.name))
        .saying(format!("{table} needs `{}`", key.name))
        .help(format!("add {line}: {what}"))
}

/// The key as one would write it.
pub(crate) fn example(key: &str, table: &str) -> Option<String> {
    let value = match key {
        "policy" => "1",
        "name" if table == "[[device]]" => "\"system-disk\"",
        "name" => "\"field-laptop\"",
        "address" if table == "[tunnel.NAME]" => "[\"10.66.0.2/32\"]",
        "address" => "\"192.0.2.11/24\"",
        "gateway" => "\"192.0.2.254\"",
        "dns" => "[\"192.0.2.1\"]",
        "defaults" => return Some("a table `[defaults]` with `storage`, `network` and `other`".to_owned()),
        "peer" => return Some("a table `[[tunnel.NAME.peer]]`".to_owned()),
        "volumes" => "[\"system\"]",
        "disk" => "{ serial = \"S3Z8NB0K0001\" }",
        "lba" => "[67584, 165887]",
        "partitions" => "[\"esp\"]",
        "next" => r"'\EFI\debian\grubx64.efi'",
        "storage" | "network" | "other" => "\"conceal\"` or `\"pass\"",
        "match" => "{ class = \"02*\" }",
        "driver" => "\"conceal\"",
        "cipher" => "\"aes-xts-plain64\"",
        "key-size" => "512",
        "sector-size" => "512",
        "private-key" => "\"hq\"",
        "public-key" => "\"…44 characters…\"",
        "endpoint" => "\"203.0.113.7:51820\"",
        "allowed-ips" => "[\"0.0.0.0/0\"]",
        "methods" => "[\"passphrase\", \"recovery\"]",
        "allow" => "[\"192.0.2.0/24\"]",
        "to" => "\"192.0.2.1\"",
        _ => return None,
    };
    Some(format!("`{key} = {value}`"))
}
