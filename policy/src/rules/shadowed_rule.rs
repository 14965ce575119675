//! E0208: a rule that never decides anything.

use crate::classes::ClassSet;
use crate::context::Context;
use crate::findings::{Findings, Rule};
use sekisho_abi::selection::{Entry, Item, Property};

pub(crate) static RULE: Rule = Rule {
    code: "E0208",
    title: "an earlier rule takes every device of this one",
    text: "The first rule that matches a device decides. Here an earlier rule matches every device that this one \
           could, so this one never counts. Write the special rule before the general one.",
    example: example!("shadowed-rule"),
    repair: &[
        ("[[device]]\nname = \"other-nics\"\nmatch = { class = \"02*\" }\ndriver = \"conceal\"\n\n", ""),
        ("net = \"pass\"\n", "net = \"pass\"\n\n[[device]]\nname = \"other-nics\"\nmatch = { class = \"02*\" }\ndriver = \"conceal\"\n"),
    ],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let rules: Vec<_> = context.rules().filter_map(|(device, entry)| Some((device, entry?))).collect();
    for (place, (device, entry)) in rules.iter().enumerate() {
        let earlier = rules.iter().take(place).find(|(_, earlier)| takes_all_of(earlier, entry));
        if let Some((first, _)) = earlier {
            findings.push(
                RULE.at(device.place(), "this rule never decides")
                    .saying(format!("rule `{}` takes every device of rule `{}`", first.title(), device.title()))
                    .also(first.place(), "this one comes first and decides")
                    .help("write the special rule before the general one, or remove one of the two"),
            );
        }
    }
}

/// Whether each device that matches `later` matches `earlier` too.
fn takes_all_of(earlier: &Entry, later: &Entry) -> bool {
    let counts = earlier.items().iter().any(|item| matches!(item, Item::Number(_)));
    let fewer_items = !counts && earlier.items().iter().all(|item| later.items().contains(item));
    let by_class = earlier.items().iter().all(|item| matches!(item, Item::Property(Property::Class, _)));
    let classes = ClassSet::of_entry(later);
    // A rule that matches no class at all is told so by another rule.
    let within = by_class && !classes.is_empty() && classes.is_within(&ClassSet::of_entry(earlier));
    earlier.items() == later.items() || fewer_items || within
}
