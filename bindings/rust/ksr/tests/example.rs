//! The example, as its user runs it.

mod common;

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use common::Place;

fn example() -> Command {
    let test = std::env::current_exe().unwrap();
    let folder: PathBuf = test.parent().and_then(|deps| deps.parent()).unwrap().join("examples");
    Command::new(folder.join("changes"))
}

#[test]
fn it_says_what_it_wants() {
    let ended = example().arg("v1/pods").output().unwrap();
    assert_eq!(ended.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&ended.stderr).starts_with("usage"));
    let ended = example().arg("colour=blue").output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("colour"));
}

#[test]
fn it_prints_changes() {
    let place = match Place::of("example") {
        Some(place) => place,
        None => return,
    };
    place.script("create configmap NS/a");
    let variable = |name| std::env::var(name).unwrap();
    let mut running = example()
        .arg("resource=v1/configmaps")
        .arg(format!("server={}", variable("KSR_TEST_SERVER")))
        .arg(format!("ca_file={}", variable("KSR_TEST_CA")))
        .arg(format!("token={}", variable("KSR_TEST_TOKEN")))
        .arg(format!("namespace={}", place.namespace()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(running.stdout.take().unwrap()).lines().map(|line| line.unwrap());
    let mut next = || lines.next().expect("a line");
    assert_eq!((next(), next()), (format!("+ {}/a", place.namespace()), "1 objects".to_owned()));
    place.script("delete configmap NS/a");
    assert_eq!((next(), next()), (format!("- {}/a", place.namespace()), "0 objects".to_owned()));
    running.kill().unwrap();
    running.wait().unwrap();
}
