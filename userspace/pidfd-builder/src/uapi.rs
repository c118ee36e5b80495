//! The numbers and structs of `<linux/pidfd_config.h>`, under their C names.
//!
//! Nothing here calls the kernel; the safe interface is the rest of the crate.
//! `tests/uapi_header.rs` compiles the C header and compares every constant,
//! size and offset with this module, so the two cannot drift apart.

#![allow(non_camel_case_types)]

use std::ffi::{c_int, c_long, c_uint};

/// System call number of `pidfd_config(2)`.
///
/// 473 in every table; MIPS adds the base of its ABI.
pub const SYS_pidfd_config: c_long = SYSCALL_BASE + 473;

#[cfg(any(target_arch = "mips", target_arch = "mips32r6"))]
const SYSCALL_BASE: c_long = 4000;
#[cfg(any(target_arch = "mips64", target_arch = "mips64r6"))]
const SYSCALL_BASE: c_long = 5000;
#[cfg(not(any(
    target_arch = "mips",
    target_arch = "mips32r6",
    target_arch = "mips64",
    target_arch = "mips64r6"
)))]
const SYSCALL_BASE: c_long = 0;

/// Flag of `pidfd_open(2)`: with a PID of 0, make an embryo.
///
/// Defined in `<linux/pidfd.h>` as `O_CREAT`, whose value depends on the
/// architecture.
pub const PIDFD_EMPTY: c_uint = libc::O_CREAT as c_uint;

/// `cmd`: turn `key` on; `value` is NULL, `aux` is 0.
pub const PIDFD_CONFIG_SET_FLAG: c_uint = 0;
/// `cmd`: `value` is a NUL-terminated string; `aux` is 0.
pub const PIDFD_CONFIG_SET_STRING: c_uint = 1;
/// `cmd`: `value` is a block of `aux` bytes.
pub const PIDFD_CONFIG_SET_BINARY: c_uint = 2;
/// `cmd`: `value` is a path, `aux` the directory descriptor it starts at.
pub const PIDFD_CONFIG_SET_PATH: c_uint = 3;
/// `cmd`: as [`PIDFD_CONFIG_SET_PATH`]; an empty `value` names `aux` itself.
pub const PIDFD_CONFIG_SET_PATH_EMPTY: c_uint = 4;
/// `cmd`: `value` is NULL, `aux` is a file descriptor.
pub const PIDFD_CONFIG_SET_FD: c_uint = 5;
/// `cmd`: run the embryo; `key` and `value` are NULL, `aux` is
/// `PIDFD_COMMIT_*`.
pub const PIDFD_CONFIG_CMD_COMMIT: c_uint = 6;
/// `cmd`: `value` is a NULL-terminated array of string pointers; `aux` is 0.
pub const PIDFD_CONFIG_SET_STRINGS: c_uint = 7;

/// `aux` of [`PIDFD_CONFIG_CMD_COMMIT`]: do not wait for the outcome of exec.
pub const PIDFD_COMMIT_NOWAIT: c_int = 1 << 0;

/// One element of the array passed with `SET_BINARY "fds"`; 16 bytes.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct pidfd_config_fd {
    /// Descriptor to pass on, in the caller's table (or, with
    /// [`PIDFD_CONFIG_FD_EMBRYO`], in the embryo's own).
    pub fd: i32,
    /// The number it gets in the embryo.
    pub target: u32,
    /// `PIDFD_CONFIG_FD_*`.
    pub flags: u32,
    /// Zero.
    pub __reserved: u32,
}

/// Close the target when the image is executed.
pub const PIDFD_CONFIG_FD_CLOEXEC: u32 = 1 << 0;
/// The source is a descriptor of the embryo: `dup2(2)` inside it.
pub const PIDFD_CONFIG_FD_EMBRYO: u32 = 1 << 1;

/// The struct passed with `SET_BINARY "open"`; 40 bytes, extensible by size.
#[repr(C, align(8))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct pidfd_config_open {
    /// Pointer to the NUL-terminated path.
    pub path: u64,
    /// `O_*`; `O_CLOEXEC` applies to the target.
    pub flags: u64,
    /// As for `openat2(2)`: zero unless the flags create a file.
    pub mode: u64,
    /// `RESOLVE_*`.
    pub resolve: u64,
    /// Where a relative path starts, in the caller's table; `AT_FDCWD` is the
    /// embryo's working directory.
    pub dirfd: i32,
    /// The number the file gets in the embryo.
    pub target: u32,
}

/// Size in bytes of the first version of [`pidfd_config_open`].
pub const PIDFD_CONFIG_OPEN_SIZE_VER0: usize = 40;

/// The struct passed with `SET_BINARY "close-range"`; 12 bytes, extensible by
/// size.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct pidfd_config_close_range {
    /// First descriptor of the embryo to close.
    pub first: u32,
    /// Last one, inclusive; `u32::MAX` for all.
    pub last: u32,
    /// 0, or `CLOSE_RANGE_CLOEXEC` to mark instead of closing.
    pub flags: u32,
}

/// Size in bytes of the first version of [`pidfd_config_close_range`].
pub const PIDFD_CONFIG_CLOSE_RANGE_SIZE_VER0: usize = 12;

/// Longest key, in bytes with the terminating NUL.
pub const PIDFD_CONFIG_KEY_MAX: usize = 32;
/// Most elements of one `"fds"` array.
pub const PIDFD_CONFIG_FDS_MAX: usize = 65536;
