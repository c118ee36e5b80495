//! The batch of descriptors that an embryo gets in one call.

use std::fmt;
use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use crate::uapi::{self, pidfd_config_fd};

/// Which descriptors go where: the argument of
/// [`Embryo::map_fds`](crate::Embryo::map_fds).
///
/// The kernel looks every source up before it changes anything and then
/// changes all or nothing, so entries may swap descriptors without a spare
/// number. A target may appear once. At most
/// [`PIDFD_CONFIG_FDS_MAX`](uapi::PIDFD_CONFIG_FDS_MAX) entries (65536).
///
/// ```
/// use pidfd_builder::FdMap;
///
/// let (reader, writer) = std::os::unix::net::UnixStream::pair()?;
/// let mut map = FdMap::new();
/// map.map(&reader, 0).map(&writer, 1).map_cloexec(&writer, 9);
/// // Swap 3 and 4 of the embryo itself.
/// map.dup(3, 4).dup(4, 3);
/// assert_eq!(map.len(), 5);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct FdMap<'fd> {
    entries: Vec<pidfd_config_fd>,
    // The sources are stored as numbers; this keeps them open.
    sources: PhantomData<BorrowedFd<'fd>>,
}

impl<'fd> FdMap<'fd> {
    /// No entry.
    pub const fn new() -> Self {
        Self { entries: Vec::new(), sources: PhantomData }
    }

    /// `source`, a descriptor of the caller, becomes `target` in the embryo
    /// and stays open over exec, whatever its close-on-exec flag here.
    pub fn map<F: AsFd + ?Sized>(&mut self, source: &'fd F, target: u32) -> &mut Self {
        self.push(source.as_fd().as_raw_fd(), target, 0)
    }

    /// As [`map`](Self::map), but `target` is closed by exec. A script that
    /// `exec_fd` names by its descriptor is one use.
    pub fn map_cloexec<F: AsFd + ?Sized>(&mut self, source: &'fd F, target: u32) -> &mut Self {
        self.push(source.as_fd().as_raw_fd(), target, uapi::PIDFD_CONFIG_FD_CLOEXEC)
    }

    /// `dup2(source, target)` inside the embryo. Both may be the same number,
    /// which clears its close-on-exec flag.
    #[doc(alias = "dup2")]
    pub fn dup(&mut self, source: u32, target: u32) -> &mut Self {
        self.push_embryo(source, target, 0)
    }

    /// As [`dup`](Self::dup), with the close-on-exec flag set on `target`.
    #[doc(alias = "dup3")]
    pub fn dup_cloexec(&mut self, source: u32, target: u32) -> &mut Self {
        self.push_embryo(source, target, uapi::PIDFD_CONFIG_FD_CLOEXEC)
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn push_borrowed(&mut self, source: BorrowedFd<'fd>, target: u32) {
        self.push(source.as_raw_fd(), target, 0);
    }

    pub(crate) fn entries(&self) -> &[pidfd_config_fd] {
        &self.entries
    }

    fn push_embryo(&mut self, source: u32, target: u32, flags: u32) -> &mut Self {
        // A number above i32::MAX is open in no table; -1 gets the EBADF that
        // it deserves.
        let source = i32::try_from(source).unwrap_or(-1);
        self.push(source, target, flags | uapi::PIDFD_CONFIG_FD_EMBRYO)
    }

    fn push(&mut self, fd: i32, target: u32, flags: u32) -> &mut Self {
        self.entries.push(pidfd_config_fd { fd, target, flags, __reserved: 0 });
        self
    }
}

/// `{5 -> 0, embryo 3 -> 4, 6 -> 7 (cloexec)}`.
impl fmt::Debug for FdMap<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (i, entry) in self.entries.iter().enumerate() {
            let comma = if i > 0 { ", " } else { "" };
            let embryo =
                if entry.flags & uapi::PIDFD_CONFIG_FD_EMBRYO != 0 { "embryo " } else { "" };
            let cloexec =
                if entry.flags & uapi::PIDFD_CONFIG_FD_CLOEXEC != 0 { " (cloexec)" } else { "" };
            write!(f, "{comma}{embryo}{} -> {}{cloexec}", entry.fd, entry.target)?;
        }
        f.write_str("}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_what_the_kernel_reads() {
        let file = std::fs::File::open("/dev/null").unwrap();
        let fd = file.as_raw_fd();
        let mut map = FdMap::new();
        map.map(&file, 0).map_cloexec(&file, 7).dup(3, 4).dup_cloexec(u32::MAX, 5);
        let flags: Vec<_> = map.entries().iter().map(|e| (e.fd, e.target, e.flags)).collect();
        assert_eq!(flags, [(fd, 0, 0), (fd, 7, 1), (3, 4, 2), (-1, 5, 3)]);
        assert!(map.entries().iter().all(|e| e.__reserved == 0));
        assert_eq!(
            format!("{map:?}"),
            format!("{{{fd} -> 0, {fd} -> 7 (cloexec), embryo 3 -> 4, embryo -1 -> 5 (cloexec)}}")
        );
    }
}
