//! The one-call form, with the method names of [`std::process::Command`].

use std::collections::BTreeMap;
use std::ffi::{CString, OsStr, OsString};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output};

use rustix::fs::CWD;

use crate::child::Child;
use crate::embryo::Embryo;
use crate::environment::Environment;
use crate::error::{Error, Step};
use crate::fd_map::FdMap;
use crate::search::{self, Candidates};
use crate::signal_set::SignalSet;
use crate::stdio::{Prepared, Stdio};
use crate::strings::{c_string, c_strings};

/// Describes a process and starts it, any number of times.
///
/// The methods are those of [`std::process::Command`], the defaults too unless
/// said here:
///
/// * **Environment**: the caller's, as it is at [`spawn`](Self::spawn), with
///   the changes of [`env`](Self::env) and its relatives.
/// * **Standard streams**: the caller's with [`spawn`](Self::spawn) and
///   [`status`](Self::status). With [`output`](Self::output), pipes for output
///   and error, `/dev/null` for input.
/// * **No other descriptor is inherited**, close-on-exec or not. Name those
///   that the child needs with [`fd`](Self::fd), or ask for all with
///   [`inherit_fds`](Self::inherit_fds).
/// * **Signals**: every signal has its default action and none is blocked,
///   whatever the caller does. (Rust programs ignore `SIGPIPE`; the child does
///   not.)
/// * **Program**: with a slash it is a path, resolved from the child's root and
///   working directory. Without, it is searched in the `PATH` of the *child's*
///   environment (`/bin:/usr/bin` if that has none) as `execvp(3)` does: the
///   search goes on after `ENOENT`, `ENOTDIR` and `EACCES`, and ends with
///   `EACCES` if there was one. A file without a `#!` line that is no binary is
///   `ENOEXEC`; it is not given to the shell.
///
/// There is no `pre_exec`: no code of the caller runs in the child. Nothing is
/// copied from the caller's memory, so `spawn` costs the same in a large
/// process, and other threads are not held up.
///
/// # Examples
///
/// ```no_run
/// use pidfd_builder::Builder;
///
/// let output = Builder::new("sort").arg("-u").current_dir("/etc").arg("hosts").output()?;
/// print!("{}", String::from_utf8_lossy(&output.stdout));
/// # Ok::<(), pidfd_builder::Error>(())
/// ```
#[derive(Debug)]
pub struct Builder {
    program: OsString,
    arg0: Option<OsString>,
    args: Vec<OsString>,
    environment: Environment,
    current_dir: Option<PathBuf>,
    root: Option<PathBuf>,
    umask: Option<u32>,
    stdio: [Option<Stdio>; 3],
    inherit_fds: bool,
    fds: BTreeMap<u32, OwnedFd>,
    signal_mask: Option<SignalSet>,
    signal_default: SignalSet,
    signal_ignore: SignalSet,
}

/// What a stream is that was not chosen.
type Defaults = [Stdio; 3];

static INHERIT: Defaults = [Stdio::inherit(), Stdio::inherit(), Stdio::inherit()];
static CAPTURE: Defaults = [Stdio::null(), Stdio::piped(), Stdio::piped()];

impl Builder {
    /// For the program `program`; its name becomes `argv[0]` as it is.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            arg0: None,
            args: Vec::new(),
            environment: Environment::default(),
            current_dir: None,
            root: None,
            umask: None,
            stdio: [None, None, None],
            inherit_fds: false,
            fds: BTreeMap::new(),
            signal_mask: None,
            signal_default: SignalSet::EMPTY,
            signal_ignore: SignalSet::EMPTY,
        }
    }

    /// `argv[0]`, instead of the program's name.
    pub fn arg0(&mut self, arg: impl AsRef<OsStr>) -> &mut Self {
        self.arg0 = Some(arg.as_ref().to_owned());
        self
    }

    /// Adds an argument.
    pub fn arg(&mut self, arg: impl AsRef<OsStr>) -> &mut Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub fn args<I, S>(&mut self, args: I) -> &mut Self
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets a variable of the environment. A name that is empty or has a `=`
    /// is an error of [`spawn`](Self::spawn).
    pub fn env(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> &mut Self {
        self.environment.set(name.as_ref(), value.as_ref());
        self
    }

    /// Sets variables of the environment.
    pub fn envs<I, K, V>(&mut self, vars: I) -> &mut Self
    where
        I: IntoIterator<Item = (K, V)>,
        K: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        for (name, value) in vars {
            self.environment.set(name.as_ref(), value.as_ref());
        }
        self
    }

    /// Removes a variable, be it inherited or set before.
    pub fn env_remove(&mut self, name: impl AsRef<OsStr>) -> &mut Self {
        self.environment.remove(name.as_ref());
        self
    }

    /// Removes all variables; those set afterwards are all there is.
    pub fn env_clear(&mut self) -> &mut Self {
        self.environment.clear();
        self
    }

    /// The working directory, inside [`root`](Self::root) if that is set. A
    /// relative program is resolved from it.
    pub fn current_dir(&mut self, dir: impl AsRef<Path>) -> &mut Self {
        self.current_dir = Some(dir.as_ref().to_owned());
        self
    }

    /// The root directory (needs `CAP_SYS_CHROOT`). Without
    /// [`current_dir`](Self::current_dir) it is the working directory as well,
    /// lest that be outside.
    #[doc(alias = "chroot")]
    pub fn root(&mut self, dir: impl AsRef<Path>) -> &mut Self {
        self.root = Some(dir.as_ref().to_owned());
        self
    }

    /// The file mode creation mask: permission bits, at most 0777.
    pub fn umask(&mut self, mask: u32) -> &mut Self {
        self.umask = Some(mask);
        self
    }

    /// Standard input.
    pub fn stdin(&mut self, stdio: impl Into<Stdio>) -> &mut Self {
        self.stream(0, stdio.into())
    }

    /// Standard output.
    pub fn stdout(&mut self, stdio: impl Into<Stdio>) -> &mut Self {
        self.stream(1, stdio.into())
    }

    /// Standard error.
    pub fn stderr(&mut self, stdio: impl Into<Stdio>) -> &mut Self {
        self.stream(2, stdio.into())
    }

    fn stream(&mut self, number: u32, stdio: Stdio) -> &mut Self {
        self.fds.remove(&number);
        self.stdio[number as usize] = Some(stdio);
        self
    }

    /// Gives the child `fd` as descriptor `child_fd`, open over exec. The
    /// builder keeps `fd` for further children; clone one that is needed
    /// elsewhere ([`try_clone_to_owned`]).
    ///
    /// The numbers are the child's alone: they may be in use here, and two
    /// entries may name each other's. 0, 1 and 2 replace a stream that was
    /// chosen before.
    ///
    /// [`try_clone_to_owned`]: std::os::fd::BorrowedFd::try_clone_to_owned
    pub fn fd(&mut self, child_fd: u32, fd: impl Into<OwnedFd>) -> &mut Self {
        if let Some(stdio) = self.stdio.get_mut(child_fd as usize) {
            *stdio = None;
        }
        self.fds.insert(child_fd, fd.into());
        self
    }

    /// Whether the child gets every descriptor that is not close-on-exec, at
    /// the same number, as with fork and exec. Standard streams and
    /// [`fd`](Self::fd) come on top.
    pub fn inherit_fds(&mut self, inherit: bool) -> &mut Self {
        self.inherit_fds = inherit;
        self
    }

    /// The blocked signals; none by default. `SIGKILL` and `SIGSTOP` are left
    /// out silently, as by `sigprocmask(2)`.
    pub fn signal_mask(&mut self, mask: SignalSet) -> &mut Self {
        self.signal_mask = Some(mask);
        self
    }

    /// Signals with their default action: it undoes
    /// [`signal_ignore`](Self::signal_ignore) for them. All others have the
    /// default action anyway.
    pub fn signal_default(&mut self, signals: SignalSet) -> &mut Self {
        self.signal_default = signals;
        self
    }

    /// Ignored signals; none by default. `SIGKILL` or `SIGSTOP` in the set
    /// makes [`spawn`](Self::spawn) fail with `EINVAL`.
    pub fn signal_ignore(&mut self, signals: SignalSet) -> &mut Self {
        self.signal_ignore = signals;
        self
    }

    /// Starts the process. When it returns, the new program has replaced the
    /// embryo.
    ///
    /// # Errors
    ///
    /// That of the first step that failed, see [`Error::step`] and the methods
    /// of [`Embryo`]; nothing is left of the process then. Strings are checked
    /// before any call.
    pub fn spawn(&self) -> Result<Child, Error> {
        self.spawn_with(&INHERIT)
    }

    /// Starts the process, waits for it and returns its status.
    ///
    /// # Errors
    ///
    /// Those of [`spawn`](Self::spawn) and [`Child::wait`].
    pub fn status(&self) -> Result<ExitStatus, Error> {
        self.spawn_with(&INHERIT)?.wait()
    }

    /// Starts the process, waits for it and returns its status and what it
    /// wrote.
    ///
    /// # Errors
    ///
    /// Those of [`spawn`](Self::spawn) and [`Child::wait_with_output`].
    pub fn output(&self) -> Result<Output, Error> {
        self.spawn_with(&CAPTURE)?.wait_with_output()
    }

    fn spawn_with(&self, defaults: &Defaults) -> Result<Child, Error> {
        let strings = Strings::new(self)?;
        let mut streams = self.streams(defaults)?;

        let embryo = Embryo::open()?;
        if let Some(root) = &strings.root {
            embryo.c_path(c"root", CWD, root)?;
        }
        if let Some(dir) = &strings.current_dir {
            embryo.c_path(c"cwd", CWD, dir)?;
        }
        if let Some(mask) = self.umask {
            embryo.umask(mask)?;
        }
        if self.inherit_fds {
            embryo.inherit_fds()?;
        }
        let mut map = FdMap::new();
        for (number, stream) in (0..).zip(&streams) {
            stream.map(number, &mut map);
        }
        for (&number, fd) in self.fds.range(3..) {
            map.map(fd, number);
        }
        embryo.map_fds(&map)?;
        // An embryo starts with all defaults and nothing blocked.
        if !self.signal_ignore.is_empty() {
            embryo.sigignore(self.signal_ignore)?;
        }
        if !self.signal_default.is_empty() {
            embryo.sigdefault(self.signal_default)?;
        }
        if let Some(mask) = self.signal_mask {
            embryo.sigmask(mask)?;
        }
        embryo.strings(c"argv", &strings.argv)?;
        embryo.strings(c"envp", &strings.envp)?;

        let mut child = search::run(embryo, &self.program, &strings.candidates)?;
        let [stdin, stdout, stderr] = streams.each_mut().map(|stream| stream.parent.take());
        child.stdin = stdin.map(Into::into);
        child.stdout = stdout.map(Into::into);
        child.stderr = stderr.map(Into::into);
        Ok(child)
    }

    fn streams<'a>(&'a self, defaults: &'a Defaults) -> Result<[Prepared<'a>; 3], Error> {
        let mut streams = [const { Prepared::inherit() }; 3];
        for (number, (stream, default)) in (0..).zip(streams.iter_mut().zip(defaults)) {
            *stream = match self.fds.get(&number) {
                Some(fd) => Prepared::fd(fd),
                None => self.stdio[number as usize].as_ref().unwrap_or(default).prepare(number)?,
            };
        }
        Ok(streams)
    }
}

/// Everything that may have a NUL byte, checked before there is an embryo.
struct Strings {
    candidates: Candidates,
    argv: Vec<CString>,
    envp: Vec<CString>,
    current_dir: Option<CString>,
    root: Option<CString>,
}

impl Strings {
    fn new(builder: &Builder) -> Result<Self, Error> {
        let Builder { program, arg0, args, environment, current_dir, root, .. } = builder;
        let path = |key, path: &Option<PathBuf>| {
            let path = path.as_ref().map(|path| {
                c_string(Step::Key(key), path.as_os_str(), || format!("set {key} to {path:?}"))
            });
            path.transpose()
        };
        let candidates = search::candidates(program, environment.get("PATH").as_deref())?;
        let argv0 = arg0.as_ref().unwrap_or(program);
        let argv = c_strings("argv", std::iter::once(argv0).chain(args))?;
        let envp = environment.envp()?;
        let mut current_dir = path("cwd", current_dir)?;
        let root = path("root", root)?;
        if root.is_some() {
            current_dir.get_or_insert(c"/".to_owned());
        }
        Ok(Self { candidates, argv, envp, current_dir, root })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Signal;
    use std::fs::File;

    #[test]
    fn strings_are_checked_before_the_embryo_is_made() {
        let argument = Builder::new("true").args(["a", "b\0"]).spawn().unwrap_err();
        assert_eq!(
            argument.to_string(),
            r#"cannot set argv[2] to "b\0": the string has a NUL byte at offset 1"#
        );
        assert_eq!(argument.step(), Step::Key("argv"));
        for (error, key) in [
            (Builder::new("a\0").spawn(), "exec"),
            (Builder::new("true").arg0("\0").spawn(), "argv"),
            (Builder::new("true").env("A", "\0").spawn(), "envp"),
            (Builder::new("true").env("A=", "").spawn(), "envp"),
            (Builder::new("true").current_dir("\0").spawn(), "cwd"),
            (Builder::new("true").root("\0").spawn(), "root"),
        ] {
            let error = error.unwrap_err();
            assert_eq!(error.step(), Step::Key(key));
            assert_eq!(error.raw_os_error(), None);
        }
    }

    #[test]
    fn a_root_is_also_the_working_directory() {
        let strings = |builder: &mut Builder| Strings::new(builder).unwrap().current_dir;
        assert_eq!(strings(&mut Builder::new("x")), None);
        assert_eq!(strings(Builder::new("x").root("/r")).as_deref(), Some(c"/"));
        let both = strings(Builder::new("x").root("/r").current_dir("/d"));
        assert_eq!(both.as_deref(), Some(c"/d"));
    }

    #[test]
    fn argv_and_path_of_the_child() {
        let mut builder = Builder::new("prog");
        builder.arg0("zero").arg("one").args(["two", "three"]).env("PATH", "/p:/q");
        let strings = Strings::new(&builder).unwrap();
        assert_eq!(strings.argv, [c"zero", c"one", c"two", c"three"].map(ToOwned::to_owned));
        let Candidates::Path(paths) = strings.candidates else { panic!() };
        assert_eq!(paths, [c"/p/prog", c"/q/prog"].map(ToOwned::to_owned));
    }

    #[test]
    fn the_last_choice_of_a_stream_wins() {
        let null = || File::open("/dev/null").unwrap();
        let mut builder = Builder::new("x");
        builder.stdout(Stdio::piped()).fd(1, null());
        assert!(builder.stdio[1].is_none() && builder.fds.contains_key(&1));
        builder.stdout(Stdio::piped());
        assert!(builder.stdio[1].is_some() && !builder.fds.contains_key(&1));
        let streams = builder.streams(&INHERIT).unwrap();
        assert_eq!(streams.each_ref().map(|s| s.parent.is_some()), [false, true, false]);
        let streams = builder.streams(&CAPTURE).unwrap();
        assert_eq!(streams.each_ref().map(|s| s.parent.is_some()), [false, true, true]);
    }

    #[test]
    fn works_or_says_what_is_missing() {
        let set = SignalSet::from(Signal::HUP);
        let result = Builder::new("true").signal_ignore(set).status();
        match result {
            Ok(status) => assert!(status.success()),
            Err(error) => assert!(error.is_unsupported(), "{error}"),
        }
    }
}
