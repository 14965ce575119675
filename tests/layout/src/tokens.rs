//! Rust files as tokens: what is in comments and strings is not seen.

use proc_macro2::{TokenStream, TokenTree};

/// The identifiers, `!` and `#` of a file, in order. Everything else is left out.
pub(crate) fn words(path: &str, text: &str) -> Vec<String> {
    let stream: TokenStream = text.parse().unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut words = Vec::new();
    collect(stream, &mut words);
    words
}

fn collect(stream: TokenStream, words: &mut Vec<String>) {
    for token in stream {
        match token {
            TokenTree::Ident(word) => words.push(word.to_string()),
            TokenTree::Punct(sign) if matches!(sign.as_char(), '!' | '#') => {
                words.push(sign.as_char().into());
            }
            TokenTree::Group(group) => collect(group.stream(), words),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

#[test]
fn comments_and_strings_are_not_seen() {
    let text =
        "//! unsafe\nfn f() { /* unsafe */ let a = \"unsafe\"; let b = r#\"unsafe\"#; a!(unsafe_code) }";
    assert_eq!(
        words("x.rs", text),
        [
            "#",
            "!",
            "doc",
            "fn",
            "f",
            "let",
            "a",
            "let",
            "b",
            "a",
            "!",
            "unsafe_code"
        ]
    );
    assert!(words("x.rs", "fn f() { unsafe { g() } }").contains(&"unsafe".to_owned()));
}
