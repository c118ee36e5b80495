//! Errors: the step, the text, the kernel's log.
//!
//! Runs on a kernel with `CONFIG_PIDFD_CONFIG=y`, and fails on others.

mod common;

use std::error::Error as _;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

use common::{Proc, Scratch, embryo};
use pidfd_builder::{
    Builder, Embryo, Error, FdMap, LogLevel, OpenOptions, Signal, SignalSet, Step,
};

fn fails<T>(result: Result<T, Error>) -> Error {
    match result {
        Ok(_) => panic!("it should have failed"),
        Err(error) => error,
    }
}

/// Every step says what it tried, with the operand, and why it failed.
#[test]
fn texts() {
    let null = File::open("/dev/null").unwrap();
    let fd = null.as_raw_fd();
    let embryo = embryo();
    let read = OpenOptions::new();
    let kill = SignalSet::from(Signal::KILL);
    let twice = format!("cannot map descriptors {{{fd} -> 3, {fd} -> 3}}: ");
    for (error, key, text) in [
        (embryo.exec("/nope"), "exec", r#"cannot set exec to "/nope": "#.to_owned()),
        (embryo.exec_at(&null, "x"), "exec", {
            format!(r#"cannot set exec to "x" from descriptor {fd}: "#)
        }),
        (embryo.exec_fd(&null), "exec", format!("cannot set exec to descriptor {fd}: ")),
        (embryo.cwd("/nope"), "cwd", r#"cannot set cwd to "/nope": "#.to_owned()),
        (embryo.cwd_fd(&null), "cwd", format!("cannot set cwd to descriptor {fd}: ")),
        (embryo.root("/nope"), "root", r#"cannot set root to "/nope": "#.to_owned()),
        (embryo.umask(0o1000), "umask", "cannot set umask to 1000: ".to_owned()),
        (embryo.sigignore(kill), "sigignore", "cannot set sigignore to {KILL}: ".to_owned()),
        (embryo.map_fds(FdMap::new().map(&null, 3).map(&null, 3)), "fds", twice),
        (embryo.open_file("/nope", read, 3), "open", {
            r#"cannot open "/nope" as descriptor 3: "#.to_owned()
        }),
        (embryo.close_fd(3), "close", "cannot close descriptor 3: ".to_owned()),
        (embryo.close_range(2, 1), "close-range", "cannot close descriptors 2 to 1: ".to_owned()),
        (embryo.argv(["x".repeat(1 << 17)]), "argv", "cannot set argv to 1 strings: ".to_owned()),
    ] {
        let error = fails(error);
        assert_eq!(error.step(), Step::Key(key));
        let cause = io::Error::from_raw_os_error(error.raw_os_error().unwrap());
        assert_eq!(error.to_string(), format!("{text}{cause}"));
        assert!(!error.is_unsupported());

        // The kernel's explanation: an error about this key.
        let log = error.log();
        assert!(!log.is_empty(), "{error}");
        assert!(
            log.iter().any(|m| m.level == LogLevel::Error && m.key() == Some(key)),
            "{error}: {log:?}"
        );
        assert!(log.iter().all(|m| !m.text.contains(['\n', '\0'])));
        assert!(error.source().unwrap().to_string().contains(&log[0].text));
    }
    // They have been taken out of the log.
    assert_eq!(embryo.log(), []);
}

#[test]
fn exact_text() {
    assert_eq!(
        fails(embryo().cwd("/nope")).to_string(),
        "cannot set cwd to \"/nope\": No such file or directory (os error 2)"
    );
    let failed = embryo().commit().unwrap_err();
    assert_eq!(failed.to_string(), "cannot commit the embryo: Invalid argument (os error 22)");
    assert_eq!(Error::from(failed).step(), Step::Commit);
    assert_eq!(
        fails(Builder::new("no-such-program").spawn()).to_string(),
        "cannot find \"no-such-program\" in PATH: No such file or directory (os error 2)"
    );
}

/// A builder's error names the program that could not be executed.
#[test]
fn a_builder_names_the_program() {
    let scratch = Scratch::new();
    let text = scratch.file("text", "echo hello\n", 0o755);
    let error = fails(Builder::new(&text).spawn());
    assert_eq!(error.step(), Step::Commit);
    assert_eq!(
        error.to_string(),
        format!("cannot execute {text:?}: Exec format error (os error 8)")
    );
    assert!(!error.log().is_empty());
}

#[test]
fn as_io_error() {
    let error = io::Error::from(fails(embryo().cwd("/nope")));
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    let failed = embryo().commit().unwrap_err();
    assert_eq!(io::Error::from(failed).kind(), io::ErrorKind::InvalidInput);
}

/// A string with a NUL byte never reaches the kernel: nothing has changed and
/// the log is empty.
#[test]
fn nul_bytes() {
    let embryo = embryo();
    let proc = Proc::of(&embryo);
    let cwd = proc.link("cwd");
    for error in [
        fails(embryo.cwd("/\0")),
        fails(embryo.exec("/bin/true\0")),
        fails(embryo.argv(["a\0"])),
        fails(embryo.env("A", "\0")),
    ] {
        assert_eq!(error.raw_os_error(), None);
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert!(error.log().is_empty());
    }
    assert_eq!(proc.link("cwd"), cwd);
    assert_eq!(embryo.log(), []);
}

/// The log keeps the newest 16 messages; a step that fails takes only what is
/// there, so each error has its own.
#[test]
fn each_error_has_its_own_log() {
    let embryo = embryo();
    for _ in 0..20 {
        let error = fails(embryo.cwd("/nope"));
        assert!(error.log().iter().all(|m| m.key() == Some("cwd")));
        let error = fails(embryo.close_fd(3));
        assert!(error.log().iter().all(|m| m.key() == Some("close")));
    }
}

/// The embryo of a failed commit is destroyed with the error.
#[test]
fn a_dropped_commit_error_destroys() {
    let embryo = Embryo::open().unwrap();
    let proc = Proc::of(&embryo);
    let witness = proc.pidfd();
    let failed = embryo.commit().unwrap_err();
    assert!(proc.exists());
    drop(failed);
    common::wait_until_gone(&witness);
    assert!(!proc.exists());
}
