//! Where each piece of a policy stands.

use super::tree::{Content, Item, Kind, Layout, Line, List, Value};

/// Where remarks behind a line stand, in characters from 0; behind a longer line they stand [`GAP`] off.
const REMARK_COLUMN: usize = 34;

/// Blanks between a long line and its remark.
const GAP: usize = 2;

/// Blanks before an item on its own line.
const INDENT: usize = 4;

/// The text of lines.
pub(super) fn print(lines: &[Line<'_>]) -> String {
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        let before = lines.get(..index).unwrap_or_default();
        if line.is_blank() {
            continue;
        }
        if !text.is_empty() && stands_apart(before, line, lines.get(index..).unwrap_or_default()) {
            text.push('\n');
        }
        print_line(line, &mut text);
        text.push('\n');
    }
    text
}

/// Whether an empty line is above this one: where the author left some, but not below a header, and above the remarks that
/// belong to a header.
fn stands_apart(before: &[Line<'_>], line: &Line<'_>, from_here: &[Line<'_>]) -> bool {
    let written_apart = before.last().is_some_and(Line::is_blank);
    let last = before.iter().rev().find(|line| !line.is_blank());
    let is_below_header = last.is_some_and(|last| matches!(last.content, Content::Header(_)));
    let is_below_remark = last.is_some_and(Line::is_remark) && !written_apart;
    let first_other = from_here.iter().find(|line| !line.is_remark());
    let belongs_to_header = first_other.is_some_and(|line| matches!(line.content, Content::Header(_)));
    if belongs_to_header && (line.is_remark() || matches!(line.content, Content::Header(_))) {
        return !is_below_remark;
    }
    written_apart && !is_below_header
}

impl Line<'_> {
    /// Whether it is a remark and nothing else.
    fn is_remark(&self) -> bool {
        matches!(self.content, Content::Nothing) && self.remark.is_some()
    }
}

fn print_line(line: &Line<'_>, text: &mut String) {
    match &line.content {
        Content::Nothing => {
            text.push_str(line.remark.unwrap_or_default());
            return;
        }
        Content::Header(header) => text.push_str(header),
        Content::Pair(key, value) => {
            text.push_str(key);
            text.push_str(" = ");
            print_value(value, 0, text);
        }
    }
    if let Some(remark) = line.remark {
        let start = text.rfind('\n').map_or(0, |newline| newline + 1);
        let width = text.get(start..).unwrap_or_default().chars().count();
        blanks(REMARK_COLUMN.saturating_sub(width).max(GAP), text);
        text.push_str(remark);
    }
}

fn blanks(count: usize, text: &mut String) {
    text.extend(std::iter::repeat_n(' ', count));
}

fn print_value(value: &Value<'_>, indent: usize, text: &mut String) {
    match value {
        Value::Scalar(scalar) => text.push_str(scalar),
        Value::List(list) => print_list(list, indent, text),
    }
}

fn print_list(list: &List<'_>, indent: usize, text: &mut String) {
    let is_empty = list.items.is_empty() && list.rest.is_empty();
    let (open, close) = match list.kind {
        Kind::Array => ("[", "]"),
        Kind::Table if is_empty || list.layout == Layout::LineEach => ("{", "}"),
        Kind::Table => ("{ ", " }"),
    };
    text.push_str(open);
    if list.layout == Layout::OneLine || is_empty {
        for (index, item) in list.items.iter().enumerate() {
            if index > 0 {
                text.push_str(", ");
            }
            print_item(item, indent, text);
        }
    } else {
        print_lines(list, indent + INDENT, text);
        blanks(indent, text);
    }
    text.push_str(close);
}

/// A line for each item.
fn print_lines(list: &List<'_>, indent: usize, text: &mut String) {
    let remark = |remark: &str, text: &mut String| {
        blanks(indent, text);
        text.push_str(remark);
        text.push('\n');
    };
    text.push('\n');
    for item in &list.items {
        for above in &item.above {
            remark(above, text);
        }
        blanks(indent, text);
        print_item(item, indent, text);
        text.push(',');
        if let Some(behind) = item.remark {
            text.push(' ');
            text.push_str(behind);
        }
        text.push('\n');
    }
    for last in &list.rest {
        remark(last, text);
    }
}

fn print_item(item: &Item<'_>, indent: usize, text: &mut String) {
    if let Some(key) = &item.key {
        text.push_str(key);
        text.push_str(" = ");
    }
    print_value(&item.value, indent, text);
}
