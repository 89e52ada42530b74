//! The ordinary binary has all its defences: it does not even know how to be asked to do without
//! (docs/adr/0020-undefended-build.md).

#![cfg(not(feature = "undefended"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::Folder;

const VARIABLE: &str = "GRANTOR_UNDEFENDED";

#[test]
fn the_ordinary_binary_does_not_know_the_variable() {
    let binary = std::fs::read(env!("CARGO_BIN_EXE_grantor")).unwrap();
    let holds = |text: &str| binary.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(!holds(VARIABLE));
    assert!(holds("GRANTOR_"), "variables of its own stand in it as text");
}

#[test]
fn the_variable_means_nothing_to_the_ordinary_binary() {
    let mut folder = Folder::new();
    folder.set(VARIABLE, "no such defence");
    let ran = folder.run(&["--version"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
}
