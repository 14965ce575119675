//! The network outside of the test machine: a namespace of this process's own, with a wire for each NIC, servers on it,
//! and a record of every frame.
//!
//! Nothing in it reaches the host's network. It ends with this value.

use crate::failure::Failure;
use crate::machine::Machine;
use crate::paths;
use crate::peer::Peer;
use crate::tool;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long the namespace may take to be there.
const PATIENCE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(10);

/// A network of wires.
pub struct Network {
    /// The process whose namespace it is.
    holder: Child,
    servers: Vec<Child>,
    folder: PathBuf,
    wires: u8,
}

/// A wire to one NIC. Its far end is [`Wire::outside`], on a network of 256 addresses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wire {
    /// The emulator's name of the NIC's model.
    pub model: &'static str,
    /// From 0.
    pub number: u8,
    /// Every frame on it, in the format of pcap files.
    pub record: PathBuf,
    /// Where frames of another host on it are taken, if there is one.
    pub(crate) peer: Option<PathBuf>,
}

impl Wire {
    /// The address of its far end.
    #[must_use]
    pub fn outside(&self) -> String {
        self.address(1)
    }

    /// An address on its network.
    #[must_use]
    pub fn address(&self, last: u8) -> String {
        format!("198.51.{}.{last}", 100 + self.number)
    }

    /// The NIC's hardware address.
    #[must_use]
    pub const fn hardware_bytes(&self) -> [u8; 6] {
        [0x52, 0x54, 0, 0x12, 0x34, 0x10 + self.number]
    }

    /// The same as people write it.
    #[must_use]
    pub fn hardware(&self) -> String {
        self.hardware_bytes().map(|byte| format!("{byte:02x}")).join(":")
    }

    /// Bytes before each frame of the record: this model talks to its wire about offloads, in a header of virtio.
    pub(crate) fn prefix(&self) -> Option<u8> {
        (self.model == "e1000e" && self.peer.is_none()).then_some(10)
    }

    fn tap(&self) -> String {
        format!("wire{}", self.number)
    }

    /// The emulator's arguments for it.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let (tap, record) = (self.tap(), self.record.display());
        let mut words = vec![
            "-netdev".to_owned(),
            format!("tap,id={tap},ifname={tap},script=no,downscript=no"),
            "-object".to_owned(),
            format!("filter-dump,id=record-{tap},netdev={tap},file={record}"),
        ];
        let near = match &self.peer {
            Some(path) => {
                words.extend(hub(&tap, self.number, path));
                format!("{tap}-nic")
            }
            None => tap,
        };
        words.extend([
            "-device".to_owned(),
            format!("{},romfile=,netdev={near},mac={}", self.model, self.hardware()),
        ]);
        words
    }
}

/// The emulator's arguments for a hub of the wire, the NIC and a host whose frames are datagrams. That one hears nothing: the
/// path for what it would hear is nobody's.
fn hub(tap: &str, number: u8, path: &Path) -> impl Iterator<Item = String> {
    let path = path.display();
    [
        format!(
            "dgram,id={tap}-peer,local.type=unix,local.path={path},remote.type=unix,remote.path={path}-deaf"
        ),
        format!("hubport,id={tap}-far,hubid={number},netdev={tap}"),
        format!("hubport,id={tap}-other,hubid={number},netdev={tap}-peer"),
        format!("hubport,id={tap}-nic,hubid={number}"),
    ]
    .into_iter()
    .flat_map(|port| ["-netdev".to_owned(), port])
}

impl Network {
    /// An empty one, whose files go to a folder called `name`.
    ///
    /// # Errors
    /// [`Failure`] where the system does not let this process have a namespace.
    pub fn make(name: &str) -> Result<Self, Failure> {
        let folder = paths::cache("logs")?.join(name);
        std::fs::create_dir_all(&folder).map_err(Failure::file(&folder))?;
        let mut command = Command::new("unshare");
        command.args(["--net", "sleep", "infinity"]);
        let holder = spawn(&mut command)?;
        let network = Self {
            holder,
            servers: Vec::new(),
            folder,
            wires: 0,
        };
        network.wait_separate()?;
        network.run("ip link set lo up")?;
        Ok(network)
    }

    /// Gives `machine` a NIC of this model on a wire of its own.
    ///
    /// # Errors
    /// [`Failure`] where the wire cannot be made.
    pub fn plug(&mut self, machine: &mut Machine, model: &'static str) -> Result<Wire, Failure> {
        let wire = Wire {
            model,
            number: self.wires,
            record: self.folder.join(format!("wire{}.pcap", self.wires)),
            peer: None,
        };
        self.wires += 1;
        let (tap, outside) = (wire.tap(), wire.outside());
        self.run(&format!(
            "ip tuntap add dev {tap} mode tap && ip address add {outside}/24 dev {tap} && ip link set {tap} up"
        ))?;
        machine.namespace = Some(self.holder.id());
        machine.wires.push(wire.clone());
        Ok(wire)
    }

    /// Puts another host on the wire of a machine that is still off: it sends whatever frames it wants.
    ///
    /// # Errors
    /// [`Failure::File`] where the system gives it no socket.
    pub fn join(&self, machine: &mut Machine, wire: &Wire) -> Result<Peer, Failure> {
        let path = self.folder.join(format!("peer{}", wire.number));
        // Left by a run before; the emulator makes it anew.
        let _ = std::fs::remove_file(&path);
        for plugged in machine.wires.iter_mut().filter(|plugged| *plugged == wire) {
            plugged.peer = Some(path.clone());
        }
        Peer::new(path)
    }

    /// Leases addresses on a wire: those that end in 100 to 150.
    ///
    /// # Errors
    /// [`Failure`] where the server does not start.
    pub fn lease(&mut self, wire: &Wire) -> Result<(), Failure> {
        let path = self.folder.join(format!("udhcpd{}.conf", wire.number));
        let leases = self.folder.join(format!("udhcpd{}.leases", wire.number));
        let text = format!(
            "start {}\nend {}\ninterface {}\nlease_file {}\npidfile {}\noption subnet 255.255.255.0\noption router {}\n",
            wire.address(100),
            wire.address(150),
            wire.tap(),
            leases.display(),
            self.folder.join("udhcpd.pid").display(),
            wire.outside(),
        );
        std::fs::write(&path, text).map_err(Failure::file(&path))?;
        std::fs::write(&leases, []).map_err(Failure::file(&leases))?;
        self.serve(&format!("exec busybox udhcpd -f {}", path.display()))
    }

    /// Runs a shell command outside, to its end, and returns what it printed.
    ///
    /// # Errors
    /// [`Failure::Tool`] if it fails.
    pub fn run(&self, command: &str) -> Result<String, Failure> {
        tool::run(&mut self.shell(command))
    }

    /// Starts a shell command outside that ends with the network.
    ///
    /// # Errors
    /// [`Failure::Tool`] if it cannot be started.
    pub fn serve(&mut self, command: &str) -> Result<(), Failure> {
        self.servers.push(spawn(&mut self.shell(command))?);
        Ok(())
    }

    /// Ends what [`Self::serve`] started last.
    pub fn end_last(&mut self) {
        self.servers.pop().iter_mut().for_each(end);
    }

    /// Starts a shell command outside whose output is asked for later.
    ///
    /// # Errors
    /// [`Failure::Tool`] if it cannot be started.
    pub fn begin(&self, command: &str) -> Result<Child, Failure> {
        let mut shell = self.shell(command);
        shell.stdin(Stdio::null()).stdout(Stdio::piped());
        shell.spawn().map_err(|error| failed(&shell, &error))
    }

    /// Waits until somebody outside receives datagrams at this port.
    ///
    /// # Errors
    /// [`Failure::Tool`] if nobody begins to.
    pub fn wait_listening(&self, port: u16) -> Result<(), Failure> {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if !self.run(&format!("ss -H -l -u -n 'sport = :{port}'"))?.is_empty() {
                return Ok(());
            }
            std::thread::sleep(POLL);
        }
        Err(Failure::Tool {
            command: format!("waiting for port {port}"),
            output: "nobody receives there".to_owned(),
        })
    }

    /// Where its files are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn shell(&self, command: &str) -> Command {
        let mut shell = enter(self.holder.id(), "sh");
        shell.args(["-c", command]);
        shell
    }

    /// Waits until the holder has left this process's own namespace.
    fn wait_separate(&self) -> Result<(), Failure> {
        let path = format!("/proc/{}/ns/net", self.holder.id());
        let own = Path::new("/proc/self/ns/net");
        let own = std::fs::read_link(own).map_err(Failure::file(own))?;
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if std::fs::read_link(&path).is_ok_and(|namespace| namespace != own) {
                return Ok(());
            }
            std::thread::sleep(POLL);
        }
        Err(Failure::Tool {
            command: "unshare --net".to_owned(),
            output: "no namespace; it takes the rights of root".to_owned(),
        })
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.servers.iter_mut().chain([&mut self.holder]).for_each(end);
    }
}

fn end(child: &mut Child) {
    // Both fail only where the process has ended already.
    let _ = child.kill();
    let _ = child.wait();
}

/// `program`, in the network namespace of a process.
pub(crate) fn enter(process: u32, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("nsenter");
    command.arg(format!("--net=/proc/{process}/ns/net")).arg(program);
    command
}

fn spawn(command: &mut Command) -> Result<Child, Failure> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().map_err(|error| failed(command, &error))
}

fn failed(command: &Command, error: &std::io::Error) -> Failure {
    Failure::Tool {
        command: format!("{command:?}"),
        output: error.to_string(),
    }
}
