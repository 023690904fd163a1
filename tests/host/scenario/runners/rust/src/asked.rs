//! Clients of the scenario and their requests, which report how they have ended.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use ksr::{Client, Config, Error, Params, RequestFuture, Response};

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

fn told(outcome: Result<Response, Error>) -> String {
    match outcome {
        Ok(response) => came(&response),
        Err(error) => format!(
            "{} http={} reason={} maybe_done={} details={}",
            error.code(),
            error.http_status().unwrap_or(0),
            error.reason(),
            u8::from(error.maybe_done()),
            error.details()
        ),
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
