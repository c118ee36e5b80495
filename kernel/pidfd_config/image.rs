// SPDX-License-Identifier: GPL-2.0

//! The image to execute.

use super::{
    embryo::{
        self,
        Embryo,
        Path, //
    },
    user::UserString,
};
use kernel::{
    bindings,
    prelude::*,
    str::{
        CStr,
        CString, //
    },
};

/// A resolved image, and the name it is executed by.
pub(crate) struct Image {
    pub(crate) path: Path,
    pub(crate) name: UserString,
    /// The descriptor that `name` goes through, and what that has to refer to.
    pub(crate) through: Option<(c_int, Path)>,
    /// `name` is nothing but a descriptor.
    pub(crate) name_is_fd: bool,
}

impl Image {
    /// Resolves `name` as the embryo would.
    pub(crate) fn resolve(embryo: &Embryo, dirfd: c_int, name: &CStr, empty: bool) -> Result<Path> {
        let path = embryo.resolve(dirfd, name, empty, false)?;

        embryo::may_exec(&path)?;
        Ok(path)
    }

    /// Takes what `name`, relative to `dirfd`, was resolved to; see execveat(2) for how the
    /// program sees its name.
    pub(crate) fn from_path(path: Path, dirfd: c_int, name: UserString) -> Result<Self> {
        let absolute = name.as_c_str().to_bytes().first() == Some(&b'/');

        if absolute || dirfd == bindings::AT_FDCWD {
            return Ok(Self {
                path,
                name,
                through: None,
                name_is_fd: false,
            });
        }
        Self::through(path, dirfd, Some(name))
    }

    /// Takes the file that a descriptor of the caller refers to.
    pub(crate) fn from_fd(fd: c_int) -> Result<Self> {
        let path = Path::from_fd(fd)?;

        embryo::may_exec(&path)?;
        Self::through(path, fd, None)
    }

    fn through(path: Path, fd: c_int, name: Option<UserString>) -> Result<Self> {
        let below = name.as_ref().map_or(c"", UserString::as_c_str);
        let name_is_fd = below.is_empty();
        let full = if name_is_fd {
            CString::try_from_fmt(fmt!("/dev/fd/{fd}"))?
        } else {
            CString::try_from_fmt(fmt!("/dev/fd/{fd}/{below}"))?
        };

        Ok(Self {
            path,
            name: UserString::from_text(full.to_bytes())?,
            through: Some((fd, Path::from_fd(fd)?)),
            name_is_fd,
        })
    }
}
