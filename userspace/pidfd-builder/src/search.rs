//! The `PATH` search of `execvp(3)`.

use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;

use rustix::fs::CWD;
use rustix::io::Errno;

use crate::child::Child;
use crate::embryo::Embryo;
use crate::error::{CommitError, Error, Step};
use crate::strings::c_string;

/// What `execvp(3)` of glibc searches when there is no `PATH`.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// Where a program may be.
#[derive(Debug)]
pub(crate) enum Candidates {
    /// Named with a slash (or empty): this path and no other.
    One(CString),
    /// To be tried in this order.
    Path(Vec<CString>),
}

/// The paths to try for `program`, `path` being the new program's `PATH`.
pub(crate) fn candidates(program: &OsStr, path: Option<&OsStr>) -> Result<Candidates, Error> {
    let what = || format!("set exec to {program:?}");
    let plain = c_string(Step::Key("exec"), program, what)?;
    if program.is_empty() || program.as_bytes().contains(&b'/') {
        return Ok(Candidates::One(plain));
    }
    let path = path.unwrap_or(OsStr::new(DEFAULT_PATH)).as_bytes();
    let mut all = Vec::new();
    for directory in path.split(|&byte| byte == b':') {
        // An empty element is the working directory.
        if directory.is_empty() {
            all.push(plain.clone());
            continue;
        }
        let file = [directory, b"/", program.as_bytes()].concat();
        all.push(c_string(Step::Key("exec"), OsStr::from_bytes(&file), what)?);
    }
    Ok(Candidates::Path(all))
}

/// Runs the first candidate that can be executed.
pub(crate) fn run(
    mut embryo: Embryo,
    program: &OsStr,
    candidates: &Candidates,
) -> Result<Child, Error> {
    let paths = match candidates {
        Candidates::One(path) => {
            embryo.c_path(c"exec", CWD, path)?;
            return embryo.commit().map_err(|failed| name_program(failed.into(), program));
        }
        Candidates::Path(paths) => paths,
    };
    let mut remembered = Remembered::default();
    for path in paths {
        let error = match embryo.c_path(c"exec", CWD, path) {
            Ok(_) => match embryo.commit() {
                Ok(child) => return Ok(child),
                Err(failed) => {
                    let (back, error) = CommitError::into_parts(failed);
                    embryo = back;
                    name_program(error, OsStr::from_bytes(path.as_bytes()))
                }
            },
            Err(error) => error,
        };
        if !goes_on(&error) {
            return Err(error);
        }
        remembered.add(error);
    }
    Err(remembered.into_error(program))
}

/// The errors after which `execvp(3)` of glibc tries the next directory.
fn goes_on(error: &Error) -> bool {
    matches!(
        error.errno(),
        Some(
            Errno::ACCESS
                | Errno::NOENT
                | Errno::NOTDIR
                | Errno::STALE
                | Errno::NODEV
                | Errno::TIMEDOUT
        )
    )
}

/// A failed commit does not know the name of what it could not run.
fn name_program(error: Error, program: &OsStr) -> Error {
    error.with_what(format!("execute {program:?}"))
}

/// The error to report when every candidate has failed.
#[derive(Default)]
struct Remembered {
    /// As execvp(3): a program that is there but may not be executed says more
    /// than its absence elsewhere.
    denied: Option<Error>,
    /// Next best, a program that was found and failed, say for want of its
    /// interpreter.
    found: Option<Error>,
}

impl Remembered {
    fn add(&mut self, error: Error) {
        if error.errno() == Some(Errno::ACCESS) {
            self.denied.get_or_insert(error);
        } else if error.step() == Step::Commit {
            self.found.get_or_insert(error);
        }
    }

    fn into_error(self, program: &OsStr) -> Error {
        self.denied.or(self.found).unwrap_or_else(|| {
            Error::os(Step::Search, format!("find {program:?} in PATH"), Errno::NOENT)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(program: &str, path: Option<&str>) -> Vec<String> {
        match candidates(program.as_ref(), path.map(OsStr::new)).unwrap() {
            Candidates::One(path) => vec![format!("one {}", path.to_str().unwrap())],
            Candidates::Path(all) => {
                all.into_iter().map(|path| path.into_string().unwrap()).collect()
            }
        }
    }

    #[test]
    fn a_slash_or_no_name_ends_the_search() {
        assert_eq!(paths("./ls", Some("/bin")), ["one ./ls"]);
        assert_eq!(paths("/bin/ls", None), ["one /bin/ls"]);
        assert_eq!(paths("", Some("/bin")), ["one "]);
    }

    #[test]
    fn directories_in_order() {
        assert_eq!(paths("ls", Some("/a:b:/c/")), ["/a/ls", "b/ls", "/c//ls"]);
        assert_eq!(paths("ls", None), ["/bin/ls", "/usr/bin/ls"]);
    }

    #[test]
    fn an_empty_element_is_the_working_directory() {
        assert_eq!(paths("ls", Some("")), ["ls"]);
        assert_eq!(paths("ls", Some(":/a:")), ["ls", "/a/ls", "ls"]);
    }

    #[test]
    fn nul_bytes() {
        let error = candidates("a\0".as_ref(), None).unwrap_err();
        assert_eq!(error.step(), Step::Key("exec"));
        assert_eq!(error.raw_os_error(), None);
    }

    #[test]
    fn the_best_error_is_reported() {
        let exec = |errno| Error::os(Step::Key("exec"), "set exec", errno);
        let commit = |errno| Error::os(Step::Commit, "execute", errno);
        let result = |errors: Vec<Error>| {
            let mut remembered = Remembered::default();
            errors.into_iter().for_each(|error| remembered.add(error));
            let error = remembered.into_error("x".as_ref());
            (error.step(), error.errno().unwrap())
        };
        assert_eq!(result(vec![]), (Step::Search, Errno::NOENT));
        assert_eq!(result(vec![exec(Errno::NOTDIR)]), (Step::Search, Errno::NOENT));
        assert_eq!(
            result(vec![exec(Errno::NOENT), commit(Errno::NOENT)]),
            (Step::Commit, Errno::NOENT)
        );
        assert_eq!(
            result(vec![commit(Errno::NOENT), exec(Errno::ACCESS), exec(Errno::NOENT)]),
            (Step::Key("exec"), Errno::ACCESS)
        );
        assert!(!goes_on(&commit(Errno::NOEXEC)));
    }
}
