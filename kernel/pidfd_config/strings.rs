// SPDX-License-Identifier: GPL-2.0

//! Arguments and environment.

use super::{
    embryo,
    user::{
        self,
        UserString, //
    },
};
use kernel::{
    alloc::KVVec,
    page::PAGE_SIZE,
    prelude::*,
    uaccess::{
        UserPtr,
        UserSlice, //
    },
};

/// Longest argument or environment string, in bytes with its NUL: `MAX_ARG_STRLEN`.
pub(crate) const STRING_MAX: usize = PAGE_SIZE * 32;

/// Bytes that a string takes on the new stack besides itself.
const POINTER_SIZE: usize = size_of::<*const u8>();

/// A list of strings, in the form exec wants it: one after the other, each with its NUL.
///
/// # Invariants
///
/// `count` is the number of strings in `block`, as they were copied.
pub(crate) struct StringList {
    block: KVVec<u8>,
    count: usize,
}

impl StringList {
    pub(crate) const fn new() -> Self {
        Self {
            block: KVVec::new(),
            count: 0,
        }
    }

    /// Number of strings.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The strings, each with its NUL.
    pub(crate) fn block(&self) -> &[u8] {
        &self.block
    }

    /// All strings but the first.
    pub(crate) fn tail(&self) -> &[u8] {
        match self.block.iter().position(|&byte| byte == 0) {
            Some(nul) => &self.block[nul + 1..],
            None => &[],
        }
    }

    /// Bytes that the list takes on the new stack.
    pub(crate) fn cost(&self) -> usize {
        self.block.len() + self.count * POINTER_SIZE
    }

    /// Appends the string at `ptr`. If this fails, the list is as it was.
    ///
    /// # Errors
    ///
    /// [`E2BIG`] if the string is longer than [`STRING_MAX`] or the list would cost more than
    /// `limit` bytes, [`EFAULT`].
    pub(crate) fn push_user(&mut self, ptr: UserPtr, limit: usize) -> Result {
        let old_len = self.block.len();

        user::append_string(&mut self.block, ptr, STRING_MAX, E2BIG)?;
        // INVARIANT: One string was appended.
        self.count += 1;
        if self.cost() > limit {
            // INVARIANT: And is taken away.
            self.block.truncate(old_len);
            self.count -= 1;
            return Err(E2BIG);
        }
        Ok(())
    }

    /// Appends `string`, which contains no NUL.
    #[cfg(CONFIG_PIDFD_CONFIG_KUNIT_TEST)]
    pub(crate) fn push(&mut self, string: &[u8]) -> Result {
        self.block.extend_from_slice(string, GFP_KERNEL)?;
        self.block.push(0, GFP_KERNEL)?;
        // INVARIANT: One string was appended.
        self.count += 1;
        Ok(())
    }

    /// Copies an array of pointers to strings that ends with a null pointer. A null `array` is an
    /// empty list.
    ///
    /// # Errors
    ///
    /// As [`Self::push_user`]; [`EINTR`] if the caller is killed meanwhile.
    pub(crate) fn read_user(array: UserPtr, limit: usize) -> Result<Self> {
        let compat = embryo::compat_caller();
        let width = if compat {
            size_of::<u32>()
        } else {
            POINTER_SIZE
        };
        let mut list = Self::new();
        let mut next = array;

        if array.as_const_ptr().is_null() {
            return Ok(list);
        }
        loop {
            let mut reader = UserSlice::new(next, width).reader();
            let string = if compat {
                reader.read::<u32>()? as usize
            } else {
                reader.read::<usize>()?
            };

            if string == 0 {
                return Ok(list);
            }
            list.push_user(UserPtr::from_addr(string), limit)?;
            next = next.wrapping_byte_add(width);
            if list.count % 64 == 0 {
                embryo::interrupted()?;
            }
        }
    }
}

/// The arguments and the environment of a new program.
pub(crate) struct Arguments {
    pub(crate) argv: StringList,
    pub(crate) envp: StringList,
    /// What to put in the place of the first argument.
    pub(crate) argv0: Option<UserString>,
}

impl Arguments {
    pub(crate) const fn new() -> Self {
        Self {
            argv: StringList::new(),
            envp: StringList::new(),
            argv0: None,
        }
    }

    /// Bytes that all of it takes on the new stack.
    fn cost(&self) -> usize {
        self.argv.cost() + self.envp.cost() + self.argv0_cost()
    }

    fn argv0_cost(&self) -> usize {
        self.argv0
            .as_ref()
            .map_or(0, |argv0| argv0.size() + POINTER_SIZE)
    }

    /// Replaces the arguments; see [`StringList::read_user`].
    pub(crate) fn set_argv(&mut self, array: UserPtr, limit: usize) -> Result {
        let room = limit.saturating_sub(self.cost() - self.argv.cost());

        self.argv = StringList::read_user(array, room)?;
        Ok(())
    }

    /// Replaces the environment.
    pub(crate) fn set_envp(&mut self, array: UserPtr, limit: usize) -> Result {
        let room = limit.saturating_sub(self.cost() - self.envp.cost());

        self.envp = StringList::read_user(array, room)?;
        Ok(())
    }

    /// Appends an argument.
    pub(crate) fn push_arg(&mut self, string: UserPtr, limit: usize) -> Result {
        let room = limit.saturating_sub(self.cost() - self.argv.cost());

        self.argv.push_user(string, room)
    }

    /// Appends an environment string.
    pub(crate) fn push_env(&mut self, string: UserPtr, limit: usize) -> Result {
        let room = limit.saturating_sub(self.cost() - self.envp.cost());

        self.envp.push_user(string, room)
    }

    /// Sets what takes the place of the first argument.
    pub(crate) fn set_argv0(&mut self, string: UserPtr, limit: usize) -> Result {
        let argv0 = UserString::new(string, STRING_MAX, E2BIG)?;

        if self.cost() - self.argv0_cost() + argv0.size() + POINTER_SIZE > limit {
            return Err(E2BIG);
        }
        self.argv0 = Some(argv0);
        Ok(())
    }
}
