//! `sekisho fmt`: the blanks of a policy put in order; nothing but blanks, and commas at the end of lists, changes.
//!
//! The TOML is taken apart by `toml_parser`, which is under `toml` too, so text in quotes and comments are never mistaken for
//! anything else: [`tree`] holds the pieces as they were written, [`print`] says where they stand. What does not parse is
//! refused, so the pieces are well-formed.

mod print;
mod tree;

use crate::check::check;
use crate::diagnostic::Diagnostic;
use crate::rules::{duplicate_key, not_utf8, toml_syntax};
use crate::source::Source;

/// The policy's own file in the form that all policies have: one blank around `=`, one line between tables, remarks behind a
/// line in one column.
///
/// # Errors
/// What is wrong with its syntax; what else is wrong with the policy is no hindrance.
pub fn format(source: &Source) -> Result<String, Vec<Diagnostic>> {
    let mut broken = check(source).diagnostics;
    let syntax = [
        toml_syntax::RULE.code,
        duplicate_key::RULE.code,
        not_utf8::RULE.code,
    ];
    broken.retain(|found| syntax.contains(&found.code));
    if !broken.is_empty() {
        return Err(broken);
    }
    let own = source.slice(source.span_at(0));
    let text = own.strip_prefix('\u{feff}').unwrap_or(own);
    Ok(print::print(&tree::parse(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formatted(text: &str) -> String {
        let once = format(&Source::new("p".into(), text.into())).unwrap();
        let twice = format(&Source::new("p".into(), once.clone().into())).unwrap();
        assert_eq!(once, twice, "formatting again changes something");
        once
    }

    #[test]
    fn blanks_are_one_and_tables_stand_apart() {
        let text =
            "\n\n  policy=1\nname =   'a'  \n\n\n[ defaults ]\n\nother= \"pass\"\n[[device]]\nname='x'\n\n";
        let wanted = "policy = 1\nname = 'a'\n\n[defaults]\nother = \"pass\"\n\n[[device]]\nname = 'x'\n";
        assert_eq!(formatted(text), wanted);
    }

    #[test]
    fn remarks_behind_a_line_stand_in_one_column() {
        let text = "a = 1 #one\n[b]#two\nlong-key = \"a value of more than thirty characters\"     # three\n";
        let wanted = "a = 1                             #one\n\n[b]                               #two\n\
                      long-key = \"a value of more than thirty characters\"  # three\n";
        assert_eq!(formatted(text), wanted);
    }

    #[test]
    fn a_remark_above_a_header_stays_with_it() {
        let text = "a = 1\n# of b\n[b]\nc = 1\n# of b still\n\n[d]\n# the end\n";
        let wanted = "a = 1\n\n# of b\n[b]\nc = 1\n# of b still\n\n[d]\n# the end\n";
        assert_eq!(formatted(text), wanted);
    }

    #[test]
    fn a_list_on_one_line_stays_there_and_one_on_several_has_a_line_an_item() {
        assert_eq!(
            formatted("a=[ 1,2 , ]\nm={id='x' , b.c=2}\nn=[]"),
            "a = [1, 2]\nm = { id = 'x', b.c = 2 }\nn = []\n"
        );
        assert_eq!(
            formatted("a = [\n1, # one\n   # of two\n 2 # two\n ,3\n # end\n]# all\n"),
            "a = [\n    1, # one\n    # of two\n    2, # two\n    3,\n    # end\n]                                 # all\n"
        );
        assert_eq!(formatted("a = [[\n1],[2]]"), "a = [[\n    1,\n], [2]]\n");
    }

    #[test]
    fn a_remark_between_a_key_and_its_value_goes_above_them() {
        assert_eq!(
            formatted("m = { a . b # one\n = [ # two\n 1], c = 2 }\n"),
            "m = {\n    # one\n    a.b = [\n        # two\n        1,\n    ],\n    c = 2,\n}\n"
        );
    }

    #[test]
    fn what_stands_in_quotes_is_not_touched() {
        let text = "a = \"\"\"\n  # no remark  \n\n\n  x = 1\"\"\"\n\"b  #\" = '  '\n";
        assert_eq!(formatted(text), text);
    }

    #[test]
    fn what_does_not_parse_is_refused() {
        for broken in ["a = \n", "a = 1\na = 2\n", "[a\n"] {
            let refused = format(&Source::new("p".into(), broken.into())).unwrap_err();
            assert!(!refused.is_empty(), "{broken}");
        }
        assert!(format(&Source::new("p".into(), b"a = '\xff'\n".to_vec())).is_err());
    }
}
