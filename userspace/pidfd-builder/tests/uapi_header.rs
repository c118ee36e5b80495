//! The Rust definitions against the C header.
//!
//! A C program made here prints every constant, size and offset as the C
//! compiler sees them. The names come from the header's text, so a definition
//! that the crate lacks is a failure too. Runs on any kernel; needs a C
//! compiler (`$CC`, else `cc`) and the header (`$PIDFD_CONFIG_UAPI` names
//! another include directory than the kernel tree's).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::mem::offset_of;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::{env, fs};

use pidfd_builder::uapi;

type Facts = BTreeMap<String, i128>;

fn include_dir() -> PathBuf {
    env::var_os("PIDFD_CONFIG_UAPI").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../include/uapi"),
        PathBuf::from,
    )
}

fn header() -> String {
    let path = include_dir().join("linux/pidfd_config.h");
    let text = fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("no header to compare with: {}: {error}", path.display()));
    without_comments(&text)
}

fn without_comments(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;
    while let Some((before, comment)) = rest.split_once("/*") {
        code.push_str(before);
        rest = comment.split_once("*/").expect("a comment without an end").1;
    }
    code + rest
}

/// All identifiers of the header that begin with `PIDFD_`.
fn constants(code: &str) -> BTreeSet<String> {
    code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("PIDFD_"))
        .map(str::to_owned)
        .collect()
}

/// `(struct, field)` of every struct definition; the field is empty for the
/// struct itself.
fn fields(code: &str) -> BTreeSet<(String, String)> {
    let mut all = BTreeSet::new();
    for part in code.split("struct ").skip(1) {
        let Some((name, rest)) = part.split_once('{') else { continue };
        let name = name.trim();
        if name.contains(|c: char| c == ';' || c.is_whitespace()) {
            continue;
        }
        all.insert((name.to_owned(), String::new()));
        let body = rest.split_once('}').expect("a struct without an end").0;
        for field in body.split(';').filter_map(|line| line.split_whitespace().last()) {
            all.insert((name.to_owned(), field.to_owned()));
        }
    }
    all
}

/// What the Rust side knows.
fn rust_facts() -> Facts {
    let mut facts = Facts::new();
    macro_rules! constants {
        ($($name:ident)*) => {
            $(facts.insert(stringify!($name).to_owned(), i128::from(uapi::$name as i64));)*
        };
    }
    constants! {
        PIDFD_CONFIG_SET_FLAG PIDFD_CONFIG_SET_STRING PIDFD_CONFIG_SET_BINARY
        PIDFD_CONFIG_SET_PATH PIDFD_CONFIG_SET_PATH_EMPTY PIDFD_CONFIG_SET_FD
        PIDFD_CONFIG_CMD_COMMIT PIDFD_CONFIG_SET_STRINGS
        PIDFD_COMMIT_NOWAIT
        PIDFD_CONFIG_FD_CLOEXEC PIDFD_CONFIG_FD_EMBRYO
        PIDFD_CONFIG_OPEN_SIZE_VER0 PIDFD_CONFIG_CLOSE_RANGE_SIZE_VER0
        PIDFD_CONFIG_KEY_MAX PIDFD_CONFIG_FDS_MAX
    }
    macro_rules! structs {
        ($($name:ident { $($field:ident)* })*) => {$(
            facts.insert(
                concat!("sizeof ", stringify!($name)).to_owned(),
                size_of::<uapi::$name>() as i128,
            );
            $(
                let name = concat!(stringify!($name), ".", stringify!($field));
                facts.insert(
                    format!("offsetof {name}"),
                    offset_of!(uapi::$name, $field) as i128,
                );
                facts.insert(format!("sizeof {name}"), field_size(|s: &uapi::$name| s.$field));
                facts.insert(
                    format!("signed {name}"),
                    field_signed(|s: &uapi::$name| s.$field),
                );
            )*
        )*};
    }
    structs! {
        pidfd_config_fd { fd target flags __reserved }
        pidfd_config_open { path flags mode resolve dirfd target }
        pidfd_config_close_range { first last flags }
    }
    facts
}

fn field_size<S, F>(_: fn(&S) -> F) -> i128 {
    size_of::<F>() as i128
}

fn field_signed<S, F>(_: fn(&S) -> F) -> i128 {
    std::any::type_name::<F>().starts_with('i').into()
}

/// What the C compiler makes of the header.
fn c_facts(code: &str) -> Facts {
    let mut program = String::from(
        "#include <stddef.h>\n#include <stdio.h>\n#include <linux/pidfd_config.h>\nint main(void)\n{\n",
    );
    for name in constants(code) {
        // Macros without a value would not compile here; there are none.
        writeln!(program, "\tprintf(\"%lld {name}\\n\", (long long)({name}));").unwrap();
    }
    for (name, field) in fields(code) {
        if field.is_empty() {
            writeln!(program, "\tprintf(\"%zu sizeof {name}\\n\", sizeof(struct {name}));")
                .unwrap();
            continue;
        }
        let (member, both) = (format!("((struct {name} *)0)->{field}"), format!("{name}.{field}"));
        writeln!(
            program,
            "\tprintf(\"%zu offsetof {both}\\n\", offsetof(struct {name}, {field}));\n\
             \tprintf(\"%zu sizeof {both}\\n\", sizeof({member}));\n\
             \tprintf(\"%d signed {both}\\n\", (__typeof__({member}))-1 < 0);"
        )
        .unwrap();
    }
    program.push_str("\treturn 0;\n}\n");

    let output = run(&program);
    output
        .lines()
        .map(|line| {
            let (value, name) = line.split_once(' ').expect("value and name");
            (name.to_owned(), value.parse().expect("a number"))
        })
        .collect()
}

fn run(program: &str) -> String {
    let cc = env::var_os("CC").unwrap_or_else(|| "cc".into());
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let binary = dir.join(format!("uapi_header.{}", std::process::id()));
    let mut compiler = Command::new(&cc)
        .args(["-x", "c", "-w", "-o"])
        .arg(&binary)
        .arg("-I")
        .arg(include_dir())
        .arg("-")
        .stdin(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("this test needs a C compiler: {cc:?}: {error}"));
    compiler.stdin.take().unwrap().write_all(program.as_bytes()).unwrap();
    assert!(compiler.wait().unwrap().success(), "{cc:?} refuses:\n{program}");
    let output = Command::new(&binary).output();
    fs::remove_file(&binary).unwrap();
    let output = output.unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// Every definition of the header has its equal in the crate, and the crate has
/// no other.
#[test]
fn the_crate_has_what_the_header_has() {
    let c = c_facts(&header());
    let rust = rust_facts();
    for (name, value) in &c {
        match rust.get(name) {
            Some(other) => assert_eq!(other, value, "{name}: left is Rust, right is C"),
            None => panic!("{name} = {value} is in the header and not in the crate"),
        }
    }
    for name in rust.keys() {
        assert!(c.contains_key(name), "{name} is in the crate and not in the header");
    }
}

/// The reader of the header sees what it is meant to see.
#[test]
fn the_header_is_read_in_full() {
    let code = "/* PIDFD_NO */ enum e { PIDFD_A = 1, };\n#define PIDFD_B\t2 /* PIDFD_NO */\n\
                struct s {\n\t__u32 x; /* no; */\n\t__aligned_u64\ty;\n};\n";
    let code = without_comments(code);
    assert_eq!(Vec::from_iter(constants(&code)), ["PIDFD_A", "PIDFD_B"]);
    let fields: Vec<_> = fields(&code).into_iter().map(|(_, field)| field).collect();
    assert_eq!(fields, ["", "x", "y"]);
    assert!(header().contains("PIDFD_CONFIG_SET_FLAG"));
}

/// `<linux/pidfd.h>` defines it as O_CREAT; the kernel tree's copy may be
/// elsewhere, so the definition is checked by its value.
#[test]
fn pidfd_empty_is_o_creat() {
    assert_eq!(uapi::PIDFD_EMPTY, rustix::fs::OFlags::CREATE.bits());
}
