#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# zuk as cargo's runner: cargo run and cargo test of a static program in Rust.
# needs: cargo rustc
# timeout: 300
set -eu
. tests/tool/expect.sh
cd "$TMP"
# A toolchain that only forwards to one that is not there is none.
cargo --version >/dev/null 2>&1 || { echo "cargo does not start"; exit 77; }

mkdir -p app/src app/.cargo
cat >app/Cargo.toml <<'F'
[package]
name = "app"
version = "0.1.0"
edition = "2021"
F
cat >app/.cargo/config.toml <<F
[target.'cfg(target_os = "linux")']
runner = ["$ZUK", "exec"]
rustflags = ["-C", "target-feature=+crt-static"]
F
cat >app/src/main.rs <<'F'
use std::collections::HashMap;
use std::thread;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let sum: usize = (0..4).map(|n| thread::spawn(move || n * words_in(n))).map(|t| t.join().unwrap()).sum();
    println!("{} {}", words.join("-"), sum);
    std::process::exit(7);
}

fn words_in(n: usize) -> usize {
    let mut seen = HashMap::new();
    for i in 0..n {
        seen.insert(i, i);
    }
    seen.len()
}

#[test]
fn counts() {
    assert_eq!(words_in(3), 3);
}

#[test]
fn files() {
    std::fs::write("/tmp/x", "text").unwrap();
    assert_eq!(std::fs::read_to_string("/tmp/x").unwrap(), "text");
}

#[test]
#[should_panic(expected = "on purpose")]
fn panics() {
    panic!("on purpose");
}

#[test]
fn bad() {
    assert_eq!(words_in(3), 4);
}
F
cd app
run cargo run --offline --quiet -- a b
status 7
prints "a-b 14"

run cargo test --offline --quiet -- --skip bad
status 0
prints "3 passed; 0 failed"

run cargo test --offline --quiet
check [ "$status" != 0 ]
prints "3 passed; 1 failed"
prints "left: 3"

done_or_fail
