//! From Rust strings to what the kernel reads, refused before any call.

use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::error::{Error, Step};

/// `what` completes "cannot ...", should the string have a NUL byte.
pub(crate) fn c_string(
    step: Step,
    string: &OsStr,
    what: impl FnOnce() -> String,
) -> Result<CString, Error> {
    CString::new(string.as_bytes()).map_err(|error| Error::nul(step, what(), &error))
}

/// A whole list for `SET_STRINGS`.
pub(crate) fn c_strings<I, S>(key: &'static str, strings: I) -> Result<Vec<CString>, Error>
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    let strings = strings.into_iter().enumerate();
    strings
        .map(|(i, string)| {
            let string = string.as_ref();
            c_string(Step::Key(key), string, || format!("set {key}[{i}] to {string:?}"))
        })
        .collect()
}

/// `name=value`. A name that the new program could not find again (empty, or
/// with a `=`) is an error.
pub(crate) fn variable(key: &'static str, name: &OsStr, value: &OsStr) -> Result<CString, Error> {
    let what = || format!("set variable {name:?} to {value:?}");
    if name.is_empty() || name.as_bytes().contains(&b'=') {
        return Err(Error::variable_name(Step::Key(key), what()));
    }
    c_string(Step::Key(key), &join(name, value), what)
}

/// `name=value`, for a variable that is in the environment already.
pub(crate) fn join(name: &OsStr, value: &OsStr) -> OsString {
    let mut pair = Vec::with_capacity(name.len() + value.len() + 2);
    pair.extend_from_slice(name.as_bytes());
    pair.push(b'=');
    pair.extend_from_slice(value.as_bytes());
    OsString::from_vec(pair)
}
