//! Reads and writes of model-specific registers through the kernel's msr device, which survives a #GP.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::FileExt;

/// `0xVALUE`, or `refused` where the instruction faulted.
pub fn read(cpu: &str, index: &str) -> Result<String, String> {
    let (path, offset) = device(cpu, index)?;
    let mut value = [0; 8];
    let result = OpenOptions::new()
        .read(true)
        .open(&path)
        .and_then(|file| file.read_exact_at(&mut value, offset));
    answer(result, &path, || format!("{:#x}", u64::from_le_bytes(value)))
}

/// `written`, or `refused` where the instruction faulted.
pub fn write(cpu: &str, index: &str, value: &str) -> Result<String, String> {
    let (path, offset) = device(cpu, index)?;
    let value = number(value)?;
    let result = OpenOptions::new()
        .write(true)
        .open(&path)
        .and_then(|file| file.write_all_at(&value.to_le_bytes(), offset));
    answer(result, &path, || "written".to_owned())
}

fn device(cpu: &str, index: &str) -> Result<(String, u64), String> {
    let cpu: u32 = cpu.parse().map_err(|_| format!("{cpu} is no CPU number"))?;
    Ok((format!("/dev/cpu/{cpu}/msr"), number(index)?))
}

/// A hexadecimal number, `0x` or not.
fn number(text: &str) -> Result<u64, String> {
    u64::from_str_radix(text.trim_start_matches("0x"), 16).map_err(|_| format!("{text} is not hexadecimal"))
}

/// The msr device reports the fault of its RDMSR or WRMSR as EIO.
fn answer(result: io::Result<()>, path: &str, done: impl FnOnce() -> String) -> Result<String, String> {
    match result {
        Ok(()) => Ok(done() + "\n"),
        Err(error) if error.raw_os_error() == Some(nix::errno::Errno::EIO as i32) => {
            Ok("refused\n".to_owned())
        }
        Err(error) => Err(format!("{path}: {error}")),
    }
}
