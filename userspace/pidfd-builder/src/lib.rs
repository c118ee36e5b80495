#![doc = include_str!("../README.md")]
#![deny(missing_docs)]
#![deny(unsafe_code)]
#![deny(unsafe_op_in_unsafe_fn)]
#![warn(clippy::undocumented_unsafe_blocks)]
#![warn(missing_debug_implementations)]

#[cfg(not(target_os = "linux"))]
compile_error!("pidfd_config(2) is a system call of Linux");

mod builder;
mod child;
mod embryo;
mod environment;
mod error;
mod fd_map;
mod log;
mod open_options;
mod search;
mod signal_set;
mod stdio;
mod strings;
#[expect(unsafe_code, reason = "the system calls; every other module is safe code")]
mod sys;
#[expect(non_upper_case_globals, reason = "SYS_* as in libc")]
pub mod uapi;

pub use builder::Builder;
pub use child::Child;
pub use embryo::Embryo;
pub use error::{CommitError, Error, Step};
pub use fd_map::FdMap;
pub use log::{LogLevel, LogMessage};
pub use open_options::OpenOptions;
pub use rustix::fs::ResolveFlags;
pub use rustix::io::Errno;
pub use rustix::process::Signal;
pub use signal_set::SignalSet;
pub use stdio::Stdio;

/// Everything here may be used from several threads: the state is the kernel's.
const _: fn() = || {
    fn send_sync<T: Send + Sync>() {}
    send_sync::<Builder>();
    send_sync::<Child>();
    send_sync::<CommitError>();
    send_sync::<Embryo>();
    send_sync::<Error>();
    send_sync::<FdMap<'_>>();
    send_sync::<Stdio>();
};
