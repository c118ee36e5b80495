//! The kernel's messages about an embryo.

use std::fmt;
use std::os::fd::AsFd;

use rustix::io::Errno;

/// How serious a [`LogMessage`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum LogLevel {
    /// Information (`i`).
    Info,
    /// Something was done differently from what was asked (`w`).
    Warning,
    /// A step failed (`e`).
    Error,
}

/// One message of the kernel, as read(2) on the builder descriptor returns it.
///
/// [`Display`](fmt::Display) is the kernel's form: `e cwd: ...`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct LogMessage {
    /// How serious it is.
    pub level: LogLevel,
    /// What the kernel says: `key: cause`.
    pub text: String,
}

impl LogMessage {
    /// The part of [`text`](Self::text) before the first `": "`: the key that
    /// the message is about.
    pub fn key(&self) -> Option<&str> {
        self.text.split_once(": ").map(|(key, _)| key)
    }

    fn parse(line: &[u8]) -> Self {
        let (level, text) = match line {
            [b'e', b' ', text @ ..] => (LogLevel::Error, text),
            [b'w', b' ', text @ ..] => (LogLevel::Warning, text),
            [b'i', b' ', text @ ..] => (LogLevel::Info, text),
            // A level of a later kernel: keep all of it.
            _ => (LogLevel::Info, line),
        };
        Self { level, text: String::from_utf8_lossy(text).into_owned() }
    }
}

impl fmt::Display for LogMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            LogLevel::Info => 'i',
            LogLevel::Warning => 'w',
            LogLevel::Error => 'e',
        };
        write!(f, "{level} {}", self.text)
    }
}

/// Takes all messages out of the log, oldest first; at most
/// `MESSAGES_MAX`, so that a log which is filled meanwhile cannot hold us.
///
/// Any error ends the list: ENODATA is the ordinary end, and a log that cannot
/// be read must not hide the error that it was to explain.
pub(crate) fn drain(pidfd: impl AsFd) -> Vec<LogMessage> {
    /// The kernel keeps 16; the rest is margin.
    const MESSAGES_MAX: usize = 64;
    const LINE_MAX: usize = 64 * 1024;

    let mut messages = Vec::new();
    // Only a builder's read(2) is known to return at once; another descriptor,
    // say a pipe given to Embryo::from, could block here.
    if !is_builder(&pidfd) {
        return messages;
    }
    let mut buffer = vec![0; 512];
    while messages.len() < MESSAGES_MAX {
        match rustix::io::read(&pidfd, &mut buffer[..]) {
            Ok(0) => break,
            Ok(n) => messages.push(LogMessage::parse(&buffer[..n])),
            Err(Errno::INTR) => {}
            Err(Errno::MSGSIZE) if buffer.len() < LINE_MAX => {
                buffer.resize(buffer.len() * 2, 0);
            }
            Err(_) => break,
        }
    }
    messages
}

/// `fcntl(F_GETFL) & PIDFD_EMPTY` tells a builder from any other file: O_CREAT
/// never stays in the flags of a file that open(2) made.
fn is_builder(fd: impl AsFd) -> bool {
    rustix::fs::fcntl_getfl(fd).is_ok_and(|flags| flags.bits() & crate::uapi::PIDFD_EMPTY != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_every_level() {
        for (line, level, text, key) in [
            ("e cwd: not a directory", LogLevel::Error, "cwd: not a directory", Some("cwd")),
            ("w fds: skipped 5", LogLevel::Warning, "fds: skipped 5", Some("fds")),
            ("i committed", LogLevel::Info, "committed", None),
        ] {
            let message = LogMessage::parse(line.as_bytes());
            assert_eq!(message.level, level);
            assert_eq!(message.text, text);
            assert_eq!(message.to_string(), line);
            assert_eq!(message.key(), key);
        }
    }

    #[test]
    fn keeps_an_unknown_level_and_bad_utf8() {
        assert_eq!(LogMessage::parse(b"x new").text, "x new");
        assert_eq!(LogMessage::parse(b"e \xff").text, "\u{fffd}");
        assert_eq!(LogMessage::parse(b"").text, "");
    }

    #[test]
    fn never_reads_from_a_foreign_descriptor() {
        // An empty pipe would block.
        let (reader, _writer) = rustix::pipe::pipe().unwrap();
        assert_eq!(drain(&reader), []);
    }
}
