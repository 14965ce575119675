//! Tokens of a selection string: where one ends, and the patterns it holds.
//!
//! A token is alternatives joined by `|`, up to an unquoted `,` or `=` or the end of the string. Blanks and tabs
//! before a token or an alternative do not count, nor do blanks (not tabs) behind it; within, they do.

use super::error::{ParseError, ParseErrorKind};
use super::parse::MAX_LENGTH;
use super::pattern::{NUL, Part, Pattern, Patterns, plain_part};
use alloc::vec::Vec;
use core::ops::Range;

/// What ended a token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Delimiter {
    End,
    Comma,
    Equals,
}

/// One token.
#[derive(Debug)]
pub(super) struct Token<'a> {
    /// As written, quotes, backslashes and `|` included.
    pub(super) text: &'a str,
    /// The same, compiled.
    pub(super) patterns: Patterns,
    /// Byte range of `text` in the source.
    pub(super) span: Range<usize>,
    pub(super) delimiter: Delimiter,
    /// Where the next token starts, behind the delimiter.
    pub(super) next: usize,
}

/// Refuses a source that is too long or that holds a NUL, before any token of it is read.
pub(super) fn check_source(source: &str) -> Result<(), ParseError> {
    if source.len() > MAX_LENGTH {
        return Err(ParseError::new(ParseErrorKind::TooLong, source, 0..source.len()));
    }
    match source.find(NUL) {
        Some(place) => Err(ParseError::new(ParseErrorKind::Nul, source, place..place + 1)),
        None => Ok(()),
    }
}

/// The token that starts at byte `at`.
pub(super) fn token(source: &str, at: usize) -> Result<Token<'_>, ParseError> {
    let mut alternatives = Vec::new();
    let mut fragment = fragment(source, at)?;
    let start = fragment.span.start;
    let delimiter = loop {
        alternatives.push(fragment.pattern);
        match fragment.end {
            FragmentEnd::Bar => fragment = self::fragment(source, fragment.next)?,
            FragmentEnd::Token(delimiter) => break delimiter,
        }
    };
    let span = start..fragment.span.end;
    Ok(Token {
        text: source.get(span.clone()).unwrap_or_default(),
        patterns: Patterns::from(alternatives),
        span,
        delimiter,
        next: fragment.next,
    })
}

/// `source` as one token, nothing behind it.
pub(super) fn whole(source: &str) -> Result<Token<'_>, ParseError> {
    check_source(source)?;
    let token = token(source, 0)?;
    if token.delimiter == Delimiter::End {
        return Ok(token);
    }
    let delimiter = token.next.saturating_sub(1)..token.next;
    Err(ParseError::new(
        ParseErrorKind::UnquotedDelimiter,
        source,
        delimiter,
    ))
}

/// One alternative.
struct Fragment {
    pattern: Pattern,
    span: Range<usize>,
    end: FragmentEnd,
    next: usize,
}

enum FragmentEnd {
    Bar,
    Token(Delimiter),
}

/// The alternative that starts at byte `at`, and what ended it.
fn fragment(source: &str, at: usize) -> Result<Fragment, ParseError> {
    let rest = source.get(at..).unwrap_or_default();
    let start = source.len() - rest.trim_start_matches([' ', '\t']).len();
    let mut parts = Vec::new();
    let mut end = start;
    let mut blanks = 0_usize;
    let mut open_quote = None;
    let mut characters = source.get(start..).unwrap_or_default().char_indices();
    let (stop, next) = loop {
        let Some((offset, character)) = characters.next() else {
            break (FragmentEnd::Token(Delimiter::End), source.len());
        };
        let position = start + offset;
        if let (None, Some(stop)) = (open_quote, stop_at(character)) {
            break (stop, position + 1);
        }
        let part = match character {
            ' ' => {
                blanks += 1;
                continue;
            }
            '"' => {
                open_quote = if open_quote.is_none() {
                    Some(position)
                } else {
                    None
                };
                None
            }
            '\\' => {
                let escaped = characters.next().ok_or_else(|| {
                    ParseError::new(ParseErrorKind::DanglingBackslash, source, position..position + 1)
                })?;
                Some(Part::Literal(escaped.1))
            }
            other => Some(plain_part(other)),
        };
        // Blanks count once something follows them.
        parts.extend(core::iter::repeat_n(
            Part::Literal(' '),
            core::mem::take(&mut blanks),
        ));
        parts.extend(part);
        end = source.len() - characters.as_str().len();
    };
    if let Some(quote) = open_quote {
        return Err(ParseError::new(
            ParseErrorKind::UnterminatedQuote,
            source,
            quote..source.len(),
        ));
    }
    let pattern = Pattern::new(parts);
    Ok(Fragment {
        pattern,
        span: start..end,
        end: stop,
        next,
    })
}

/// What an unquoted `character` ends.
const fn stop_at(character: char) -> Option<FragmentEnd> {
    match character {
        '|' => Some(FragmentEnd::Bar),
        ',' => Some(FragmentEnd::Token(Delimiter::Comma)),
        '=' => Some(FragmentEnd::Token(Delimiter::Equals)),
        _ => None,
    }
}
