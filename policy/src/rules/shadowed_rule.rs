//! E0208: a rule that never decides anything.

use crate::classes::ClassSet;
use crate::context::Context;
use crate::findings::{Findings, Rule};
use sekisho_abi::selection::{Entry, Item, Property};

pub(crate) static RULE: Rule = Rule {
    code: "E0208",
    title: "an earlier rule takes every device of this one",
    text: "The first rule that matches a device decides. Here an earlier rule matches every device that this \
           one could, so this one never counts. Write the special rule before the general one.",
    example: example!("shadowed-rule"),
    repair: &[
        (
            "[[device]]\nname = \"other-nics\"\nmatch = { class = \"02*\" }\ndriver = \"conceal\"\n\n",
            "",
        ),
        (
            "net = \"pass\"\n",
            "net = \"pass\"\n\n\
             [[device]]\nname = \"other-nics\"\nmatch = { class = \"02*\" }\ndriver = \"conceal\"\n",
        ),
    ],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let rules: Vec<_> = context
        .rules()
        .filter_map(|(device, entry)| Some((device, Reach::of(entry?))))
        .collect();
    for (place, (device, reach)) in rules.iter().enumerate() {
        let earlier = rules
            .iter()
            .take(place)
            .find(|(_, earlier)| earlier.covers(reach));
        if let Some((first, _)) = earlier {
            findings.push(
                RULE.at(device.place(), "this rule never decides")
                    .saying(format!(
                        "rule `{}` takes every device of rule `{}`",
                        first.title(),
                        device.title()
                    ))
                    .also(first.place(), "this one comes first and decides")
                    .help("write the special rule before the general one, or remove one of the two"),
            );
        }
    }
}

/// The devices that a rule is about, as far as its entry tells.
struct Reach<'a> {
    entry: &'a Entry,
    classes: ClassSet,
}

impl<'a> Reach<'a> {
    fn of(entry: &'a Entry) -> Self {
        Self {
            entry,
            classes: ClassSet::of_entry(entry),
        }
    }

    /// Whether each device that matches `later` matches this too.
    fn covers(&self, later: &Reach<'_>) -> bool {
        let items = self.entry.items();
        let counts = items.iter().any(|item| matches!(item, Item::Number(_)));
        let fewer_items = !counts && items.iter().all(|item| later.entry.items().contains(item));
        let by_class = items
            .iter()
            .all(|item| matches!(item, Item::Property(Property::Class, _)));
        // A rule that matches no class at all is told so by another rule.
        let within = by_class && !later.classes.is_empty() && later.classes.is_within(&self.classes);
        items == later.entry.items() || fewer_items || within
    }
}
