//! What a process used, as the kernel tells it, and processes that end with their handle.

use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::Error;

/// What a process used so far.
#[derive(Clone, Copy, Default)]
pub(crate) struct Used {
    /// Time on the processors, in its own code.
    pub(crate) user: Duration,
    /// Time on the processors, in the kernel.
    pub(crate) system: Duration,
    /// The most memory that it ever had, in MiB.
    pub(crate) peak_mib: u64,
}

/// What the process with this number used; nothing where the kernel does not tell.
pub(crate) fn used(process: u32) -> Used {
    let folder = Path::new("/proc").join(process.to_string());
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
    // A tick is a hundredth of a second on Linux, whatever the kernel's own clock does.
    let stat = read("stat");
    let ticks: Vec<u64> =
        stat.rsplit(')').next().unwrap_or("").split_whitespace().map(|part| part.parse().unwrap_or(0)).collect();
    let time = |at: usize| Duration::from_millis(10 * ticks.get(at).copied().unwrap_or(0));
    let status = read("status");
    let peak =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().split(' ').next()?.parse::<u64>().ok());
    Used { user: time(11), system: time(12), peak_mib: peak.unwrap_or(0) / 1024 }
}

/// A process of this program under another name. Killed when dropped.
pub(crate) struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    pub(crate) fn start(arguments: &[&str]) -> Result<Self, Error> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdout(std::process::Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let out = child.stdout.take().ok_or("the process has no output")?;
        Ok(Self { child, lines: BufReader::new(out).lines() })
    }

    /// Its next line.
    pub(crate) async fn line(&mut self) -> Result<String, Error> {
        Ok(self.lines.next_line().await?.ok_or("the process ended early")?)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id().unwrap_or(0)
    }

    /// Waits for its end; what it printed last.
    pub(crate) async fn end(mut self) -> Result<String, Error> {
        let mut last = String::new();
        while let Some(line) = self.lines.next_line().await? {
            last = line;
        }
        let status = self.child.wait().await?;
        if status.success() { Ok(last) } else { Err(format!("a process ended with {status}: {last}").into()) }
    }

    /// Kills it at once.
    pub(crate) async fn kill(mut self) -> Result<(), Error> {
        Ok(self.child.kill().await?)
    }
}

/// This machine, in a line.
pub(crate) fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split(':').nth(1)).unwrap_or(" unknown");
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    format!("{processors} processors,{model}")
}
