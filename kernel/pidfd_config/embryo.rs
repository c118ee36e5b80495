// SPDX-License-Identifier: GPL-2.0

//! The C side, behind safe types.
//!
//! C header: [`include/linux/embryo.h`](srctree/include/linux/embryo.h)

use super::{
    builder::Builder,
    image::Image,
    strings::Arguments, //
};
use kernel::{
    alloc::KVVec,
    bindings,
    cred::Credential,
    error::{
        from_err_ptr,
        to_result, //
    },
    prelude::*,
    str::CStr,
    sync::{
        aref::ARef,
        Arc, //
    },
    task::Task,
    types::Opaque,
    uaccess::UserPtr, //
};

use core::{
    mem::ManuallyDrop,
    ptr::{
        self,
        NonNull, //
    },
};

/// Length of the string at `ptr` in bytes with its NUL; 0 if it cannot be read, more than `max` if
/// it is longer than that.
pub(crate) fn strnlen_user(ptr: UserPtr, max: usize) -> usize {
    // SAFETY: `strnlen_user` checks the pointer.
    let len = unsafe { bindings::strnlen_user(ptr.as_const_ptr().cast(), max as c_long) };

    // It never is negative.
    len as usize
}

/// Whether the pointers of the caller are 32 bits wide.
pub(crate) fn compat_caller() -> bool {
    // SAFETY: Always safe to call in process context.
    unsafe { bindings::embryo_compat_caller() }
}

/// Lets others run, and fails with [`EINTR`] if the caller has been killed.
pub(crate) fn interrupted() -> Result {
    // SAFETY: Always safe to call in process context; no spinlock is held, since none of the types
    // here can be reached with one.
    to_result(unsafe { bindings::embryo_interrupted() })
}

/// Whether the current task has been killed.
pub(crate) fn dying() -> bool {
    // SAFETY: Always safe to call.
    unsafe { bindings::embryo_dying() }
}

/// Makes the current task, an embryo, an ordinary child of its parent.
pub(crate) fn hatch_current() {
    // SAFETY: The current task is alive.
    unsafe { bindings::embryo_hatch(Task::current_raw()) }
}

/// The credentials of the caller.
pub(crate) fn current_cred() -> ARef<Credential> {
    // SAFETY: Always safe to call. It returns credentials that are not null, with a reference, which
    // the `ARef` takes over. `Credential` is a transparent wrapper of `cred`.
    unsafe {
        let cred = bindings::embryo_get_callers_cred();

        ARef::from_raw(NonNull::new_unchecked(cred.cast_mut().cast()))
    }
}

/// A reference to a mount and a directory entry.
///
/// # Invariants
///
/// Owns one reference to each.
pub(crate) struct Path(bindings::path);

// SAFETY: References to mounts and directory entries may be dropped by any task.
unsafe impl Send for Path {}

impl Path {
    /// What a descriptor of the caller refers to.
    pub(crate) fn from_fd(fd: c_int) -> Result<Self> {
        let mut path = pin_init::zeroed();

        // SAFETY: `path` is valid for writing.
        to_result(unsafe { bindings::embryo_fd_path(fd, &mut path) })?;
        // INVARIANT: `embryo_fd_path` took the references.
        Ok(Self(path))
    }
}

impl Drop for Path {
    fn drop(&mut self) {
        // SAFETY: By the type invariant there is a reference to drop.
        unsafe { bindings::embryo_put_path(&self.0) }
    }
}

/// Finds out early that an image cannot be executed.
pub(crate) fn may_exec(path: &Path) -> Result {
    // SAFETY: The references of `path` keep what it points to alive.
    to_result(unsafe { bindings::embryo_may_exec(&path.0) })
}

/// A reference to an open file.
///
/// Unlike `kernel::fs::File` it is only passed on: nothing is done with the file.
///
/// # Invariants
///
/// Owns one reference.
pub(crate) struct FileRef(NonNull<bindings::file>);

impl FileRef {
    /// # Safety
    ///
    /// If `ptr` is not an error pointer it must point to a file, with a reference that is handed
    /// over.
    unsafe fn from_err_ptr(ptr: *mut bindings::file) -> Result<Self> {
        // INVARIANT: By the safety requirement the reference is ours.
        Ok(Self(NonNull::new(from_err_ptr(ptr)?).ok_or(EBADF)?))
    }

    fn into_raw(self) -> *mut bindings::file {
        ManuallyDrop::new(self).0.as_ptr()
    }
}

impl Drop for FileRef {
    fn drop(&mut self) {
        // SAFETY: By the type invariant there is a reference to drop.
        unsafe { bindings::fput(self.0.as_ptr()) }
    }
}

/// A file that is open in the caller.
pub(crate) fn callers_file(fd: c_int) -> Result<FileRef> {
    // SAFETY: Without a task the function looks at the current one. It returns a reference.
    unsafe { FileRef::from_err_ptr(bindings::embryo_get_file(ptr::null_mut(), fd)) }
}

/// A file and the number it gets.
///
/// # Invariants
///
/// Owns the reference to the file, if there is one.
#[repr(transparent)]
pub(crate) struct Slot(bindings::fd_slot);

impl Slot {
    pub(crate) fn new(file: FileRef, fd: u32, cloexec: bool) -> Self {
        // INVARIANT: The reference is taken over from `file`.
        Self(bindings::fd_slot {
            file: file.into_raw(),
            fd,
            cloexec,
        })
    }

    /// Whether the last close of the file destroys an embryo.
    pub(crate) fn holds_embryo(&self) -> bool {
        // SAFETY: By the type invariant the file is alive. It is only null after the slot was
        // installed, and such slots are not handed out.
        !self.0.file.is_null() && unsafe { bindings::pidfs_holds_embryo(self.0.file) }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if !self.0.file.is_null() {
            // SAFETY: By the type invariant there is a reference to drop.
            unsafe { bindings::fput(self.0.file) }
        }
    }
}

/// The files that the caller would keep on exec.
pub(crate) fn inheritable_files() -> Result<KVVec<Slot>> {
    // SAFETY: Without room the function only counts.
    let mut count = unsafe { bindings::embryo_inheritable_fds(ptr::null_mut(), 0) } as usize;

    loop {
        let mut slots = KVVec::<Slot>::with_capacity(count, GFP_KERNEL_ACCOUNT)?;
        let max = c_uint::try_from(slots.capacity())?;

        // SAFETY: There is room for `max` slots, and `Slot` is a transparent `fd_slot`.
        let found = unsafe { bindings::embryo_inheritable_fds(slots.as_mut_ptr().cast(), max) };
        if found <= max {
            // SAFETY: The function initialised `found` slots, each with a reference.
            unsafe { slots.inc_len(found as usize) };
            return Ok(slots);
        }
        // Another thread opened files meanwhile.
        count = found as usize;
        interrupted()?;
    }
}

/// Where an embryo waits to be started.
#[pin_data]
pub(crate) struct Gate {
    #[pin]
    inner: Opaque<bindings::embryo_gate>,
}

// SAFETY: A gate is a completion and a flag that is written under a lock and read atomically.
unsafe impl Send for Gate {}
// SAFETY: As above.
unsafe impl Sync for Gate {}

impl Gate {
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            // SAFETY: `slot` is valid for writing and is not moved afterwards.
            inner <- Opaque::ffi_init(|slot| unsafe { bindings::embryo_gate_init(slot) }),
        })
    }

    /// Whether the embryo takes no further commit.
    pub(crate) fn is_dead(&self) -> bool {
        // SAFETY: The gate is initialised. The flag only ever changes from false to true, by a
        // `WRITE_ONCE` to which this is the counterpart.
        unsafe { ptr::read_volatile(&raw const (*self.inner.get()).dead) }
    }

    /// Waits, as the embryo, until a commit opens the gate.
    ///
    /// # Errors
    ///
    /// If a fatal signal is pending.
    pub(crate) fn pass(&self) -> Result {
        // SAFETY: The gate is initialised.
        to_result(unsafe { bindings::embryo_await(self.inner.get()) })
    }

    /// Ends, as the embryo, the wait of the committer; `dead` if no further commit is taken.
    pub(crate) fn report(&self, dead: bool) {
        // SAFETY: The gate is initialised.
        unsafe { bindings::embryo_report(self.inner.get(), dead) }
    }
}

/// What an address space passes on through fork and exec, for a task that has none meanwhile.
pub(crate) struct Inheritance(bindings::mm_inheritance);

impl Inheritance {
    /// What the caller's address space passes on.
    pub(crate) fn of_caller() -> Self {
        let mut inherit = bindings::mm_inheritance {
            flags: 0,
            def_flags: 0,
        };

        // SAFETY: `inherit` is valid for writing, and a task that makes a system call has an
        // address space.
        unsafe { bindings::mm_inheritance_save(&mut inherit) };
        Self(inherit)
    }
}

/// How an exec ended.
pub(crate) struct Execution {
    /// What exec returned.
    pub(crate) result: Result,
    /// The task cannot go on without the new image.
    pub(crate) point_of_no_return: bool,
    /// The task has an address space to return to.
    pub(crate) has_mm: bool,
}

/// Executes `image` as the current task, which is an embryo.
pub(crate) fn exec(image: &Image, arguments: &Arguments, inherit: &Inheritance) -> Execution {
    let argv = &arguments.argv;
    let envp = &arguments.envp;
    let (argv0, block, argc) = match (&arguments.argv0, argv.count()) {
        (Some(argv0), 0) => (argv0.as_c_str().as_char_ptr(), argv.block(), 1),
        (Some(argv0), count) => (argv0.as_c_str().as_char_ptr(), argv.tail(), count),
        (None, 0) => (image.name.as_c_str().as_char_ptr(), argv.block(), 1),
        (None, count) => (ptr::null(), argv.block(), count),
    };
    let (fd, fd_path) = match &image.through {
        Some((fd, path)) => (*fd, &raw const path.0),
        None => (-1, ptr::null()),
    };
    let mut raw = bindings::exec_image {
        path: &image.path.0,
        inherit: &inherit.0,
        name: image.name.as_c_str().as_char_ptr(),
        fd,
        fd_path,
        name_is_fd: image.name_is_fd,
        argv0,
        argv: block.as_ptr(),
        argv_size: block.len(),
        // The limits on their size keep both counts far below `c_int::MAX`.
        argc: argc as c_int,
        envp: envp.block().as_ptr(),
        envp_size: envp.block().len(),
        envc: envp.count() as c_int,
        point_of_no_return: false,
        has_mm: false,
    };

    // SAFETY: Everything `raw` points to is borrowed from the arguments and so outlives the call. Nothing that belongs to the address space or the context of the current task is
    // borrowed here, so both may be replaced.
    let result = to_result(unsafe { bindings::exec_image(&mut raw) });

    Execution {
        result,
        point_of_no_return: raw.point_of_no_return,
        has_mm: raw.has_mm,
    }
}

/// A task made by `PIDFD_EMPTY`.
#[derive(Clone)]
pub(crate) struct Embryo(ARef<Task>);

impl Embryo {
    /// Makes the task of `builder`. It starts with `pidfd_config_main(builder)`.
    pub(crate) fn create(builder: Arc<Builder>) -> Result<Self> {
        let raw = Arc::into_raw(builder);

        // SAFETY: If this succeeds the task owns the reference, and hands it to
        // `pidfd_config_main`.
        let task = from_err_ptr(unsafe { bindings::embryo_create(raw.cast_mut().cast()) });

        match task {
            // SAFETY: The function returns a task with a reference, which the `ARef` takes over.
            // `Task` is a transparent wrapper of `task_struct`.
            Ok(task) => Ok(Self(unsafe {
                ARef::from_raw(NonNull::new_unchecked(task.cast()))
            })),
            Err(error) => {
                // SAFETY: There is no task, so the reference is still ours.
                drop(unsafe { Arc::from_raw(raw) });
                Err(error)
            }
        }
    }

    fn as_ptr(&self) -> *mut bindings::task_struct {
        self.0.as_ptr()
    }

    /// Gives the caller the file that configures the task.
    ///
    /// # Errors
    ///
    /// `builder` is dropped, and the task is to be killed.
    pub(crate) fn install_pidfd(&self, flags: c_uint, builder: Arc<Builder>) -> Result<c_int> {
        let raw = Arc::into_raw(builder);

        // SAFETY: The task is alive. If this succeeds the file owns the reference, and hands it to
        // `pidfd_config_release`.
        let fd =
            unsafe { bindings::embryo_install_pidfd(self.as_ptr(), flags, raw.cast_mut().cast()) };
        if let Err(error) = to_result(fd) {
            // SAFETY: There is no file, so the reference is still ours.
            drop(unsafe { Arc::from_raw(raw) });
            return Err(error);
        }
        Ok(fd)
    }

    /// Sends the signal that ends the task, whether or not it ever ran.
    pub(crate) fn kill(&self) {
        // SAFETY: The reference keeps the task alive.
        unsafe { bindings::embryo_kill(self.as_ptr()) }
    }

    /// Opens the gate; with `wait`, waits until the task has an address space, reports, or exits.
    ///
    /// # Errors
    ///
    /// [`ESRCH`] if it is dead, [`EINTR`] if the caller was killed while it waited.
    pub(crate) fn start(&self, gate: &Gate, wait: bool) -> Result {
        // SAFETY: The references keep the task and the gate alive.
        to_result(unsafe { bindings::embryo_start(self.as_ptr(), gate.inner.get(), wait) })
    }

    /// Makes the task, which has executed its image, an ordinary child of its parent.
    pub(crate) fn hatch(&self) {
        // SAFETY: The reference keeps the task alive.
        unsafe { bindings::embryo_hatch(self.as_ptr()) }
    }

    /// Whether the caller may configure the task.
    pub(crate) fn permission(&self, opener: &Credential) -> Result {
        // SAFETY: The references keep the task and the credentials alive.
        to_result(unsafe { bindings::embryo_permission(self.as_ptr(), opener.as_ptr()) })
    }

    /// Bytes of arguments and environment that the task may have.
    pub(crate) fn arg_limit(&self) -> usize {
        // SAFETY: The reference keeps the task alive.
        unsafe { bindings::embryo_arg_limit(self.as_ptr()) }
    }

    /// The first descriptor number that is too large for the task.
    pub(crate) fn nofile(&self) -> usize {
        // SAFETY: The reference keeps the task alive.
        unsafe { bindings::embryo_nofile(self.as_ptr()) }
    }

    /// Resolves a path with the root and the working directory of the task.
    pub(crate) fn resolve(
        &self,
        dirfd: c_int,
        name: &CStr,
        empty: bool,
        directory: bool,
    ) -> Result<Path> {
        let mut path = pin_init::zeroed();

        // SAFETY: The reference keeps the task alive, `name` ends with a NUL, and `path` is valid
        // for writing.
        to_result(unsafe {
            bindings::embryo_resolve(
                self.as_ptr(),
                dirfd,
                name.as_char_ptr(),
                empty,
                directory,
                &mut path,
            )
        })?;
        // INVARIANT: `embryo_resolve` took the references.
        Ok(Path(path))
    }

    /// Changes the working directory.
    pub(crate) fn chdir(&self, path: &Path) -> Result {
        // SAFETY: The references keep the task and what `path` points to alive.
        to_result(unsafe { bindings::embryo_chdir(self.as_ptr(), &path.0) })
    }

    /// Changes the root directory.
    pub(crate) fn chroot(&self, path: &Path) -> Result {
        // SAFETY: The references keep the task and what `path` points to alive.
        to_result(unsafe { bindings::embryo_chroot(self.as_ptr(), &path.0) })
    }

    /// Sets the file mode creation mask.
    pub(crate) fn set_umask(&self, mask: u32) -> Result {
        // SAFETY: The reference keeps the task alive.
        to_result(unsafe { bindings::embryo_umask(self.as_ptr(), mask) })
    }

    /// Opens a file with the root, the working directory and the umask of the task.
    pub(crate) fn open(
        &self,
        dirfd: c_int,
        name: &CStr,
        how: &mut bindings::open_how,
    ) -> Result<FileRef> {
        // SAFETY: The reference keeps the task alive, `name` ends with a NUL. The function returns
        // a reference.
        unsafe {
            FileRef::from_err_ptr(bindings::embryo_open_file(
                self.as_ptr(),
                dirfd,
                name.as_char_ptr(),
                how,
            ))
        }
    }

    /// A file that is open in the task.
    pub(crate) fn file(&self, fd: c_int) -> Result<FileRef> {
        // SAFETY: The reference keeps the task alive. The function returns a reference.
        unsafe { FileRef::from_err_ptr(bindings::embryo_get_file(self.as_ptr(), fd)) }
    }

    /// Installs files in the descriptor table of the task, all or none.
    pub(crate) fn install(&self, slots: &mut [Slot]) -> Result {
        if slots.is_empty() {
            return Ok(());
        }

        let nr = c_uint::try_from(slots.len())?;
        // SAFETY: The reference keeps the task alive; `slots` has `nr` elements, and `Slot` is a
        // transparent `fd_slot`. If this succeeds the references are consumed and the files of the
        // slots are null.
        to_result(unsafe {
            bindings::embryo_install_fds(self.as_ptr(), slots.as_mut_ptr().cast(), nr)
        })
    }

    /// Closes a descriptor of the task.
    pub(crate) fn close(&self, fd: u32) -> Result {
        // SAFETY: The reference keeps the task alive.
        to_result(unsafe { bindings::embryo_close_fd(self.as_ptr(), fd) })
    }

    /// Closes descriptors of the task, or marks them close-on-exec.
    pub(crate) fn close_range(&self, first: u32, last: u32, cloexec: bool) -> Result {
        // SAFETY: The reference keeps the task alive.
        to_result(unsafe { bindings::embryo_close_fds(self.as_ptr(), first, last, cloexec) })
    }

    /// Sets the signal mask.
    pub(crate) fn set_blocked(&self, mask: u64) -> Result {
        // SAFETY: The reference keeps the task alive.
        to_result(unsafe { bindings::embryo_set_blocked(self.as_ptr(), mask) })
    }

    /// Makes the task ignore signals, or gives them their default action.
    pub(crate) fn set_handlers(&self, signals: u64, ignore: bool) -> Result {
        // SAFETY: The reference keeps the task alive.
        to_result(unsafe { bindings::embryo_set_handlers(self.as_ptr(), signals, ignore) })
    }
}
