//! From a place in a string's value to the place in the file that wrote it.
//!
//! Errors of selection strings have a column in the text; the caret belongs under the file's own characters,
//! which differ where the string has escapes.

use crate::source::{Source, Span};
use std::ops::Range;

/// Where the bytes `range` of a string's value are, if the TOML string is at `string`.
pub(crate) fn place_within(source: &Source, string: Span, range: &Range<usize>) -> Span {
    let raw = source.slice(string);
    let (opening, literal) = opening(raw);
    let content = raw.get(opening..).unwrap_or_default();
    let raw_offset = |offset| {
        if literal {
            offset
        } else {
            raw_offset(content, offset)
        }
    };
    let clamp = |offset: usize| (string.start + opening + offset).min(string.end.saturating_sub(1));
    let start = clamp(raw_offset(range.start));
    Span {
        start,
        end: clamp(raw_offset(range.end)).max(start),
    }
}

/// Length of the opening quotes with the line break behind them, and whether escapes mean nothing.
fn opening(raw: &str) -> (usize, bool) {
    for (quotes, literal) in [("\"\"\"", false), ("'''", true)] {
        if let Some(rest) = raw.strip_prefix(quotes) {
            let line_break = if rest.starts_with("\r\n") {
                2
            } else {
                usize::from(rest.starts_with('\n'))
            };
            return (quotes.len() + line_break, literal);
        }
    }
    (1, raw.starts_with('\''))
}

/// Offset in the written content of the character at `offset` of the value.
fn raw_offset(content: &str, offset: usize) -> usize {
    let mut value_offset = 0;
    let mut rest = content.char_indices();
    while let Some((raw, character)) = rest.next() {
        let length = match character {
            '\\' => escape(&mut rest),
            plain => plain.len_utf8(),
        };
        if length > 0 && value_offset >= offset {
            return raw;
        }
        value_offset += length;
    }
    content.len()
}

/// Reads what follows a backslash; returns the bytes it is in the value.
fn escape(rest: &mut std::str::CharIndices<'_>) -> usize {
    let digits = match rest.next() {
        Some((_, 'x')) => 2,
        Some((_, 'u')) => 4,
        Some((_, 'U')) => 8,
        // A line break and the blanks behind it; none of them is in the value.
        Some((_, character)) if character.is_whitespace() => {
            while rest.as_str().starts_with(char::is_whitespace) {
                rest.next();
            }
            return 0;
        }
        _ => return 1,
    };
    let code: String = rest.by_ref().take(digits).map(|(_, digit)| digit).collect();
    u32::from_str_radix(&code, 16)
        .ok()
        .and_then(char::from_u32)
        .map_or(1, char::len_utf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The file's text at the value's bytes `range`, for a file that is one string.
    fn shown(file: &str, range: Range<usize>) -> String {
        let source = Source::new(String::new(), file.into());
        let whole = Span {
            start: 0,
            end: file.len(),
        };
        source.slice(place_within(&source, whole, &range)).to_owned()
    }

    #[test]
    fn a_place_in_a_value_is_found_in_every_kind_of_string() {
        assert_eq!(shown(r#""device=ahci""#, 7..11), "ahci");
        assert_eq!(shown(r"'device=ahci'", 7..11), "ahci");
        assert_eq!(shown("\"\"\"\ndevice=ahci\"\"\"", 7..11), "ahci");
        assert_eq!(shown("'''device=ahci'''", 7..11), "ahci");
    }

    #[test]
    fn escapes_before_the_place_are_counted_as_written() {
        assert_eq!(shown(r#""id=\"a\", bad=1""#, 8..11), "bad");
        assert_eq!(shown(r#""\u0069d=ü, bad=1""#, 7..10), "bad");
        assert_eq!(shown("\"\"\"id=1,\\\n   bad=1\"\"\"", 5..8), "bad");
    }

    #[test]
    fn a_place_behind_the_value_is_its_closing_quote() {
        assert_eq!(shown("'id'", 2..2), "");
        assert_eq!(shown("'id'", 900..901), "");
    }
}
