//! Thin typed wrappers of the system calls: the only `unsafe` of the crate.
//!
//! One function per command of the `pidfd_config(2)` multiplexer. Descriptors
//! come in as [`AsFd`] and go out as [`OwnedFd`]; errors are the kernel's
//! errno, untouched. The module is private because `fds` and `close` name
//! descriptors by number, which only the typed layer above keeps honest.

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

use rustix::io::Errno;

use crate::uapi;

/// A command of `pidfd_config(2)` with its `value` and `aux`.
///
/// Each variant borrows what its pointer refers to, so that a shape the kernel
/// would reject or a dangling pointer cannot be written down.
enum Command<'a> {
    Flag,
    String(&'a CStr),
    Block(*const c_void, usize),
    Path(BorrowedFd<'a>, &'a CStr),
    Fd(RawFd),
    Strings(&'a [*const c_char]),
}

/// `pidfd_open(0, PIDFD_EMPTY)`: makes an embryo, returns its builder
/// descriptor (close-on-exec).
#[doc(alias = "pidfd_open")]
#[doc(alias = "PIDFD_EMPTY")]
pub(crate) fn pidfd_open_empty() -> Result<OwnedFd, Errno> {
    let pid: libc::pid_t = 0;
    // SAFETY: pidfd_open(2) takes two integers and touches no memory of ours.
    let ret = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, uapi::PIDFD_EMPTY) };
    let fd = check(ret)?;
    // SAFETY: the call succeeded, so `fd` is a descriptor that the kernel has
    // just put into our table and that nothing else knows or owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Whether the kernel has `pidfd_config(2)` at all.
///
/// An unknown command is refused (`EOPNOTSUPP`) before any argument is looked
/// at, so only `ENOSYS` means that the call is missing.
pub(crate) fn is_supported() -> bool {
    // SAFETY: both pointers are NULL and the command does not exist; the kernel
    // has nothing to read or write.
    let ret = unsafe {
        libc::syscall(
            uapi::SYS_pidfd_config,
            -1 as c_int,
            c_uint::MAX,
            ptr::null::<c_char>(),
            ptr::null::<c_void>(),
            0 as c_int,
        )
    };
    check(ret) != Err(Errno::NOSYS)
}

/// `PIDFD_CONFIG_SET_FLAG`.
#[doc(alias = "PIDFD_CONFIG_SET_FLAG")]
pub(crate) fn set_flag(pidfd: impl AsFd, key: &CStr) -> Result<(), Errno> {
    set(pidfd.as_fd(), key, &Command::Flag)
}

/// `PIDFD_CONFIG_SET_STRING`.
#[doc(alias = "PIDFD_CONFIG_SET_STRING")]
pub(crate) fn set_string(pidfd: impl AsFd, key: &CStr, value: &CStr) -> Result<(), Errno> {
    set(pidfd.as_fd(), key, &Command::String(value))
}

/// `PIDFD_CONFIG_SET_STRINGS`: replaces a list.
#[doc(alias = "PIDFD_CONFIG_SET_STRINGS")]
pub(crate) fn set_strings(pidfd: impl AsFd, key: &CStr, values: &[CString]) -> Result<(), Errno> {
    let mut pointers = Vec::with_capacity(values.len() + 1);
    pointers.extend(values.iter().map(|value| value.as_ptr()));
    pointers.push(ptr::null());
    set(pidfd.as_fd(), key, &Command::Strings(&pointers))
}

/// `PIDFD_CONFIG_SET_PATH`: `path` from `dirfd` on.
#[doc(alias = "PIDFD_CONFIG_SET_PATH")]
pub(crate) fn set_path(
    pidfd: impl AsFd,
    key: &CStr,
    dirfd: BorrowedFd<'_>,
    path: &CStr,
) -> Result<(), Errno> {
    set(pidfd.as_fd(), key, &Command::Path(dirfd, path))
}

/// `PIDFD_CONFIG_SET_FD` for a descriptor of the caller.
#[doc(alias = "PIDFD_CONFIG_SET_FD")]
pub(crate) fn set_fd(pidfd: impl AsFd, key: &CStr, fd: BorrowedFd<'_>) -> Result<(), Errno> {
    set(pidfd.as_fd(), key, &Command::Fd(fd.as_raw_fd()))
}

/// `PIDFD_CONFIG_SET_FD "close"`: `fd` is a number in the embryo's table.
pub(crate) fn close(pidfd: impl AsFd, fd: u32) -> Result<(), Errno> {
    // A number above i32::MAX can be open in no table.
    let fd = RawFd::try_from(fd).map_err(|_| Errno::BADF)?;
    set(pidfd.as_fd(), c"close", &Command::Fd(fd))
}

/// `PIDFD_CONFIG_SET_BINARY` of a `__u32`.
pub(crate) fn set_u32(pidfd: impl AsFd, key: &CStr, value: u32) -> Result<(), Errno> {
    set(pidfd.as_fd(), key, &block(&value))
}

/// `PIDFD_CONFIG_SET_BINARY` of a kernel signal set: bit n-1 is signal n.
pub(crate) fn set_sigset(pidfd: impl AsFd, key: &CStr, mask: u64) -> Result<(), Errno> {
    // The kernel's sigset_t is an array of longs, the low signals first.
    let mask = if cfg!(all(target_endian = "big", target_pointer_width = "32")) {
        mask.rotate_left(32)
    } else {
        mask
    };
    set(pidfd.as_fd(), key, &block(&mask))
}

/// `PIDFD_CONFIG_SET_BINARY "fds"`.
#[doc(alias = "pidfd_config_fd")]
pub(crate) fn set_fds(pidfd: impl AsFd, map: &[uapi::pidfd_config_fd]) -> Result<(), Errno> {
    if map.is_empty() {
        // The kernel refuses a block of 0 bytes; nothing is to be done.
        return Ok(());
    }
    let command = Command::Block(map.as_ptr().cast(), size_of_val(map));
    set(pidfd.as_fd(), c"fds", &command)
}

/// `PIDFD_CONFIG_SET_BINARY "open"`.
#[doc(alias = "pidfd_config_open")]
pub(crate) fn set_open(
    pidfd: impl AsFd,
    dirfd: BorrowedFd<'_>,
    path: &CStr,
    flags: u64,
    mode: u64,
    resolve: u64,
    target: u32,
) -> Result<(), Errno> {
    let open = uapi::pidfd_config_open {
        path: path.as_ptr().expose_provenance() as u64,
        flags,
        mode,
        resolve,
        dirfd: dirfd.as_raw_fd(),
        target,
    };
    set(pidfd.as_fd(), c"open", &block(&open))
}

/// `PIDFD_CONFIG_SET_BINARY "close-range"`.
#[doc(alias = "pidfd_config_close_range")]
pub(crate) fn close_range(
    pidfd: impl AsFd,
    first: u32,
    last: u32,
    flags: u32,
) -> Result<(), Errno> {
    let range = uapi::pidfd_config_close_range { first, last, flags };
    set(pidfd.as_fd(), c"close-range", &block(&range))
}

/// `PIDFD_CONFIG_CMD_COMMIT`.
#[doc(alias = "PIDFD_CONFIG_CMD_COMMIT")]
pub(crate) fn commit(pidfd: impl AsFd, flags: c_int) -> Result<(), Errno> {
    let pidfd = pidfd.as_fd().as_raw_fd();
    // SAFETY: key and value are NULL, as the command asks; the kernel reads no
    // memory of this process. The new program runs in a process of its own.
    let ret = unsafe {
        libc::syscall(
            uapi::SYS_pidfd_config,
            pidfd,
            uapi::PIDFD_CONFIG_CMD_COMMIT,
            ptr::null::<c_char>(),
            ptr::null::<c_void>(),
            flags,
        )
    };
    check(ret).map(drop)
}

/// The PID behind a pidfd, by `ioctl(PIDFD_GET_INFO)` (Linux 6.13).
#[doc(alias = "PIDFD_GET_INFO")]
pub(crate) fn pidfd_pid(pidfd: impl AsFd) -> Result<u32, Errno> {
    /// First version of the kernel's struct pidfd_info (`<linux/pidfd.h>`).
    #[repr(C)]
    struct PidfdInfo {
        mask: u64,
        cgroupid: u64,
        pid: u32,
        rest: [u32; 11],
    }
    const PIDFD_INFO_PID: u64 = 1 << 0;
    const { assert!(size_of::<PidfdInfo>() == 64) };
    // _IOWR(0xFF, 11, struct pidfd_info): both direction bits are set, which
    // gives one value on every architecture.
    const PIDFD_GET_INFO: u32 = 0xc000_0000 | 64 << 16 | 0xff << 8 | 11;

    let mut info = PidfdInfo { mask: PIDFD_INFO_PID, cgroupid: 0, pid: 0, rest: [0; 11] };
    // SAFETY: the request encodes the size of PidfdInfo, so a pidfd reads and
    // writes no byte beyond `info`, which lives across the call and is ours
    // alone. Every bit pattern is a valid PidfdInfo. A descriptor of another
    // type refuses the request (ENOTTY), as 0xff/11 belongs to pidfs.
    let ret = unsafe {
        libc::ioctl(pidfd.as_fd().as_raw_fd(), PIDFD_GET_INFO as _, ptr::from_mut(&mut info))
    };
    check(ret.into())?;
    Ok(info.pid)
}

fn block<T>(value: &T) -> Command<'_> {
    Command::Block(ptr::from_ref(value).cast(), size_of::<T>())
}

fn set(pidfd: BorrowedFd<'_>, key: &CStr, command: &Command<'_>) -> Result<(), Errno> {
    let (cmd, value, aux): (c_uint, *const c_void, c_int) = match *command {
        Command::Flag => (uapi::PIDFD_CONFIG_SET_FLAG, ptr::null(), 0),
        Command::String(s) => (uapi::PIDFD_CONFIG_SET_STRING, s.as_ptr().cast(), 0),
        Command::Block(start, size) => {
            // aux is an int; the kernel's own limit (1 MiB) is far below.
            let size = c_int::try_from(size).map_err(|_| Errno::TOOBIG)?;
            (uapi::PIDFD_CONFIG_SET_BINARY, start, size)
        }
        Command::Path(dirfd, path) => {
            (uapi::PIDFD_CONFIG_SET_PATH, path.as_ptr().cast(), dirfd.as_raw_fd())
        }
        Command::Fd(fd) => (uapi::PIDFD_CONFIG_SET_FD, ptr::null(), fd),
        Command::Strings(list) => (uapi::PIDFD_CONFIG_SET_STRINGS, list.as_ptr().cast(), 0),
    };
    // SAFETY: the kernel only ever reads through these pointers, and copies
    // before the call returns. `key` is a NUL-terminated string. `value` is
    // NULL or what the command takes: for strings and paths a CStr; for blocks
    // the start of `aux` readable bytes, made by `block` and `set_fds` alone
    // from a reference the caller still holds; for lists an array that
    // `set_strings` ended with NULL, whose elements are CStrings borrowed there
    // until we return. The path pointer inside an "open" block is a CStr
    // borrowed by `set_open` in the same way.
    let ret = unsafe {
        libc::syscall(uapi::SYS_pidfd_config, pidfd.as_raw_fd(), cmd, key.as_ptr(), value, aux)
    };
    check(ret).map(drop)
}

/// The result of libc::syscall: a small non-negative value, or -1 and errno.
fn check(ret: std::ffi::c_long) -> Result<c_int, Errno> {
    match c_int::try_from(ret) {
        Ok(value) if value >= 0 => Ok(value),
        _ => Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)),
    }
}
