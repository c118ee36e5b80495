// SPDX-License-Identifier: GPL-2.0

//! What can be set, by which command.

use super::request::Command;
use kernel::fmt;

/// A key of `pidfd_config()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Exec,
    Argv,
    Envp,
    Arg,
    Env,
    Argv0,
    Fds,
    Open,
    Close,
    CloseRange,
    InheritFds,
    Cwd,
    Root,
    Umask,
    Sigmask,
    Sigdefault,
    Sigignore,
}

struct Entry {
    key: Key,
    name: &'static str,
    commands: &'static [Command],
}

const PATH: &[Command] = &[Command::SetPath, Command::SetPathEmpty, Command::SetFd];
const BINARY: &[Command] = &[Command::SetBinary];
const STRING: &[Command] = &[Command::SetString];
const STRINGS: &[Command] = &[Command::SetStrings];

const fn entry(key: Key, name: &'static str, commands: &'static [Command]) -> Entry {
    Entry {
        key,
        name,
        commands,
    }
}

/// Every key, in the order of [`Key`].
const TABLE: [Entry; 17] = [
    entry(Key::Exec, "exec", PATH),
    entry(Key::Argv, "argv", STRINGS),
    entry(Key::Envp, "envp", STRINGS),
    entry(Key::Arg, "arg", STRING),
    entry(Key::Env, "env", STRING),
    entry(Key::Argv0, "argv0", STRING),
    entry(Key::Fds, "fds", BINARY),
    entry(Key::Open, "open", BINARY),
    entry(Key::Close, "close", &[Command::SetFd]),
    entry(Key::CloseRange, "close-range", BINARY),
    entry(Key::InheritFds, "inherit-fds", &[Command::SetFlag]),
    entry(Key::Cwd, "cwd", PATH),
    entry(Key::Root, "root", PATH),
    entry(Key::Umask, "umask", BINARY),
    entry(Key::Sigmask, "sigmask", BINARY),
    entry(Key::Sigdefault, "sigdefault", BINARY),
    entry(Key::Sigignore, "sigignore", BINARY),
];

const _: () = {
    let mut i = 0;
    while i < TABLE.len() {
        assert!(TABLE[i].key as usize == i);
        i += 1;
    }
};

impl Key {
    /// Finds a key by its name.
    pub(crate) fn from_name(name: &[u8]) -> Option<Self> {
        TABLE
            .iter()
            .find(|entry| entry.name.as_bytes() == name)
            .map(|entry| entry.key)
    }

    /// Finds a key by its number, which is only used inside the kernel.
    pub(crate) fn from_index(index: usize) -> Option<Self> {
        TABLE.get(index).map(|entry| entry.key)
    }

    /// Whether `command` can set this key.
    pub(crate) fn takes(self, command: Command) -> bool {
        TABLE[self as usize].commands.contains(&command)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(TABLE[*self as usize].name)
    }
}
