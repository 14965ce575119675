//! E0122: a part of the base is dropped that is not there.

use crate::diagnostic::Diagnostic;
use crate::findings::Rule;
use crate::schema::Dropped;
use crate::source::Located;

pub(crate) static RULE: Rule = Rule {
    code: "E0122",
    title: "the base has no such part to drop",
    text: "`drop` lists what is not taken from the file that `extends` names: a table (`syslog`, `tunnel.hq`), a \
           key (`guest.status`) or a rule by its name (`device.usb`). A part that is not there is a slip, or the \
           base changed and something else is in force than its author believes.",
    example: example!("nothing-dropped"),
    repair: &[("drop = [\"device.usb\"]\n", "")],
    check: None,
};

pub(crate) fn finding(dropped: &Located<Dropped>) -> Diagnostic {
    let path = &dropped.value.0;
    RULE.at(dropped.span, "this is in no file that this one extends")
        .saying(format!("there is no `{path}` to drop"))
        .help("remove it, or name a rule as `device.NAME`, a table as `tunnel.NAME`, a key as `guest.status`")
}
