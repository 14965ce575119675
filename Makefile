# The entry points people know. Each installs what it needs first (tests/system/setup.sh says what).
#
#   make demo              builds everything, boots the example policy in QEMU, says what happened
#   make demo INTERACTIVE=1    the same, and leaves a shell in the guest
#   make test              every test, host and system
#   make test-long         what make test leaves out for its time: more models of NICs, iperf3, x2APIC in a newer
#                          emulator (SIZE=200 moves more MiB)
#   make soak [ONLY=x]     the same image boots 25 times in a row; one with a shared NIC too; and an hour
#                          of a tunnel (ONLY=tunnel MINUTES=60)
#   make tunnels [SIZE=200]    tunnels at length: SIZE MiB each way, reboots, every NIC, IPv6, names, the kernel's WireGuard
#   make endurance [COUNT=20]    encrypted disks under load, and through COUNT power cuts on each controller
#   make bench [ONLY=x]    the cost of the hypervisor beside the bare machine; target/bench.json
#   make fuzz              each fuzz target for 10 minutes
#   make lint              formatting and lints, as errors

CARGO ?= cargo
# MiB each way in `make tunnels`.
SIZE ?= 200
# Property tests draw the same cases each time here, so that a failure is the change's; `cargo test` draws others each time.
export PROPTEST_RNG_SEED ?= 1
# System tests share the machine with the emulator: one at a time.
SYSTEM_TEST = $(CARGO) test --locked -p sekisho-system

.PHONY: all setup judges demo test test-host test-system test-long soak tunnels endurance bench fuzz lint

all: setup
	$(CARGO) build --locked

setup:
	@sh tests/system/setup.sh

judges: setup
	@sh tests/judges/setup.sh

demo: setup
	$(CARGO) run --locked -q -p sekisho-system --bin demo

test: test-host test-system

test-host: judges
	$(CARGO) test --locked --workspace --exclude sekisho-system
	$(CARGO) test --locked --manifest-path tests/guests/Cargo.toml -p agent
	$(CARGO) test --locked --manifest-path hypervisor/bare/Cargo.toml -p sekisho-runtime --target-dir target/bare
	$(CARGO) test --locked --manifest-path tests/wireguard/Cargo.toml --target-dir target/wireguard

test-system: setup
	$(SYSTEM_TEST) --lib --bins --test claims -- --test-threads=1

tunnels: setup
	SIZE=$(SIZE) $(SYSTEM_TEST) --test tunnels -- --test-threads=1

test-long: setup
	$(SYSTEM_TEST) --test claims -- --ignored --test-threads=1

soak: setup
	$(CARGO) run --locked -q -p sekisho-system --bin soak -- $(ONLY)

endurance: setup
	$(CARGO) run --locked -q -p sekisho-system --bin endurance

bench: setup
	$(CARGO) run --release --locked -q -p sekisho-system --bin bench -- $(ONLY)

fuzz:
	sh tests/fuzz/run.sh

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	$(CARGO) fmt --manifest-path hypervisor/bare/Cargo.toml --all --check
	$(CARGO) clippy --locked --manifest-path hypervisor/bare/Cargo.toml --target-dir target/bare -- -D warnings
	$(CARGO) fmt --manifest-path tests/guests/Cargo.toml --all --check
	$(CARGO) clippy --locked --manifest-path tests/guests/Cargo.toml --release --target-dir target/guests -- -D warnings
	$(CARGO) fmt --manifest-path tests/wireguard/Cargo.toml --all --check
	$(CARGO) clippy --locked --manifest-path tests/wireguard/Cargo.toml --all-targets --target-dir target/wireguard -- -D warnings
