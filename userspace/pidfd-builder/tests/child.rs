//! The child: waiting, signals, pipes.
//!
//! Runs on a kernel with `CONFIG_PIDFD_CONFIG=y`, and fails on others.

mod common;

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::thread;

use common::{Proc, Scratch, embryo, wait_for};
use pidfd_builder::{Builder, Child, LogLevel, Signal, Stdio, Step};
use rustix::event::PollFlags;

/// A child that lives until its standard input is closed.
fn cat() -> Child {
    Builder::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

#[test]
fn exit_codes() {
    for code in [0, 1, 7, 255] {
        let script = format!("exit {code}");
        let mut child = Builder::new("sh").args(["-c", &script]).spawn().unwrap();
        let status = child.wait().unwrap();
        assert_eq!((status.code(), status.signal()), (Some(code), None));
        // The same again, from memory.
        assert_eq!(child.wait().unwrap(), status);
        assert_eq!(child.try_wait().unwrap(), Some(status));
        assert!(!Proc(child.id()).exists());
    }
}

/// try_wait is None while the child runs, and the pidfd tells when it is not.
#[test]
fn try_wait_and_poll() {
    let mut child = cat();
    assert_eq!(child.try_wait().unwrap(), None);
    drop(child.stdin.take());
    assert!(wait_for(&child, PollFlags::IN).contains(PollFlags::IN));
    assert!(child.try_wait().unwrap().unwrap().success());
}

/// wait closes standard input, or it would wait for ever.
#[test]
fn wait_closes_stdin() {
    let mut child = cat();
    assert!(child.wait().unwrap().success());
    assert!(child.stdin.is_none());
}

#[test]
fn kill() {
    let mut child = cat();
    child.kill().unwrap();
    // Twice is as good as once, before and after waiting.
    child.kill().unwrap();
    let status = child.wait().unwrap();
    assert_eq!((status.code(), status.signal()), (None, Some(libc::SIGKILL)));
    child.kill().unwrap();
}

#[test]
fn signals() {
    let mut child = cat();
    child.send_signal(Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(libc::SIGTERM));
    let error = child.send_signal(Signal::TERM).unwrap_err();
    assert_eq!(error.step(), Step::Signal);
    assert_eq!(error.raw_os_error(), Some(libc::ESRCH));
    assert_eq!(
        error.to_string(),
        format!("cannot send SIGTERM to process {}: No such process (os error 3)", child.id())
    );
}

/// Somebody else has waited: ECHILD, with the step's name.
#[test]
fn waited_for_elsewhere() {
    let mut child = cat();
    drop(child.stdin.take());
    let pid = rustix::process::Pid::from_raw(child.id() as i32).unwrap();
    rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty()).unwrap();
    let error = child.wait().unwrap_err();
    assert_eq!(error.step(), Step::Wait);
    assert_eq!(
        error.to_string(),
        format!("cannot wait for process {pid}: No child processes (os error 10)")
    );
}

/// Dropping a child does not end it.
#[test]
fn drop_does_nothing() {
    let mut child = cat();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let proc = Proc(child.id());
    let pidfd = proc.pidfd();
    drop(child);
    stdin.write_all(b"alive").unwrap();
    stdout.read_exact(&mut [0; 5]).unwrap();
    drop(stdin);
    wait_for(&pidfd, PollFlags::IN);
    let id = rustix::process::Pid::from_raw(proc.0 as i32);
    rustix::process::waitpid(id, rustix::process::WaitOptions::empty()).unwrap();
}

/// More than a pipe holds goes through in both directions.
#[test]
fn large_pipes_both_ways() {
    const SIZE: usize = 1 << 20;
    let mut child = cat();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let data: Vec<u8> = (0..SIZE).map(|i| (i % 251) as u8).collect();
    let copy = data.clone();
    let writer = thread::spawn(move || stdin.write_all(&copy).unwrap());
    let mut back = Vec::new();
    stdout.read_to_end(&mut back).unwrap();
    writer.join().unwrap();
    assert!(back == data);
    assert!(child.wait().unwrap().success());
}

/// Output and error are read as they come, in whatever order they are filled.
#[test]
fn wait_with_output() {
    let script = "head -c 300000 /dev/zero >&2; head -c 200000 /dev/zero; exit 3";
    let child = Builder::new("sh")
        .args(["-c", script])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.stdout.len(), output.stderr.len()), (200_000, 300_000));
    assert_eq!(output.status.code(), Some(3));
}

/// Without pipes it is just a wait.
#[test]
fn wait_with_output_without_pipes() {
    let output = Builder::new("true").spawn().unwrap().wait_with_output().unwrap();
    assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty());
}

/// Without waiting for exec, success is as good.
#[test]
fn nowait() {
    let embryo = embryo();
    embryo.exec("/bin/true").unwrap();
    let mut child = embryo.commit_nowait().unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(child.log(), []);
}

/// ... and failure is status 127 with the reason in the log.
#[test]
fn nowait_failure() {
    let scratch = Scratch::new();
    let embryo = embryo();
    embryo.exec(scratch.file("broken", "#!/nope\n", 0o755)).unwrap();
    let mut child = embryo.commit_nowait().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(127));
    let log = child.log();
    assert!(log.iter().any(|message| message.level == LogLevel::Error), "{log:?}");

    // What is known beforehand is an error still.
    let failed = common::embryo().commit_nowait().unwrap_err();
    assert_eq!(failed.error().raw_os_error(), Some(libc::EINVAL));
}
