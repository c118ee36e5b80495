//! The environment of a [`Builder`](crate::Builder): the caller's, changed.

use std::collections::BTreeMap;
use std::env;
use std::ffi::{CString, OsStr, OsString};

use crate::error::Error;
use crate::error::Step;
use crate::strings::{c_string, join, variable};

/// What is to be done to the caller's environment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environment {
    clear: bool,
    /// `None`: removed.
    changes: BTreeMap<OsString, Option<OsString>>,
}

impl Environment {
    pub(crate) fn set(&mut self, name: &OsStr, value: &OsStr) {
        self.changes.insert(name.to_owned(), Some(value.to_owned()));
    }

    pub(crate) fn remove(&mut self, name: &OsStr) {
        self.changes.insert(name.to_owned(), None);
    }

    pub(crate) fn clear(&mut self) {
        self.clear = true;
        self.changes.clear();
    }

    /// The caller's variables in their order, then those that were set, by
    /// name.
    fn inherited(&self) -> impl Iterator<Item = (OsString, OsString)> {
        let all = (!self.clear).then(env::vars_os);
        all.into_iter().flatten().filter(|(name, _)| !self.changes.contains_key(name))
    }

    pub(crate) fn envp(&self) -> Result<Vec<CString>, Error> {
        let mut envp = Vec::new();
        for (name, value) in self.inherited() {
            envp.push(c_string(Step::Key("envp"), &join(&name, &value), || {
                format!("set variable {name:?} to {value:?}")
            })?);
        }
        for (name, value) in &self.changes {
            if let Some(value) = value {
                envp.push(variable("envp", name, value)?);
            }
        }
        Ok(envp)
    }

    /// The value that the new program will see.
    pub(crate) fn get(&self, name: &str) -> Option<OsString> {
        match self.changes.get(OsStr::new(name)) {
            Some(change) => change.clone(),
            None if self.clear => None,
            None => env::var_os(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(environment: &Environment) -> Vec<String> {
        let envp = environment.envp().unwrap();
        envp.into_iter().map(|s| s.into_string().unwrap()).collect()
    }

    #[test]
    fn inherits_unless_cleared() {
        let mut environment = Environment::default();
        let inherited = environment.envp().unwrap();
        assert_eq!(inherited.len(), env::vars_os().count());
        assert_eq!(environment.get("PATH"), env::var_os("PATH"));
        environment.set("A".as_ref(), "lost".as_ref());
        environment.clear();
        assert!(environment.envp().unwrap().is_empty());
        assert_eq!(environment.get("PATH"), None);
    }

    #[test]
    fn the_last_change_wins() {
        let mut environment = Environment::default();
        environment.clear();
        environment.set("B".as_ref(), "1".as_ref());
        environment.set("A".as_ref(), "x=y".as_ref());
        environment.set("B".as_ref(), "".as_ref());
        environment.set("C".as_ref(), "gone".as_ref());
        environment.remove("C".as_ref());
        assert_eq!(strings(&environment), ["A=x=y", "B="]);
        assert_eq!(environment.get("C"), None);
    }

    #[test]
    fn an_inherited_variable_is_replaced_or_removed() {
        let mut environment = Environment::default();
        environment.set("PATH".as_ref(), "/x".as_ref());
        let with = strings(&environment);
        assert_eq!(with.iter().filter(|s| s.starts_with("PATH=")).count(), 1);
        assert!(with.contains(&"PATH=/x".to_owned()));
        environment.remove("PATH".as_ref());
        assert!(!strings(&environment).iter().any(|s| s.starts_with("PATH=")));
    }

    #[test]
    fn bad_names_and_nul_bytes() {
        for (name, value) in [("", "x"), ("A=B", "x"), ("A", "\0"), ("\0", "x")] {
            let mut environment = Environment::default();
            environment.set(name.as_ref(), value.as_ref());
            let error = environment.envp().unwrap_err();
            assert_eq!(error.step(), Step::Key("envp"));
            assert_eq!(error.raw_os_error(), None);
        }
    }
}
