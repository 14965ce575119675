//! `docs/ata-commands.md` says what is decided.

extern crate std;

use super::packet::READS;
use super::subcommand::{FEATURES, SERIAL_ATA_FEATURES, SMART, TESTS};
use super::table::{Address, Command, Fate, Named, Unit, command};
use super::{Direction, Protocol, log};
use std::fmt::Write as _;
use std::format;
use std::string::String;

const DOCUMENT: &str = include_str!("../../../../../docs/ata-commands.md");
const MARK: &str = "<!-- From here on: UPDATE_GOLDEN=1 cargo test -p sekisho-mediator document -->\n";

#[test]
fn the_document_says_what_becomes_of_every_command() {
    let (introduction, tables) = DOCUMENT.split_once(MARK).unwrap();
    let current = tables_of_this_build();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/ata-commands.md");
        std::fs::write(path, format!("{introduction}{MARK}{current}")).unwrap();
    } else {
        assert!(
            tables == current,
            "docs/ata-commands.md is not of this build:\n{current}"
        );
    }
}

fn tables_of_this_build() -> String {
    let mut text = String::from("\n## Opcodes\n| opcode | command | |\n|---|---|---|\n");
    let mut first = 0;
    for opcode in 0..=u8::MAX {
        let next = opcode.checked_add(1).map(command);
        if next.is_none_or(|next| !are_same(next, command(opcode))) {
            let opcodes = if first == opcode {
                format!("{opcode:02X}h")
            } else {
                format!("{first:02X}h to {opcode:02X}h")
            };
            let Command { name, fate } = command(opcode);
            writeln!(text, "| {opcodes} | {name} | {} |", said(*fate)).unwrap();
            first = opcode.wrapping_add(1);
        }
    }
    list(&mut text, "SET FEATURES that pass", FEATURES);
    list(
        &mut text,
        "SET FEATURES 10h and 90h (on and off) that pass, by COUNT",
        SERIAL_ATA_FEATURES,
    );
    list(&mut text, "SMART that passes", SMART);
    list(
        &mut text,
        "Tests of SMART EXECUTE OFF-LINE IMMEDIATE that pass",
        TESTS,
    );
    list(&mut text, "Logs that may be read", log::READABLE);
    list(&mut text, "Packets that pass with `atapi = \"read\"`", READS);
    text
}

fn are_same(one: &Command, other: &Command) -> bool {
    one.name == other.name && one.fate == other.fate
}

fn list(text: &mut String, title: &str, list: &[Named]) {
    writeln!(text, "\n## {title}\n| code | |\n|---|---|").unwrap();
    for (code, name) in list {
        writeln!(text, "| {code:02X}h | {name} |").unwrap();
    }
}

fn said(fate: Fate) -> String {
    match fate {
        Fate::Content {
            protocol,
            address,
            unit,
        } => content(protocol, address, unit),
        Fate::Refuse(reason) => format!("refused: {reason}"),
        Fate::Pass(_) => "passes".into(),
        Fate::Identify | Fate::IdentifyPacket => "passes; what is refused is hidden in the answer".into(),
        Fate::SetMultiple => "passes; the mediator keeps the number".into(),
        Fate::SetFeatures => "by subcommand, below".into(),
        Fate::Smart => "by subcommand, below; writing logs is refused".into(),
        Fate::ReadLog(_) => "by log, below; what is refused is hidden in the answer".into(),
        Fate::Trim => "TRIM with `discard = true`, its ranges clipped; else refused".into(),
        Fate::Packet => "by `atapi` of the device".into(),
    }
}

fn content(protocol: Protocol, address: Address, unit: Unit) -> String {
    let direction = match protocol.direction() {
        Some(Direction::Read) => "decrypted",
        Some(Direction::Write) => "encrypted",
        None => "none",
    };
    let way = match protocol {
        Protocol::PioIn | Protocol::PioOut => "PIO",
        Protocol::DmaIn | Protocol::DmaOut => "DMA",
        _ => "native queue",
    };
    let bits = match address {
        Address::Lba28 => "28-bit",
        Address::Lba48 | Address::Queued => "48-bit",
    };
    let unit = match unit {
        Unit::Block => "",
        Unit::Multiple => ", several blocks at once",
    };
    format!("{direction}: {way}, {bits}{unit}")
}
