//! A set of signals, as the kernel's 64-bit mask.

use std::fmt;
use std::ops::{BitOr, BitOrAssign, Not, Sub};

use crate::Signal;

/// A set of the signals 1 to 64.
///
/// Signal n is bit n-1, as in the kernel's `sigset_t` and in the `SigBlk` and
/// `SigIgn` lines of `/proc/PID/status`. See `signal(7)`.
///
/// ```
/// use pidfd_builder::{Signal, SignalSet};
///
/// let set = SignalSet::from_iter([Signal::HUP, Signal::TERM]);
/// assert!(set.contains(Signal::TERM));
/// assert_eq!(set.bits(), 1 << 0 | 1 << 14);
/// assert_eq!(format!("{set:?}"), "{HUP, TERM}");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct SignalSet(u64);

impl SignalSet {
    /// No signal.
    pub const EMPTY: Self = Self(0);
    /// Every signal, the real-time ones included.
    pub const ALL: Self = Self(u64::MAX);

    /// The set with this kernel mask. Every value is a valid set.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The kernel mask.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Whether no signal is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Adds a signal.
    pub const fn insert(&mut self, signal: Signal) {
        self.0 |= bit(signal);
    }

    /// Removes a signal.
    pub const fn remove(&mut self, signal: Signal) {
        self.0 &= !bit(signal);
    }

    /// Whether the signal is in the set.
    pub const fn contains(self, signal: Signal) -> bool {
        self.0 & bit(signal) != 0
    }

    /// The numbers of the signals in the set, ascending.
    ///
    /// Numbers, because [`Signal`] leaves out those that the C library keeps
    /// for itself (32 and 33 with glibc), which a mask may well have.
    pub fn numbers(self) -> impl Iterator<Item = u32> {
        (1..=u64::BITS).filter(move |n| self.0 & (1 << (n - 1)) != 0)
    }
}

/// A number above 64 exists on MIPS only; it is in no set.
const fn bit(signal: Signal) -> u64 {
    match 1u64.checked_shl(signal.as_raw() as u32 - 1) {
        Some(bit) => bit,
        None => 0,
    }
}

/// `{HUP, TERM, 34}`: names without `SIG`, numbers where there is no name.
impl fmt::Debug for SignalSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Name(u32);
        impl fmt::Debug for Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match name(self.0 as i32) {
                    Some(name) => f.write_str(name),
                    None => self.0.fmt(f),
                }
            }
        }
        f.debug_set().entries(self.numbers().map(Name)).finish()
    }
}

/// The name of a signal without `SIG`, as kill(1) spells it.
pub(crate) fn name(number: i32) -> Option<&'static str> {
    Some(match number {
        libc::SIGHUP => "HUP",
        libc::SIGINT => "INT",
        libc::SIGQUIT => "QUIT",
        libc::SIGILL => "ILL",
        libc::SIGTRAP => "TRAP",
        libc::SIGABRT => "ABRT",
        libc::SIGBUS => "BUS",
        libc::SIGFPE => "FPE",
        libc::SIGKILL => "KILL",
        libc::SIGUSR1 => "USR1",
        libc::SIGSEGV => "SEGV",
        libc::SIGUSR2 => "USR2",
        libc::SIGPIPE => "PIPE",
        libc::SIGALRM => "ALRM",
        libc::SIGTERM => "TERM",
        libc::SIGCHLD => "CHLD",
        libc::SIGCONT => "CONT",
        libc::SIGSTOP => "STOP",
        libc::SIGTSTP => "TSTP",
        libc::SIGTTIN => "TTIN",
        libc::SIGTTOU => "TTOU",
        libc::SIGURG => "URG",
        libc::SIGXCPU => "XCPU",
        libc::SIGXFSZ => "XFSZ",
        libc::SIGVTALRM => "VTALRM",
        libc::SIGPROF => "PROF",
        libc::SIGWINCH => "WINCH",
        libc::SIGIO => "IO",
        libc::SIGPWR => "PWR",
        libc::SIGSYS => "SYS",
        _ => return None,
    })
}

impl From<Signal> for SignalSet {
    fn from(signal: Signal) -> Self {
        Self(bit(signal))
    }
}

impl FromIterator<Signal> for SignalSet {
    fn from_iter<I: IntoIterator<Item = Signal>>(signals: I) -> Self {
        let mut set = Self::EMPTY;
        set.extend(signals);
        set
    }
}

impl Extend<Signal> for SignalSet {
    fn extend<I: IntoIterator<Item = Signal>>(&mut self, signals: I) {
        signals.into_iter().for_each(|signal| self.insert(signal));
    }
}

impl BitOr for SignalSet {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for SignalSet {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl Sub for SignalSet {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl Not for SignalSet {
    type Output = Self;
    fn not(self) -> Self {
        Self(!self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bit_n_minus_1_is_signal_n() {
        assert_eq!(SignalSet::from(Signal::HUP).bits(), 1);
        assert_eq!(SignalSet::from(Signal::KILL).bits(), 1 << 8);
        assert_eq!(SignalSet::ALL.numbers().last(), Some(64));
        assert_eq!(SignalSet::ALL.numbers().next(), Some(1));
        assert_eq!(SignalSet::EMPTY.numbers().count(), 0);
    }

    #[test]
    fn set_operations() {
        let mut set = SignalSet::from_iter([Signal::INT, Signal::TERM]);
        set.remove(Signal::INT);
        assert!(!set.contains(Signal::INT));
        set |= Signal::USR1.into();
        assert_eq!(set, SignalSet::from_iter([Signal::USR1, Signal::TERM]));
        assert_eq!(!SignalSet::EMPTY, SignalSet::ALL);
        assert!((set - SignalSet::ALL).is_empty());
        assert!((SignalSet::EMPTY | set).contains(Signal::TERM));
    }

    #[test]
    fn debug_has_names_and_numbers() {
        let set = SignalSet::from(Signal::SYS) | SignalSet::from_bits(1 << 33);
        assert_eq!(format!("{set:?}"), "{SYS, 34}");
    }
}
