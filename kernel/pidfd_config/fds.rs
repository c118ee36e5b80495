// SPDX-License-Identifier: GPL-2.0

//! Descriptors that are passed on.

use super::{
    embryo::{
        self,
        Embryo,
        Slot, //
    },
    log::{
        Level,
        Log, //
    },
};
use kernel::{
    alloc::KVVec,
    prelude::*,
    transmute::FromBytes,
    uaccess::{
        UserPtr,
        UserSlice, //
    },
    uapi, //
};

/// One element of the array that `fds` takes.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub(crate) struct Entry(pub(crate) uapi::pidfd_config_fd);

// SAFETY: The struct consists of integers without padding, so every bit pattern is a valid value.
unsafe impl FromBytes for Entry {}

impl Entry {
    /// Checks what can be checked without a descriptor table.
    fn check(&self) -> Result<(), &'static str> {
        if self.0.flags & !(uapi::PIDFD_CONFIG_FD_CLOEXEC | uapi::PIDFD_CONFIG_FD_EMBRYO) != 0 {
            return Err("unknown flags");
        }
        if self.0.__reserved != 0 {
            return Err("__reserved is not zero");
        }
        Ok(())
    }
}

/// Checks an array of entries as a whole.
///
/// # Errors
///
/// Says what is wrong with it, which is [`EINVAL`].
pub(crate) fn check_entries(entries: &[Entry]) -> Result<Result<(), &'static str>> {
    let mut targets = KVVec::with_capacity(entries.len(), GFP_KERNEL_ACCOUNT)?;

    for entry in entries {
        if let Err(why) = entry.check() {
            return Ok(Err(why));
        }
        targets.push(entry.0.target, GFP_KERNEL_ACCOUNT)?;
    }
    targets.sort_unstable();
    if targets.windows(2).any(|pair| pair[0] == pair[1]) {
        return Ok(Err("two entries have the same target"));
    }
    Ok(Ok(()))
}

/// Reads the array of `size` bytes at `ptr`.
fn read_entries(ptr: UserPtr, size: usize) -> Result<KVVec<Entry>> {
    if size % size_of::<Entry>() != 0 {
        return Err(EINVAL);
    }

    let count = size / size_of::<Entry>();
    let mut entries = KVVec::with_capacity(count, GFP_KERNEL_ACCOUNT)?;
    let mut reader = UserSlice::new(ptr, size).reader();
    for _ in 0..count {
        entries.push(reader.read()?, GFP_KERNEL_ACCOUNT)?;
    }
    Ok(entries)
}

/// `fds`: puts files of the caller, or of the embryo itself, at given numbers, all or none.
pub(crate) fn map(embryo: &Embryo, ptr: UserPtr, size: usize, log: &mut Log) -> Result {
    let entries = read_entries(ptr, size)?;
    let limit = embryo.nofile();

    if let Err(why) = check_entries(&entries)? {
        log.explain(fmt!("{why}"));
        return Err(EINVAL);
    }

    let mut slots = KVVec::with_capacity(entries.len(), GFP_KERNEL_ACCOUNT)?;
    for &Entry(entry) in entries.iter() {
        let from_embryo = entry.flags & uapi::PIDFD_CONFIG_FD_EMBRYO != 0;
        let cloexec = entry.flags & uapi::PIDFD_CONFIG_FD_CLOEXEC != 0;

        if entry.target as usize >= limit {
            log.explain(fmt!("target {} is over the limit of {limit}", entry.target));
            return Err(EBADF);
        }

        let file = if from_embryo {
            embryo.file(entry.fd)
        } else {
            embryo::callers_file(entry.fd)
        }
        .inspect_err(|error| {
            let why = if *error == EINVAL {
                "holds an embryo that was not committed"
            } else {
                "is not open"
            };
            log.explain(fmt!("descriptor {} {why}", entry.fd));
        })?;
        slots.push(Slot::new(file, entry.target, cloexec), GFP_KERNEL_ACCOUNT)?;
    }
    embryo.install(&mut slots)
}

/// `inherit-fds`: puts every file that the caller would keep on exec at the number it has there.
pub(crate) fn inherit(embryo: &Embryo, log: &mut Log) -> Result {
    let mut slots = embryo::inheritable_files()?;
    let before = slots.len();

    slots.retain(|slot| !slot.holds_embryo());
    if slots.len() < before {
        log.push(
            Level::Warning,
            fmt!(
                "inherit-fds: left out {} descriptors that hold embryos",
                before - slots.len()
            ),
        );
    }
    embryo.install(&mut slots)
}
