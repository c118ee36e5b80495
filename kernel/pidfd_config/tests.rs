// SPDX-License-Identifier: GPL-2.0

//! Unit tests of what needs no task.

use super::{
    fds::{
        check_entries,
        Entry, //
    },
    key::Key,
    log::{
        self,
        Level,
        Log, //
    },
    request::{
        Command,
        Request,
        BINARY_MAX, //
    },
    strings::StringList,
};
use kernel::{
    bindings,
    prelude::*,
    uapi, //
};

fn entry(fd: i32, target: u32, flags: u32) -> Entry {
    Entry(uapi::pidfd_config_fd {
        fd,
        target,
        flags,
        __reserved: 0,
    })
}

#[kunit_tests(pidfd_config)]
mod pidfd_config_tests {
    use super::*;

    /// The numbers of the first six commands are those of fsconfig(2).
    #[test]
    fn command_numbers() {
        assert!(Command::from_raw(0) == Ok(Command::SetFlag));
        assert!(Command::from_raw(1) == Ok(Command::SetString));
        assert!(Command::from_raw(2) == Ok(Command::SetBinary));
        assert!(Command::from_raw(3) == Ok(Command::SetPath));
        assert!(Command::from_raw(4) == Ok(Command::SetPathEmpty));
        assert!(Command::from_raw(5) == Ok(Command::SetFd));
        assert!(Command::from_raw(6) == Ok(Command::Commit));
        assert!(Command::from_raw(7) == Ok(Command::SetStrings));
        assert!(Command::from_raw(8) == Err(EOPNOTSUPP));
        assert!(Command::from_raw(u32::MAX) == Err(EOPNOTSUPP));
    }

    /// Each command takes its own combination of key, value and aux and no other.
    #[test]
    fn command_shapes() {
        let cwd = bindings::AT_FDCWD;
        let auxes = [0, 1, 3, -1, cwd, i32::MAX, i32::MIN];
        let commands = [
            Command::SetFlag,
            Command::SetString,
            Command::SetBinary,
            Command::SetPath,
            Command::SetPathEmpty,
            Command::SetFd,
            Command::Commit,
            Command::SetStrings,
        ];

        for command in commands {
            for (key, value) in [(false, false), (false, true), (true, false), (true, true)] {
                for aux in auxes {
                    let expected = match (command, key, value) {
                        (Command::SetFlag, true, false) => aux == 0,
                        (Command::SetString, true, true) => aux == 0,
                        (Command::SetBinary, true, true) => aux > 0,
                        (Command::SetPath | Command::SetPathEmpty, true, true) => {
                            aux >= 0 || aux == cwd
                        }
                        (Command::SetFd, true, false) => aux >= 0,
                        (Command::Commit, false, false) => aux == 0 || aux == 1,
                        (Command::SetStrings, true, _) => aux == 0,
                        _ => false,
                    };
                    let shape = command.check_shape(key, value, aux);

                    if command == Command::SetBinary && expected && aux as usize > BINARY_MAX {
                        assert!(shape == Err(E2BIG));
                    } else if expected {
                        assert!(shape.is_ok());
                    } else {
                        assert!(shape == Err(EINVAL));
                    }
                }
            }
        }
    }

    /// A block is limited to the size of the largest array.
    #[test]
    fn block_limit() {
        let max = BINARY_MAX as i32;

        assert!(Command::SetBinary.check_shape(true, true, max).is_ok());
        assert!(Command::SetBinary.check_shape(true, true, max + 1) == Err(E2BIG));
    }

    /// Keys are found by their exact name and take the commands they are documented with.
    #[test]
    fn keys() {
        assert!(Key::from_name(b"exec") == Some(Key::Exec));
        assert!(Key::from_name(b"close-range") == Some(Key::CloseRange));
        assert!(Key::from_name(b"sigignore") == Some(Key::Sigignore));
        for unknown in [&b""[..], b"exe", b"exec2", b"EXEC", b"close_range"] {
            assert!(Key::from_name(unknown).is_none());
        }

        assert!(Key::Exec.takes(Command::SetPath));
        assert!(Key::Exec.takes(Command::SetPathEmpty));
        assert!(Key::Exec.takes(Command::SetFd));
        assert!(!Key::Exec.takes(Command::SetString));
        assert!(Key::Argv.takes(Command::SetStrings));
        assert!(!Key::Argv.takes(Command::SetString));
        assert!(Key::InheritFds.takes(Command::SetFlag));
        assert!(!Key::InheritFds.takes(Command::SetFd));
    }

    /// A request survives its way through C, and nothing else is taken for one.
    #[test]
    fn request_round_trip() -> Result {
        for name in [&b"exec"[..], b"argv", b"fds", b"umask", b"sigignore"] {
            for cmd in 0..8 {
                let command = Command::from_raw(cmd)?;

                match Request::set(name, command) {
                    Ok(request) => assert!(Request::decode(request.encode()) == Ok(request)),
                    Err(error) => assert!(error == EINVAL),
                }
            }
        }
        assert!(Request::decode(Request::Commit.encode()) == Ok(Request::Commit));
        assert!(Request::decode(-1).is_err());
        assert!(Request::decode(c_int::MAX).is_err());
        assert!(Request::decode(17 << 8).is_err());
        Ok(())
    }

    /// Entries are refused for unknown flags, a reserved field that is used, and equal targets.
    #[test]
    fn fd_entries() -> Result {
        let both = uapi::PIDFD_CONFIG_FD_CLOEXEC | uapi::PIDFD_CONFIG_FD_EMBRYO;

        assert!(check_entries(&[])?.is_ok());
        // A swap is no clash.
        assert!(check_entries(&[entry(3, 4, 0), entry(4, 3, both)])?.is_ok());
        assert!(check_entries(&[entry(3, 4, 0), entry(5, 1, 0), entry(6, 4, 0)])?.is_err());
        assert!(check_entries(&[entry(3, 4, both + 1)])?.is_err());
        let mut reserved = entry(3, 4, 0);
        reserved.0.__reserved = 1;
        assert!(check_entries(&[reserved])?.is_err());
        Ok(())
    }

    /// A list costs its strings, their NULs, and a pointer for each.
    #[test]
    fn string_list() -> Result {
        let mut list = StringList::new();

        assert!(list.cost() == 0);
        assert!(list.tail().is_empty());
        list.push(b"ls")?;
        list.push(b"")?;
        list.push(b"-l")?;
        assert!(list.count() == 3);
        assert!(list.block() == b"ls\0\0-l\0");
        assert!(list.tail() == b"\0-l\0");
        assert!(list.cost() == 7 + 3 * size_of::<usize>());
        Ok(())
    }

    /// The log gives back its messages in order, drops the oldest when it is full, and cuts off
    /// what is too long at a character.
    #[test]
    fn messages() -> Result {
        let mut log = Log::new();

        assert!(log.first().is_none());
        for i in 0..log::MESSAGES + 2 {
            log.push(Level::Error, fmt!("message {i}"));
        }
        assert!(log.first() == Some(b"e message 2"));
        let taken = log.take_first().ok_or(ENODATA)?;
        assert!(log.first() == Some(b"e message 3"));
        log.put_back(taken);
        assert!(log.first() == Some(b"e message 2"));
        for _ in 0..log::MESSAGES - 1 {
            assert!(log.take_first().is_some());
        }
        assert!(log.first() == Some(b"e message 17"));
        assert!(log.take_first().is_some());
        assert!(log.take_first().is_none());

        // Three bytes come first, so an odd number is left for characters of two bytes.
        let mut bytes = [0xc3; 2 * log::MESSAGE_SIZE];
        bytes
            .iter_mut()
            .skip(1)
            .step_by(2)
            .for_each(|byte| *byte = 0xa9);
        let long = core::str::from_utf8(&bytes)?;
        log.push(Level::Warning, fmt!("x{long}"));
        let message = log.first().ok_or(ENODATA)?;
        assert!(message.starts_with(b"w x"));
        assert!(message.len() == log::MESSAGE_SIZE - 1);
        assert!(core::str::from_utf8(message).is_ok());
        Ok(())
    }
}
