//! What opening refuses, and what it never says.

mod common;

use common::{code, nowhere, DropCounter};
use ksr::{Callbacks, Code, Config};

#[test]
fn bad_configurations_are_refused_by_name() {
    let cases = [
        (Config::default(), Code::Invalid, "resource"),
        (Config::new("").server("http://127.0.0.1:1"), Code::Invalid, "resource"),
        (nowhere().set("resorce", "v1/pods"), Code::UnknownKey, "resorce"),
        (nowhere().set("", "x"), Code::UnknownKey, ""),
        (nowhere().set("limit", "many"), Code::Invalid, "limit"),
        (nowhere().set("min_interval", "3 weeks"), Code::Invalid, "min_interval"),
        (nowhere().set("limit\0", "1"), Code::UnknownKey, "NUL"),
        (nowhere().namespace("a\0b"), Code::Invalid, "namespace"),
        (nowhere().set("delivery", "manual"), Code::Invalid, "delivery"),
        (nowhere().ca_file("/nonexistent/ca.pem"), Code::Invalid, "/nonexistent/ca.pem"),
    ];
    for (config, wanted, named) in cases {
        for error in [config.open(Callbacks::new()).err(), config.updates().err()] {
            let error = error.expect("it is refused");
            assert_eq!(error.code(), wanted, "{error}");
            assert!(error.to_string().contains(named), "{error} does not name {named:?}");
        }
    }
}

#[test]
fn secrets_are_not_shown() {
    let config = nowhere().token("hush\nhush");
    let error = config.open(Callbacks::new()).unwrap_err();
    assert!(!format!("{error} {error:?} {config:?}").contains("hush"));
}

#[test]
fn what_callbacks_hold_is_dropped_when_opening_fails() {
    let drops = DropCounter::default();
    let token = drops.token();
    let callbacks = Callbacks::new().on_state(move |_, _| token.touch());
    assert_eq!(code(nowhere().ca_file("/nonexistent").open(callbacks)), Code::Invalid);
    assert_eq!(drops.count(), 1);
    let token = drops.token();
    let callbacks = Callbacks::new().on_state(move |_, _| token.touch());
    assert_eq!(code(nowhere().set("limit", "many").updates_with(callbacks)), Code::Invalid);
    assert_eq!(drops.count(), 2);
}

#[test]
fn one_configuration_opens_many_streams() {
    let config = nowhere();
    let streams: Vec<_> = (0..5).map(|_| config.open(Callbacks::new()).unwrap()).collect();
    drop(config);
    for stream in streams {
        stream.close().unwrap();
    }
}

#[test]
fn the_library_says_what_it_is() {
    assert!(ksr::version() >= 0x000100);
    assert!(ksr::build_info().contains(&format!("\"{}\"", ksr::version_string())));
    assert!(!ksr::has_feature("tls\0"));
}

#[test]
fn codes_have_names() {
    assert_eq!(Code::Gone.to_string(), "KSR_E_GONE");
    assert_eq!(Code::Other(-12345).to_string(), "KSR_E_UNKNOWN");
    assert_eq!(Code::Panic.to_string(), "panic");
}
