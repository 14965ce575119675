#!/bin/sh
# Installs the Debian packages that `make demo`, `make test` and `make bench` need; nothing if all are there.
#
# The guest's kernel is fetched by the test crate and not installed; it assembles the guest's disks itself.
set -eu

# qemu-system-x86, ovmf: the test machine. busybox-static, pciutils, kexec-tools: the guest's programs.
# kmod: depmod over the guest's modules. grub-efi-amd64-bin, memtest86+: what the guest disk boots.
# zstd: the guest's root. gcc, binutils: linking. gdisk, dosfstools, mtools, cryptsetup-bin, libssl-dev,
# pkg-config: they judge disk images, LUKS2 headers and the sector cipher. e2fsprogs, fio, hdparm, smartmontools: they
# judge disks, in the guest and on the host. iproute2: the network outside of the test machine. iperf3: loads it. tshark: judges its frames.
# libestr0 to libpcre3: for rsyslog and syslog-ng, which judge messages; the daemons themselves are unpacked by the test
# crate and not installed, since each would replace the other and the host's own. wireguard-go, wireguard-tools, socat:
# they judge tunnels; socat the echo service too. isc-dhcp-client: the guest's, for DHCPv6. dnsmasq-base: a name server.
# libxml2-utils, mandoc, groff-base, yamllint, shellcheck, git: they judge what the command writes; python3-venv: for the judges that Debian does not have.
packages="qemu-system-x86 ovmf busybox-static pciutils pci.ids kexec-tools kmod grub-efi-amd64-bin memtest86+
          zstd gcc libc6-dev binutils gdisk dosfstools mtools cryptsetup-bin libssl-dev pkg-config
          e2fsprogs fio hdparm smartmontools iproute2 iperf3 wireguard-go wireguard-tools socat isc-dhcp-client
          dnsmasq-base ca-certificates tshark
          libestr0 libfastjson4 liblognorm5 libivykis0 libnet1 libwrap0 libjson-c5 libpcre3
          libxml2-utils mandoc groff-base yamllint shellcheck git python3-venv"

missing=""
for package in $packages; do
    status=$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true)
    [ "$status" = "ii " ] || missing="$missing $package"
done
# The guest's kernel is fetched by name, which needs apt's lists once.
if [ -d target/system/kernel ] || apt-cache show linux-image-amd64 >/dev/null 2>&1; then
    lists="there"
else
    lists="missing"
fi
if [ -z "$missing" ] && [ "$lists" = there ]; then
    echo "setup: all Debian packages are there"
    exit 0
fi

as_root=""
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "setup: missing packages:$missing" >&2
        echo "setup: run 'apt-get install$missing' as root, then again" >&2
        exit 1
    }
    as_root="sudo"
fi
echo "setup: installing${missing:- nothing}, after apt-get update"
$as_root apt-get update -qq
[ -n "$missing" ] || exit 0
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing
