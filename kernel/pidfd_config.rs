// SPDX-License-Identifier: GPL-2.0

//! Process creation with `pidfd_open(0, PIDFD_EMPTY)` and `pidfd_config()`.
//!
//! An *embryo* is a task that has a PID and every charge of a process, but no address space, no
//! descriptors and no signal state, and that has never run. The file made by `PIDFD_EMPTY` carries
//! its [`Builder`]; `pidfd_config()` changes the embryo through it, and a commit makes it execute
//! an image. See Documentation/userspace-api/pidfd_config.rst for the interface.
//!
//! # Modules
//!
//! - [`request`] and [`key`] turn the arguments of the system call into a [`Request`], or an errno,
//!   without looking at any object.
//! - [`builder`] is the state machine: what may be done when, and what a commit does.
//! - [`strings`], [`fds`] and [`image`] are what is configured; [`log`] is what `read()` returns.
//! - [`user`] copies from user space.
//! - [`embryo`] wraps the C side behind safe types. The other modules contain next to no `unsafe`.
//!
//! # Ownership
//!
//! ```text
//!   file (PIDFD_EMPTY) ──Arc──▶ Builder ──ARef──▶ task_struct
//!                                  ▲                  │
//!                                  └───────Arc────────┘  argument of the embryo's function
//! ```
//!
//! The two references that close the circle are both cut: the task drops its reference to the
//! builder when it executes the image or dies, and a builder that does not need the task any more
//! drops that. A file whose last close destroys an embryo cannot be put into the descriptor table
//! of one, so a circle through the file cannot be made either.
//!
//! The embryo's function runs in every case, because whatever ends an embryo wakes it: a commit, a
//! fatal signal (sent by anybody), or the last close of the file (which sends one). It is the only
//! place where the task's reference is dropped.
//!
//! # Locking
//!
//! The state of a builder is protected by one mutex. It is held while a key is set, which may
//! take long when a path is looked up, so system calls take it killably. It is not held while a
//! commit waits: the phase [`Phase::Committing`] keeps everybody else out instead, and they get
//! `EBUSY`. It is not held either while user memory is touched in any phase but
//! [`Phase::Configuring`], since a fault may take as long. A dying embryo never takes the mutex, so that nobody who holds it can delay its death;
//! it sets a flag of its gate, under its `task_lock()`, which everybody else looks at.
//!
//! Order: `Builder::state` → locks of the VFS → `task_lock()`, `siglock`, `file_lock`. Nothing is
//! called under the latter three from here.
//!
//! # A commit
//!
//! 1. The committer moves the phase to `Committing`, drops the mutex, opens the gate and waits,
//!    killably, for what `vfork()` waits for: that the embryo gets an address space or exits. A
//!    failure of exec ends the wait too.
//! 2. The embryo, the only one now to touch the configuration, takes it out of the state and
//!    executes the image. No lock is held and nothing is borrowed meanwhile.
//! 3. If that fails and the task can go on, it puts the configuration back, leaves the errno in
//!    [`Phase::Failed`] and waits at the gate again. The committer takes the errno from there and
//!    the phase back to [`Phase::Configuring`]. A committer that was killed does so beforehand, by
//!    marking its commit as abandoned.
//! 4. If it succeeds, or fails when it is too late to go on, the task becomes an ordinary child.

use kernel::{
    prelude::*,
    uaccess::UserPtr, //
};

#[path = "pidfd_config/builder.rs"]
mod builder;
#[path = "pidfd_config/embryo.rs"]
mod embryo;
#[path = "pidfd_config/fds.rs"]
mod fds;
#[path = "pidfd_config/image.rs"]
mod image;
#[path = "pidfd_config/key.rs"]
mod key;
#[path = "pidfd_config/log.rs"]
mod log;
#[path = "pidfd_config/request.rs"]
mod request;
#[path = "pidfd_config/strings.rs"]
mod strings;
#[cfg(CONFIG_PIDFD_CONFIG_KUNIT_TEST)]
#[path = "pidfd_config/tests.rs"]
mod tests;
#[path = "pidfd_config/user.rs"]
mod user;

use builder::Builder;
use request::Request;

/// Turns the outcome of a call into what C expects.
fn errno(result: Result<c_int>) -> c_int {
    result.unwrap_or_else(|error| error.to_errno())
}

fn user_ptr(ptr: *const c_void) -> UserPtr {
    UserPtr::from_ptr(ptr.cast_mut())
}

/// `pidfd_open(0, PIDFD_EMPTY)`: makes an embryo and returns the descriptor that configures it.
///
/// # Safety
///
/// Always safe to call from process context.
// Required to be unsafe due to the `#[export]` annotation.
#[export]
pub unsafe extern "C" fn pidfd_config_open(flags: c_uint) -> c_int {
    errno(Builder::open(flags))
}

/// Checks what can be checked of a `pidfd_config()` call without its descriptor.
///
/// Returns a number for [`pidfd_config_apply`], or a negative errno.
///
/// # Safety
///
/// Always safe to call from process context; the pointers are user pointers.
#[export]
pub unsafe extern "C" fn pidfd_config_parse(
    cmd: c_uint,
    key: *const c_void,
    value: *const c_void,
    aux: c_int,
) -> c_int {
    errno(Request::parse(cmd, user_ptr(key), user_ptr(value), aux).map(Request::encode))
}

/// Leaves a message about a call that [`pidfd_config_parse`] refused.
///
/// # Safety
///
/// `builder` must come from the `private_data` of a file that is kept open during the call.
#[export]
pub unsafe extern "C" fn pidfd_config_refuse(
    builder: *mut c_void,
    cmd: c_uint,
    key: *const c_void,
    error: c_int,
) {
    // SAFETY: By the safety requirement the file's reference keeps the builder alive.
    let builder = unsafe { builder::borrow(builder) };
    builder.refuse(cmd, user_ptr(key), Error::from_errno(error));
}

/// Carries out what [`pidfd_config_parse`] accepted.
///
/// # Safety
///
/// `builder` must come from the `private_data` of a file that is kept open during the call.
#[export]
pub unsafe extern "C" fn pidfd_config_apply(
    builder: *mut c_void,
    request: c_int,
    value: *const c_void,
    aux: c_int,
) -> c_int {
    // SAFETY: By the safety requirement the file's reference keeps the builder alive.
    let builder = unsafe { builder::borrow(builder) };
    errno(Request::decode(request).and_then(|request| {
        builder.apply(request, user_ptr(value), aux)?;
        Ok(0)
    }))
}

/// Reads one message of a builder.
///
/// # Safety
///
/// `builder` must come from the `private_data` of a file that is kept open during the call; `buf`
/// is a user pointer.
#[export]
pub unsafe extern "C" fn pidfd_config_read(
    builder: *mut c_void,
    buf: *mut c_void,
    len: usize,
) -> isize {
    // SAFETY: By the safety requirement the file's reference keeps the builder alive.
    let builder = unsafe { builder::borrow(builder) };
    match builder.read(UserPtr::from_ptr(buf), len) {
        // A message is far shorter than `isize::MAX`.
        Ok(read) => read as isize,
        Err(error) => error.to_errno() as isize,
    }
}

/// Drops the reference of a file that is closed.
///
/// # Safety
///
/// `builder` must come from the `private_data` of the file, which must not be used afterwards.
#[export]
pub unsafe extern "C" fn pidfd_config_release(builder: *mut c_void) {
    // SAFETY: By the safety requirement this is the reference that the file owned.
    let builder = unsafe { builder::from_raw(builder) };
    builder.close();
}

/// What an embryo runs when it is woken for the first time.
///
/// Returns 0 to continue in user space, otherwise the code to exit with.
///
/// # Safety
///
/// `builder` must be the argument that the embryo was created with, and must not be used
/// afterwards.
#[export]
pub unsafe extern "C" fn pidfd_config_main(builder: *mut c_void) -> c_int {
    // SAFETY: By the safety requirement this is the reference that the task owned.
    let builder = unsafe { builder::from_raw(builder) };
    builder.run()
}
