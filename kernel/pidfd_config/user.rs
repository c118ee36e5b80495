// SPDX-License-Identifier: GPL-2.0

//! Copying from user space.

use super::embryo;
use kernel::{
    alloc::KVVec,
    bindings,
    page::PAGE_SIZE,
    prelude::*,
    str::CStr,
    transmute::FromBytes,
    uaccess::{
        UserPtr,
        UserSlice, //
    },
    uapi, //
};

/// Longest key, in bytes with its NUL.
pub(crate) const KEY_MAX: usize = uapi::PIDFD_CONFIG_KEY_MAX as usize;

/// Reads a key.
///
/// # Errors
///
/// [`EFAULT`] if it cannot be read, [`EINVAL`] if it is too long.
pub(crate) fn key(ptr: UserPtr, buffer: &mut [u8; KEY_MAX]) -> Result<&[u8]> {
    let len = embryo::strnlen_user(ptr, KEY_MAX);

    if len == 0 {
        return Err(EFAULT);
    }
    let key = buffer.get_mut(..len).ok_or(EINVAL)?;
    UserSlice::new(ptr, len).reader().read_slice(key)?;
    // The NUL is not part of the name; one that moved meanwhile makes an unknown key.
    Ok(&key[..len - 1])
}

/// Appends the string at `ptr`, with its NUL, to `block`.
///
/// `max` is the longest string allowed, in bytes with its NUL. If this fails, `block` is as it was.
///
/// # Errors
///
/// [`EFAULT`] if the string cannot be read, `too_long` if it is longer than `max`.
pub(crate) fn append_string(
    block: &mut KVVec<u8>,
    ptr: UserPtr,
    max: usize,
    too_long: Error,
) -> Result {
    let old_len = block.len();
    let len = embryo::strnlen_user(ptr, max);

    if len == 0 {
        return Err(EFAULT);
    }
    if len > max {
        return Err(too_long);
    }
    if let Err(error) = UserSlice::new(ptr, len).read_all(block, GFP_KERNEL_ACCOUNT) {
        block.truncate(old_len);
        return Err(error);
    }
    // The string may have changed since its length was taken.
    if let Some(last) = block.last_mut() {
        *last = 0;
    }
    Ok(())
}

/// A string copied from user space.
///
/// # Invariants
///
/// The block ends with a NUL.
pub(crate) struct UserString(KVVec<u8>);

impl UserString {
    /// Copies the string at `ptr`; see [`append_string`].
    pub(crate) fn new(ptr: UserPtr, max: usize, too_long: Error) -> Result<Self> {
        let mut block = KVVec::new();

        append_string(&mut block, ptr, max, too_long)?;
        // INVARIANT: `append_string` ends the block with a NUL.
        Ok(Self(block))
    }

    /// Copies a path.
    ///
    /// # Errors
    ///
    /// [`EFAULT`] or [`ENAMETOOLONG`].
    pub(crate) fn path(ptr: UserPtr) -> Result<Self> {
        Self::new(ptr, bindings::PATH_MAX as usize, ENAMETOOLONG)
    }

    /// Makes a string from a formatted text.
    pub(crate) fn from_text(text: &[u8]) -> Result<Self> {
        let mut block = KVVec::with_capacity(text.len() + 1, GFP_KERNEL_ACCOUNT)?;

        block.extend_from_slice(text, GFP_KERNEL_ACCOUNT)?;
        block.push(0, GFP_KERNEL_ACCOUNT)?;
        // INVARIANT: The block ends with a NUL.
        Ok(Self(block))
    }

    /// The string, up to its first NUL.
    pub(crate) fn as_c_str(&self) -> &CStr {
        // By the invariant there is a NUL.
        CStr::from_bytes_until_nul(&self.0).unwrap_or(c"")
    }

    /// Bytes with the NUL.
    pub(crate) fn size(&self) -> usize {
        self.0.len()
    }
}

/// Copies a value whose size is fixed.
///
/// # Errors
///
/// [`EINVAL`] if `size` is another one, [`EFAULT`].
pub(crate) fn read_exact<T: FromBytes>(ptr: UserPtr, size: usize) -> Result<T> {
    if size != size_of::<T>() {
        return Err(EINVAL);
    }
    UserSlice::new(ptr, size).reader().read()
}

/// Copies a struct that later kernels may extend, by the rules of `copy_struct_from_user()`.
///
/// `T` is its first version and all that this kernel knows.
///
/// # Errors
///
/// [`EINVAL`] if `size` is too small, [`E2BIG`] if it is larger than a page or what follows the
/// known part is not zero, [`EFAULT`].
pub(crate) fn read_extensible<T: FromBytes>(ptr: UserPtr, size: usize) -> Result<T> {
    if size < size_of::<T>() {
        return Err(EINVAL);
    }
    if size > PAGE_SIZE {
        return Err(E2BIG);
    }

    let mut reader = UserSlice::new(ptr, size).reader();
    let value = reader.read()?;
    while !reader.is_empty() {
        if reader.read::<u8>()? != 0 {
            return Err(E2BIG);
        }
    }
    Ok(value)
}
