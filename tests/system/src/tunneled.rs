//! A machine whose guest is behind a tunnel, and wireguard-go at the tunnel's other end.

use crate::appliance::Appliance;
use crate::command::PASSPHRASE;
use crate::failure::Failure;
use crate::guest;
use crate::key_store::KeyStore;
use crate::machine::{Machine, Running};
use crate::network::{Network, Wire};
use crate::record::Expected;
use crate::{paths, tool, wired};
use sekisho_crypto::secret::Secret;
use sekisho_keys::secrets::{WireGuardKey, WireGuardKind};
use sekisho_policy::{Source, check};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Command;

/// The appliance outside.
pub const APPLIANCE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);
/// The tunnel's other end, on the wire and inside.
pub const FAR: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
/// Its port.
pub const PORT: u16 = 51820;
/// Inside the tunnel: the other end, and the guest.
pub const INSIDE: &str = "10.66.0.1";
/// The same of IPv6.
pub const INSIDE6: &str = "fd66::1";
/// The guest's addresses.
pub const GUEST: &str = "10.66.0.2";
/// The same of IPv6.
pub const GUEST6: &str = "fd66::2";

/// What a machine behind a tunnel is made of.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// Of the machine and its files; its first 15 bytes are the name of wireguard-go's device, which the whole host shares.
    pub name: &'a str,
    /// The emulator's name of the NIC's model.
    pub model: &'static str,
    /// Further keys of the NIC's rule.
    pub rule: &'a str,
    /// Further keys of `[ip]`.
    pub ip: &'a str,
    /// The endpoint's host in the policy.
    pub endpoint: &'a str,
    /// Further tables.
    pub more: &'a str,
    /// What the guest boots.
    pub guest: Guest,
}

/// What a guest has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Guest {
    /// What every guest has.
    Plain,
    /// A client of DHCPv6 too.
    NetworkTools,
}

impl Default for Plan<'_> {
    fn default() -> Self {
        Self {
            name: "tunnel",
            model: "e1000",
            rule: "",
            ip: "",
            endpoint: "198.51.100.1",
            more: "",
            guest: Guest::Plain,
        }
    }
}

/// The machine, still off, its network, and who is at the other end.
pub struct Tunneled {
    /// Still off.
    pub machine: Machine,
    /// Outside.
    pub network: Network,
    /// Between them.
    pub wire: Wire,
    /// Not started yet.
    pub server: Server,
}

/// wireguard-go at the other end of one tunnel.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its device.
    pub device: String,
    /// The port where it listens.
    pub port: u16,
    /// Its own addresses inside, and the client's that it lets in.
    pub inside: Vec<String>,
    /// The client's addresses.
    pub allowed: String,
    secret: String,
    client: String,
}

impl Tunneled {
    /// Builds the image and lays the wire; nothing runs yet.
    ///
    /// # Errors
    /// [`Failure`] of the image or the network.
    pub fn make(plan: &Plan<'_>) -> Result<Self, Failure> {
        let Plan {
            name,
            model,
            rule,
            ip,
            ..
        } = plan;
        let (ours, theirs) = (private_key("hq", 0x11), private_key("hq", 0x22));
        let server = Server::new(name, &theirs, &ours, [INSIDE, INSIDE6], [GUEST, GUEST6]);
        let text = wired::policy(
            model,
            &format!("net = \"vpn\"\ntunnel = \"hq\"\n{rule}"),
            &format!(
                "[ip]\naddress = \"{APPLIANCE}/24\"\ngateway = \"{FAR}\"\n{ip}\n{}{}",
                table(
                    "hq",
                    &[GUEST, GUEST6],
                    &theirs,
                    &format!("{}:{PORT}", plan.endpoint)
                ),
                plan.more
            ),
        );
        let image = image(name, &text, vec![ours])?;
        let disk = match plan.guest {
            Guest::Plain => guest::linux_disk()?,
            Guest::NetworkTools => guest::network_disk()?,
        };
        let mut machine = Machine::under(&image, &disk);
        machine.devices.clear();
        let mut network = Network::make(name)?;
        let wire = network.plug(&mut machine, model)?;
        Ok(Self {
            machine,
            network,
            wire,
            server,
        })
    }

    /// The record of the wire holds the appliance, its datagrams to the endpoint and to `more`, and nobody else. Returns how
    /// many frames of its.
    ///
    /// # Errors
    /// [`Failure`] with those that nobody may have sent.
    pub fn judge(&self, more: &[(Ipv4Addr, u16)]) -> Result<usize, Failure> {
        let to = [&[(FAR, PORT)], more].concat();
        judge(&self.network, &self.wire, &Expected { own: APPLIANCE, to })
    }
}

/// The record of a wire holds what is expected and nothing else. Returns how many frames were the appliance's.
///
/// # Errors
/// [`Failure`] with the others.
pub fn judge(network: &Network, wire: &Wire, expected: &Expected) -> Result<usize, Failure> {
    let far = far_hardware(network, wire)?;
    let (count, strangers) = expected.judge(wire, &far)?;
    if strangers.is_empty() {
        return Ok(count);
    }
    Err(Failure::Claim {
        what: format!("on wire {}: {strangers:#?}", wire.number),
        tail: String::new(),
    })
}

/// A key that is the same each time.
#[must_use]
pub fn private_key(name: &str, byte: u8) -> WireGuardKey {
    WireGuardKey {
        name: name.to_owned(),
        kind: WireGuardKind::Private,
        key: Secret::new([byte; 32]),
    }
}

/// The tables of a tunnel that everything goes through.
#[must_use]
pub fn table(name: &str, addresses: &[&str], peer: &WireGuardKey, endpoint: &str) -> String {
    let addresses: Vec<String> = addresses
        .iter()
        .map(|address| format!("\"{address}/{}\"", if address.contains(':') { 128 } else { 32 }))
        .collect();
    let all = if addresses.len() > 1 {
        "\"0.0.0.0/0\", \"::/0\""
    } else {
        "\"0.0.0.0/0\""
    };
    format!(
        "[tunnel.{name}]\naddress = [{}]\nprivate-key = \"{name}\"\n[[tunnel.{name}.peer]]\npublic-key = \"{}\"\n\
         endpoint = \"{endpoint}\"\nallowed-ips = [{all}]\n",
        addresses.join(", "),
        peer.public_text().unwrap_or_default()
    )
}

/// The disk of a policy with the keys of its tunnels.
///
/// # Errors
/// [`Failure`] of the image.
pub fn image(name: &str, text: &str, keys: Vec<WireGuardKey>) -> Result<PathBuf, Failure> {
    let appliance = Appliance::from_policy(name, text)?;
    let report = check(&Source::new(name.to_owned(), text.as_bytes().to_vec()));
    let storage = report.policy.map(|policy| policy.storage).unwrap_or_default();
    let store = KeyStore::with_tunnels(&storage, Vec::new(), keys)?;
    appliance.with_keys(store.files).disk(name)
}

impl Server {
    /// The one whose tunnel ends at these addresses.
    #[must_use]
    pub fn new(
        name: &str,
        own: &WireGuardKey,
        client: &WireGuardKey,
        inside: [&str; 2],
        allowed: [&str; 2],
    ) -> Self {
        let [v4, v6] = inside;
        Self {
            device: name.chars().take(15).collect(),
            port: PORT,
            inside: vec![format!("{v4}/24"), format!("{v6}/64")],
            allowed: format!("{}/32,{}/128", allowed[0], allowed[1]),
            secret: String::from_utf8_lossy(own.secret_text().expose()).into_owned(),
            client: client.public_text().unwrap_or_default(),
        }
    }

    /// Starts it; it ends with the network, or with [`Self::stop`].
    ///
    /// # Errors
    /// [`Failure`] where it does not start.
    pub fn start(&self, network: &mut Network) -> Result<(), Failure> {
        let (device, port, client) = (&self.device, self.port, &self.client);
        let secret = network.folder().join(format!("{device}.key"));
        std::fs::write(&secret, &self.secret).map_err(Failure::file(&secret))?;
        network.serve(&format!("exec wireguard-go -f {device}"))?;
        // Not by wg: it takes away a socket that nobody answers at, which may be the one that wireguard-go is making.
        network.run(&format!(
            "for try in $(seq 600); do \
             socat -u OPEN:/dev/null UNIX-CONNECT:/var/run/wireguard/{device}.sock && break; sleep 0.1; done; \
             wg set {device} listen-port {port} private-key {} peer {client} allowed-ips {} && \
             ip link set {device} mtu 1420 up",
            secret.display(),
            self.allowed
        ))?;
        for address in &self.inside {
            network.run(&format!("ip address add {address} dev {device} nodad 2>/dev/null || ip address add {address} dev {device}"))?;
        }
        Ok(())
    }

    /// Ends it with all its sessions.
    ///
    /// # Errors
    /// [`Failure`] where it does not end.
    pub fn stop(&self, network: &Network) -> Result<(), Failure> {
        let device = &self.device;
        network.run(&format!(
            "ip link delete {device}; for try in $(seq 600); do wg show {device} || exit 0; sleep 0.1; done; exit 1"
        ))?;
        Ok(())
    }
}

/// Unlocks the machine and waits for the guest's shell.
///
/// # Errors
/// [`Failure`] with both logs.
pub fn boot(machine: &mut Running) -> Result<(), Failure> {
    machine.unlock(PASSPHRASE)?;
    machine.wait_shell()?;
    machine.run(
        "printf '#!/bin/sh\\n[ $1 = bound ] || exit 0\\nip address add $ip/$mask dev $interface\\n\
         [ $interface = eth0 ] && ip route add default via $router\\necho leased $ip routes $staticroutes.\\n' > /lease; \
         chmod +x /lease",
    )?;
    Ok(())
}

/// The guest's NIC gets its lease; returns what the client printed.
///
/// # Errors
/// [`Failure`] where it gets none.
pub fn lease(machine: &mut Running, interface: &str) -> Result<String, Failure> {
    machine.run(&format!(
        "ip link set {interface} up; udhcpc -q -n -t 10 -O staticroutes -i {interface} -s /lease"
    ))
}

/// Gives the far end of a wire another address in place of the one that it had.
///
/// # Errors
/// [`Failure`] where it had not.
pub fn readdress(network: &Network, wire: &Wire, from: Ipv4Addr, to: Ipv4Addr) -> Result<(), Failure> {
    let number = wire.number;
    network.run(&format!(
        "ip address del {from}/24 dev wire{number} && ip address add {to}/24 dev wire{number}"
    ))?;
    Ok(())
}

/// The hardware address of a wire's far end.
///
/// # Errors
/// [`Failure`] where there is none.
pub fn far_hardware(network: &Network, wire: &Wire) -> Result<String, Failure> {
    let text = network.run(&format!("ip -o link show wire{}", wire.number))?;
    let found = text
        .split_whitespace()
        .skip_while(|word| *word != "link/ether")
        .nth(1);
    found.map(str::to_owned).ok_or(Failure::Tool {
        command: "ip link".to_owned(),
        output: text.clone(),
    })
}

/// A program of the workspace that judges the engine with other implementations: `engine`, `relay`.
///
/// # Errors
/// [`Failure`] where it cannot be built.
pub fn program(name: &str) -> Result<String, Failure> {
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    build.args(["build", "--quiet", "--locked", "--bin", name]);
    build.args([
        "--manifest-path",
        "tests/wireguard/Cargo.toml",
        "--target-dir",
        "target/wireguard",
    ]);
    tool::run(build.current_dir(paths::root()))?;
    Ok(paths::root()
        .join("target/wireguard/debug")
        .join(name)
        .display()
        .to_string())
}
