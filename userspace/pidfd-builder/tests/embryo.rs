//! The embryo: what it is, each key before the commit, and its end.
//!
//! Runs as root on a kernel with `CONFIG_PIDFD_CONFIG=y`, and fails on others.

mod common;

use std::fs::{self, File};
use std::io::{IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;

use common::{Proc, Scratch, embryo, errno, pipe, wait_for, wait_until_gone};
use pidfd_builder::{Embryo, FdMap, LogLevel, OpenOptions, Signal, SignalSet, Step};
use rustix::event::PollFlags;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use rustix::process::{Resource, getrlimit, pidfd_send_signal, setrlimit};

const READ: OpenOptions = OpenOptions::new();

// The pristine state

/// A new embryo is our child, has no memory, no descriptors, no blocked,
/// ignored, caught or pending signal; place and umask are ours.
#[test]
fn pristine() {
    nix::sys::signal::SigSet::from(nix::sys::signal::SIGUSR1).thread_block().unwrap();
    let embryo = embryo();
    let proc = Proc::of(&embryo);
    let status = proc.read("status");
    let line = |key| common::status_line(&status, key);
    assert_eq!(line("Name").as_deref(), Some("embryo"));
    assert_eq!(line("PPid"), Some(std::process::id().to_string()));
    assert_eq!(line("Tgid"), Some(proc.0.to_string()));
    assert_eq!(line("VmSize"), None);
    assert_eq!(proc.read("cmdline"), "");
    assert_eq!(proc.read("maps"), "");
    assert_eq!(fs::read_link(proc.path("exe")).unwrap_err().raw_os_error(), Some(libc::ENOENT));
    assert_eq!(proc.fds(), []);
    for key in ["SigBlk", "SigIgn", "SigCgt", "SigPnd", "ShdPnd"] {
        assert!(proc.signals(key).is_empty(), "{key}");
    }
    assert_eq!(proc.link("cwd"), std::env::current_dir().unwrap());
    let own = fs::read_to_string("/proc/self/status").unwrap();
    for key in ["Umask", "Uid", "Gid", "Seccomp", "NoNewPrivs", "Cpus_allowed"] {
        assert_eq!(line(key), common::status_line(&own, key), "{key}");
    }
}

/// The builder descriptor is close-on-exec, and its log is empty.
#[test]
fn descriptor_flags() {
    let embryo = embryo();
    let flags = rustix::io::fcntl_getfd(&embryo).unwrap();
    assert!(flags.contains(rustix::io::FdFlags::CLOEXEC));
    assert_eq!(embryo.log(), []);
}

/// Embryos have PIDs of their own, and the PID stays the same.
#[test]
fn pids() {
    let (a, b) = (embryo(), embryo());
    assert_ne!(a.pid().unwrap(), b.pid().unwrap());
    assert_eq!(a.pid().unwrap(), a.pid().unwrap());
    // A second handle asks the kernel again.
    let again = Embryo::from(a.as_fd().try_clone_to_owned().unwrap());
    assert_eq!(again.pid().unwrap(), a.pid().unwrap());
}

// The end before the commit

/// Dropping destroys: the process is reaped without anybody waiting.
#[test]
fn drop_destroys() {
    let embryo = embryo();
    let proc = Proc::of(&embryo);
    let witness = proc.pidfd();
    assert!(proc.exists());
    drop(embryo);
    wait_until_gone(&witness);
    assert!(!proc.exists());
}

/// A duplicate keeps the embryo alive.
#[test]
fn a_duplicate_keeps_it_alive() {
    let embryo = embryo();
    let proc = Proc::of(&embryo);
    let witness = proc.pidfd();
    let second = Embryo::from(embryo.as_fd().try_clone_to_owned().unwrap());
    drop(embryo);
    second.umask(0o11).unwrap();
    assert_eq!(proc.status("Umask").as_deref(), Some("0011"));
    drop(OwnedFd::from(second));
    wait_until_gone(&witness);
    assert!(!proc.exists());
}

/// SIGKILL ends an embryo at once; every later step is ESRCH, its descriptor
/// is readable and hung up.
#[test]
fn a_killed_embryo() {
    let embryo = embryo();
    let proc = Proc::of(&embryo);
    let witness = proc.pidfd();
    embryo.exec("/bin/true").unwrap();
    pidfd_send_signal(&embryo, Signal::KILL).unwrap();
    wait_until_gone(&witness);
    assert!(!proc.exists());
    let events = wait_for(&embryo, PollFlags::IN);
    assert!(events.contains(PollFlags::IN | PollFlags::HUP), "{events:?}");
    assert_eq!(errno(embryo.cwd("/")), libc::ESRCH);
    let failed = embryo.commit().unwrap_err();
    assert_eq!(failed.error().raw_os_error(), Some(libc::ESRCH));
    assert_eq!(failed.error().step(), Step::Commit);
}

/// A blocked signal stays pending over exec.
#[test]
fn a_blocked_signal_stays_pending() {
    let embryo = embryo();
    let proc = Proc::of(&embryo);
    let term = SignalSet::from(Signal::TERM);
    embryo.sigmask(term).unwrap();
    pidfd_send_signal(&embryo, Signal::TERM).unwrap();
    assert_eq!(proc.signals("ShdPnd"), term);
    embryo.exec("/bin/cat").unwrap().argv(["cat", "/proc/self/status"]).unwrap();
    let status = output(embryo);
    assert_eq!(common::signals(&status, "ShdPnd"), term);
    assert_eq!(common::signals(&status, "SigBlk"), term);
}

// File system

#[test]
fn cwd() {
    let scratch = Scratch::new();
    let inner = scratch.dir("inner");
    let embryo = embryo();
    let proc = Proc::of(&embryo);
    embryo.cwd(scratch.path()).unwrap();
    assert_eq!(proc.link("cwd"), scratch.path());
    // Relative to the embryo, not to us.
    embryo.cwd("inner").unwrap();
    assert_eq!(proc.link("cwd"), inner);
    embryo.cwd("..").unwrap();
    assert_eq!(proc.link("cwd"), scratch.path());
    let dir = File::open(scratch.path()).unwrap();
    embryo.cwd("/").unwrap().cwd_at(&dir, "inner").unwrap();
    assert_eq!(proc.link("cwd"), inner);
    embryo.cwd_fd(&dir).unwrap();
    assert_eq!(proc.link("cwd"), scratch.path());
}

/// A failed step changes nothing.
#[test]
fn cwd_errors() {
    let scratch = Scratch::new();
    let file = scratch.file("file", "", 0o644);
    let embryo = embryo();
    let proc = Proc::of(&embryo);
    embryo.cwd(scratch.path()).unwrap();
    assert_eq!(errno(embryo.cwd("nope")), libc::ENOENT);
    assert_eq!(errno(embryo.cwd("")), libc::ENOENT);
    assert_eq!(errno(embryo.cwd(&file)), libc::ENOTDIR);
    assert_eq!(errno(embryo.cwd("a".repeat(256))), libc::ENAMETOOLONG);
    std::os::unix::fs::symlink("loop", scratch.join("loop")).unwrap();
    assert_eq!(errno(embryo.cwd("loop")), libc::ELOOP);
    assert_eq!(errno(embryo.cwd_fd(File::open(&file).unwrap())), libc::ENOTDIR);
    assert_eq!(proc.link("cwd"), scratch.path());
}

/// The root changes, the working directory stays, and later paths start at the
/// new root.
#[test]
fn root() {
    let scratch = Scratch::new();
    let inner = scratch.dir("inner");
    let embryo = embryo();
    let proc = Proc::of(&embryo);
    embryo.cwd("/").unwrap().root(scratch.path()).unwrap();
    assert_eq!(proc.link("root"), scratch.path());
    assert_eq!(proc.link("cwd"), std::path::Path::new("/"));
    embryo.cwd("/inner").unwrap();
    assert_eq!(proc.link("cwd"), inner);
    assert_eq!(errno(embryo.exec("/bin/true")), libc::ENOENT);

    let slash = File::open("/").unwrap();
    embryo.root_fd(&slash).unwrap();
    assert_eq!(proc.link("root"), std::path::Path::new("/"));
    embryo.root_at(File::open(scratch.path()).unwrap(), "inner").unwrap();
    assert_eq!(proc.link("root"), inner);
    assert_eq!(errno(embryo.root_fd(File::open("/dev/null").unwrap())), libc::ENOTDIR);
}

#[test]
fn umask() {
    let embryo = embryo();
    let proc = Proc::of(&embryo);
    for mask in [0, 0o777, 0o027] {
        embryo.umask(mask).unwrap();
        assert_eq!(proc.status("Umask"), Some(format!("{mask:04o}")));
    }
    assert_eq!(errno(embryo.umask(0o1000)), libc::EINVAL);
    assert_eq!(proc.status("Umask").as_deref(), Some("0027"));
}

// Signals

#[test]
fn signals() {
    let embryo = embryo();
    let proc = Proc::of(&embryo);
    let real_time = SignalSet::from_bits(1 << 63 | 1 << 33);
    let mask = SignalSet::from_iter([Signal::USR1, Signal::CHILD]) | real_time;
    let unblockable = SignalSet::from_iter([Signal::KILL, Signal::STOP]);
    embryo.sigmask(mask | unblockable).unwrap();
    assert_eq!(proc.signals("SigBlk"), mask);
    embryo.sigmask(SignalSet::EMPTY).unwrap();
    assert!(proc.signals("SigBlk").is_empty());

    let ignored = SignalSet::from_iter([Signal::HUP, Signal::PIPE]) | real_time;
    embryo.sigignore(ignored).unwrap();
    assert_eq!(proc.signals("SigIgn"), ignored);
    // Others are added, the default set takes away.
    embryo.sigignore(Signal::INT.into()).unwrap();
    embryo.sigdefault(SignalSet::from(Signal::HUP) | unblockable).unwrap();
    let left = (ignored | Signal::INT.into()) - Signal::HUP.into();
    assert_eq!(proc.signals("SigIgn"), left);
    for signal in [Signal::KILL, Signal::STOP] {
        let set = SignalSet::from_iter([signal, Signal::USR2]);
        assert_eq!(errno(embryo.sigignore(set)), libc::EINVAL);
    }
    assert_eq!(proc.signals("SigIgn"), left);
    embryo.sigdefault(SignalSet::ALL).unwrap();
    assert!(proc.signals("SigIgn").is_empty());
}

/// Ignoring discards what is pending.
#[test]
fn ignoring_discards() {
    let embryo = embryo();
    let proc = Proc::of(&embryo);
    let usr1 = SignalSet::from(Signal::USR1);
    embryo.sigmask(usr1).unwrap();
    pidfd_send_signal(&embryo, Signal::USR1).unwrap();
    assert_eq!(proc.signals("ShdPnd"), usr1);
    embryo.sigignore(usr1).unwrap();
    assert!(proc.signals("ShdPnd").is_empty());
}

// Descriptors

#[test]
fn map() {
    let scratch = Scratch::new();
    let (a, b) = (scratch.file("a", "", 0o644), scratch.file("b", "", 0o644));
    let (file_a, file_b) = (File::open(&a).unwrap(), File::open(&b).unwrap());
    let embryo = embryo();
    let proc = Proc::of(&embryo);
    embryo.map_fds(FdMap::new().map(&file_a, 0).map_cloexec(&file_b, 200)).unwrap();
    assert_eq!(proc.fds(), [0, 200]);
    assert_eq!((proc.link("fd/0"), proc.link("fd/200")), (a.clone(), b.clone()));
    assert!(!proc.is_cloexec(0));
    assert!(proc.is_cloexec(200));
    // A target that is in use is replaced.
    embryo.map_fd(&file_b, 0).unwrap();
    assert_eq!(proc.link("fd/0"), b);
    // Nothing to do is done.
    embryo.map_fds(&FdMap::new()).unwrap();
    assert_eq!(proc.fds(), [0, 200]);
}

/// Two descriptors change places in one call, and dup(2) inside the embryo
/// gives the flags asked for.
#[test]
fn swap_and_dup() {
    let scratch = Scratch::new();
    let (a, b) = (scratch.file("a", "", 0o644), scratch.file("b", "", 0o644));
    let embryo = embryo();
    let proc = Proc::of(&embryo);
    embryo.open_file(&a, READ, 10).unwrap().open_file(&b, READ, 11).unwrap();
    embryo.map_fds(FdMap::new().dup(10, 11).dup(11, 10)).unwrap();
    assert_eq!((proc.link("fd/10"), proc.link("fd/11")), (b, a.clone()));
    assert_eq!(proc.fds(), [10, 11]);

    embryo.map_fds(FdMap::new().dup_cloexec(11, 12).dup(11, 13)).unwrap();
    assert_eq!((proc.is_cloexec(12), proc.is_cloexec(13)), (true, false));
    assert_eq!(proc.link("fd/12"), a);
    // Onto itself: only the flag changes.
    embryo.map_fds(FdMap::new().dup(12, 12).dup_cloexec(13, 13)).unwrap();
    assert_eq!((proc.is_cloexec(12), proc.is_cloexec(13)), (false, true));
    assert_eq!(proc.link("fd/12"), a);
}

/// One bad entry, and no other takes effect.
#[test]
fn map_is_all_or_nothing() {
    // A limit to run into, inherited by the embryo; the other tests need less.
    let limit: u32 = 1024;
    let mut limits = getrlimit(Resource::Nofile);
    limits.current = Some(limit.into());
    setrlimit(Resource::Nofile, limits).unwrap();

    let null = File::open("/dev/null").unwrap();
    let embryo = embryo();
    let other = common::embryo();
    let proc = Proc::of(&embryo);
    for (bad, expected) in [
        (FdMap::new().map(&null, 3).dup(99, 4), libc::EBADF),
        (FdMap::new().map(&null, 3).dup(u32::MAX, 4), libc::EBADF),
        (FdMap::new().map(&null, 3).map(&null, 3), libc::EINVAL),
        (FdMap::new().map(&null, 3).map(&null, limit), libc::EBADF),
        (FdMap::new().map(&null, 3).map(&null, u32::MAX), libc::EBADF),
        (FdMap::new().map(&null, 3).map(&other, 4), libc::EINVAL),
        (FdMap::new().map(&null, 3).map(&embryo, 4), libc::EINVAL),
    ] {
        assert_eq!(errno(embryo.map_fds(bad)), expected, "{bad:?}");
        assert_eq!(proc.fds(), []);
    }
    embryo.map_fd(&null, limit - 1).unwrap();
    assert_eq!(proc.fds(), [limit - 1]);
}

#[test]
fn too_many_entries() {
    let null = File::open("/dev/null").unwrap();
    let embryo = embryo();
    let mut map = FdMap::new();
    for target in 0..=pidfd_builder::uapi::PIDFD_CONFIG_FDS_MAX as u32 {
        map.map(&null, target);
    }
    assert_eq!(errno(embryo.map_fds(&map)), libc::E2BIG);
    assert_eq!(Proc::of(&embryo).fds(), []);
}

/// The embryo opens files itself: its directory, its umask, the number asked
/// for.
#[test]
fn open_file() {
    let scratch = Scratch::new();
    let embryo = embryo();
    let proc = Proc::of(&embryo);
    embryo.cwd(scratch.path()).unwrap().umask(0o037).unwrap();
    let create = OpenOptions::new().write(true).create_new(true);
    embryo.open_file("new", create, 1).unwrap();
    assert_eq!(proc.link("fd/1"), scratch.join("new"));
    assert_eq!(fs::metadata(scratch.join("new")).unwrap().mode() & 0o7777, 0o640);
    assert!(!proc.is_cloexec(1));
    embryo.open_file("new", READ.cloexec(true), 2).unwrap();
    assert!(proc.is_cloexec(2));
    let dir = File::open("/dev").unwrap();
    embryo.open_file_at(&dir, "null", READ, 1).unwrap();
    assert_eq!(proc.link("fd/1"), std::path::Path::new("/dev/null"));

    assert_eq!(errno(embryo.open_file("new", create, 5)), libc::EEXIST);
    assert_eq!(errno(embryo.open_file("nope", READ, 5)), libc::ENOENT);
    let beneath = READ.resolve(pidfd_builder::ResolveFlags::BENEATH);
    assert_eq!(errno(embryo.open_file("/dev/null", beneath, 5)), libc::EXDEV);
    assert_eq!(errno(embryo.open_file("new", READ, u32::MAX)), libc::EBADF);
    assert_eq!(proc.fds(), [1, 2]);
}

#[test]
fn close() {
    let null = File::open("/dev/null").unwrap();
    let embryo = embryo();
    let proc = Proc::of(&embryo);
    let mut map = FdMap::new();
    for target in 0..10 {
        map.map(&null, target);
    }
    embryo.map_fds(&map).unwrap().close_fd(4).unwrap();
    assert_eq!(errno(embryo.close_fd(4)), libc::EBADF);
    assert_eq!(errno(embryo.close_fd(u32::MAX)), libc::EBADF);
    embryo.close_range(6, u32::MAX).unwrap().cloexec_range(2, 3).unwrap();
    assert_eq!(proc.fds(), [0, 1, 2, 3, 5]);
    assert_eq!([1, 2, 3, 5].map(|fd| proc.is_cloexec(fd)), [false, true, true, false]);
    assert_eq!(errno(embryo.close_range(2, 1)), libc::EINVAL);
    embryo.close_range(0, 0).unwrap();
    assert_eq!(proc.fds(), [1, 2, 3, 5]);
}

/// Closing in the embryo is closing: a reader sees the end of the pipe.
#[test]
fn close_is_final() {
    let (mut reader, writer) = pipe();
    let embryo = embryo();
    embryo.map_fd(&writer, 7).unwrap();
    drop(writer);
    embryo.close_fd(7).unwrap();
    assert_eq!(reader.read(&mut [0; 1]).unwrap(), 0);
}

/// Descriptors that are not close-on-exec come along, the others stay.
#[test]
fn inherit() {
    let null = File::open("/dev/null").unwrap();
    let open = rustix::io::fcntl_dupfd_cloexec(&null, 300).unwrap();
    rustix::io::fcntl_setfd(&open, rustix::io::FdFlags::empty()).unwrap();
    let closed = rustix::io::fcntl_dupfd_cloexec(&null, 400).unwrap();
    let embryo = embryo();
    let proc = Proc::of(&embryo);
    embryo.inherit_fds().unwrap();
    let fds = proc.fds();
    assert!(fds.contains(&(open.as_raw_fd() as u32)), "{fds:?}");
    assert!(!fds.contains(&(closed.as_raw_fd() as u32)), "{fds:?}");
    for fd in 0..3 {
        let ours = fs::read_link(format!("/proc/self/fd/{fd}")).unwrap();
        assert_eq!(proc.link(&format!("fd/{fd}")), ours);
    }
    assert_eq!(embryo.log(), []);

    // The builder of another embryo is left out, and the log says so.
    let other = common::embryo();
    rustix::io::fcntl_setfd(&other, rustix::io::FdFlags::empty()).unwrap();
    embryo.inherit_fds().unwrap();
    rustix::io::fcntl_setfd(&other, rustix::io::FdFlags::CLOEXEC).unwrap();
    assert!(!proc.fds().contains(&(other.as_fd().as_raw_fd() as u32)));
    let log = embryo.log();
    assert!(log.iter().any(|m| m.level == LogLevel::Warning && m.key() == Some("inherit-fds")));
}

// Image and commit

#[test]
fn exec_errors() {
    let scratch = Scratch::new();
    let plain = scratch.file("plain", "", 0o644);
    let embryo = embryo();
    for (path, expected) in [
        ("/nope", libc::ENOENT),
        ("", libc::ENOENT),
        ("/bin/sh/x", libc::ENOTDIR),
        ("/bin", libc::EACCES),
        (plain.to_str().unwrap(), libc::EACCES),
    ] {
        assert_eq!(errno(embryo.exec(path)), expected, "{path}");
    }
    assert_eq!(errno(embryo.exec_fd(File::open(&plain).unwrap())), libc::EACCES);
    // None of them counts as a program.
    let failed = embryo.commit().unwrap_err();
    assert_eq!(failed.error().raw_os_error(), Some(libc::EINVAL));
    assert_eq!(failed.error().step(), Step::Commit);
}

/// Output of a committed embryo whose descriptor 1 is a pipe.
fn output(embryo: Embryo) -> String {
    let (mut reader, writer) = pipe();
    embryo.map_fd(&writer, 1).unwrap();
    drop(writer);
    let mut child = embryo.commit().unwrap();
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert!(child.wait().unwrap().success());
    text
}

/// Everything at once, seen by the program itself; the PID is the embryo's.
#[test]
fn commit() {
    let scratch = Scratch::new();
    let embryo = embryo();
    let pid = embryo.pid().unwrap();
    embryo.exec("/bin/sh").unwrap().cwd(scratch.path()).unwrap().umask(0o077).unwrap();
    embryo.argv(["sh", "-c", "echo $$ $0 $1; pwd; umask; echo $A"]).unwrap();
    embryo.arg("zero").unwrap().arg("one").unwrap().env("A", "b c").unwrap();
    let text = output(embryo);
    assert_eq!(text, format!("{pid} zero one\n{}\n0077\nb c\n", scratch.path().display()));
}

/// Without argv the program's path is argv[0]; without envp there is no
/// environment; argv0 wins whatever the order.
#[test]
fn argv_defaults() {
    let seen = |set: fn(&Embryo)| {
        let embryo = embryo();
        let (reader, mut to_child) = pipe();
        let (mut from_child, writer) = pipe();
        embryo.exec("/bin/cat").unwrap();
        embryo.map_fds(FdMap::new().map(&reader, 0).map(&writer, 1)).unwrap();
        set(&embryo);
        let mut child = embryo.commit().unwrap();
        // Once cat copies, exec is over in all its parts.
        to_child.write_all(b"x").unwrap();
        from_child.read_exact(&mut [0]).unwrap();
        let proc = Proc(child.id());
        let seen = (proc.read("cmdline"), proc.read("environ"));
        drop(to_child);
        assert!(child.wait().unwrap().success());
        seen
    };
    let none = String::new;
    assert_eq!(seen(|_| {}), ("/bin/cat\0".to_owned(), none()));
    let argv0 = |e: &Embryo| {
        e.argv0("zero").unwrap().argv(["cat", "-"]).unwrap();
    };
    assert_eq!(seen(argv0), ("zero\0-\0".to_owned(), none()));
    let argv0_alone = |e: &Embryo| {
        e.argv0("zero").unwrap();
    };
    assert_eq!(seen(argv0_alone), ("zero\0".to_owned(), none()));
    let envp = |e: &Embryo| {
        e.env("LOST", "1").unwrap().envp(["A=1", "B=2"]).unwrap().env("C", "3").unwrap();
        e.arg("lost").unwrap().argv(["cat"]).unwrap().arg("-").unwrap();
    };
    assert_eq!(seen(envp), ("cat\0-\0".to_owned(), "A=1\0B=2\0C=3\0".to_owned()));
}

/// By directory and by descriptor.
#[test]
fn exec_at_and_fd() {
    let bin = File::open("/bin/").unwrap();
    let embryo = embryo();
    embryo.exec_at(&bin, "echo").unwrap().argv(["echo", "at"]).unwrap();
    assert_eq!(output(embryo), "at\n");
    let embryo = common::embryo();
    embryo.exec_fd(File::open("/bin/echo").unwrap()).unwrap().argv(["echo", "fd"]).unwrap();
    assert_eq!(output(embryo), "fd\n");
}

/// The last program set is the one, and renaming does not change it.
#[test]
fn the_program_is_held() {
    let scratch = Scratch::new();
    let (one, two) = (scratch.join("one"), scratch.join("two"));
    fs::copy("/bin/echo", &one).unwrap();
    let embryo = embryo();
    embryo.exec("/bin/false").unwrap().exec(&one).unwrap().argv(["echo", "held"]).unwrap();
    fs::rename(&one, &two).unwrap();
    fs::copy("/bin/false", &one).unwrap();
    assert_eq!(output(embryo), "held\n");
}

/// A script by descriptor needs that descriptor in the embryo.
#[test]
fn script_by_descriptor() {
    let scratch = Scratch::new();
    let script = scratch.file("script", "#!/bin/sh\necho $0\n", 0o755);
    let script = File::open(script).unwrap();
    let number = script.as_raw_fd() as u32;
    let embryo = embryo();
    embryo.exec_fd(&script).unwrap();
    let failed = embryo.commit().unwrap_err();
    assert_eq!(failed.error().raw_os_error(), Some(libc::ENOENT));
    let embryo = failed.into_embryo();
    embryo.map_fd(&script, number).unwrap();
    assert_eq!(output(embryo), format!("/dev/fd/{number}\n"));
}

/// A failed commit gives exec's errno and the embryo back as it was; the retry
/// works, with the same PID.
#[test]
fn retry_after_a_failed_commit() {
    let scratch = Scratch::new();
    let missing = scratch.file("missing", "#!/nope\n", 0o755);
    let text = scratch.file("text", "echo hello\n", 0o755);
    let mut embryo = embryo();
    let proc = Proc::of(&embryo);
    embryo.cwd(scratch.path()).unwrap().umask(0o01).unwrap();
    embryo.argv(["echo", "retried"]).unwrap().open_file("/dev/null", READ, 9).unwrap();
    for (path, expected) in [(&missing, libc::ENOENT), (&text, libc::ENOEXEC)] {
        embryo.exec(path).unwrap();
        let failed = embryo.commit().unwrap_err();
        assert_eq!(failed.error().raw_os_error(), Some(expected));
        assert!(!failed.error().log().is_empty());
        embryo = failed.into_embryo();
        assert_eq!(proc.status("Name").as_deref(), Some("embryo"));
        assert_eq!(proc.status("VmSize"), None);
        assert_eq!(proc.fds(), [9]);
        assert_eq!(proc.link("cwd"), scratch.path());
        assert_eq!(proc.status("Umask").as_deref(), Some("0001"));
    }
    embryo.exec("/bin/echo").unwrap();
    assert_eq!(output(embryo), "retried\n");
}

/// A program that is open for writing is ETXTBSY until it is closed.
#[test]
fn text_busy() {
    let scratch = Scratch::new();
    let program = scratch.join("program");
    fs::copy("/bin/true", &program).unwrap();
    let writer = File::options().write(true).open(&program).unwrap();
    let embryo = embryo();
    embryo.exec(&program).unwrap().argv(["true"]).unwrap();
    let failed = embryo.commit().unwrap_err();
    assert_eq!(failed.error().raw_os_error(), Some(libc::ETXTBSY));
    drop(writer);
    assert!(failed.into_embryo().commit().unwrap().wait().unwrap().success());
}

/// After the commit another handle can do nothing more.
#[test]
fn committed_is_busy() {
    let embryo = embryo();
    let other = Embryo::from(embryo.as_fd().try_clone_to_owned().unwrap());
    embryo.exec("/bin/true").unwrap();
    let mut child = embryo.commit().unwrap();
    assert_eq!(errno(other.umask(0)), libc::EBUSY);
    let failed = other.commit().unwrap_err();
    assert_eq!(failed.error().raw_os_error(), Some(libc::EBUSY));
    assert!(child.wait().unwrap().success());
    // The other handle was a pidfd like ours, and dropping it harmed nobody.
    drop(failed);
}

/// Close-on-exec descriptors go, the others stay.
#[test]
fn close_on_exec() {
    let null = File::open("/dev/null").unwrap();
    let (reader, mut to_child) = pipe();
    let (mut from_child, writer) = pipe();
    let embryo = embryo();
    embryo.exec("/bin/cat").unwrap();
    let mut map = FdMap::new();
    map.map(&reader, 0).map(&writer, 1).map(&null, 5).map_cloexec(&null, 6);
    embryo.map_fds(&map).unwrap();
    let mut child = embryo.commit().unwrap();
    // Once cat copies it has opened all that it opens for itself.
    to_child.write_all(b"x").unwrap();
    from_child.read_exact(&mut [0]).unwrap();
    assert_eq!(Proc(child.id()).fds(), [0, 1, 5]);
    drop(to_child);
    assert!(child.wait().unwrap().success());
}

// Limits

/// The longest string is 128 KiB with its NUL. A longer one is E2BIG at once,
/// and what was set before stays.
#[test]
fn argument_limits() {
    const LONGEST: usize = 128 * 1024 - 1;
    let embryo = embryo();
    let long = "x".repeat(LONGEST + 1);
    embryo.argv(["echo", "kept"]).unwrap();
    assert_eq!(errno(embryo.argv([&long])), libc::E2BIG);
    assert_eq!(errno(embryo.arg(&long)), libc::E2BIG);
    assert_eq!(errno(embryo.argv0(&long)), libc::E2BIG);
    assert_eq!(errno(embryo.envp([&long])), libc::E2BIG);
    assert_eq!(errno(embryo.env("A", &long)), libc::E2BIG);
    // All together: more than 6 MiB is too much for any stack limit.
    let error = embryo.argv(vec![&long[1..]; 49]).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::E2BIG));
    assert_eq!(error.step(), Step::Key("argv"));
    embryo.exec("/bin/echo").unwrap();
    assert_eq!(output(embryo), "kept\n");

    let embryo = common::embryo();
    embryo.exec("/bin/echo").unwrap().argv(["echo", &long[1..]]).unwrap();
    assert_eq!(output(embryo).len(), LONGEST + 1);
}

/// `inherit_fds`, `umask` and the rest on a descriptor that is no builder.
#[test]
fn other_descriptors() {
    let (reader, _writer) = pipe();
    let null = File::open("/dev/null").unwrap();
    let pidfd = Proc(std::process::id()).pidfd();
    // Another pidfd of an embryo does not configure it.
    let embryo = embryo();
    let second = Proc::of(&embryo).pidfd();
    for fd in [reader.into(), null.into(), pidfd, second] {
        let foreign = Embryo::from(fd);
        assert_eq!(errno(foreign.umask(0)), libc::EINVAL);
        assert_eq!(errno(foreign.cwd("/")), libc::EINVAL);
        let failed = foreign.commit().unwrap_err();
        assert_eq!(failed.error().raw_os_error(), Some(libc::EINVAL));
    }
}

/// A builder that went over a socket configures and commits; who opened the
/// embryo waits.
#[test]
fn over_a_socket() {
    let embryo = embryo();
    let pid = embryo.pid().unwrap();
    let (left, right) = UnixStream::pair().unwrap();

    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let fds = [embryo.as_fd()];
    assert!(control.push(SendAncillaryMessage::ScmRights(&fds)));
    sendmsg(&left, &[IoSlice::new(b"x")], &mut control, SendFlags::empty()).unwrap();
    drop(embryo);

    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    let mut parts = [IoSliceMut::new(&mut byte)];
    recvmsg(&right, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC).unwrap();
    let received = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
        _ => None,
    });

    let embryo = Embryo::from(received.expect("a descriptor"));
    assert_eq!(embryo.pid().unwrap(), pid);
    embryo.exec("/bin/true").unwrap();
    let mut child = embryo.commit().unwrap();
    assert_eq!(child.id(), pid);
    assert!(child.wait().unwrap().success());
}
