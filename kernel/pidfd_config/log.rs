// SPDX-License-Identifier: GPL-2.0

//! What `read()` on a builder returns.

use kernel::{
    fmt,
    prelude::*,
    str::BStr, //
};

/// Messages that are kept; older ones are dropped.
pub(crate) const MESSAGES: usize = 16;

/// Longest message, in bytes. What does not fit is cut off.
pub(crate) const MESSAGE_SIZE: usize = 256;

/// How bad a message is; the first letter of its text.
#[derive(Clone, Copy)]
pub(crate) enum Level {
    Error,
    Warning,
}

/// The last messages about a builder, oldest first.
///
/// Messages are an extra: when there is no memory for one it is left out, and what it is about is
/// not affected.
pub(crate) struct Log {
    messages: KVec<KVec<u8>>,
    /// What to add to the message about the step that is being carried out, should it fail.
    cause: Option<KVec<u8>>,
}

impl Log {
    pub(crate) const fn new() -> Self {
        Self {
            messages: KVec::new(),
            cause: None,
        }
    }

    /// Adds `text`, or as much of it as fits.
    pub(crate) fn push(&mut self, level: Level, text: fmt::Arguments<'_>) {
        let level = match level {
            Level::Error => 'e',
            Level::Warning => 'w',
        };
        // An error means out of memory.
        let _ = format(fmt!("{level} {text}")).and_then(|message| self.keep(message));
    }

    /// Says why the current step fails, for the message about it.
    pub(crate) fn explain(&mut self, text: fmt::Arguments<'_>) {
        self.cause = format(text).ok();
    }

    /// Forgets what an earlier step explained.
    pub(crate) fn begin(&mut self) {
        self.cause = None;
    }

    /// Adds the message about a step that failed.
    pub(crate) fn fail(&mut self, step: impl fmt::Display, error: Error) {
        match self.cause.take() {
            Some(cause) => self.push(
                Level::Error,
                fmt!("{step}: {}: {}", BStr::from_bytes(&cause), Errno(error)),
            ),
            None => self.push(Level::Error, fmt!("{step}: {}", Errno(error))),
        }
    }

    fn keep(&mut self, message: KVec<u8>) -> Result {
        if self.messages.len() == MESSAGES {
            let _ = self.messages.remove(0);
        }
        self.messages.push(message, GFP_KERNEL_ACCOUNT)?;
        Ok(())
    }

    /// The oldest message.
    pub(crate) fn first(&self) -> Option<&[u8]> {
        self.messages.first().map(|message| &message[..])
    }

    /// Takes the oldest message out.
    pub(crate) fn take_first(&mut self) -> Option<KVec<u8>> {
        self.messages.remove(0).ok()
    }

    /// Puts back a message that was taken out and could not be delivered, unless newer ones have
    /// taken its place.
    pub(crate) fn put_back(&mut self, message: KVec<u8>) {
        if self.messages.len() < MESSAGES && self.messages.reserve(1, GFP_KERNEL_ACCOUNT).is_ok() {
            let _ = self.messages.insert_within_capacity(0, message);
        }
    }
}

/// Formats `text`, cut off at [`MESSAGE_SIZE`].
fn format(text: fmt::Arguments<'_>) -> Result<KVec<u8>> {
    let mut message = KVec::from_elem(0, MESSAGE_SIZE, GFP_KERNEL_ACCOUNT)?;
    let mut formatter = Formatter::new(&mut message);
    let _ = fmt::Write::write_fmt(&mut formatter, text);
    let len = formatter.len();

    message.truncate(len);
    Ok(message)
}

/// An error in a message: its name, or its number where the kernel does not know names.
struct Errno(Error);

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.name() {
            Some(name) => f.write_fmt(fmt!("{name}")),
            None => f.write_fmt(fmt!("errno {}", -self.0.to_errno())),
        }
    }
}

/// Writes into a buffer and stops where it ends, at a character.
struct Formatter<'a> {
    buffer: &'a mut [u8],
    len: usize,
}

impl<'a> Formatter<'a> {
    fn new(buffer: &'a mut [u8]) -> Self {
        Self { buffer, len: 0 }
    }

    fn len(&self) -> usize {
        self.len
    }
}

impl fmt::Write for Formatter<'_> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        let room = self.buffer.len() - self.len;
        let mut n = s.len().min(room);

        while !s.is_char_boundary(n) {
            n -= 1;
        }
        self.buffer[self.len..self.len + n].copy_from_slice(&s.as_bytes()[..n]);
        self.len += n;
        if n < s.len() {
            return Err(fmt::Error);
        }
        Ok(())
    }
}
