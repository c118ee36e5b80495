// SPDX-License-Identifier: GPL-2.0

//! The arguments of `pidfd_config()`, checked as far as possible without an object.

use super::{
    key::Key,
    user, //
};
use kernel::{
    bindings,
    prelude::*,
    uaccess::UserPtr,
    uapi, //
};

/// Largest block that `SET_BINARY` takes, in bytes.
pub(crate) const BINARY_MAX: usize =
    uapi::PIDFD_CONFIG_FDS_MAX as usize * size_of::<uapi::pidfd_config_fd>();

/// A command of `pidfd_config()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    SetFlag,
    SetString,
    SetBinary,
    SetPath,
    SetPathEmpty,
    SetFd,
    Commit,
    SetStrings,
}

impl Command {
    pub(crate) fn from_raw(cmd: u32) -> Result<Self> {
        Ok(match cmd {
            uapi::pidfd_config_command_PIDFD_CONFIG_SET_FLAG => Self::SetFlag,
            uapi::pidfd_config_command_PIDFD_CONFIG_SET_STRING => Self::SetString,
            uapi::pidfd_config_command_PIDFD_CONFIG_SET_BINARY => Self::SetBinary,
            uapi::pidfd_config_command_PIDFD_CONFIG_SET_PATH => Self::SetPath,
            uapi::pidfd_config_command_PIDFD_CONFIG_SET_PATH_EMPTY => Self::SetPathEmpty,
            uapi::pidfd_config_command_PIDFD_CONFIG_SET_FD => Self::SetFd,
            uapi::pidfd_config_command_PIDFD_CONFIG_CMD_COMMIT => Self::Commit,
            uapi::pidfd_config_command_PIDFD_CONFIG_SET_STRINGS => Self::SetStrings,
            _ => return Err(EOPNOTSUPP),
        })
    }

    /// Checks which arguments are there, and the range of `aux`.
    ///
    /// `key` and `value` say whether these pointers are not null.
    pub(crate) fn check_shape(self, key: bool, value: bool, aux: i32) -> Result {
        let valid = match self {
            Self::SetFlag => key && !value && aux == 0,
            Self::SetString => key && value && aux == 0,
            Self::SetBinary => key && value && aux > 0,
            Self::SetPath | Self::SetPathEmpty => {
                key && value && (aux == bindings::AT_FDCWD || aux >= 0)
            }
            Self::SetFd => key && !value && aux >= 0,
            Self::Commit => !key && !value && aux as u32 & !uapi::PIDFD_COMMIT_NOWAIT == 0,
            Self::SetStrings => key && aux == 0,
        };

        if !valid {
            return Err(EINVAL);
        }
        if self == Self::SetBinary && aux as usize > BINARY_MAX {
            return Err(E2BIG);
        }
        Ok(())
    }
}

/// What a call of `pidfd_config()` asks for; `value` and `aux` are still to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    Set(Key, Command),
    Commit,
}

impl Request {
    /// Checks the arguments of a call.
    ///
    /// # Errors
    ///
    /// - [`EOPNOTSUPP`] for an unknown command,
    /// - [`EINVAL`] for arguments that the command does not take, an unknown key, or a key that
    ///   cannot be set with this command,
    /// - [`E2BIG`] for a block that is too large for any key,
    /// - [`EFAULT`] if the key cannot be read.
    pub(crate) fn parse(cmd: u32, key: UserPtr, value: UserPtr, aux: i32) -> Result<Self> {
        let command = Command::from_raw(cmd)?;
        let present = |ptr: UserPtr| !ptr.as_const_ptr().is_null();

        command.check_shape(present(key), present(value), aux)?;
        if command == Command::Commit {
            return Ok(Self::Commit);
        }

        let mut name = [0; user::KEY_MAX];
        Self::set(user::key(key, &mut name)?, command)
    }

    /// A request to set the key called `name`.
    pub(crate) fn set(name: &[u8], command: Command) -> Result<Self> {
        let key = Key::from_name(name).ok_or(EINVAL)?;

        if !key.takes(command) {
            return Err(EINVAL);
        }
        Ok(Self::Set(key, command))
    }

    /// A non-negative number that stands for the request while it passes through C.
    pub(crate) fn encode(self) -> c_int {
        match self {
            Self::Commit => Command::Commit as c_int,
            Self::Set(key, command) => (key as c_int) << 8 | command as c_int,
        }
    }

    /// The reverse of [`Self::encode`].
    pub(crate) fn decode(request: c_int) -> Result<Self> {
        let request = u32::try_from(request)?;
        let command = Command::from_raw(request & 0xff)?;

        if command == Command::Commit {
            return Ok(Self::Commit);
        }
        let key = Key::from_index((request >> 8) as usize).ok_or(EINVAL)?;
        Ok(Self::Set(key, command))
    }
}
