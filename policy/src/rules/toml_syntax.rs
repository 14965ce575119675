//! E0101: the file is not TOML.

use crate::diagnostic::Diagnostic;
use crate::findings::Rule;
use crate::source::{Source, Span};

pub(crate) static RULE: Rule = Rule {
    code: "E0101",
    title: "this is not TOML",
    text: "The file breaks the syntax of TOML at this place. Strings stand in quotes, lists in brackets, and \
           backslashes are literal only between single quotes. As long as the syntax is broken, what depends \
           on the whole file is not checked.",
    example: example!("toml-syntax"),
    repair: &[("storage = conceal", "storage = \"conceal\"")],
    check: None,
};

/// What the library did not understand, on its line.
pub(crate) struct Slip<'a> {
    source: &'a Source,
    span: Span,
    message: &'a str,
}

impl<'a> Slip<'a> {
    pub(crate) fn new(source: &'a Source, span: Span, message: &'a str) -> Self {
        // What is missing at the end of the file is missing on its last line.
        let file = source.span_at(span.start);
        let last = file.start + source.slice(file).trim_end().len();
        let start = span.start.min(last);
        let end = span.end.clamp(start, last.max(start));
        let span = Span { start, end };
        Self {
            source,
            span,
            message,
        }
    }

    /// Number of its line.
    pub(crate) fn line(&self) -> usize {
        self.source.position(self.span.start).line
    }

    /// Whether something above was opened and never closed, so that the lines from here on are taken for its items.
    pub(crate) fn is_unclosed_above(&self) -> bool {
        let (before, line) = self.text();
        let line = line.trim();
        let begins_line = before.trim().is_empty() && (line.contains('=') || line.starts_with('['));
        begins_line
            && (self.message.contains("missing comma") || self.message.contains("inline table element"))
    }

    /// The line that was never closed, or one of its items.
    pub(crate) fn line_above(&self) -> Option<Span> {
        let text = self.source.text().get(..self.span.start)?.trim_end();
        let start = text.rfind('\n').map_or(0, |newline| newline + 1);
        let indent = text.get(start..)?.len() - text.get(start..)?.trim_start().len();
        let start = start + indent;
        (start < text.len()).then_some(Span {
            start,
            end: text.len(),
        })
    }

    /// The library's message, with what people write instead of what it expects.
    pub(crate) fn finding(&self) -> Diagnostic {
        let found = RULE.at(self.span, self.message);
        match self.line_above().filter(|_| self.is_unclosed_above()) {
            Some(above) => found.also(above, "has no end").help(
                "close what the line above opened by `]` or `}`, or put a `,` behind it if it goes on here",
            ),
            None => found.help(self.help()),
        }
    }

    /// The part of its line before it, and the line.
    fn text(&self) -> (&'a str, &'a str) {
        let text = self.source.text();
        let start = text
            .get(..self.span.start)
            .and_then(|before| before.rfind('\n'))
            .map_or(0, |newline| newline + 1);
        let before = text.get(start..self.span.start).unwrap_or_default();
        let line = text.get(start..).unwrap_or_default();
        (before, line.lines().next().unwrap_or_default())
    }

    fn help(&self) -> String {
        let (before, line) = self.text();
        let (message, trimmed) = (self.message, line.trim());
        let says = |part| message.contains(part);
        if ["<<<<<<<", "=======", ">>>>>>>"]
            .iter()
            .any(|mark| trimmed.starts_with(mark))
        {
            "a merge left this mark: keep one of the two sides, and remove the marks".to_owned()
        } else if trimmed.starts_with("//") || trimmed.starts_with(';') {
            "a comment begins with `#`".to_owned()
        } else if trimmed.contains(CURLY) {
            format!("write straight quotes: `{}`", trimmed.replace(CURLY, "\""))
        } else if says("escape") {
            PATHS.to_owned()
        } else if says("visible characters") && !says("unclosed") && self.is_invisible() {
            "remove the character, which cannot be seen".to_owned()
        } else if let Some((_, closing)) = STRINGS.iter().find(|(kind, _)| says(*kind)) {
            format!("close the string by `{closing}`")
        } else if says("unclosed") {
            header(trimmed)
        } else if says("key with no value") {
            pair(trimmed)
        } else if says("missing comma") {
            "put a `,` between the two".to_owned()
        } else if says("unexpected key or value") {
            "begin a new line here, or put `#` before a comment".to_owned()
        } else if says("cannot extend") {
            "this name has a value above: keep either the value or the table".to_owned()
        } else if says("keys cannot be empty") {
            "write the table's name between the brackets, or remove it with its keys".to_owned()
        } else if VALUES.iter().any(|kind| says(*kind)) {
            value(written(before, line))
        } else if trimmed.starts_with('[') {
            "a table is written `[name]`, a rule `[[device]]`, alone on its line".to_owned()
        } else {
            "a line is `key = value`, `[table]`, `[[table]]` or a `# comment`".to_owned()
        }
    }

    fn is_invisible(&self) -> bool {
        let at = self.source.text().get(self.span.start..);
        at.and_then(|text| text.chars().next())
            .is_some_and(|it| it.is_control() && it != '\n' && it != '\r')
    }
}

/// Quotes of word processors.
const CURLY: [char; 3] = ['\u{201c}', '\u{201d}', '\u{201e}'];

const PATHS: &str = "write paths between single quotes, where a backslash is only a backslash: '\\EFI\\…'";

/// What the library calls strings, and how they end.
const STRINGS: [(&str, &str); 4] = [
    ("multi-line basic string", "\"\"\""),
    ("multi-line literal string", "'''"),
    ("basic string", "\""),
    ("literal string,", "'"),
];

/// What the library says of values that are not written as TOML.
const VALUES: [&str; 8] = [
    "must be quoted",
    "invalid float",
    "invalid integer",
    "invalid boolean",
    "invalid date",
    "invalid time",
    "leading zero",
    "invalid number",
];

/// A table's header that was not closed, as it would be right.
fn header(line: &str) -> String {
    let name = line.trim_matches(['[', ']', ' ']);
    let name = name.split_whitespace().collect::<Vec<_>>().join(".");
    if line.starts_with("[[") {
        format!("write `[[{name}]]`")
    } else {
        format!("write `[{name}]`")
    }
}

/// A line that is no pair of key and value, as it would be one.
fn pair(line: &str) -> String {
    let key = |text: &str| text.split_whitespace().collect::<Vec<_>>().join("-");
    if let Some((before, value)) = line.split_once('=') {
        return format!("a key is one word: `{} = {}`", key(before), value.trim());
    }
    match (line.split_once(':'), line.split_once(char::is_whitespace)) {
        (Some((name, "")), _) => format!("a table is written `[{name}]`"),
        (Some((name, value)), _) => {
            let (name, value) = (name.trim_matches('"'), value.trim().trim_end_matches(','));
            format!("write `{name} = {value}`")
        }
        (None, Some((name, value))) => format!("write `{name} = {}`", value.trim()),
        (None, None) => format!("write a value: `{line} = …`, or remove the line"),
    }
}

/// The value around a place on a line, as it was written.
fn written<'a>(before: &str, line: &'a str) -> &'a str {
    let start = before.rfind(['=', '[', '{', ',']).map_or(0, |place| place + 1);
    let value = line.get(start..).unwrap_or_default();
    let end = value.find([',', ']', '}', '#']).unwrap_or(value.len());
    value.get(..end).unwrap_or_default().trim()
}

/// A value that is not TOML, as it would be.
fn value(written: &str) -> String {
    let word = written.split_whitespace().next().unwrap_or_default();
    let is_number = !word.is_empty() && word.chars().all(|character| character.is_ascii_digit());
    match written.to_ascii_lowercase().as_str() {
        "" => "write a value behind the `=`, or remove the line".to_owned(),
        lower @ ("true" | "false") => format!("write `{lower}`, in lower case"),
        _ if written.contains('\\') => PATHS.to_owned(),
        _ if is_number && word != written => format!("a number stands alone: `{word}`"),
        _ if is_number => {
            let number = word.trim_start_matches('0');
            format!("write the number as `{number}`, or text in quotes as `\"{word}\"`")
        }
        _ => format!("put it in quotes: `\"{written}\"`"),
    }
}
