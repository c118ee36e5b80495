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

/// Room for a key that is one byte too long, so that it can be told from one that fits.
pub(crate) const KEY_BUFFER: usize = uapi::PIDFD_CONFIG_KEY_MAX as usize + 1;

/// Reads a key.
///
/// # Errors
///
/// [`EFAULT`] if it cannot be read, [`EINVAL`] if it is too long.
pub(crate) fn key(ptr: UserPtr, buffer: &mut [u8; KEY_BUFFER]) -> Result<&[u8]> {
    let key = UserSlice::new(ptr, KEY_BUFFER)
        .reader()
        .strcpy_into_buf(buffer)?;

    // The last byte of the buffer is only used by a key that is too long.
    if key.to_bytes_with_nul().len() == KEY_BUFFER {
        return Err(EINVAL);
    }
    Ok(key.to_bytes())
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
