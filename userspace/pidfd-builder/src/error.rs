//! The error type: which step failed, why, and what the kernel said.

use std::ffi::NulError;
use std::{fmt, io};

use rustix::io::Errno;

use crate::embryo::Embryo;
use crate::log::LogMessage;

/// The step that an [`Error`] comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Step {
    /// Making the embryo: `pidfd_open(0, PIDFD_EMPTY)`.
    Open,
    /// Setting this key of `pidfd_config(2)`.
    Key(&'static str),
    /// Looking a program without a slash up in `PATH`.
    Search,
    /// Starting the program: exec's own error.
    Commit,
    /// Asking for the PID.
    Pid,
    /// Preparing standard input, output or error in the caller.
    Stdio,
    /// Waiting for the child.
    Wait,
    /// Sending a signal.
    Signal,
    /// Reading the child's output.
    Read,
}

/// Why a step failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Cause {
    #[error("{}", io::Error::from(*.0))]
    Os(Errno),
    #[error(
        "this kernel has no pidfd_config; boot a kernel with CONFIG_PIDFD_CONFIG=y (os error {})",
        Errno::NOSYS.raw_os_error()
    )]
    Unsupported,
    #[error("the string has a NUL byte at offset {0}")]
    Nul(usize),
    #[error("the name of a variable must not be empty or contain '='")]
    VariableName,
}

/// A step of starting or handling a process has failed.
///
/// [`Display`](fmt::Display) names the step, its operand and the cause:
///
/// ```text
/// cannot set cwd to "/nope": No such file or directory (os error 2)
/// ```
///
/// The kernel's own explanation, when it gave one, is in [`Error::log`]; it is
/// also the [`source`](std::error::Error::source) of the error.
#[derive(thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Inner>);

/// Boxed so that `Result<_, Error>` stays one word wide.
#[derive(Debug, thiserror::Error)]
#[error("cannot {what}: {cause}")]
struct Inner {
    step: Step,
    what: String,
    cause: Cause,
    #[source]
    log: Option<KernelLog>,
}

/// The kernel's messages as one error.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.iter().map(|m| m.text.as_str()).collect::<Vec<_>>().join("; "))]
struct KernelLog(Vec<LogMessage>);

impl Error {
    fn new(step: Step, what: String, cause: Cause) -> Self {
        Self(Box::new(Inner { step, what, cause, log: None }))
    }

    /// `what` completes "cannot ...".
    pub(crate) fn os(step: Step, what: impl Into<String>, errno: Errno) -> Self {
        // A descriptor received from elsewhere may meet a kernel (or a seccomp
        // filter) without the call first in a later step than Embryo::open.
        let cause = match errno {
            Errno::NOSYS if !crate::sys::is_supported() => Cause::Unsupported,
            errno => Cause::Os(errno),
        };
        Self::new(step, what.into(), cause)
    }

    pub(crate) fn unsupported(step: Step, what: impl Into<String>) -> Self {
        Self::new(step, what.into(), Cause::Unsupported)
    }

    pub(crate) fn io(step: Step, what: impl Into<String>, error: &io::Error) -> Self {
        Self::os(step, what, Errno::from_io_error(error).unwrap_or(Errno::IO))
    }

    pub(crate) fn nul(step: Step, what: impl Into<String>, error: &NulError) -> Self {
        Self::new(step, what.into(), Cause::Nul(error.nul_position()))
    }

    pub(crate) fn variable_name(step: Step, what: impl Into<String>) -> Self {
        Self::new(step, what.into(), Cause::VariableName)
    }

    /// Another operand, for a layer that knows more than the step did.
    pub(crate) fn with_what(mut self, what: String) -> Self {
        self.0.what = what;
        self
    }

    pub(crate) fn with_log(mut self, log: Vec<LogMessage>) -> Self {
        self.0.log = (!log.is_empty()).then_some(KernelLog(log));
        self
    }

    /// The step that failed.
    pub fn step(&self) -> Step {
        self.0.step
    }

    /// The kernel's errno; `None` for an argument that was refused before any
    /// system call (a NUL byte in a string, a bad name of a variable).
    pub fn errno(&self) -> Option<Errno> {
        match self.0.cause {
            Cause::Os(errno) => Some(errno),
            Cause::Unsupported => Some(Errno::NOSYS),
            Cause::Nul(_) | Cause::VariableName => None,
        }
    }

    /// [`errno`](Self::errno) as a number, under the name that
    /// [`io::Error::raw_os_error`] has.
    pub fn raw_os_error(&self) -> Option<i32> {
        self.errno().map(Errno::raw_os_error)
    }

    /// The [`io::ErrorKind`] that fits: that of the errno,
    /// [`Unsupported`](io::ErrorKind::Unsupported) on a kernel without the
    /// call, [`InvalidInput`](io::ErrorKind::InvalidInput) for an argument that
    /// was refused.
    pub fn kind(&self) -> io::ErrorKind {
        match self.0.cause {
            Cause::Os(errno) => io::Error::from(errno).kind(),
            Cause::Unsupported => io::ErrorKind::Unsupported,
            Cause::Nul(_) | Cause::VariableName => io::ErrorKind::InvalidInput,
        }
    }

    /// The messages that the kernel's log held when the step failed, oldest
    /// first. They have been taken out of the log: [`Embryo::log`] does not
    /// show them again. Earlier warnings that nobody had read are among them.
    pub fn log(&self) -> &[LogMessage] {
        self.0.log.as_ref().map_or(&[], |log| &log.0)
    }

    /// Whether the running kernel has no `pidfd_config(2)`.
    ///
    /// Such a kernel refuses `pidfd_open(0, PIDFD_EMPTY)` with `EINVAL`, as it
    /// does any bad argument; [`Embryo::open`] then asks for `pidfd_config(2)`
    /// itself, and only `ENOSYS` counts. [`raw_os_error`](Self::raw_os_error)
    /// is `ENOSYS`.
    pub fn is_unsupported(&self) -> bool {
        self.0.cause == Cause::Unsupported
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("step", &self.0.step)
            .field("message", &self.to_string())
            .field("log", &self.log())
            .finish()
    }
}

/// Keeps the [`kind`](Error::kind) and the message; the [`Error`] itself is the
/// [`get_ref`](io::Error::get_ref) of the result.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        io::Error::new(error.kind(), error)
    }
}

/// A failed commit: the [`Error`], and the [`Embryo`] to try again with.
///
/// The embryo is as it was configured. Change what was wrong, say
/// [`exec`](Embryo::exec), and commit again; or drop it, which destroys it.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct CommitError {
    embryo: Embryo,
    // Not #[source]: the message above is already this one. Its own source, the
    // kernel's log, is reached through error().
    error: Error,
}

impl CommitError {
    pub(crate) fn new(embryo: Embryo, error: Error) -> Self {
        Self { embryo, error }
    }

    /// Why the commit failed.
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// The embryo, for another attempt.
    pub fn into_embryo(self) -> Embryo {
        self.embryo
    }

    /// Both parts.
    pub fn into_parts(self) -> (Embryo, Error) {
        (self.embryo, self.error)
    }
}

/// Drops, and thereby destroys, the embryo.
impl From<CommitError> for Error {
    fn from(error: CommitError) -> Self {
        error.error
    }
}

/// Drops, and thereby destroys, the embryo.
impl From<CommitError> for io::Error {
    fn from(error: CommitError) -> Self {
        error.error.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as _;
    use std::ffi::CString;

    fn cwd() -> Error {
        Error::os(Step::Key("cwd"), "set cwd to \"/nope\"", Errno::NOENT)
    }

    #[test]
    fn names_step_operand_and_cause() {
        let error = cwd();
        assert_eq!(
            error.to_string(),
            "cannot set cwd to \"/nope\": No such file or directory (os error 2)"
        );
        assert_eq!(error.step(), Step::Key("cwd"));
        assert_eq!(error.raw_os_error(), Some(libc::ENOENT));
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(!error.is_unsupported());
        assert!(error.source().is_none());
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }

    #[test]
    fn enosys_names_the_remedy() {
        let error = Error::unsupported(Step::Open, "open an embryo");
        assert!(error.is_unsupported());
        assert_eq!(error.raw_os_error(), Some(libc::ENOSYS));
        assert_eq!(
            error.to_string(),
            "cannot open an embryo: this kernel has no pidfd_config; \
             boot a kernel with CONFIG_PIDFD_CONFIG=y (os error 38)"
        );
    }

    #[test]
    fn a_nul_byte_has_no_errno() {
        let nul = CString::new("a\0b").unwrap_err();
        let error = Error::nul(Step::Key("arg"), "add arg \"a\\0b\"", &nul);
        assert_eq!(error.raw_os_error(), None);
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert_eq!(
            error.to_string(),
            "cannot add arg \"a\\0b\": the string has a NUL byte at offset 1"
        );
    }

    #[test]
    fn the_log_is_the_source() {
        let message =
            LogMessage { level: crate::LogLevel::Error, text: "cwd: not found".to_owned() };
        let error = cwd().with_log(vec![message.clone()]);
        assert_eq!(error.log(), [message]);
        assert_eq!(error.source().unwrap().to_string(), "cwd: not found");
    }

    #[test]
    fn io_error_keeps_kind_and_message() {
        let text = cwd().to_string();
        let error = io::Error::from(cwd());
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert_eq!(error.to_string(), text);
        assert!(error.get_ref().unwrap().is::<Error>());
    }
}
