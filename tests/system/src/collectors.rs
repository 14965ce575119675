//! Syslog collectors that nobody here wrote: rsyslog receives what comes by the wire, and hands each datagram, as it came,
//! on to syslog-ng. Both write down what they parsed.

use crate::failure::Failure;
use crate::network::{Network, Wire};
use crate::{package, paths};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where syslog-ng receives.
const SECOND_PORT: u16 = 5514;

/// Both, started on a network, with whose value they end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Collectors {
    folder: PathBuf,
}

/// What a collector made of one message. What it does not know is empty.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Parsed {
    /// Facility, by its name.
    pub facility: String,
    /// Severity, by its name.
    pub severity: String,
    /// In the form of RFC 3339.
    pub time: String,
    /// Who sent it.
    pub host: String,
    /// The program.
    pub application: String,
    /// MSGID.
    pub event: String,
    /// Structured data: by its element's id, by its parameter's name.
    #[serde(alias = "rfc5424-sd", alias = "_SDATA", default)]
    pub data: BTreeMap<String, BTreeMap<String, String>>,
    /// The text.
    pub message: String,
}

impl Collectors {
    /// Starts both; the first receives at the wire's far end.
    ///
    /// # Errors
    /// [`Failure`] where a daemon cannot be fetched or started.
    pub fn start(network: &mut Network, wire: &Wire) -> Result<Self, Failure> {
        let root = daemons()?;
        let root = root.display();
        let folder = network.folder().to_owned();
        let shown = folder.display();
        let collectors = Self {
            folder: folder.clone(),
        };
        for name in ["rsyslog.json", "syslog-ng.json"] {
            write(&folder.join(name), "")?;
        }
        write(&folder.join("rsyslog.conf"), &rsyslog(&folder, &wire.outside()))?;
        write(&folder.join("syslog-ng.conf"), &syslog_ng(&folder))?;
        network.serve(&format!(
            "exec env TZ=UTC {root}/usr/sbin/rsyslogd -n -i NONE -M {root}/usr/lib/x86_64-linux-gnu/rsyslog \
             -f {shown}/rsyslog.conf"
        ))?;
        network.serve(&format!(
            "exec env TZ=UTC LD_LIBRARY_PATH={root}/usr/lib/syslog-ng {root}/usr/sbin/syslog-ng -F --no-caps \
             --module-path={root}/usr/lib/syslog-ng/3.38 -f {shown}/syslog-ng.conf -R {shown}/syslog-ng.persist \
             -p {shown}/syslog-ng.pid -c {shown}/syslog-ng.ctl"
        ))?;
        network.wait_listening(514)?;
        network.wait_listening(SECOND_PORT)?;
        Ok(collectors)
    }

    /// What each has parsed until now, by its name.
    ///
    /// # Errors
    /// [`Failure`] where what it wrote cannot be read.
    pub fn parsed(&self) -> Result<[(&'static str, Vec<Parsed>); 2], Failure> {
        Ok([
            ("rsyslog", read(&self.folder.join("rsyslog.json"))?),
            ("syslog-ng", read(&self.folder.join("syslog-ng.json"))?),
        ])
    }
}

/// The packages' files. Installed, each would replace the other, and the host's own log daemon.
fn daemons() -> Result<PathBuf, Failure> {
    let root = paths::cache("collectors")?;
    for (package, program) in [("rsyslog", "rsyslogd"), ("syslog-ng-core", "syslog-ng")] {
        if !root.join("usr/sbin").join(program).exists() {
            package::unpack(package, &root)?;
        }
    }
    Ok(root)
}

fn rsyslog(folder: &Path, address: &str) -> String {
    let folder = folder.display();
    format!(
        r#"global(workDirectory="{folder}")
module(load="imudp")
module(load="mmpstrucdata")
template(name="time" type="string" string="%timereported:::date-rfc3339%")
template(name="fields" type="list") {{ property(name="$!") constant(value="\n") }}
template(name="raw" type="string" string="%rawmsg%")
input(type="imudp" address="{address}" port="514" ruleset="judge")
ruleset(name="judge") {{
    action(type="mmpstrucdata" sd_name.lowercase="off")
    set $!facility = $syslogfacility-text;
    set $!severity = $syslogseverity-text;
    set $!time = exec_template("time");
    set $!host = $hostname;
    set $!application = $app-name;
    set $!event = $msgid;
    set $!message = $msg;
    action(type="omfile" file="{folder}/rsyslog.json" template="fields")
    action(type="omfwd" target="127.0.0.1" port="{SECOND_PORT}" protocol="udp" template="raw")
}}
"#
    )
}

fn syslog_ng(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        r#"@version: 3.38
options {{ keep-hostname(yes); }};
source wire {{ udp(ip("127.0.0.1") port({SECOND_PORT}) flags(syslog-protocol)); }};
destination fields {{
    file("{folder}/syslog-ng.json" frac-digits(6) template("$(format-json facility=$FACILITY severity=$LEVEL
        time=$S_ISODATE host=$HOST application=$PROGRAM event=$MSGID message=$MSG --key .SDATA.*)\n"));
}};
log {{ source(wire); destination(fields); }};
"#
    )
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(Failure::file(path))
}

/// One message a line; a line that is not ended is still being written.
fn read(path: &Path) -> Result<Vec<Parsed>, Failure> {
    let text = std::fs::read_to_string(path).map_err(Failure::file(path))?;
    let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    let parsed = whole
        .map(serde_json::from_str::<Parsed>)
        .collect::<Result<Vec<_>, _>>();
    let parsed = parsed.map_err(|error| Failure::Tool {
        command: format!("reading {}", path.display()),
        output: error.to_string(),
    })?;
    Ok(parsed.into_iter().map(Parsed::in_one_form).collect())
}

impl Parsed {
    /// Both collectors write the same things in ways of their own.
    fn in_one_form(self) -> Self {
        Self {
            // RFC 5424's sign for nothing.
            event: if self.event == "-" {
                String::new()
            } else {
                self.event
            },
            time: self.time.replace("+00:00", "Z").replace(".000000Z", "Z"),
            // The space behind the tag of RFC 3164 is the text's to rsyslog.
            message: self.message.trim_start().to_owned(),
            ..self
        }
    }
}
