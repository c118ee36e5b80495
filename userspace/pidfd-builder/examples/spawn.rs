//! One child, its input and its output.

use std::error::Error;
use std::io::Write;

use pidfd_builder::{Builder, Stdio};

fn main() -> Result<(), Box<dyn Error>> {
    let mut child = Builder::new("sort")
        .arg("--reverse")
        .current_dir("/")
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    println!("sort runs as process {}", child.id());
    child.stdin.take().ok_or("no pipe")?.write_all(b"alpha\nbeta\ngamma\n")?;
    let output = child.wait_with_output()?;
    print!("{}", String::from_utf8(output.stdout)?);
    println!("{}", output.status);
    Ok(())
}
