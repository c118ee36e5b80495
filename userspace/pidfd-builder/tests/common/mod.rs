//! What the integration tests share: a process seen through `/proc`, a scratch
//! directory, and waiting with a limit.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use pidfd_builder::{Embryo, Error, SignalSet};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

/// An embryo, or the end of the test.
pub fn embryo() -> Embryo {
    Embryo::open().expect("these tests need a kernel with CONFIG_PIDFD_CONFIG=y")
}

/// `/proc/PID`, from outside.
pub struct Proc(pub u32);

impl Proc {
    pub fn of(embryo: &Embryo) -> Self {
        Self(embryo.pid().unwrap())
    }

    pub fn path(&self, file: &str) -> PathBuf {
        format!("/proc/{}/{file}", self.0).into()
    }

    pub fn exists(&self) -> bool {
        self.path("").exists()
    }

    pub fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap()
    }

    /// A line of `status`; `None` if there is no such line.
    pub fn status(&self, key: &str) -> Option<String> {
        status_line(&self.read("status"), key)
    }

    pub fn signals(&self, key: &str) -> SignalSet {
        signals(&self.read("status"), key)
    }

    pub fn link(&self, file: &str) -> PathBuf {
        fs::read_link(self.path(file)).unwrap()
    }

    /// The open descriptors, ascending.
    pub fn fds(&self) -> Vec<u32> {
        let entries = fs::read_dir(self.path("fd")).unwrap();
        let mut fds: Vec<u32> = entries
            .map(|entry| entry.unwrap().file_name().to_str().unwrap().parse().unwrap())
            .collect();
        fds.sort_unstable();
        fds
    }

    pub fn is_cloexec(&self, fd: u32) -> bool {
        let info = self.read(&format!("fdinfo/{fd}"));
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap();
        i32::from_str_radix(flags.trim(), 8).unwrap() & libc::O_CLOEXEC != 0
    }

    /// An ordinary pidfd.
    pub fn pidfd(&self) -> OwnedFd {
        let pid = Pid::from_raw(self.0.try_into().unwrap()).unwrap();
        pidfd_open(pid, PidfdFlags::empty()).unwrap()
    }
}

pub fn status_line(status: &str, key: &str) -> Option<String> {
    let mut lines = status.lines().filter_map(|line| line.split_once(':'));
    lines.find_map(|(name, value)| (name == key).then(|| value.trim().to_owned()))
}

pub fn signals(status: &str, key: &str) -> SignalSet {
    let mask = status_line(status, key).unwrap();
    SignalSet::from_bits(u64::from_str_radix(&mask, 16).unwrap())
}

/// A directory of its own for one test, removed when it ends.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("pidfd-builder-test.{}.{number}", process::id());
        let dir = std::env::temp_dir().join(name);
        fs::create_dir(&dir).unwrap();
        // As /proc shows it: without symbolic links.
        Self(dir.canonicalize().unwrap())
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn dir(&self, name: &str) -> PathBuf {
        let path = self.join(name);
        fs::create_dir(&path).unwrap();
        path
    }

    pub fn file(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Waits for `events` (or a hang-up, which poll(2) always reports), at most 30
/// seconds.
pub fn wait_for(fd: impl AsFd, events: PollFlags) -> PollFlags {
    let mut fds = [PollFd::new(&fd, events)];
    let limit = Timespec { tv_sec: 30, tv_nsec: 0 };
    let ready = rustix::io::retry_on_intr(|| poll(&mut fds, Some(&limit))).unwrap();
    assert_eq!(ready, 1, "nothing happened for 30 seconds");
    fds[0].revents()
}

/// Waits until the process of a pidfd has been reaped.
pub fn wait_until_gone(pidfd: impl AsFd) {
    assert!(wait_for(pidfd, PollFlags::empty()).contains(PollFlags::HUP));
}

pub fn errno<T>(result: Result<T, Error>) -> i32 {
    match result {
        Ok(_) => panic!("it should have failed"),
        Err(error) => error.raw_os_error().unwrap_or_else(|| panic!("no errno: {error}")),
    }
}

/// A pipe, both ends close-on-exec.
pub fn pipe() -> (fs::File, fs::File) {
    let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
    (reader.into(), writer.into())
}
