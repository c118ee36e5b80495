//! What a child's standard input, output and error are.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{ChildStderr, ChildStdin, ChildStdout};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};

use crate::error::{Error, Step};
use crate::fd_map::FdMap;

/// What one of a child's standard streams is: the counterpart of
/// [`std::process::Stdio`].
///
/// A descriptor ([`OwnedFd`], [`File`], or a stream of another child) becomes a
/// `Stdio` with [`From`]; it stays open as long as the
/// [`Builder`](crate::Builder) lives.
#[derive(Debug)]
pub struct Stdio(Kind);

#[derive(Debug)]
enum Kind {
    Inherit,
    Null,
    Piped,
    Fd(OwnedFd),
}

impl Stdio {
    /// The stream of the caller. If the caller has closed it, the child has
    /// none.
    pub const fn inherit() -> Self {
        Self(Kind::Inherit)
    }

    /// `/dev/null`: that of the caller, also when the child's root is another.
    pub const fn null() -> Self {
        Self(Kind::Null)
    }

    /// A pipe, whose other end is in the [`Child`](crate::Child).
    pub const fn piped() -> Self {
        Self(Kind::Piped)
    }

    /// The child's end for stream `number`, and the parent's end of a pipe.
    pub(crate) fn prepare(&self, number: u32) -> Result<Prepared<'_>, Error> {
        let fail = |what: &str, errno| {
            Error::os(Step::Stdio, format!("{what} for {}", NAMES[number as usize]), errno)
        };
        match &self.0 {
            Kind::Inherit => Ok(Prepared::inherit()),
            Kind::Null => {
                let flags = OFlags::RDWR | OFlags::CLOEXEC;
                let null = rustix::fs::open("/dev/null", flags, Mode::empty())
                    .map_err(|errno| fail("open \"/dev/null\"", errno))?;
                Ok(Prepared { source: Source::Owned(null), parent: None })
            }
            Kind::Piped => {
                let (reader, writer) =
                    pipe_with(PipeFlags::CLOEXEC).map_err(|errno| fail("make a pipe", errno))?;
                let (child, parent) = if number == 0 { (reader, writer) } else { (writer, reader) };
                Ok(Prepared { source: Source::Owned(child), parent: Some(parent) })
            }
            Kind::Fd(fd) => Ok(Prepared { source: Source::Borrowed(fd), parent: None }),
        }
    }
}

/// One stream, ready for a particular child.
pub(crate) struct Prepared<'a> {
    source: Source<'a>,
    pub(crate) parent: Option<OwnedFd>,
}

enum Source<'a> {
    Inherit,
    Owned(OwnedFd),
    Borrowed(&'a OwnedFd),
}

impl<'a> Prepared<'a> {
    pub(crate) const fn inherit() -> Self {
        Self { source: Source::Inherit, parent: None }
    }

    pub(crate) const fn fd(fd: &'a OwnedFd) -> Self {
        Self { source: Source::Borrowed(fd), parent: None }
    }

    /// Adds the child's end to `map`.
    pub(crate) fn map<'m>(&'m self, number: u32, map: &mut FdMap<'m>) {
        let source = match &self.source {
            Source::Owned(fd) => fd.as_fd(),
            Source::Borrowed(fd) => fd.as_fd(),
            Source::Inherit => {
                let stream = match number {
                    0 => rustix::stdio::stdin(),
                    1 => rustix::stdio::stdout(),
                    _ => rustix::stdio::stderr(),
                };
                if rustix::io::fcntl_getfd(stream) == Err(Errno::BADF) {
                    return;
                }
                stream
            }
        };
        map.push_borrowed(source, number);
    }
}

const NAMES: [&str; 3] = ["stdin", "stdout", "stderr"];

impl From<OwnedFd> for Stdio {
    fn from(fd: OwnedFd) -> Self {
        Self(Kind::Fd(fd))
    }
}

macro_rules! from_owner {
    ($($owner:ty),*) => {
        $(impl From<$owner> for Stdio {
            fn from(owner: $owner) -> Self {
                OwnedFd::from(owner).into()
            }
        })*
    };
}

from_owner!(File, ChildStdin, ChildStdout, ChildStderr);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pipes_point_the_right_way() {
        for number in 0..3 {
            let stdio = Stdio::piped();
            let mut prepared = stdio.prepare(number).unwrap();
            let parent = prepared.parent.take().unwrap();
            let Source::Owned(child) = &prepared.source else { panic!() };
            let (from, to) = if number == 0 { (&parent, child) } else { (child, &parent) };
            rustix::io::write(from, b"x").unwrap();
            assert_eq!(rustix::io::read(to, &mut [0; 4]).unwrap(), 1);
        }
    }

    #[test]
    fn every_kind_maps_to_its_number() {
        let file = File::open("/dev/null").unwrap();
        for stdio in [Stdio::null(), Stdio::piped(), file.into()] {
            let prepared = stdio.prepare(2).unwrap();
            let mut map = FdMap::new();
            prepared.map(2, &mut map);
            assert_eq!(map.entries()[0].target, 2);
        }
    }
}
