//! The builder: what the child gets and what it does not.
//!
//! Runs as root on a kernel with `CONFIG_PIDFD_CONFIG=y`, and fails on others.

mod common;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Output;
use std::thread;

use common::{Proc, Scratch, errno, pipe};
use pidfd_builder::{Builder, Child, Signal, SignalSet, Stdio, Step};

/// Standard output of a shell script.
fn sh(script: &str) -> Builder {
    let mut builder = Builder::new("sh");
    builder.args(["-c", script]);
    builder
}

fn text(builder: &Builder) -> String {
    let Output { status, stdout, stderr } = builder.output().unwrap();
    assert!(status.success(), "{status}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

// Arguments and environment

#[test]
fn arguments() {
    let mut builder = sh(r#"printf '%s|' "$0" "$@""#);
    builder.arg("zero").args(["one two", "", "*"]);
    assert_eq!(text(&builder), "zero|one two||*|");
}

/// argv[0] is the program as it was named, or arg0.
#[test]
fn argv0() {
    let cmdline = |builder: &mut Builder| {
        let (mut child, proc) = started(builder);
        let cmdline = proc.read("cmdline");
        assert!(child.wait().unwrap().success());
        cmdline
    };
    assert_eq!(cmdline(&mut Builder::new("cat")), "cat\0");
    assert_eq!(cmdline(&mut Builder::new("/bin/cat")), "/bin/cat\0");
    assert_eq!(cmdline(Builder::new("cat").arg0("zero").arg("-")), "zero\0-\0");
}

fn environment(builder: &mut Builder) -> BTreeSet<Vec<u8>> {
    let output = builder.arg("-0").output().unwrap();
    assert!(output.status.success());
    output.stdout.split(|&b| b == 0).filter(|v| !v.is_empty()).map(<[u8]>::to_vec).collect()
}

/// The caller's environment, with what was changed.
#[test]
fn environment_is_inherited() {
    let own: BTreeSet<Vec<u8>> = std::env::vars_os()
        .map(|(name, value)| [name.as_bytes(), b"=", value.as_bytes()].concat())
        .collect();
    assert!(!own.is_empty());
    assert_eq!(environment(&mut Builder::new("/usr/bin/env")), own);

    let mut builder = Builder::new("/usr/bin/env");
    builder.env("PIDFD_BUILDER_TEST", "a=b").env_remove("PATH");
    let mut expected: BTreeSet<_> = own.into_iter().filter(|v| !v.starts_with(b"PATH=")).collect();
    expected.insert(b"PIDFD_BUILDER_TEST=a=b".to_vec());
    assert_eq!(environment(&mut builder), expected);
}

#[test]
fn environment_can_be_cleared() {
    let mut builder = Builder::new("/usr/bin/env");
    builder.env("LOST", "1").env_clear();
    assert!(environment(&mut builder).is_empty());
    let mut builder = Builder::new("/usr/bin/env");
    builder.env_clear().envs([("A", "1"), ("B", "2"), ("C", "")]).env("A", "3").env_remove("B");
    assert_eq!(environment(&mut builder), BTreeSet::from([b"A=3".to_vec(), b"C=".to_vec()]));
}

// PATH

fn answers(scratch: &Scratch, dir: &str, name: &str, mode: u32) -> String {
    let path = scratch.dir(dir);
    scratch.file(&format!("{dir}/{name}"), &format!("#!/bin/sh\necho {dir}\n"), mode);
    path.to_str().unwrap().to_owned()
}

/// The search is that of execvp(3): it passes what is missing, is no directory
/// or may not be executed, and takes the first that can run.
#[test]
fn path_search() {
    let scratch = Scratch::new();
    let denied = answers(&scratch, "denied", "prog", 0o644);
    let first = answers(&scratch, "first", "prog", 0o755);
    let second = answers(&scratch, "second", "prog", 0o755);
    let file = scratch.file("file", "", 0o644).to_str().unwrap().to_owned();
    let nowhere = scratch.join("nowhere").to_str().unwrap().to_owned();

    let with_path = |path: &[&str]| {
        let mut builder = Builder::new("prog");
        builder.env("PATH", path.join(":"));
        builder
    };
    let found = with_path(&[&nowhere, &file, &denied, &first, &second]);
    assert_eq!(text(&found), "first\n");
    assert_eq!(text(&with_path(&[&second, &first])), "second\n");

    // Denied is remembered, wherever it comes.
    for path in [[&denied, &nowhere], [&nowhere, &denied]] {
        let error = with_path(&path.map(String::as_str)).spawn().unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EACCES));
        assert!(error.to_string().contains("denied/prog"), "{error}");
    }
    let error = with_path(&[&nowhere, &file]).spawn().unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::ENOENT));
    assert_eq!(error.step(), Step::Search);
}

/// A program without an interpreter is passed as well; alone, it is the error.
#[test]
fn path_search_and_commit() {
    let scratch = Scratch::new();
    let broken = scratch.dir("broken");
    scratch.file("broken/prog", "#!/nope\n", 0o755);
    let good = answers(&scratch, "good", "prog", 0o755);
    let mut builder = Builder::new("prog");
    builder.env("PATH", format!("{}:{good}", broken.display()));
    assert_eq!(text(&builder), "good\n");
    builder.env("PATH", &broken);
    let error = builder.spawn().unwrap_err();
    assert_eq!(error.step(), Step::Commit);
    assert_eq!(error.raw_os_error(), Some(libc::ENOENT));
    // What is no program at all is not given to the shell.
    scratch.file("broken/prog", "echo hello\n", 0o755);
    builder.env("PATH", format!("{}:{good}", broken.display()));
    assert_eq!(errno(builder.spawn()), libc::ENOEXEC);
}

/// An empty element is the child's working directory; without PATH the search
/// is in /bin and /usr/bin; a slash means no search.
#[test]
fn path_special_cases() {
    let scratch = Scratch::new();
    let dir = answers(&scratch, "here", "prog", 0o755);
    let mut builder = Builder::new("prog");
    builder.env("PATH", "/nowhere:").current_dir(&dir);
    assert_eq!(text(&builder), "here\n");
    assert_eq!(text(Builder::new("./prog").current_dir(&dir)), "here\n");
    assert_eq!(errno(Builder::new("here/prog").env("PATH", scratch.path()).spawn()), libc::ENOENT);
    assert_eq!(text(Builder::new("echo").env_clear().arg("x")), "x\n");
    assert_eq!(errno(Builder::new("").spawn()), libc::ENOENT);
}

// File system

#[test]
fn current_dir_and_umask() {
    let scratch = Scratch::new();
    let mut builder = sh("pwd; umask");
    builder.current_dir(scratch.path()).umask(0o071);
    assert_eq!(text(&builder), format!("{}\n0071\n", scratch.path().display()));
    let error = sh("").current_dir("/nope").spawn().unwrap_err();
    assert_eq!((error.step(), error.raw_os_error()), (Step::Key("cwd"), Some(libc::ENOENT)));
    assert_eq!(errno(sh("").umask(0o1000).spawn()), libc::EINVAL);
}

/// The new root is the working directory too.
#[test]
fn root() {
    let scratch = Scratch::new();
    // A root that has nothing: the program is not there.
    let error = Builder::new("/bin/sh").root(scratch.path()).spawn().unwrap_err();
    assert_eq!((error.step(), error.raw_os_error()), (Step::Key("exec"), Some(libc::ENOENT)));
    let (mut child, proc) = started(Builder::new("cat").root("/"));
    assert_eq!(proc.link("cwd"), Path::new("/"));
    assert!(child.wait().unwrap().success());
}

// Signals

/// The child's signals are what was asked for, whatever the caller has.
#[test]
fn signals() {
    // SIGPIPE is ignored here, as in every Rust program; this thread blocks
    // USR2.
    nix::sys::signal::SigSet::from(nix::sys::signal::SIGUSR2).thread_block().unwrap();
    let status = |builder: &mut Builder| text(builder.arg("/proc/self/status"));
    let plain = status(&mut Builder::new("cat"));
    assert!(common::signals(&plain, "SigBlk").is_empty());
    assert!(common::signals(&plain, "SigIgn").is_empty());

    let (hup, int, usr1) = (Signal::HUP.into(), Signal::INT.into(), Signal::USR1.into());
    let mut builder = Builder::new("cat");
    builder.signal_mask(usr1).signal_ignore(hup | int).signal_default(int);
    let status = status(&mut builder);
    assert_eq!(common::signals(&status, "SigBlk"), usr1);
    assert_eq!(common::signals(&status, "SigIgn"), hup);
    let error = sh("").signal_ignore(SignalSet::from(Signal::KILL)).spawn().unwrap_err();
    assert_eq!(error.step(), Step::Key("sigignore"));
    assert_eq!(error.raw_os_error(), Some(libc::EINVAL));
}

// Descriptors

/// A `cat` that has started to copy: exec is over in all its parts, and it has
/// opened and closed all that it opens for itself.
fn started(builder: &mut Builder) -> (Child, Proc) {
    let mut child = builder.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.as_mut().unwrap().write_all(b"x").unwrap();
    child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    let proc = Proc(child.id());
    (child, proc)
}

fn fds_of_cat(builder: &mut Builder) -> Vec<u32> {
    let (mut child, proc) = started(builder);
    let fds = proc.fds();
    assert!(child.wait().unwrap().success());
    fds
}

/// A descriptor of ours that is not close-on-exec.
fn inheritable(min: i32) -> OwnedFd {
    let null = File::open("/dev/null").unwrap();
    let fd = rustix::io::fcntl_dupfd_cloexec(&null, min).unwrap();
    rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::empty()).unwrap();
    fd
}

/// Only 0, 1 and 2, though others would be inherited over exec.
#[test]
fn nothing_is_inherited() {
    let fd = inheritable(100);
    assert_eq!(fds_of_cat(&mut Builder::new("cat")), [0, 1, 2]);
    drop(fd);
}

#[test]
fn inherit_fds() {
    let fd = inheritable(200);
    let closed = File::open("/dev/null").unwrap();
    let fds = fds_of_cat(Builder::new("cat").inherit_fds(true));
    assert!(fds.contains(&(fd.as_raw_fd() as u32)), "{fds:?}");
    assert!(!fds.contains(&(closed.as_raw_fd() as u32)), "{fds:?}");
    // Off again.
    assert_eq!(fds_of_cat(Builder::new("cat").inherit_fds(true).inherit_fds(false)), [0, 1, 2]);
}

/// Descriptors get their numbers, and a builder can give them again.
#[test]
fn fd() {
    let scratch = Scratch::new();
    let open = |name: &str| File::open(scratch.file(name, name, 0o644)).unwrap();
    let mut builder = sh("cat <&7; cat <&3");
    builder.fd(3, open("three")).fd(7, open("seven"));
    assert_eq!(text(&builder), "seventhree");
    // The file position is shared, as with every duplicate.
    assert_eq!(text(&builder), "");
    assert_eq!(fds_of_cat(Builder::new("cat").fd(50, open("fifty"))), [0, 1, 2, 50]);
}

/// 0, 1 and 2 can be given as descriptors; the last choice wins.
#[test]
fn fd_as_stdio() {
    let (mut reader, writer) = pipe();
    let mut builder = sh("echo out");
    builder.stdout(Stdio::null()).fd(1, writer);
    assert!(builder.status().unwrap().success());
    drop(builder);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(text, "out\n");
}

#[test]
fn stdio() {
    let scratch = Scratch::new();
    let path = scratch.file("out", "", 0o644);
    // dash redirects its own descriptor for the time of a command, so ask first.
    let mut builder =
        sh("links=$(readlink /proc/$$/fd/0 /proc/$$/fd/1); echo \"$links\" >&2; echo out");
    builder.stdin(Stdio::null()).stdout(File::options().write(true).open(&path).unwrap());
    let output = builder.output().unwrap();
    assert_eq!(output.stdout, b"");
    let links = format!("/dev/null\n{}\n", path.display());
    assert_eq!(String::from_utf8(output.stderr).unwrap(), links);
    assert_eq!(fs::read_to_string(path).unwrap(), "out\n");
}

/// One child's output is the next one's input.
#[test]
fn pipeline() {
    let mut first = sh("echo b; echo a").stdout(Stdio::piped()).spawn().unwrap();
    let stdout = first.stdout.take().unwrap();
    assert_eq!(text(Builder::new("sort").stdin(stdout)), "a\nb\n");
    assert!(first.wait().unwrap().success());
}

/// spawn and status inherit the streams; output has null, pipe, pipe.
#[test]
fn stdio_defaults() {
    const LINKS: &str = "readlink /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2";
    let scratch = Scratch::new();
    let path = scratch.join("links");
    // Only standard output is the script's own.
    let mut builder = sh(&format!("{LINKS} >&9"));
    assert!(builder.fd(9, File::create(&path).unwrap()).status().unwrap().success());
    let own = |n| fs::read_link(format!("/proc/self/fd/{n}")).unwrap();
    let links = [own(0), path.clone(), own(2)].map(|link| link.display().to_string() + "\n");
    assert_eq!(fs::read_to_string(&path).unwrap(), links.concat());

    let lines = text(&sh(LINKS));
    let lines: Vec<_> = lines.lines().collect();
    assert_eq!(lines[0], "/dev/null");
    assert!(lines[1].starts_with("pipe:") && lines[2].starts_with("pipe:"), "{lines:?}");
}

// Limits and threads

#[test]
fn too_many_arguments() {
    let long = "x".repeat(128 * 1024);
    let error = Builder::new("true").arg(&long).spawn().unwrap_err();
    assert_eq!((error.step(), error.raw_os_error()), (Step::Key("argv"), Some(libc::E2BIG)));
    let error = Builder::new("true").env("A", &long).spawn().unwrap_err();
    assert_eq!((error.step(), error.raw_os_error()), (Step::Key("envp"), Some(libc::E2BIG)));
}

/// Two threads at once, with one builder: spawn takes &self.
#[test]
fn two_threads() {
    const CHILDREN: usize = 200;
    let mut builder = sh("read line; echo $$ $line");
    builder.stdin(Stdio::piped()).stdout(Stdio::piped());
    let run = |thread: usize| {
        for i in 0..CHILDREN {
            let mut child = builder.spawn().unwrap();
            let id = child.id();
            writeln!(child.stdin.as_mut().unwrap(), "{thread}.{i}").unwrap();
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success());
            let text = String::from_utf8(output.stdout).unwrap();
            assert_eq!(text, format!("{id} {thread}.{i}\n"));
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| run(1));
        scope.spawn(|| run(2));
    });
}
