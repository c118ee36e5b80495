//! The step-by-step form: one method per key of `pidfd_config(2)`.

use std::ffi::{CStr, CString, OsStr};
use std::fs;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::OnceLock;

use rustix::fs::CWD;
use rustix::io::Errno;

use crate::child::Child;
use crate::error::{CommitError, Error, Step};
use crate::fd_map::FdMap;
use crate::log::{self, LogMessage};
use crate::open_options::OpenOptions;
use crate::signal_set::SignalSet;
use crate::strings::{c_string, c_strings, variable};
use crate::{sys, uapi};

/// A process that exists but has never run.
///
/// **Dropping an embryo destroys it**, unless its descriptor lives on
/// elsewhere (a clone, a descriptor sent over a socket): the process is gone,
/// nothing is left to wait for. The same happens when the opener exits.
///
/// An embryo is a real task, child of the opener, with a PID and an entry in
/// `/proc`. It has no memory, an empty descriptor table, the default action for
/// every signal and an empty signal mask. From the opener it inherits
/// credentials, namespaces, root and working directory, umask, resource limits,
/// session, process group, controlling terminal, cgroup, scheduling, seccomp
/// filters and the Landlock domain. `pidfd_open(2)` of this project has the
/// full list.
///
/// Each method is one call of `pidfd_config(2)` and takes effect at once:
/// `/proc/PID/{cwd,root,fd,status}` shows it. A call that fails changes
/// nothing, and the embryo stays usable. Relative paths are resolved from the
/// working directory and the root of the *embryo*, in the order of the calls.
///
/// # Why `&self`
///
/// The state lives in the kernel, which takes one change at a time, and any
/// holder of a duplicate of the descriptor may configure, in this process or in
/// another. `&mut self` would promise an exclusive access that does not exist.
/// Only [`commit`](Self::commit) takes the embryo: there is none afterwards.
///
/// # Errors
///
/// Every method fails with the errno of its own step, documented there, and
/// with
///
/// * `EPERM`: the caller has not the credentials of the opener, and not
///   `CAP_SYS_PTRACE` either; or a security module objects;
/// * `ESRCH`: the embryo was killed;
/// * `EBUSY`: it has been committed, through another descriptor, or a commit is
///   going on;
/// * `EINVAL`: the descriptor given to `From<OwnedFd>` is no builder;
/// * `ENOMEM`.
///
/// A string with a NUL byte fails before any call, without an errno.
///
/// # Examples
///
/// ```no_run
/// use pidfd_builder::{Embryo, FdMap};
///
/// let embryo = Embryo::open()?;
/// embryo.exec("/bin/ls")?.argv(["ls", "-l"])?.cwd("/tmp")?;
/// embryo.map_fds(FdMap::new().map(&std::io::stdout(), 1))?;
/// let mut child = embryo.commit()?;
/// assert!(child.wait()?.success());
/// # Ok::<(), pidfd_builder::Error>(())
/// ```
#[derive(Debug)]
pub struct Embryo {
    fd: OwnedFd,
    pid: OnceLock<u32>,
}

impl Embryo {
    /// Makes an embryo. Its cost does not depend on the memory or on the
    /// number of descriptors of the caller.
    ///
    /// # Errors
    ///
    /// `EAGAIN` at `RLIMIT_NPROC` or the cgroup's `pids.max`; `EMFILE`,
    /// `ENFILE`, `ENOMEM`. [`Error::is_unsupported`] on a kernel without
    /// `CONFIG_PIDFD_CONFIG`.
    #[doc(alias = "pidfd_open")]
    #[doc(alias = "PIDFD_EMPTY")]
    pub fn open() -> Result<Self, Error> {
        match rustix::io::retry_on_intr(sys::pidfd_open_empty) {
            Ok(fd) => Ok(fd.into()),
            // Without the feature the flag is unknown, which is EINVAL.
            Err(Errno::INVAL) if !sys::is_supported() => {
                Err(Error::unsupported(Step::Open, "open an embryo"))
            }
            Err(errno) => Err(Error::os(Step::Open, "open an embryo", errno)),
        }
    }

    /// The PID, in the PID namespace of the caller.
    ///
    /// # Errors
    ///
    /// `ESRCH` if the embryo was killed, or if its PID is not visible here.
    #[doc(alias = "PIDFD_GET_INFO")]
    pub fn pid(&self) -> Result<u32, Error> {
        if let Some(&pid) = self.pid.get() {
            return Ok(pid);
        }
        let pid = match sys::pidfd_pid(self) {
            Err(Errno::NOTTY | Errno::INVAL | Errno::ACCESS | Errno::PERM) => self.fdinfo_pid(),
            result => result,
        };
        let pid = pid.map_err(|errno| Error::os(Step::Pid, "get the PID of an embryo", errno))?;
        Ok(*self.pid.get_or_init(|| pid))
    }

    /// The `Pid:` line of fdinfo, where no ioctl is to be had.
    fn fdinfo_pid(&self) -> Result<u32, Errno> {
        let path = format!("/proc/self/fdinfo/{}", self.fd.as_raw_fd());
        let text = fs::read_to_string(path)
            .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
        let pid = text.lines().find_map(|line| line.strip_prefix("Pid:")).ok_or(Errno::INVAL)?;
        // 0: in another PID namespace; -1: dead.
        pid.trim().parse().ok().filter(|&pid| pid > 0).ok_or(Errno::SRCH)
    }

    /// Takes the messages out of the kernel's log, oldest first.
    ///
    /// The kernel keeps the newest 16. A step that fails moves its messages to
    /// [`Error::log`].
    pub fn log(&self) -> Vec<LogMessage> {
        log::drain(self)
    }

    // Image

    /// The program to run: key `exec`. The last one set wins.
    ///
    /// The path is resolved now, in the embryo's root and working directory,
    /// and the file is held: renaming it does not change what will run. The
    /// path itself becomes `argv[0]` if there is no argv. No `PATH` is
    /// searched; [`Builder`](crate::Builder) does that.
    ///
    /// # Errors
    ///
    /// `ENOENT`, `ENOTDIR`, `ELOOP`, `ENAMETOOLONG`; `EACCES`: not executable,
    /// not a regular file, or on a noexec mount.
    #[doc(alias = "execve")]
    pub fn exec(&self, path: impl AsRef<Path>) -> Result<&Self, Error> {
        self.path(c"exec", CWD, path.as_ref())
    }

    /// As [`exec`](Self::exec), a relative `path` starting at `dirfd`.
    ///
    /// A script is then opened by its interpreter as `/dev/fd/N/path`, N being
    /// `dirfd`'s number, as `execveat(2)` has it: map the directory to the same
    /// number, or commit fails with `ENOENT`.
    ///
    /// # Errors
    ///
    /// Those of [`exec`](Self::exec).
    #[doc(alias = "execveat")]
    pub fn exec_at(&self, dirfd: impl AsFd, path: impl AsRef<Path>) -> Result<&Self, Error> {
        self.path(c"exec", dirfd.as_fd(), path.as_ref())
    }

    /// The program to run, by a descriptor of the caller: an open file (`O_PATH`
    /// will do), a memfd.
    ///
    /// A script is opened by its interpreter as `/dev/fd/N`: map `fd` to its
    /// own number as well, without close-on-exec, or commit fails with
    /// `ENOENT`.
    ///
    /// # Errors
    ///
    /// `EACCES` as for [`exec`](Self::exec).
    #[doc(alias = "fexecve")]
    pub fn exec_fd(&self, fd: impl AsFd) -> Result<&Self, Error> {
        self.fd_key(c"exec", fd.as_fd())
    }

    /// Replaces the whole list of arguments, `argv[0]` included: key `argv`.
    ///
    /// # Errors
    ///
    /// `E2BIG`: a string is longer than 128 KiB with its NUL, or the arguments
    /// and the environment together (strings, and 8 bytes for each pointer)
    /// exceed what exec takes, which is a quarter of the stack limit, at least
    /// 128 KiB and at most 6 MiB.
    pub fn argv<I, S>(&self, argv: I) -> Result<&Self, Error>
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        self.strings(c"argv", &c_strings("argv", argv)?)
    }

    /// Appends one argument: key `arg`. The first one is `argv[0]`.
    ///
    /// # Errors
    ///
    /// `E2BIG` as for [`argv`](Self::argv).
    pub fn arg(&self, arg: impl AsRef<OsStr>) -> Result<&Self, Error> {
        let arg = arg.as_ref();
        let what = || format!("add arg {arg:?}");
        let string = c_string(Step::Key("arg"), arg, what)?;
        self.check(c"arg", sys::set_string(self, c"arg", &string), what)
    }

    /// `argv[0]`, whatever [`argv`](Self::argv) and [`arg`](Self::arg) say, in
    /// any order of the calls: key `argv0`.
    ///
    /// # Errors
    ///
    /// `E2BIG` as for [`argv`](Self::argv).
    pub fn argv0(&self, arg: impl AsRef<OsStr>) -> Result<&Self, Error> {
        let arg = arg.as_ref();
        let what = || format!("set argv0 to {arg:?}");
        let string = c_string(Step::Key("argv0"), arg, what)?;
        self.check(c"argv0", sys::set_string(self, c"argv0", &string), what)
    }

    /// Replaces the whole environment by these `NAME=value` strings: key
    /// `envp`. It is empty until set; the caller's is not inherited.
    ///
    /// # Errors
    ///
    /// `E2BIG` as for [`argv`](Self::argv).
    pub fn envp<I, S>(&self, envp: I) -> Result<&Self, Error>
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        self.strings(c"envp", &c_strings("envp", envp)?)
    }

    /// Appends one variable to the environment: key `env`. A variable of that
    /// name which is there already is not replaced.
    ///
    /// # Errors
    ///
    /// `E2BIG` as for [`argv`](Self::argv). Without an errno, before any call:
    /// `name` is empty or has a `=`.
    pub fn env(&self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Result<&Self, Error> {
        let (name, value) = (name.as_ref(), value.as_ref());
        let string = variable("env", name, value)?;
        self.check(c"env", sys::set_string(self, c"env", &string), || {
            format!("add variable {name:?} with value {value:?}")
        })
    }

    // Descriptors

    /// Gives the embryo descriptors, all or none, atomically: key `fds`. What
    /// the targets were before is closed.
    ///
    /// # Errors
    ///
    /// `EINVAL`: a target appears twice, or a source is the builder of an
    /// embryo. `EBADF`: a source is not open, or a target is not below the
    /// embryo's `RLIMIT_NOFILE`. `E2BIG`: more than 65536 entries.
    pub fn map_fds(&self, map: &FdMap<'_>) -> Result<&Self, Error> {
        self.check(c"fds", sys::set_fds(self, map.entries()), || format!("map descriptors {map:?}"))
    }

    /// One descriptor: [`map_fds`](Self::map_fds) with
    /// [`FdMap::map`].
    ///
    /// # Errors
    ///
    /// Those of [`map_fds`](Self::map_fds).
    pub fn map_fd(&self, source: impl AsFd, target: u32) -> Result<&Self, Error> {
        self.map_fds(FdMap::new().map(&source, target))
    }

    /// Opens a file into the embryo's descriptor `target`, with the embryo's
    /// root, working directory and umask and the caller's credentials: key
    /// `open`.
    ///
    /// # Errors
    ///
    /// Those of `openat2(2)`; `EBADF` if `target` is not below the embryo's
    /// `RLIMIT_NOFILE`.
    #[doc(alias = "openat2")]
    pub fn open_file(
        &self,
        path: impl AsRef<Path>,
        options: OpenOptions,
        target: u32,
    ) -> Result<&Self, Error> {
        self.open_file_at(CWD, path, options, target)
    }

    /// As [`open_file`](Self::open_file), a relative `path` starting at
    /// `dirfd`, a descriptor of the caller.
    ///
    /// # Errors
    ///
    /// Those of [`open_file`](Self::open_file).
    pub fn open_file_at(
        &self,
        dirfd: impl AsFd,
        path: impl AsRef<Path>,
        options: OpenOptions,
        target: u32,
    ) -> Result<&Self, Error> {
        let path = path.as_ref();
        let what = || format!("open {path:?} as descriptor {target}");
        let string = c_string(Step::Key("open"), path.as_os_str(), what)?;
        let (flags, mode, resolve) = options.how();
        let dirfd = dirfd.as_fd();
        let result = sys::set_open(self, dirfd, &string, flags, mode, resolve, target);
        self.check(c"open", result, what)
    }

    /// Closes a descriptor of the embryo: key `close`.
    ///
    /// # Errors
    ///
    /// `EBADF`: it is not open.
    pub fn close_fd(&self, fd: u32) -> Result<&Self, Error> {
        self.check(c"close", sys::close(self, fd), || format!("close descriptor {fd}"))
    }

    /// Closes the descriptors `first` to `last`, both inclusive, of the
    /// embryo: key `close-range`. `u32::MAX` as `last` means all.
    ///
    /// # Errors
    ///
    /// `EINVAL`: `first` is greater than `last`.
    pub fn close_range(&self, first: u32, last: u32) -> Result<&Self, Error> {
        self.check(c"close-range", sys::close_range(self, first, last, 0), || {
            format!("close descriptors {first} to {last}")
        })
    }

    /// As [`close_range`](Self::close_range), but the descriptors stay open
    /// until exec.
    ///
    /// # Errors
    ///
    /// Those of [`close_range`](Self::close_range).
    #[doc(alias = "CLOSE_RANGE_CLOEXEC")]
    pub fn cloexec_range(&self, first: u32, last: u32) -> Result<&Self, Error> {
        let flags = libc::CLOSE_RANGE_CLOEXEC;
        self.check(c"close-range", sys::close_range(self, first, last, flags), || {
            format!("mark descriptors {first} to {last} close-on-exec")
        })
    }

    /// Gives the embryo every descriptor of the caller that is not
    /// close-on-exec, at the same number: key `inherit-fds`. Builders of other
    /// embryos are left out, with a warning in the log.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub fn inherit_fds(&self) -> Result<&Self, Error> {
        self.check(c"inherit-fds", sys::set_flag(self, c"inherit-fds"), || {
            "inherit the descriptors of the caller".to_owned()
        })
    }

    // File system

    /// The working directory: key `cwd`.
    ///
    /// # Errors
    ///
    /// Those of `chdir(2)`.
    #[doc(alias = "chdir")]
    pub fn cwd(&self, path: impl AsRef<Path>) -> Result<&Self, Error> {
        self.path(c"cwd", CWD, path.as_ref())
    }

    /// As [`cwd`](Self::cwd), a relative `path` starting at `dirfd`, a
    /// descriptor of the caller.
    ///
    /// # Errors
    ///
    /// Those of `chdir(2)`.
    pub fn cwd_at(&self, dirfd: impl AsFd, path: impl AsRef<Path>) -> Result<&Self, Error> {
        self.path(c"cwd", dirfd.as_fd(), path.as_ref())
    }

    /// The working directory, by a descriptor of the caller (`O_PATH` will do).
    ///
    /// # Errors
    ///
    /// Those of `fchdir(2)`.
    #[doc(alias = "fchdir")]
    pub fn cwd_fd(&self, fd: impl AsFd) -> Result<&Self, Error> {
        self.fd_key(c"cwd", fd.as_fd())
    }

    /// The root directory: key `root`. The working directory stays where it
    /// is, maybe outside; set [`cwd`](Self::cwd) afterwards.
    ///
    /// # Errors
    ///
    /// Those of `chroot(2)`; `EPERM` without `CAP_SYS_CHROOT`.
    #[doc(alias = "chroot")]
    pub fn root(&self, path: impl AsRef<Path>) -> Result<&Self, Error> {
        self.path(c"root", CWD, path.as_ref())
    }

    /// As [`root`](Self::root), a relative `path` starting at `dirfd`, a
    /// descriptor of the caller.
    ///
    /// # Errors
    ///
    /// Those of [`root`](Self::root).
    pub fn root_at(&self, dirfd: impl AsFd, path: impl AsRef<Path>) -> Result<&Self, Error> {
        self.path(c"root", dirfd.as_fd(), path.as_ref())
    }

    /// The root directory, by a descriptor of the caller (`O_PATH` will do).
    ///
    /// # Errors
    ///
    /// Those of [`root`](Self::root).
    pub fn root_fd(&self, fd: impl AsFd) -> Result<&Self, Error> {
        self.fd_key(c"root", fd.as_fd())
    }

    /// The file mode creation mask: key `umask`. See `umask(2)`.
    ///
    /// # Errors
    ///
    /// `EINVAL`: a bit outside 0777 is set.
    pub fn umask(&self, mask: u32) -> Result<&Self, Error> {
        self.check(c"umask", sys::set_u32(self, c"umask", mask), || {
            format!("set umask to {mask:04o}")
        })
    }

    // Signals

    /// Replaces the mask of blocked signals: key `sigmask`. `SIGKILL` and
    /// `SIGSTOP` in it are ignored, as by `sigprocmask(2)`.
    #[doc(alias = "sigprocmask")]
    pub fn sigmask(&self, mask: SignalSet) -> Result<&Self, Error> {
        self.signals(c"sigmask", mask)
    }

    /// Gives these signals their default action: key `sigdefault`. That is what
    /// an embryo starts with; this undoes [`sigignore`](Self::sigignore).
    #[doc(alias = "SIG_DFL")]
    pub fn sigdefault(&self, signals: SignalSet) -> Result<&Self, Error> {
        self.signals(c"sigdefault", signals)
    }

    /// Has these signals ignored: key `sigignore`. Pending ones are discarded.
    ///
    /// # Errors
    ///
    /// `EINVAL`: `SIGKILL` or `SIGSTOP` is in the set.
    #[doc(alias = "SIG_IGN")]
    pub fn sigignore(&self, signals: SignalSet) -> Result<&Self, Error> {
        self.signals(c"sigignore", signals)
    }

    // Commit

    /// Starts the program. Returns when exec has passed its point of no
    /// return, or has failed.
    ///
    /// # Errors
    ///
    /// Exec's own: `ENOEXEC`, `EACCES`, `ETXTBSY`, `E2BIG`, `ENOENT` (a missing
    /// interpreter), `ELIBBAD`, ... `EINVAL` if no program is set; `ESRCH` if
    /// the process was killed. The embryo comes back with the error and may be
    /// committed again:
    ///
    /// ```no_run
    /// # use pidfd_builder::{Embryo, Error};
    /// let embryo = Embryo::open()?;
    /// embryo.exec("./configure")?;
    /// let child = match embryo.commit() {
    ///     Ok(child) => child,
    ///     Err(failed) => {
    ///         eprintln!("{failed}, trying the shell");
    ///         let embryo = failed.into_embryo();
    ///         embryo.exec("/bin/sh")?.argv(["sh", "./configure"])?;
    ///         embryo.commit()?
    ///     }
    /// };
    /// # Ok::<(), Error>(())
    /// ```
    #[doc(alias = "PIDFD_CONFIG_CMD_COMMIT")]
    pub fn commit(self) -> Result<Child, CommitError> {
        self.commit_with(0)
    }

    /// Starts the program without waiting for the outcome.
    ///
    /// If exec fails, the child exits with status 127, and
    /// [`Child::log`] says why.
    ///
    /// # Errors
    ///
    /// Those of [`commit`](Self::commit) that are known before the process
    /// runs: `EINVAL`, `ESRCH` and the common ones.
    #[doc(alias = "PIDFD_COMMIT_NOWAIT")]
    pub fn commit_nowait(self) -> Result<Child, CommitError> {
        self.commit_with(uapi::PIDFD_COMMIT_NOWAIT)
    }

    fn commit_with(self, flags: i32) -> Result<Child, CommitError> {
        // Asked for while there is an embryo: a child may be reaped by others.
        // The commit is the judge of an embryo that has no PID (any more).
        let pid = self.pid().unwrap_or(0);
        match sys::commit(&self, flags) {
            Ok(()) => Ok(Child::new(self.fd, pid)),
            Err(errno) => {
                let error =
                    Error::os(Step::Commit, "commit the embryo", errno).with_log(log::drain(&self));
                Err(CommitError::new(self, error))
            }
        }
    }

    // One function per shape of a key

    fn path(&self, key: &'static CStr, dirfd: BorrowedFd<'_>, path: &Path) -> Result<&Self, Error> {
        let string = c_string(Step::Key(name(key)), path.as_os_str(), || {
            format!("set {} to {path:?}", name(key))
        })?;
        self.c_path(key, dirfd, &string)
    }

    pub(crate) fn c_path(
        &self,
        key: &'static CStr,
        dirfd: BorrowedFd<'_>,
        path: &CStr,
    ) -> Result<&Self, Error> {
        self.check(key, sys::set_path(self, key, dirfd, path), || {
            // AT_FDCWD is negative.
            let from = match dirfd.as_raw_fd() {
                fd if fd >= 0 => format!(" from descriptor {fd}"),
                _ => String::new(),
            };
            let path = OsStr::from_bytes(path.to_bytes());
            format!("set {} to {path:?}{from}", name(key))
        })
    }

    pub(crate) fn strings(&self, key: &'static CStr, strings: &[CString]) -> Result<&Self, Error> {
        self.check(key, sys::set_strings(self, key, strings), || {
            format!("set {} to {} strings", name(key), strings.len())
        })
    }

    fn fd_key(&self, key: &'static CStr, fd: BorrowedFd<'_>) -> Result<&Self, Error> {
        self.check(key, sys::set_fd(self, key, fd), || {
            format!("set {} to descriptor {}", name(key), fd.as_raw_fd())
        })
    }

    fn signals(&self, key: &'static CStr, set: SignalSet) -> Result<&Self, Error> {
        self.check(key, sys::set_sigset(self, key, set.bits()), || {
            format!("set {} to {set:?}", name(key))
        })
    }

    fn check(
        &self,
        key: &'static CStr,
        result: Result<(), Errno>,
        what: impl FnOnce() -> String,
    ) -> Result<&Self, Error> {
        match result {
            Ok(()) => Ok(self),
            Err(errno) => {
                let error = Error::os(Step::Key(name(key)), what(), errno);
                Err(error.with_log(log::drain(self)))
            }
        }
    }
}

/// The keys are ASCII literals of this file.
fn name(key: &'static CStr) -> &'static str {
    key.to_str().unwrap_or("?")
}

impl AsFd for Embryo {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// The builder descriptor, say to send it to another process.
impl From<Embryo> for OwnedFd {
    fn from(embryo: Embryo) -> Self {
        embryo.fd
    }
}

/// A builder descriptor that came from elsewhere, through `SCM_RIGHTS` or by
/// inheritance. It is not checked here: the kernel refuses any other descriptor
/// (`EINVAL`) in the first call.
impl From<OwnedFd> for Embryo {
    fn from(fd: OwnedFd) -> Self {
        Self { fd, pid: OnceLock::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreign() -> Embryo {
        OwnedFd::from(fs::File::open("/dev/null").unwrap()).into()
    }

    #[test]
    fn a_foreign_descriptor_is_an_error_of_the_step() {
        let error = foreign().umask(0o22).unwrap_err();
        assert_eq!(error.step(), Step::Key("umask"));
        // EINVAL from the call, ENOSYS without it.
        let errno = error.raw_os_error().unwrap();
        assert!([libc::EINVAL, libc::ENOSYS].contains(&errno), "{error}");
        assert!(error.to_string().starts_with("cannot set umask to 0022: "), "{error}");

        let failed = foreign().commit().unwrap_err();
        assert_eq!(failed.error().step(), Step::Commit);
        assert_eq!(failed.error().raw_os_error(), Some(errno));
        let (embryo, error) = failed.into_parts();
        assert!(error.to_string().starts_with("cannot commit the embryo: "), "{error}");
        assert_eq!(embryo.pid().unwrap_err().step(), Step::Pid);
        assert_eq!(embryo.log(), []);
    }

    #[test]
    fn the_pid_of_a_pidfd() {
        let this = rustix::process::getpid();
        let pidfd =
            rustix::process::pidfd_open(this, rustix::process::PidfdFlags::empty()).unwrap();
        let embryo = Embryo::from(pidfd);
        assert_eq!(embryo.fdinfo_pid().unwrap(), std::process::id());
        assert_eq!(embryo.pid().unwrap(), std::process::id());
    }

    #[test]
    fn nul_bytes_are_refused_before_any_call() {
        let embryo = foreign();
        for (error, text) in [
            (embryo.exec("a\0").unwrap_err(), r#"cannot set exec to "a\0": "#),
            (embryo.cwd("\0").unwrap_err(), r#"cannot set cwd to "\0": "#),
            (embryo.arg("\0").unwrap_err(), r#"cannot add arg "\0": "#),
            (embryo.argv(["a", "b\0"]).unwrap_err(), r#"cannot set argv[1] to "b\0": "#),
            (embryo.envp(["\0"]).unwrap_err(), r#"cannot set envp[0] to "\0": "#),
            (embryo.argv0("\0").unwrap_err(), r#"cannot set argv0 to "\0": "#),
            (embryo.env("A", "\0").unwrap_err(), r#"cannot set variable "A" to "\0": "#),
            (
                embryo.open_file("\0", OpenOptions::new(), 3).unwrap_err(),
                r#"cannot open "\0" as descriptor 3: "#,
            ),
        ] {
            assert_eq!(error.raw_os_error(), None, "{error}");
            assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
            let rest = error.to_string().strip_prefix(text).map(str::to_owned);
            let rest = rest.unwrap_or_else(|| panic!("{error}"));
            assert!(rest.starts_with("the string has a NUL byte at offset "), "{error}");
        }
    }

    #[test]
    fn bad_names_of_variables_are_refused() {
        let embryo = foreign();
        for name in ["", "A=B"] {
            let error = embryo.env(name, "x").unwrap_err();
            assert_eq!(error.step(), Step::Key("env"));
            assert_eq!(error.raw_os_error(), None);
        }
    }

    #[test]
    fn open_works_or_says_what_is_missing() {
        if let Err(error) = Embryo::open() {
            assert!(error.is_unsupported(), "{error}");
            assert_eq!(error.step(), Step::Open);
        }
    }
}
