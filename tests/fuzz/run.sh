#!/bin/sh
# Runs the fuzz targets, each for SECONDS, or the one named ONLY. Stable Rust and a C++ compiler are enough.
#
#   SECONDS=600 ONLY=selection sh tests/fuzz/run.sh
#
# A finding is written to target/fuzz/NAME/findings, what the engine says to target/fuzz/NAME/log; run it again with
#   target/fuzz/build/x86_64-unknown-linux-gnu/release/NAME FILE
seconds=${SECONDS:-600}
set -eu
cd "$(dirname "$0")"
only=${ONLY:-}
out=$(cd ../.. && pwd)/target/fuzz
target=x86_64-unknown-linux-gnu

# What `cargo fuzz --sanitizer none` passes: edge counters for coverage, and the operands of comparisons. These
# are flags of stable rustc; sanitizers are not, and the targets are safe code.
flags="-Cpasses=sancov-module -Ccodegen-units=1
    -Cllvm-args=-sanitizer-coverage-level=4
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
    -Cllvm-args=-sanitizer-coverage-pc-table
    -Cllvm-args=-sanitizer-coverage-trace-compares
    --cfg fuzzing"

if [ -n "$only" ] && [ ! -f "src/bin/$only.rs" ]; then
    echo "fuzz: no target $only; there are:" "$(ls src/bin | sed 's/\.rs$//' | tr '\n' ' ')" >&2
    exit 2
fi

# --target keeps the flags away from build scripts. Not --locked: the lock pins versions, but it must follow when a
# crate of the main workspace gains a dependency.
RUSTFLAGS=$flags cargo build --release --target "$target" --target-dir "$out/build" ${only:+--bin "$only"}

failed=
for file in src/bin/*.rs; do
    name=$(basename "$file" .rs)
    [ -z "$only" ] || [ "$only" = "$name" ] || continue
    mkdir -p "$out/$name/corpus" "$out/$name/findings" "seeds/$name"
    dictionary=
    [ ! -f "seeds/$name.dict" ] || dictionary=-dict=seeds/$name.dict
    echo "fuzz: $name for $seconds s"
    if "$out/build/$target/release/$name" "$out/$name/corpus" "seeds/$name" \
        -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=4096 -print_final_stats=1 \
        -artifact_prefix="$out/$name/findings/" $dictionary >"$out/$name/log" 2>&1
    then
        grep '^stat::' "$out/$name/log"
    else
        tail -n 40 "$out/$name/log"
        failed="$failed $name"
    fi
done
if [ -n "$failed" ]; then
    echo "fuzz: findings in$failed; see $out/NAME/findings" >&2
    exit 1
fi
echo "fuzz: nothing found"
