//! E0207: a pattern that no device can match.

use crate::context::Context;
use crate::findings::{Findings, Rule};
use crate::schema::Match;
use sekisho_abi::selection::{Item, Part, Pattern, Patterns, Property};

pub(crate) static RULE: Rule = Rule {
    code: "E0207",
    title: "no device can match this",
    text: "Items are compared as text, in lower-case hexadecimal with leading zeros: `8086:100e` matches \
           where `8086:100E` and `0x8086:0x100e` never do. A slot is bus, device and function without the \
           domain that `lspci -D` shows before them.",
    example: example!("never-matches"),
    repair: &[("8086:100E", "8086:100e")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (device, entry) in context.rules() {
        let (Some(matching), Some(entry)) = (&device.matching, entry) else {
            continue;
        };
        for item in entry.items() {
            let Item::Property(property, patterns) = item else {
                continue;
            };
            for pattern in patterns.alternatives() {
                let Some(why) = impossible(*property, pattern) else {
                    continue;
                };
                let span = match &matching.value {
                    Match::Text(_) => matching.span,
                    Match::Table(table) => table
                        .properties()
                        .find(|(named, _)| named == property)
                        .map_or(matching.span, |(_, written)| written.span),
                };
                let name = property.name();
                let mut found = RULE
                    .at(span, why)
                    .saying(format!("no device can match this `{name}`"))
                    .help(format!("`{name}` is {}", form(*property).1));
                if let Some((key, meant)) = meant(*property, &pattern.to_string()) {
                    found = found.help(format!("did you mean `{key} = \"{meant}\"`?"));
                }
                findings.push(found);
            }
        }
    }
}

/// How long the text of a property is, and how it is described.
fn form(property: Property) -> (usize, &'static str) {
    match property {
        Property::Slot => (
            7,
            "bus:device.function, two, two and one hexadecimal digits: `00:1f.2`",
        ),
        Property::Class => (
            4,
            "four hexadecimal digits in lower case: `0106`, or `01*` for all storage",
        ),
        Property::Id => (
            9,
            "vendor:device, four hexadecimal digits in lower case each: `8086:100e`",
        ),
        Property::Subsystem => (
            9,
            "vendor:subsystem, four hexadecimal digits in lower case each: `1af4:1100`",
        ),
        Property::Revision => (2, "two hexadecimal digits in lower case: `03`"),
        Property::ProgrammingInterface => (2, "two hexadecimal digits in lower case: `01`"),
        Property::ClassCode => (6, "six hexadecimal digits in lower case: `010601`"),
        Property::HeaderType => (2, "two hexadecimal digits in lower case: `00`"),
    }
}

/// What was meant by a pattern that is written as other tools write it, and the property that it is of.
fn meant(property: Property, written: &str) -> Option<(&'static str, String)> {
    let plain = written.to_ascii_lowercase().replace("0x", "");
    let (as_class, length) = (property == Property::Class, plain.len());
    let meant = match property {
        Property::Slot => match plain.split(':').collect::<Vec<_>>().as_slice() {
            // As `lspci -D` writes it, and a slot that stands for all its functions.
            [_, bus, device] => format!("{bus}:{device}"),
            [_, _] if !plain.contains('.') => format!("{plain}.*"),
            _ => plain,
        },
        Property::Id | Property::Subsystem if !plain.contains(':') => format!("{plain}:*"),
        Property::Revision | Property::ProgrammingInterface | Property::HeaderType if length == 1 => {
            format!("0{plain}")
        }
        _ => plain.replace('.', "?"),
    };
    let named = if as_class && length == 6 {
        Property::ClassCode
    } else {
        property
    };
    let fits = Patterns::parse(&meant).is_ok_and(|patterns| {
        let mut alternatives = patterns.alternatives().iter();
        alternatives.all(|pattern| impossible(named, pattern).is_none())
    });
    (fits && (named != property || meant != written)).then(|| (named.name(), meant))
}

fn impossible(property: Property, pattern: &Pattern) -> Option<String> {
    let (length, _) = form(property);
    let parts = pattern.parts();
    let separators = match property {
        Property::Slot => ":.",
        Property::Id | Property::Subsystem => ":",
        _ => "",
    };
    for part in parts {
        match part {
            Part::Literal(letter @ 'A'..='F') => return Some(format!("`{letter}` is in upper case")),
            Part::Literal('0'..='9' | 'a'..='f') | Part::AnyCharacter | Part::AnyRun => {}
            Part::Literal(other) if separators.contains(*other) => {}
            Part::Literal(other) => {
                return Some(format!("`{}` is no hexadecimal digit", other.escape_debug()));
            }
        }
    }
    let characters = parts.iter().filter(|part| **part != Part::AnyRun).count();
    let fits = if parts.contains(&Part::AnyRun) {
        characters <= length
    } else {
        characters == length
    };
    (!fits).then(|| format!("this is {characters} characters, {length} are compared"))
}
