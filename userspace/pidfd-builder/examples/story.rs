//! The life of a process that is built before it runs, told step by step.
//!
//! After each step the story reads back from `/proc` what has changed, as any
//! other process could. It ends with a failure (exit status 1) as soon as
//! something is not as told.

use std::error::Error;
use std::io::Read;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::{env, fs, io, process};

use pidfd_builder::{Child, Embryo, Errno, FdMap, OpenOptions, Signal, SignalSet};
use rustix::event::{PollFd, PollFlags, poll};

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

/// What the new process runs. It exits with 7 to have a status worth showing.
const SCRIPT: &str = r#"
echo "I am $0, process $$, child of $PPID."
echo "I work in $(pwd) with umask $(umask)."
echo "GREETING is '$GREETING'."
echo "Descriptor 3 says: $(cat <&3)"
grep -E '^Sig(Blk|Ign)' /proc/self/status
exit 7
"#;

fn main() {
    if let Err(error) = story() {
        println!();
        eprintln!("The story ends badly: {error}");
        process::exit(1);
    }
}

fn story() -> Result {
    let scratch = Scratch::new()?;

    title("1. An embryo");
    say("pidfd_open(0, PIDFD_EMPTY) makes a process that has never run.");
    let embryo = Embryo::open()?;
    let proc = Proc::of(embryo.pid()?);
    say(&format!("It is process {}, this program is process {}.", proc.pid, process::id()));
    proc.show("Name")?;
    proc.show("State")?;
    proc.show("PPid")?;
    expect(proc.status("Name")? == "embryo", "its name is 'embryo'")?;
    expect(proc.status("PPid")? == process::id().to_string(), "it is our child")?;
    say("It has no memory and no descriptors,");
    expect(proc.status("VmSize").is_err(), "there is no memory")?;
    expect(proc.read("cmdline")?.is_empty(), "there are no arguments")?;
    expect(proc.fds()?.is_empty(), "there are no descriptors")?;
    line("status, VmSize", "(no such line)");
    line("cmdline", "(empty)");
    proc.show_fds()?;
    say("but it stands where we stand, with our umask.");
    proc.show_link("cwd")?;
    proc.show("Umask")?;
    expect(proc.link("cwd")? == env::current_dir()?, "it has our working directory")?;

    title("2. A place to work");
    let dir = scratch.0.as_path();
    let typo = Path::new("/tpm");
    call(&format!("cwd({typo:?})"));
    let error = match embryo.cwd(typo) {
        Ok(_) => return Err("a directory that does not exist was accepted".into()),
        Err(error) => error,
    };
    line("the error", &error.to_string());
    expect(!error.log().is_empty(), "the kernel explains the error")?;
    for message in error.log() {
        line("the kernel's log", &message.to_string());
    }
    expect(error.errno() == Some(Errno::NOENT), "the error is ENOENT")?;
    expect(proc.link("cwd")? == env::current_dir()?, "nothing has changed")?;
    say("A typo. Nothing has changed, so the step can simply be repeated.");
    call(&format!("cwd({dir:?})"));
    embryo.cwd(dir)?;
    proc.show_link("cwd")?;
    expect(proc.link("cwd")? == dir, "the working directory has changed")?;

    call("umask(0o027)");
    embryo.umask(0o027)?;
    proc.show("Umask")?;
    expect(proc.status("Umask")? == "0027", "the umask has changed")?;

    title("3. Descriptors");
    let (mut output, writer) = pipe()?;
    call("map_fds(the pipe's end -> 1, our standard error -> 2)");
    let stderr = io::stderr();
    embryo.map_fds(FdMap::new().map(&writer, 1).map(&stderr, 2))?;
    // The embryo has the only writing end now: end of file means it is done.
    drop(writer);
    proc.show_fds()?;
    call("open_file(\"note\", read, 3)");
    fs::write(dir.join("note"), "a file that the embryo opened itself")?;
    embryo.open_file("note", OpenOptions::new().read(true), 3)?;
    proc.show_fds()?;
    expect(proc.link("fd/3")? == dir.join("note"), "descriptor 3 is the note")?;
    expect(proc.fds()? == [1, 2, 3], "there are three descriptors")?;

    title("4. Signals");
    call("sigmask({USR1}), sigignore({HUP, PIPE})");
    let ignored = SignalSet::from_iter([Signal::HUP, Signal::PIPE]);
    embryo.sigmask(Signal::USR1.into())?.sigignore(ignored)?;
    proc.show("SigBlk")?;
    proc.show("SigIgn")?;
    let blocked = SignalSet::from(Signal::USR1);
    expect(proc.signals("SigBlk")? == blocked, "USR1 is blocked")?;
    expect(proc.signals("SigIgn")? == ignored, "HUP and PIPE are ignored")?;

    title("5. A program that cannot run");
    let broken = scratch.script("broken", "#!/bin/shh\n")?;
    call(&format!("exec({broken:?}), a script that begins with #!/bin/shh"));
    embryo.exec(&broken)?;
    call("commit()");
    let failed = match embryo.commit() {
        Ok(_) => return Err("a script without an interpreter was executed".into()),
        Err(failed) => failed,
    };
    line("the error", &failed.to_string());
    for message in failed.error().log() {
        line("the kernel's log", &message.to_string());
    }
    expect(failed.error().errno() == Some(Errno::NOENT), "the error is ENOENT")?;
    let embryo = failed.into_embryo();
    expect(proc.status("Name")? == "embryo", "it is an embryo still")?;
    say("exec's own error, and the embryo is as it was:");
    proc.show("Name")?;
    proc.show_fds()?;

    title("6. A program that can");
    call("exec(\"/bin/bash\"), argv([\"bash\", \"-c\", ...]), env(...)");
    embryo
        .exec("/bin/bash")?
        .argv(["bash", "-c", SCRIPT, "story"])?
        .env("PATH", "/usr/bin:/bin")?
        .env("GREETING", "hello")?;
    say("Program, arguments and environment are kept until the commit.");
    call("commit()");
    let mut child = embryo.commit()?;
    expect(child.id() == proc.pid, "the process has kept its PID")?;
    say(&format!("Process {} runs. It writes:", child.id()));
    let mut text = String::new();
    output.read_to_string(&mut text)?;
    for output in text.lines() {
        println!("    | {output}");
    }
    for part in [
        format!("I am story, process {}, child of {}.", child.id(), process::id()),
        format!("I work in {} with umask 0027.", dir.display()),
        "GREETING is 'hello'.".to_owned(),
        "Descriptor 3 says: a file that the embryo opened itself".to_owned(),
    ] {
        expect(text.contains(&part), &format!("it says \"{part}\""))?;
    }

    title("7. The end");
    say("The descriptor that built the process is its pidfd now.");
    call("poll(pidfd), wait()");
    wait_until_readable(&child)?;
    let status = child.wait()?;
    line("the result", &status.to_string());
    expect(status.code() == Some(7), "the exit status is 7")?;
    expect(!proc.exists(), "the process is gone")?;

    title("8. An embryo that is not needed");
    let embryo = Embryo::open()?;
    let proc = Proc::of(embryo.pid()?);
    // An ordinary pidfd, to see the end of the process without a race.
    let witness = proc.pidfd()?;
    call("drop(embryo)");
    drop(embryo);
    wait_until_gone(&witness)?;
    expect(!proc.exists(), "the process is gone")?;
    say(&format!("Process {} is gone, and there is nothing to wait for.", proc.pid));
    Ok(())
}

/// A process as `/proc` shows it.
struct Proc {
    pid: u32,
}

impl Proc {
    fn of(pid: u32) -> Self {
        Self { pid }
    }

    fn path(&self, file: &str) -> PathBuf {
        format!("/proc/{}/{file}", self.pid).into()
    }

    fn exists(&self) -> bool {
        self.path("").exists()
    }

    fn read(&self, file: &str) -> Result<String> {
        Ok(fs::read_to_string(self.path(file))?)
    }

    fn status(&self, key: &str) -> Result<String> {
        let status = self.read("status")?;
        let value = status
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find_map(|(name, value)| (name == key).then(|| value.trim().to_owned()));
        value.ok_or_else(|| format!("no {key} in status").into())
    }

    fn signals(&self, key: &str) -> Result<SignalSet> {
        Ok(SignalSet::from_bits(u64::from_str_radix(&self.status(key)?, 16)?))
    }

    fn link(&self, file: &str) -> Result<PathBuf> {
        Ok(fs::read_link(self.path(file))?)
    }

    fn fds(&self) -> Result<Vec<u32>> {
        let mut fds = Vec::new();
        for entry in fs::read_dir(self.path("fd"))? {
            fds.push(entry?.file_name().to_string_lossy().parse()?);
        }
        fds.sort_unstable();
        Ok(fds)
    }

    fn pidfd(&self) -> Result<impl AsFd> {
        let pid = rustix::process::Pid::from_raw(self.pid.try_into()?).ok_or("no PID")?;
        Ok(rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty())?)
    }

    fn show(&self, key: &str) -> Result {
        line(&format!("status, {key}"), &self.status(key)?);
        Ok(())
    }

    fn show_link(&self, file: &str) -> Result {
        line(file, &self.link(file)?.display().to_string());
        Ok(())
    }

    fn show_fds(&self) -> Result {
        let fds = self.fds()?;
        if fds.is_empty() {
            line("fd", "(empty)");
        }
        for fd in fds {
            self.show_link(&format!("fd/{fd}"))?;
        }
        Ok(())
    }
}

/// A directory that is removed in the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self> {
        let dir = env::temp_dir().join(format!("pidfd-builder-story.{}", process::id()));
        fs::create_dir(&dir)?;
        // As /proc shows it: without symbolic links.
        Ok(Self(dir.canonicalize()?))
    }

    fn script(&self, name: &str, text: &str) -> Result<PathBuf> {
        use std::os::unix::fs::PermissionsExt;
        let path = self.0.join(name);
        fs::write(&path, text)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // The story is told; a directory left behind would not change it.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn pipe() -> Result<(fs::File, fs::File)> {
    let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    Ok((reader.into(), writer.into()))
}

/// A pidfd is readable once its process has finished.
fn wait_until_readable(child: &Child) -> Result {
    let mut fds = [PollFd::new(child, PollFlags::IN)];
    rustix::io::retry_on_intr(|| poll(&mut fds, None))?;
    expect(fds[0].revents().contains(PollFlags::IN), "the pidfd is readable")
}

/// A pidfd hangs up once its process has been reaped.
fn wait_until_gone(pidfd: &impl AsFd) -> Result {
    let mut fds = [PollFd::new(pidfd, PollFlags::empty())];
    rustix::io::retry_on_intr(|| poll(&mut fds, None))?;
    expect(fds[0].revents().contains(PollFlags::HUP), "the pidfd has hung up")
}

fn title(text: &str) {
    println!("\n{text}\n");
}

fn say(text: &str) {
    println!("  {text}");
}

fn call(text: &str) {
    println!("  > {text}");
}

fn line(name: &str, value: &str) {
    println!("      {name:<18} {value}");
}

fn expect(condition: bool, claim: &str) -> Result {
    if condition { Ok(()) } else { Err(format!("it is not true that {claim}").into()) }
}
