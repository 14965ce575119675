#!/bin/sh
# Puts the judges of `cargo test --test judges` into target/judges, which Debian does not have: `requirements.txt` by pip,
# and the crates in which published schemas are. Nothing if all are there.
set -eu

here=tests/judges
there=target/judges
if cmp -s "$here/requirements.txt" "$there/requirements.txt"; then
    echo "judges: all are there"
    exit 0
fi
cargo fetch --locked --manifest-path "$here/published/Cargo.toml"
/usr/bin/python3 -m venv "$there"
"$there/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$here/requirements.txt"
cp "$here/requirements.txt" "$there/requirements.txt"
