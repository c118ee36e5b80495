// SPDX-License-Identifier: GPL-2.0

//! The builder of an embryo: what may be done when.

use super::{
    embryo::{
        self,
        Embryo,
        Execution,
        Gate,
        Inheritance,
        Path, //
    },
    fds,
    image::Image,
    key::Key,
    log::Log,
    request::{
        Command,
        Request, //
    },
    strings::Arguments,
    user::{
        self,
        UserString, //
    },
};
use kernel::{
    bindings,
    cred::Credential,
    new_mutex,
    prelude::*,
    str::BStr,
    sync::{
        aref::ARef,
        Arc,
        ArcBorrow,
        Mutex, //
    },
    transmute::FromBytes,
    uaccess::{
        UserPtr,
        UserSlice, //
    },
    uapi, //
};

/// Exit code of a task that was killed.
const KILLED: c_int = bindings::SIGKILL as c_int;
/// Exit code of a task that died of an exec that failed when it was too late to go on.
const EXEC_FAULT: c_int = bindings::SIGSEGV as c_int;
/// Exit code of a task whose exec failed with nobody waiting: the 127 of posix_spawn(3).
const EXEC_FAILED: c_int = 127 << 8;

/// How far an embryo is.
#[derive(Clone, Copy)]
enum Phase {
    /// It can be configured and committed.
    Configuring,
    /// A commit is under way; the embryo owns the configuration.
    Committing {
        /// What becomes of the outcome.
        outcome: Outcome,
    },
    /// A commit failed and who waits for it has not seen that yet.
    Failed(Error),
    /// It executed its image, or died of it.
    Hatched,
    /// The last close of the file killed it, if perhaps in the middle of its exec.
    Destroyed,
}

/// Who looks at the outcome of a commit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// The committer waits for it.
    Awaited,
    /// The committer was killed while it waited.
    Abandoned,
    /// Whoever waits for the process, which is an ordinary child already.
    Parent,
}

/// What is configured but cannot be applied to a task that does not run.
struct Program {
    image: Option<Image>,
    arguments: Arguments,
}

impl Program {
    const fn new() -> Self {
        Self {
            image: None,
            arguments: Arguments::new(),
        }
    }
}

/// The part of a builder that changes.
struct State {
    phase: Phase,
    /// The task; dropped once it is not needed any more, so that a pidfd does not pin it.
    embryo: Option<Embryo>,
    program: Program,
    log: Log,
}

impl State {
    /// The task, if the caller may configure it now.
    fn authorise(&self, builder: &Builder) -> Result<Embryo> {
        let Some(embryo) = &self.embryo else {
            return Err(EBUSY);
        };

        if builder.gate.is_dead() {
            return Err(ESRCH);
        }
        embryo.permission(&builder.opener)?;
        match self.phase {
            Phase::Configuring => Ok(embryo.clone()),
            _ => Err(EBUSY),
        }
    }
}

/// What the file made by `PIDFD_EMPTY` carries.
#[pin_data]
pub(crate) struct Builder {
    #[pin]
    gate: Gate,
    /// Who may configure the embryo: its credentials are those of the opener.
    opener: ARef<Credential>,
    /// What the new address space inherits from that of the opener.
    inherit: Inheritance,
    #[pin]
    state: Mutex<State>,
}

/// Borrows the builder of a file.
///
/// # Safety
///
/// `ptr` must come from [`Arc::into_raw`] on a `Builder`, and that reference must not be dropped
/// during `'a`.
pub(crate) unsafe fn borrow<'a>(ptr: *mut c_void) -> ArcBorrow<'a, Builder> {
    // SAFETY: By the safety requirement.
    unsafe { ArcBorrow::from_raw(ptr.cast_const().cast()) }
}

/// Takes back a reference that C owned.
///
/// # Safety
///
/// `ptr` must come from [`Arc::into_raw`] on a `Builder` and must not be used afterwards.
pub(crate) unsafe fn from_raw(ptr: *mut c_void) -> Arc<Builder> {
    // SAFETY: By the safety requirement.
    unsafe { Arc::from_raw(ptr.cast_const().cast()) }
}

impl Builder {
    fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            gate <- Gate::new(),
            opener: embryo::current_cred(),
            inherit: Inheritance::of_caller(),
            state <- new_mutex!(State {
                phase: Phase::Configuring,
                embryo: None,
                program: Program::new(),
                log: Log::new(),
            }),
        })
    }

    /// Makes an embryo and the descriptor that configures it.
    pub(crate) fn open(flags: c_uint) -> Result<c_int> {
        let builder = Arc::pin_init(Self::new(), GFP_KERNEL_ACCOUNT)?;
        let embryo = Embryo::create(builder.clone())?;

        builder.state.lock().embryo = Some(embryo.clone());
        embryo
            .install_pidfd(flags, builder)
            .inspect_err(|_| embryo.kill())
    }

    /// Leaves a message about arguments that were refused before this builder was looked at.
    pub(crate) fn refuse(&self, cmd: u32, key: UserPtr, error: Error) {
        // Before the state is locked, for the reason given in `read`.
        let mut buffer = [0; user::KEY_MAX];
        let key = if key.as_const_ptr().is_null() {
            None
        } else {
            user::key(key, &mut buffer).ok()
        };
        let Ok(mut state) = self.state.lock_killable() else {
            return;
        };
        if state.authorise(self).is_err() {
            return;
        }

        let Some(name) = key else {
            state.log.fail(fmt!("command {cmd}"), error);
            return;
        };
        let why = match (Command::from_raw(cmd), Key::from_name(name)) {
            (Err(_), _) => "unknown command",
            (_, None) => "unknown key",
            (Ok(command), Some(key)) if !key.takes(command) => "not set by this command",
            _ => "value or aux does not fit the command",
        };
        state.log.explain(fmt!("{why}"));
        state.log.fail(BStr::from_bytes(name), error);
    }

    /// Carries out a request.
    ///
    /// # Errors
    ///
    /// - [`EBUSY`] if the embryo was committed or a commit is under way,
    /// - [`ESRCH`] if it was killed,
    /// - [`EPERM`] if the caller may not configure it,
    /// - [`EINTR`] if the caller is killed,
    /// - and those of each request.
    pub(crate) fn apply(&self, request: Request, value: UserPtr, aux: c_int) -> Result {
        let mut state = self.state.lock_killable()?;
        let embryo = state.authorise(self)?;

        match request {
            Request::Commit => {
                let nowait = aux as u32 & uapi::PIDFD_COMMIT_NOWAIT != 0;

                if state.program.image.is_none() {
                    state.log.explain(fmt!("no image was set"));
                    state.log.fail("commit", EINVAL);
                    return Err(EINVAL);
                }
                state.phase = Phase::Committing {
                    outcome: if nowait {
                        Outcome::Parent
                    } else {
                        Outcome::Awaited
                    },
                };
                drop(state);
                self.commit(&embryo, nowait)
            }
            Request::Set(key, command) => {
                state.log.begin();
                let result = state
                    .set(&embryo, key, command, value, aux)
                    .inspect_err(|&error| state.log.fail(key, error));
                // A task that was killed meanwhile is gone, whatever else went wrong.
                if self.gate.is_dead() {
                    return Err(ESRCH);
                }
                result
            }
        }
    }

    /// Starts the embryo, as the caller, which moved the phase to [`Phase::Committing`].
    fn commit(&self, embryo: &Embryo, nowait: bool) -> Result {
        let waited = embryo.start(&self.gate, !nowait);

        // It is an ordinary child now, whatever becomes of it.
        if nowait && waited.is_ok() {
            return Ok(());
        }

        // Nobody holds the mutex for long in the phases that are possible now.
        let mut state = self.state.lock();
        match (waited, state.phase) {
            // It is dead, and has not taken the configuration.
            (Err(error), Phase::Committing { .. }) if error == ESRCH => {
                state.phase = Phase::Configuring;
                Err(error)
            }
            // The caller was killed. The commit goes on without it.
            (Err(error), Phase::Committing { .. }) => {
                state.phase = Phase::Committing {
                    outcome: Outcome::Abandoned,
                };
                Err(error)
            }
            (_, Phase::Failed(error)) => {
                state.phase = Phase::Configuring;
                Err(error)
            }
            // It took the configuration and died before it had executed the image.
            (_, Phase::Committing { .. }) if self.gate.is_dead() => {
                state.phase = Phase::Configuring;
                Err(ESRCH)
            }
            // It has executed its image, but may not have come to say so. From the caller's return
            // on a close must not destroy it, and it is waited for.
            _ => {
                state.phase = Phase::Hatched;
                embryo.hatch();
                Ok(())
            }
        }
    }

    /// Drops what the last close of the file drops.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock();
        let embryo = state.embryo.take();

        match state.phase {
            Phase::Hatched
            | Phase::Destroyed
            | Phase::Committing {
                outcome: Outcome::Parent,
            } => {}
            // A committer that waits keeps the file open, unless it was killed.
            Phase::Configuring | Phase::Failed(_) | Phase::Committing { .. } => {
                state.phase = Phase::Destroyed;
                if let Some(embryo) = embryo {
                    embryo.kill();
                }
            }
        }
    }

    /// What the embryo does when it is woken for the first time, and what it returns to C.
    pub(crate) fn run(&self) -> c_int {
        loop {
            if self.gate.pass().is_err() {
                return self.die();
            }
            if let Some(code) = self.execute() {
                return code;
            }
        }
    }

    /// Ends the embryo: it was killed before it executed an image.
    fn die(&self) -> c_int {
        // The mutex may be held by somebody who waits for a file system, so leave the state alone.
        self.gate.report(true);
        KILLED
    }

    /// Executes the image. Returns how the task goes on, or [`None`] to wait for the next commit.
    fn execute(&self) -> Option<c_int> {
        // The phase keeps everybody else from holding the mutex for long.
        let mut state = self.state.lock();
        if !matches!(state.phase, Phase::Committing { .. }) {
            // The gate is only opened in that phase, so it was destroyed since.
            drop(state);
            return Some(self.die());
        }
        let program = core::mem::replace(&mut state.program, Program::new());
        drop(state);

        let execution = match &program.image {
            Some(image) => embryo::exec(image, &program.arguments, &self.inherit),
            None => Execution {
                result: Err(EINVAL),
                point_of_no_return: false,
                has_mm: false,
            },
        };

        let error = match execution.result {
            Ok(()) => return Some(self.hatch(0)),
            // exec has made a fatal signal pending, which is acted on on the way to user space.
            Err(_) if execution.has_mm => return Some(self.hatch(0)),
            Err(_) if embryo::dying() => return Some(self.die()),
            Err(_) if execution.point_of_no_return => return Some(self.hatch(EXEC_FAULT)),
            Err(error) => restart_to_again(error),
        };

        let mut state = self.state.lock();
        if let Some(image) = &program.image {
            state.log.explain(fmt!("{}", image.name.as_c_str()));
            state.log.fail("exec", error);
        }
        state.program = program;

        state.phase = match state.phase {
            Phase::Committing {
                outcome: Outcome::Awaited,
            } => Phase::Failed(error),
            Phase::Committing {
                outcome: Outcome::Abandoned,
            } => Phase::Configuring,
            Phase::Committing {
                outcome: Outcome::Parent,
            } => {
                drop(state);
                return Some(self.hatch(EXEC_FAILED));
            }
            _ => {
                drop(state);
                return Some(self.die());
            }
        };
        drop(state);
        self.gate.report(false);
        None
    }

    /// Makes the task an ordinary child that goes on, or exits, with `code`.
    fn hatch(&self, code: c_int) -> c_int {
        let mut state = self.state.lock();

        if let Phase::Destroyed = state.phase {
            // It is killed on its way to user space, and leaves nothing to wait for.
            return code;
        }
        state.phase = Phase::Hatched;
        // The reference of the C core keeps the current task alive.
        let embryo = state.embryo.take();
        drop(state);
        drop(embryo);
        embryo::hatch_current();
        code
    }

    /// Copies the oldest message to user space and drops it.
    ///
    /// # Errors
    ///
    /// [`ENODATA`] if there is none, [`EMSGSIZE`] if it does not fit, [`EFAULT`], [`EINTR`]. The
    /// message is kept in these cases.
    pub(crate) fn read(&self, buffer: UserPtr, size: usize) -> Result<usize> {
        let mut state = self.state.lock_killable()?;
        let len = state.log.first().ok_or(ENODATA)?.len();

        if len > size {
            return Err(EMSGSIZE);
        }
        let message = state.log.take_first().ok_or(ENODATA)?;
        // A fault may take as long as user space likes, and an embryo in the middle of a commit may
        // need the state meanwhile.
        drop(state);
        let written = UserSlice::new(buffer, len).writer().write_slice(&message);
        if written.is_err() {
            self.state.lock().log.put_back(message);
        }
        written.map(|()| len)
    }
}

impl State {
    fn set(
        &mut self,
        embryo: &Embryo,
        key: Key,
        command: Command,
        value: UserPtr,
        aux: c_int,
    ) -> Result {
        // `Request::parse` made sure that `aux` is positive for a block.
        let size = aux as usize;
        let limit = || embryo.arg_limit();
        let arguments = &mut self.program.arguments;

        match key {
            Key::Exec => {
                self.program.image = Some(match command {
                    Command::SetFd => Image::from_fd(aux)?,
                    _ => {
                        let (path, name) = self.resolve(embryo, key, command, value, aux)?;
                        Image::from_path(path, aux, name)?
                    }
                });
                Ok(())
            }
            Key::Argv => arguments.set_argv(value, limit()),
            Key::Envp => arguments.set_envp(value, limit()),
            Key::Arg => arguments.push_arg(value, limit()),
            Key::Env => arguments.push_env(value, limit()),
            Key::Argv0 => arguments.set_argv0(value, limit()),
            Key::Fds => fds::map(embryo, value, size, &mut self.log),
            Key::Open => open(embryo, value, size),
            Key::Close => embryo.close(aux as u32),
            Key::CloseRange => close_range(embryo, value, size),
            Key::InheritFds => fds::inherit(embryo, &mut self.log),
            Key::Cwd => {
                let path = self.directory(embryo, key, command, value, aux)?;
                embryo.chdir(&path)
            }
            Key::Root => {
                let path = self.directory(embryo, key, command, value, aux)?;
                embryo.chroot(&path)
            }
            Key::Umask => {
                let mask: u32 = user::read_exact(value, size)?;

                if mask & !0o777 != 0 {
                    return Err(EINVAL);
                }
                embryo.set_umask(mask)
            }
            Key::Sigmask => embryo.set_blocked(user::read_exact(value, size)?),
            Key::Sigdefault => embryo.set_handlers(user::read_exact(value, size)?, false),
            Key::Sigignore => {
                let signals: u64 = user::read_exact(value, size)?;

                if signals & (signal_bit(bindings::SIGKILL) | signal_bit(bindings::SIGSTOP)) != 0 {
                    return Err(EINVAL);
                }
                embryo.set_handlers(signals, true)
            }
        }
    }

    /// Resolves the path of a key. The message about a failure says which path it was.
    fn resolve(
        &mut self,
        embryo: &Embryo,
        key: Key,
        command: Command,
        value: UserPtr,
        aux: c_int,
    ) -> Result<(Path, UserString)> {
        let name = UserString::path(value)?;
        let empty = command == Command::SetPathEmpty;
        let resolved = if key == Key::Exec {
            Image::resolve(embryo, aux, name.as_c_str(), empty)
        } else {
            embryo.resolve(aux, name.as_c_str(), empty, true)
        };

        match resolved {
            Ok(path) => Ok((path, name)),
            Err(error) => {
                self.log.explain(fmt!("{}", name.as_c_str()));
                Err(error)
            }
        }
    }

    /// The directory that `cwd` or `root` names.
    fn directory(
        &mut self,
        embryo: &Embryo,
        key: Key,
        command: Command,
        value: UserPtr,
        aux: c_int,
    ) -> Result<Path> {
        if command == Command::SetFd {
            return Path::from_fd(aux);
        }
        Ok(self.resolve(embryo, key, command, value, aux)?.0)
    }
}

/// The bit of a signal in a signal set.
const fn signal_bit(signal: u32) -> u64 {
    1 << (signal - 1)
}

/// What `open` takes.
#[repr(transparent)]
struct OpenArguments(uapi::pidfd_config_open);

// SAFETY: The struct consists of integers without padding, so every bit pattern is a valid value.
unsafe impl FromBytes for OpenArguments {}

/// `open`: opens a file in the embryo.
fn open(embryo: &Embryo, value: UserPtr, size: usize) -> Result {
    let OpenArguments(arguments) = user::read_extensible(value, size)?;

    if arguments.target as usize >= embryo.nofile() {
        return Err(EBADF);
    }

    let name = UserString::path(UserPtr::from_addr(usize::try_from(arguments.path)?))?;
    let mut how = bindings::open_how {
        flags: arguments.flags,
        mode: arguments.mode,
        resolve: arguments.resolve,
    };
    let cloexec = arguments.flags & u64::from(bindings::O_CLOEXEC) != 0;
    let file = embryo.open(arguments.dirfd, name.as_c_str(), &mut how)?;
    embryo.install(&mut [embryo::Slot::new(file, arguments.target, cloexec)])
}

/// What `close-range` takes.
#[repr(transparent)]
struct CloseRangeArguments(uapi::pidfd_config_close_range);

// SAFETY: The struct consists of integers without padding, so every bit pattern is a valid value.
unsafe impl FromBytes for CloseRangeArguments {}

/// `close-range`: closes descriptors of the embryo.
fn close_range(embryo: &Embryo, value: UserPtr, size: usize) -> Result {
    let CloseRangeArguments(range) = user::read_extensible(value, size)?;

    if range.flags & !uapi::CLOSE_RANGE_CLOEXEC != 0 || range.first > range.last {
        return Err(EINVAL);
    }
    embryo.close_range(range.first, range.last, range.flags != 0)
}

/// Turns the codes that restart a system call into one that is fit for its caller: it is not the
/// embryo that made the call.
fn restart_to_again(error: Error) -> Error {
    if error.to_errno() <= -(bindings::ERESTARTSYS as c_int) {
        EAGAIN
    } else {
        error
    }
}
