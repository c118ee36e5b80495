//! A process that has been started.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{ChildStderr, ChildStdin, ChildStdout, ExitStatus, Output};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{Errno, ioctl_fionbio, retry_on_intr};
use rustix::process::{WaitId, WaitIdOptions, WaitIdStatus, pidfd_send_signal, waitid};

use crate::Signal;
use crate::error::{Error, Step};
use crate::log::{self, LogMessage};
use crate::signal_set;

/// A running or finished child process, held by its pidfd.
///
/// **Dropping a `Child` does nothing to the process**, as with
/// [`std::process::Child`]: it keeps running, and once it has finished it is a
/// zombie until the caller exits, for nobody can wait for it any more but with
/// `waitpid(2)`.
///
/// The pidfd ([`AsFd`]) becomes readable when the process has finished; give it
/// to `poll(2)` or to an event loop. It never names another process, even after
/// the PID has been used again.
#[derive(Debug)]
pub struct Child {
    /// The writing end of the child's standard input, if it was
    /// [`Stdio::piped`](crate::Stdio::piped).
    pub stdin: Option<ChildStdin>,
    /// The reading end of the child's standard output, if it was piped.
    pub stdout: Option<ChildStdout>,
    /// The reading end of the child's standard error, if it was piped.
    pub stderr: Option<ChildStderr>,
    pidfd: OwnedFd,
    pid: u32,
    status: Option<ExitStatus>,
}

impl Child {
    pub(crate) fn new(pidfd: OwnedFd, pid: u32) -> Self {
        Self { stdin: None, stdout: None, stderr: None, pidfd, pid, status: None }
    }

    /// The PID, in the PID namespace of the caller; 0 if the process is not
    /// visible there.
    pub fn id(&self) -> u32 {
        self.pid
    }

    /// Waits for the process to finish and returns its status; the same one
    /// when called again.
    ///
    /// [`stdin`](Self::stdin) is closed first, so that a child which reads all
    /// of it cannot wait for this process in turn.
    ///
    /// # Errors
    ///
    /// `ECHILD`: the process is not a child of the caller (only its opener can
    /// wait), has been waited for elsewhere, or `SIGCHLD` is ignored.
    #[doc(alias = "waitid")]
    pub fn wait(&mut self) -> Result<ExitStatus, Error> {
        drop(self.stdin.take());
        loop {
            match self.wait_with(WaitIdOptions::empty()) {
                Ok(Some(status)) => return Ok(status),
                // A pidfd with O_NONBLOCK, made elsewhere.
                Ok(None) | Err(Errno::AGAIN) => {
                    let mut fds = [PollFd::new(&self.pidfd, PollFlags::IN)];
                    retry_on_intr(|| poll(&mut fds, None)).map_err(|e| self.wait_error(e))?;
                }
                Err(errno) => return Err(self.wait_error(errno)),
            }
        }
    }

    /// The status if the process has finished, `None` if not. Does not block,
    /// does not close [`stdin`](Self::stdin).
    ///
    /// # Errors
    ///
    /// Those of [`wait`](Self::wait).
    pub fn try_wait(&mut self) -> Result<Option<ExitStatus>, Error> {
        match self.wait_with(WaitIdOptions::NOHANG) {
            Err(Errno::AGAIN) => Ok(None),
            result => result.map_err(|errno| self.wait_error(errno)),
        }
    }

    fn wait_with(&mut self, options: WaitIdOptions) -> Result<Option<ExitStatus>, Errno> {
        if self.status.is_none() {
            // Before exec (commit_nowait) the child has no exit signal and only
            // __WALL sees it.
            let options = options
                | WaitIdOptions::EXITED
                | WaitIdOptions::from_bits_retain(libc::__WALL as u32);
            let status = retry_on_intr(|| waitid(WaitId::PidFd(self.pidfd.as_fd()), options))?;
            self.status = status.as_ref().map(exit_status);
        }
        Ok(self.status)
    }

    fn wait_error(&self, errno: Errno) -> Error {
        Error::os(Step::Wait, format!("wait for process {}", self.pid), errno)
    }

    /// Kills the process with `SIGKILL`. It still has to be waited for.
    ///
    /// `Ok` also for a process that has finished already, whether waited for
    /// or not: what was asked for is the case.
    ///
    /// # Errors
    ///
    /// `EPERM`: the process has become somebody else's, say by a set-user-ID
    /// program.
    pub fn kill(&self) -> Result<(), Error> {
        match self.send_signal(Signal::KILL) {
            Err(error) if error.errno() == Some(Errno::SRCH) => Ok(()),
            result => result,
        }
    }

    /// Sends a signal.
    ///
    /// # Errors
    ///
    /// `ESRCH`: the process has been waited for. `EPERM` as for
    /// [`kill`](Self::kill).
    #[doc(alias = "pidfd_send_signal")]
    pub fn send_signal(&self, signal: Signal) -> Result<(), Error> {
        pidfd_send_signal(&self.pidfd, signal).map_err(|errno| {
            let number = signal.as_raw();
            let name = match signal_set::name(number) {
                Some(name) => format!("SIG{name}"),
                None => number.to_string(),
            };
            Error::os(Step::Signal, format!("send {name} to process {}", self.pid), errno)
        })
    }

    /// Closes [`stdin`](Self::stdin), reads [`stdout`](Self::stdout) and
    /// [`stderr`](Self::stderr) to their ends, as far as they are piped, and
    /// waits.
    ///
    /// Both are read as data comes, so a child that fills one pipe while it
    /// keeps the other open cannot block.
    ///
    /// # Errors
    ///
    /// Those of `poll(2)`, `read(2)` and [`wait`](Self::wait).
    pub fn wait_with_output(mut self) -> Result<Output, Error> {
        drop(self.stdin.take());
        let pipes = [
            self.stdout.take().map(OwnedFd::from).map(File::from),
            self.stderr.take().map(OwnedFd::from).map(File::from),
        ];
        let [stdout, stderr] = read_all(pipes).map_err(|error| {
            Error::io(Step::Read, format!("read the output of process {}", self.pid), &error)
        })?;
        Ok(Output { status: self.wait()?, stdout, stderr })
    }

    /// Takes the messages out of the kernel's log, oldest first. After
    /// [`Embryo::commit_nowait`](crate::Embryo::commit_nowait) they say why
    /// exec failed.
    pub fn log(&self) -> Vec<LogMessage> {
        log::drain(self)
    }
}

/// Reads all pipes to their ends at the same time.
fn read_all<const N: usize>(mut pipes: [Option<File>; N]) -> io::Result<[Vec<u8>; N]> {
    for pipe in pipes.iter().flatten() {
        // O_NONBLOCK belongs to our end of the pipe alone. It lets
        // read_to_end() take all there is after one poll.
        ioctl_fionbio(pipe, true)?;
    }
    let mut buffers = [const { Vec::new() }; N];
    while pipes.iter().any(Option::is_some) {
        let mut fds: Vec<_> =
            pipes.iter().flatten().map(|pipe| PollFd::new(pipe, PollFlags::IN)).collect();
        retry_on_intr(|| poll(&mut fds, None))?;
        let mut ready =
            fds.iter().map(|fd| !fd.revents().is_empty()).collect::<Vec<_>>().into_iter();
        for (slot, buffer) in pipes.iter_mut().zip(&mut buffers) {
            let Some(pipe) = slot else { continue };
            if ready.next() != Some(true) {
                continue;
            }
            match pipe.read_to_end(buffer) {
                Ok(_) => *slot = None,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(buffers)
}

/// The wait status that wait4(2) would give for what waitid(2) gave.
fn exit_status(status: &WaitIdStatus) -> ExitStatus {
    const CORE_DUMPED: i32 = 0x80;
    ExitStatus::from_raw(match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => (code & 0xff) << 8,
        (None, Some(signal)) if status.dumped() => signal | CORE_DUMPED,
        (None, signal) => signal.unwrap_or(0),
    })
}

/// The pidfd: readable once the process has finished.
impl AsFd for Child {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

/// The pidfd.
impl From<Child> for OwnedFd {
    fn from(child: Child) -> Self {
        child.pidfd
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{Pid, PidfdFlags, pidfd_open};
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    /// A child of std's making: waiting does not depend on who started it.
    #[expect(clippy::zombie_processes, reason = "the Child made here is waited for")]
    fn shell(script: &str) -> Child {
        let child = Command::new("/bin/sh").arg0("sh").args(["-c", script]).spawn().unwrap();
        let pid = Pid::from_child(&child);
        Child::new(pidfd_open(pid, PidfdFlags::empty()).unwrap(), child.id())
    }

    #[test]
    fn exit_code() {
        let mut child = shell("exit 7");
        assert_eq!(child.wait().unwrap().code(), Some(7));
        assert_eq!(child.wait().unwrap().code(), Some(7));
        assert_eq!(child.try_wait().unwrap().unwrap().code(), Some(7));
    }

    #[test]
    fn kill_and_the_signals_after_it() {
        let mut child = shell("while :; do :; done");
        child.kill().unwrap();
        let status = child.wait().unwrap();
        assert_eq!((status.signal(), status.code()), (Some(libc::SIGKILL), None));
        child.kill().unwrap();
        let error = child.send_signal(Signal::TERM).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ESRCH));
        let id = child.id();
        assert_eq!(
            error.to_string(),
            format!("cannot send SIGTERM to process {id}: No such process (os error 3)")
        );
    }

    #[test]
    fn a_process_that_is_no_child() {
        let this = pidfd_open(rustix::process::getpid(), PidfdFlags::empty()).unwrap();
        let mut child = Child::new(this, 1);
        let error = child.wait().unwrap_err();
        assert_eq!(error.step(), Step::Wait);
        assert_eq!(error.raw_os_error(), Some(libc::ECHILD));
        assert_eq!(child.log(), []);
    }

    #[test]
    fn reads_two_pipes_at_once() {
        use std::io::Write;
        const SIZE: usize = 300_000;
        let (out_reader, out_writer) = rustix::pipe::pipe().unwrap();
        let (err_reader, err_writer) = rustix::pipe::pipe().unwrap();
        let writer = std::thread::spawn(move || {
            let (mut out, mut err) = (File::from(out_writer), File::from(err_writer));
            // Each is more than a pipe holds, the second before the first ends.
            err.write_all(&vec![b'e'; SIZE]).unwrap();
            out.write_all(&vec![b'o'; SIZE]).unwrap();
        });
        let pipes = [Some(File::from(out_reader)), Some(File::from(err_reader))];
        let [out, err] = read_all(pipes).unwrap();
        writer.join().unwrap();
        assert_eq!((out, err), (vec![b'o'; SIZE], vec![b'e'; SIZE]));
    }
}
