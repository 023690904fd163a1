//! Finds libksr where `pkg-config ksr` finds it. PKG_CONFIG names another program, PKG_CONFIG_PATH other places. With
//! DOCS_RS, as where documentation is built, nothing is linked and no library is needed.

use std::env;
use std::process::Command;

const WANTED: &str = "ksr >= 0.2.0";

fn main() {
    println!("cargo:rerun-if-env-changed=DOCS_RS");
    if env::var_os("DOCS_RS").is_some() {
        println!("cargo:rustc-env=KSR_SYS_HEADER=");
        return;
    }
    for name in ["PKG_CONFIG", "PKG_CONFIG_PATH", "PKG_CONFIG_LIBDIR", "PKG_CONFIG_SYSROOT_DIR"] {
        println!("cargo:rerun-if-env-changed={name}");
    }
    for word in pkg_config(&["--libs", WANTED]).split_whitespace() {
        if let Some(folder) = word.strip_prefix("-L") {
            println!("cargo:rustc-link-search=native={folder}");
        } else if let Some(library) = word.strip_prefix("-l") {
            println!("cargo:rustc-link-lib=dylib={library}");
        }
    }
    // For the test that holds lib.rs against the header.
    let include = pkg_config(&["--variable=includedir", "ksr"]);
    println!("cargo:rustc-env=KSR_SYS_HEADER={}/ksr.h", include.trim());
    println!("cargo:rerun-if-changed={}/ksr.h", include.trim());
}

fn pkg_config(arguments: &[&str]) -> String {
    let program = env::var("PKG_CONFIG").unwrap_or_else(|_| "pkg-config".to_owned());
    let answer = Command::new(&program)
        .arg("--print-errors")
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("cannot run {program}, which finds libksr: {error}"));
    if !answer.status.success() {
        panic!(
            "libksr is not found, PKG_CONFIG_PATH must name the folder of its ksr.pc: {}",
            String::from_utf8_lossy(&answer.stderr)
        );
    }
    String::from_utf8(answer.stdout).expect("pkg-config answers in UTF-8")
}
