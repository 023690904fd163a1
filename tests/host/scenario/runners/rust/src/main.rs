//! The runner of the Rust binding, see README.md of the scenario. `runner iterator` gets its updates from an iterator,
//! `runner async` from a future.

mod asked;
mod block_on;
mod watched;

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use std::thread;
use std::time::Duration;

use asked::Clients;
use ksr::{Config, Error};
use watched::{keys, Watched, Way};

pub fn say(line: &str) {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .expect("standard output takes lines");
}

fn open(
    way: Way,
    clients: &Clients,
    name: &str,
    pours: bool,
    words: &[&str],
) -> Result<Watched, Error> {
    let mut config = Config::default();
    let mut client = None;
    for word in words {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        if key == "client" {
            client = clients.find(value);
            continue;
        }
        config = config.set(key, value);
    }
    Watched::open(way, name, pours, &config, client)
}

fn until(handle: &ksr::Handle, name: &str, wanted: u64) -> Result<(), Error> {
    while handle.stat(name)? < wanted {
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

fn answer(
    way: Way,
    streams: &mut BTreeMap<String, Watched>,
    clients: &mut Clients,
    line: &str,
) -> Result<String, Error> {
    let words: Vec<_> = line.split_whitespace().collect();
    let (verb, name) = (words[0], words[1]);
    if let Some(answer) = clients.answer(way, verb, name, &words[2..]) {
        return answer;
    }
    if verb == "open" || verb == "pour" {
        streams.insert(
            name.to_owned(),
            open(way, clients, name, verb == "pour", &words[2..])?,
        );
        return Ok("ok".to_owned());
    }
    let watched = streams.get_mut(name).expect("an open stream");
    let handle = watched.handle();
    match verb {
        "arm" => watched.arm(),
        "synced" => handle.wait_synced(None)?,
        "latest" => {
            let latest = handle.latest();
            return Ok(latest.map_or("none".to_owned(), |shot| {
                format!("{} {}", shot.sequence(), keys(&shot))
            }));
        }
        "stat" => return Ok(handle.stat(words[2])?.to_string()),
        "until" => until(handle, words[2], words[3].parse().expect("a number"))?,
        "cancel" => handle.cancel(),
        "close" => watched.close()?,
        _ => return Ok("unknown step".to_owned()),
    }
    Ok("ok".to_owned())
}

fn main() {
    let way = match std::env::args().nth(1).as_deref() {
        Some("iterator") => Way::Iterator,
        Some("async") => Way::Async,
        _ => Way::Callbacks,
    };
    let (mut streams, mut clients) = (BTreeMap::new(), Clients::default());
    for line in io::stdin().lock().lines() {
        let line = line.expect("standard input is text");
        let text = answer(way, &mut streams, &mut clients, &line)
            .unwrap_or_else(|error| error.code().to_string());
        say(&format!("= {text}"));
    }
}
