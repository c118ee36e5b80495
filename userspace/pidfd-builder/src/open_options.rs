//! How an embryo opens a file.

use rustix::fs::ResolveFlags;

/// How [`Embryo::open_file`](crate::Embryo::open_file) opens a path: the
/// methods of [`std::fs::OpenOptions`] for `openat2(2)`.
///
/// Without any access method the file is opened for reading.
///
/// ```
/// use pidfd_builder::OpenOptions;
///
/// let log = OpenOptions::new().append(true).create(true).mode(0o600);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "options do nothing until a file is opened with them"]
pub struct OpenOptions {
    read: bool,
    write: bool,
    flags: i32,
    mode: u32,
    resolve: ResolveFlags,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl OpenOptions {
    /// For reading, once no other access is asked for.
    pub const fn new() -> Self {
        Self { read: false, write: false, flags: 0, mode: 0o666, resolve: ResolveFlags::empty() }
    }

    /// Read access.
    pub const fn read(mut self, on: bool) -> Self {
        self.read = on;
        self
    }

    /// Write access.
    pub const fn write(mut self, on: bool) -> Self {
        self.write = on;
        self
    }

    /// Write access, always at the end of the file (`O_APPEND`).
    pub const fn append(self, on: bool) -> Self {
        self.flag(libc::O_APPEND, on)
    }

    /// Empty the file first (`O_TRUNC`).
    pub const fn truncate(self, on: bool) -> Self {
        self.flag(libc::O_TRUNC, on)
    }

    /// Create the file if it does not exist (`O_CREAT`).
    pub const fn create(self, on: bool) -> Self {
        self.flag(libc::O_CREAT, on)
    }

    /// Create the file; `EEXIST` if it exists (`O_CREAT | O_EXCL`).
    pub const fn create_new(self, on: bool) -> Self {
        self.flag(libc::O_CREAT | libc::O_EXCL, on)
    }

    /// Close the descriptor on exec (`O_CLOEXEC`); off by default, since the
    /// file is opened for the new program.
    pub const fn cloexec(self, on: bool) -> Self {
        self.flag(libc::O_CLOEXEC, on)
    }

    /// Permission bits of a file that is created; 0666 by default. The
    /// embryo's umask applies.
    pub const fn mode(mut self, mode: u32) -> Self {
        self.mode = mode;
        self
    }

    /// More `O_*` flags, added to those of the other methods.
    pub const fn custom_flags(self, flags: i32) -> Self {
        self.flag(flags, true)
    }

    /// `RESOLVE_*`: how paths are resolved; see `openat2(2)`.
    pub const fn resolve(mut self, resolve: ResolveFlags) -> Self {
        self.resolve = resolve;
        self
    }

    const fn flag(mut self, flag: i32, on: bool) -> Self {
        if on {
            self.flags |= flag;
        } else {
            self.flags &= !flag;
        }
        self
    }

    /// `flags`, `mode` and `resolve` of struct pidfd_config_open.
    pub(crate) fn how(self) -> (u64, u64, u64) {
        let write = self.write || self.flags & libc::O_APPEND != 0;
        let access = match (self.read, write) {
            (_, false) => libc::O_RDONLY,
            (false, true) => libc::O_WRONLY,
            (true, true) => libc::O_RDWR,
        };
        let flags = self.flags | access;
        // openat2(2) refuses a mode without a file to create.
        let creates = flags & libc::O_CREAT != 0 || flags & libc::O_TMPFILE == libc::O_TMPFILE;
        let mode = if creates { self.mode } else { 0 };
        (flags as u32 as u64, mode.into(), self.resolve.bits())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(options: OpenOptions) -> i32 {
        options.how().0 as i32
    }

    #[test]
    fn access_modes() {
        let new = OpenOptions::new();
        assert_eq!(flags(new), libc::O_RDONLY);
        assert_eq!(flags(new.read(true)), libc::O_RDONLY);
        assert_eq!(flags(new.write(true)), libc::O_WRONLY);
        assert_eq!(flags(new.read(true).write(true)), libc::O_RDWR);
        assert_eq!(flags(new.append(true)), libc::O_WRONLY | libc::O_APPEND);
        assert_eq!(flags(new.cloexec(true).cloexec(false)), libc::O_RDONLY);
    }

    #[test]
    fn mode_only_with_a_file_to_create() {
        let new = OpenOptions::new().write(true).mode(0o640);
        assert_eq!(new.how().1, 0);
        assert_eq!(new.create(true).how().1, 0o640);
        assert_eq!(new.create_new(true).how().1, 0o640);
        assert_eq!(new.custom_flags(libc::O_TMPFILE).how().1, 0o640);
        assert_eq!(new.custom_flags(libc::O_DIRECTORY).how().1, 0);
        assert_eq!(new.resolve(ResolveFlags::BENEATH).how().2, ResolveFlags::BENEATH.bits());
    }
}
