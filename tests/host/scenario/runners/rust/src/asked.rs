//! Clients of the scenario and their requests, which report how they have ended.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use ksr::{Client, Config, Error, Params, Part, RequestFuture, Response};

use crate::block_on::block_on;
use crate::say;
use crate::watched::Way;

#[derive(Default)]
pub struct Clients {
    clients: BTreeMap<String, Client>,
    begun: BTreeMap<String, Begun>,
}

/// A request that another thread waits for and this one may drop.
#[derive(Clone)]
struct Begun(Arc<Mutex<Shared>>);

struct Shared {
    future: Option<RequestFuture>,
    waker: Option<Waker>,
}

impl Future for Begun {
    /// `None`: it was given up.
    type Output = Option<Result<Response, Error>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut shared = self.0.lock().expect("no panic");
        shared.waker = Some(context.waker().clone());
        match &mut shared.future {
            None => Poll::Ready(None),
            Some(future) => Pin::new(future).poll(context).map(Some),
        }
    }
}

impl Begun {
    fn give_up(&self) {
        let mut shared = self.0.lock().expect("no panic");
        drop(shared.future.take());
        if let Some(waker) = shared.waker.take() {
            waker.wake();
        }
    }
}

impl Clients {
    pub fn find(&self, name: &str) -> Option<&Client> {
        self.clients.get(name)
    }

    /// `None`: the step is none on a client or request.
    pub fn answer(
        &mut self,
        way: Way,
        verb: &str,
        name: &str,
        words: &[&str],
    ) -> Option<Result<String, Error>> {
        match verb {
            "client" => {
                let config = pairs(words).fold(Config::default(), |config, (key, value)| {
                    config.set(key, value)
                });
                let opened = Client::open(&config);
                return Some(opened.map(|client| {
                    self.clients.insert(name.to_owned(), client);
                    "ok".to_owned()
                }));
            }
            "give-up" => {
                self.begun[name].give_up();
                return Some(Ok("ok".to_owned()));
            }
            _ => {}
        }
        let client = self.clients.get(name)?.clone();
        if verb == "begin" {
            let begun = begin(&client, words);
            self.begun.insert(words[0].to_owned(), begun);
            return Some(Ok("ok".to_owned()));
        }
        Some(step(way, &client, verb, words))
    }
}

fn step(way: Way, client: &Client, verb: &str, words: &[&str]) -> Result<String, Error> {
    let count = |name: &str| client.stat(name);
    let pause = || thread::sleep(Duration::from_millis(5));
    match verb {
        "ask" => {
            let params = params(words);
            let outcome = match way {
                Way::Async => block_on(client.request(&params)),
                _ => client.call(&params),
            };
            return Ok(told(outcome));
        }
        "run" => return Ok(run(way, client, words)),
        "drained" => {
            while count("open_requests")? > 0 {
                pause();
            }
        }
        "stat" => return Ok(count(words[0])?.to_string()),
        "until" => {
            while count(words[0])? < words[1].parse().expect("a number") {
                pause();
            }
        }
        "close" => client.close()?,
        _ => return Ok("unknown step".to_owned()),
    }
    Ok("ok".to_owned())
}

fn pairs<'a>(words: &'a [&'a str]) -> impl Iterator<Item = (&'a str, &'a str)> {
    words
        .iter()
        .map(|word| word.split_once('=').unwrap_or((word, "")))
}

fn params(words: &[&str]) -> Params {
    pairs(words).fold(Params::new(), |params, (key, value)| match key {
        "body" => params.body(value),
        _ => params.set(key, value),
    })
}

fn begin(client: &Client, words: &[&str]) -> Begun {
    let future = client.request(&params(&words[1..]));
    let begun = Begun(Arc::new(Mutex::new(Shared {
        future: Some(future),
        waker: None,
    })));
    let (name, awaited) = (words[0].to_owned(), begun.clone());
    thread::spawn(move || {
        if let Some(outcome) = block_on(awaited) {
            say(&format!("answer {name} {}", told(outcome)));
        }
    });
    begun
}

/// Opens a channel and reads it to its end.
fn run(way: Way, client: &Client, words: &[&str]) -> String {
    let value = |wanted: &str| {
        pairs(words)
            .find(|(key, _)| *key == wanted)
            .map(|(_, value)| value)
    };
    let keys: Vec<_> = words
        .iter()
        .copied()
        .filter(|word| !word.starts_with("in="))
        .collect();
    let channel = match client.channel(&params(&keys)) {
        Ok(channel) => channel,
        Err(error) => return format!("{} out= err=", failed(&error)),
    };
    let is_exec = value("kind") == Some("exec");
    let first = if value("kind") == Some("portforward") {
        Part::Data
    } else {
        Part::Stdout
    };
    if let Some(written) = value("in") {
        let _ = channel.write(Part::Data, written.as_bytes());
        if is_exec {
            let _ = channel.finish(Part::Stdin);
        }
    }
    let read = |part| {
        let (mut all, mut buffer) = (Vec::new(), [0; 4096]);
        loop {
            let got = match way {
                Way::Async => block_on(channel.read_async(part, &mut buffer)),
                _ => channel.read(part, &mut buffer),
            };
            match got {
                Ok(got) if got > 0 => all.extend_from_slice(&buffer[..got]),
                got => {
                    return (
                        String::from_utf8_lossy(&all).replace('\n', "|"),
                        got.is_ok(),
                    )
                }
            }
        }
    };
    let (out, in_order) = read(first);
    let has_err = value("stderr").map_or(is_exec, |value| value == "true");
    let err = if has_err {
        read(Part::Stderr).0
    } else {
        String::new()
    };
    let ended = match way {
        Way::Async => block_on(channel.wait_async()),
        _ => channel.wait(None),
    };
    if in_order != ended.is_ok() {
        say(&format!("broken {words:?} ended in two ways"));
    }
    let told = match ended {
        Ok(code) => format!(
            "code={}",
            code.map_or("-".to_owned(), |code| code.to_string())
        ),
        Err(error) => failed(&error),
    };
    // Which does not wait for the end.
    drop(channel);
    while matches!(client.stat("open_channels"), Ok(open) if open > 0) {
        thread::sleep(Duration::from_millis(5));
    }
    format!("{told} out={out} err={err}")
}

fn failed(error: &Error) -> String {
    format!(
        "{} http={} reason={} maybe_done={} details={}",
        error.code(),
        error.http_status().unwrap_or(0),
        error.reason(),
        u8::from(error.maybe_done()),
        error.details()
    )
}

fn told(outcome: Result<Response, Error>) -> String {
    match outcome {
        Ok(response) => came(&response),
        Err(error) => failed(&error),
    }
}

fn came(response: &Response) -> String {
    let (kind, name, data) = response.object().map_or(("-", "-", &b""[..]), |object| {
        (
            object.kind(),
            object.name(),
            object.get("/data").unwrap_or_default(),
        )
    });
    let warnings: Vec<_> = response.warnings().collect();
    format!(
        "{} {kind} {name} data={} type={} warnings={} {}",
        response.http_status(),
        String::from_utf8_lossy(data),
        response.header("CONTENT-type").unwrap_or("-"),
        warnings.len(),
        warnings.first().copied().unwrap_or("-")
    )
}
