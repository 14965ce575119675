//! A TOML file as pieces of its own text: lines, and lists within values. Only blanks and commas are left out.
//!
//! Trusts that the text is TOML; what is not is left out rather than misread.

use std::iter::Peekable;
use std::vec::IntoIter;
use toml_parser::Source;
use toml_parser::parser::{Event, EventKind, parse_document};

/// A line, as the file has it; the value of a key may be of several.
pub(super) struct Line<'t> {
    pub(super) content: Content<'t>,
    /// The remark behind it.
    pub(super) remark: Option<&'t str>,
}

/// What stands on a line.
pub(super) enum Content<'t> {
    /// Nothing, but perhaps a remark.
    Nothing,
    /// `[a.b]` or `[[a.b]]`.
    Header(String),
    /// `a.b = …`.
    Pair(String, Value<'t>),
}

/// A value.
pub(super) enum Value<'t> {
    /// As it was written.
    Scalar(&'t str),
    /// In brackets or braces.
    List(List<'t>),
}

/// An array or an inline table.
pub(super) struct List<'t> {
    pub(super) kind: Kind,
    pub(super) layout: Layout,
    pub(super) items: Vec<Item<'t>>,
    /// Remarks behind the last item, each on a line of its own.
    pub(super) rest: Vec<&'t str>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Array,
    Table,
}

/// How the author wrote a list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    OneLine,
    LineEach,
}

/// One item of a list.
pub(super) struct Item<'t> {
    /// Remarks above it.
    pub(super) above: Vec<&'t str>,
    /// Its key, in an inline table.
    pub(super) key: Option<String>,
    pub(super) value: Value<'t>,
    /// The remark behind it.
    pub(super) remark: Option<&'t str>,
}

/// The lines of a text.
pub(super) fn parse(text: &str) -> Vec<Line<'_>> {
    let source = Source::new(text);
    let tokens = source.lex().into_vec();
    let mut events = Vec::new();
    parse_document(&tokens, &mut |event| events.push(event), &mut ());
    let reader = Reader {
        source,
        events: events.into_iter().peekable(),
    };
    reader.lines()
}

struct Reader<'t> {
    source: Source<'t>,
    events: Peekable<IntoIter<Event>>,
}

impl<'t> Reader<'t> {
    fn text(&self, event: Event) -> &'t str {
        self.source.get(event).map_or("", |raw| raw.as_str())
    }

    fn lines(mut self) -> Vec<Line<'t>> {
        let mut lines = Vec::new();
        let mut line = Line::empty();
        while let Some(event) = self.events.next() {
            match event.kind() {
                EventKind::StdTableOpen => {
                    let path = self.path(EventKind::StdTableClose);
                    line.content = Content::Header(format!("[{path}]"));
                }
                EventKind::ArrayTableOpen => {
                    let path = self.path(EventKind::ArrayTableClose);
                    line.content = Content::Header(format!("[[{path}]]"));
                }
                EventKind::SimpleKey => {
                    let (key, _) = self.key(event);
                    if let Some(value) = self.value() {
                        line.content = Content::Pair(key, value);
                    }
                }
                EventKind::Comment => line.remark = Some(self.text(event).trim_end()),
                EventKind::Newline => lines.push(std::mem::replace(&mut line, Line::empty())),
                _ => {}
            }
        }
        lines.push(line);
        lines
    }

    /// A header's keys with their dots, up to what ends it.
    fn path(&mut self, end: EventKind) -> String {
        let mut path = String::new();
        while let Some(event) = self.events.next_if(|event| event.kind() != end) {
            if matches!(event.kind(), EventKind::SimpleKey | EventKind::KeySep) {
                path.push_str(self.text(event));
            }
        }
        path
    }

    /// A key whose first part is `first`, up to its value, and the remarks between: in an inline table the parser takes line
    /// breaks there.
    fn key(&mut self, first: Event) -> (String, Vec<&'t str>) {
        use EventKind::{Comment, KeySep, KeyValSep, Newline, SimpleKey, Whitespace};
        let mut key = self.text(first).to_owned();
        let mut remarks = Vec::new();
        let belongs = |event: &Event| {
            matches!(
                event.kind(),
                SimpleKey | KeySep | KeyValSep | Whitespace | Newline | Comment
            )
        };
        while let Some(event) = self.events.next_if(belongs) {
            match event.kind() {
                SimpleKey | KeySep => key.push_str(self.text(event)),
                Comment => remarks.push(self.text(event).trim_end()),
                _ => {}
            }
        }
        (key, remarks)
    }

    fn value(&mut self) -> Option<Value<'t>> {
        let event = self.events.next()?;
        self.value_of(event)
    }

    /// The value that begins with `event`. How deep values nest was bounded when the file was checked.
    fn value_of(&mut self, event: Event) -> Option<Value<'t>> {
        match event.kind() {
            EventKind::Scalar => Some(Value::Scalar(self.text(event))),
            EventKind::ArrayOpen => Some(Value::List(self.list(Kind::Array))),
            EventKind::InlineTableOpen => Some(Value::List(self.list(Kind::Table))),
            _ => None,
        }
    }

    fn list(&mut self, kind: Kind) -> List<'t> {
        let mut list = List {
            kind,
            layout: Layout::OneLine,
            items: Vec::new(),
            rest: Vec::new(),
        };
        // Whether the line has an item that a remark behind it would be about.
        let mut behind_item = false;
        while let Some(event) = self.events.next() {
            match event.kind() {
                EventKind::ArrayClose | EventKind::InlineTableClose => break,
                EventKind::Newline => {
                    list.layout = Layout::LineEach;
                    behind_item = false;
                }
                EventKind::Comment => list.remark(self.text(event).trim_end(), behind_item),
                EventKind::ValueSep => behind_item = !list.items.is_empty(),
                EventKind::SimpleKey => {
                    let (key, remarks) = self.key(event);
                    list.stands_above(remarks);
                    if let Some(value) = self.value() {
                        list.push(Some(key), value);
                    }
                    behind_item = true;
                }
                _ => {
                    if let Some(value) = self.value_of(event) {
                        list.push(None, value);
                        behind_item = true;
                    }
                }
            }
        }
        list
    }
}

impl Line<'_> {
    fn empty() -> Self {
        Self {
            content: Content::Nothing,
            remark: None,
        }
    }

    /// Whether nothing stands on it.
    pub(super) fn is_blank(&self) -> bool {
        matches!(self.content, Content::Nothing) && self.remark.is_none()
    }
}

impl<'t> List<'t> {
    fn push(&mut self, key: Option<String>, value: Value<'t>) {
        self.items.push(Item {
            above: std::mem::take(&mut self.rest),
            key,
            value,
            remark: None,
        });
    }

    /// Remarks that the next item will have above it.
    fn stands_above(&mut self, remarks: Vec<&'t str>) {
        if !remarks.is_empty() {
            self.layout = Layout::LineEach;
            self.rest.extend(remarks);
        }
    }

    fn remark(&mut self, text: &'t str, behind_item: bool) {
        match self.items.last_mut() {
            Some(item) if behind_item && item.remark.is_none() && self.rest.is_empty() => {
                item.remark = Some(text);
            }
            _ => self.rest.push(text),
        }
    }
}
