//! E0114: not a WireGuard public key.

use crate::findings::Rule;

pub(crate) static RULE: Rule = Rule {
    code: "E0114",
    title: "not a WireGuard public key",
    text: "A public key is 32 bytes in base64: 43 characters and a `=`. Private and preshared keys are never \
           written in a policy; it names them, and the key store holds them.",
    example: example!("bad-key"),
    repair: &[(
        "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK0\"",
        "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=\"",
    )],
    check: None,
};
