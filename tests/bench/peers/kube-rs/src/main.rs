//! What kube-rs' reflectors need for the same work as libksr: one line of JSON with the measurements.

mod control;
mod measure;
mod process;
mod progress;
mod real;

use control::Failure;
use futures::StreamExt;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ApiResource, DynamicObject};
use kube::runtime::reflector::store::Writer;
use kube::runtime::reflector::{reflector, Lookup, Store};
use kube::runtime::watcher::{self, watcher, Event};
use kube::runtime::WatchStreamExt;
use kube::{Api, Client, Config, Resource};
use progress::{Progress, Seen};
use serde_json::json;
use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Instant;

/// Keeps the store up to date for as long as the process lives.
async fn follow<K>(api: Api<K>, writer: Writer<K>, progress: Arc<Progress>)
where
    K: Resource + Lookup + Clone + Debug + serde::de::DeserializeOwned + Send + Sync + 'static,
    <K as Lookup>::DynamicType: Eq + Hash + Clone,
{
    let mut events = std::pin::pin!(reflector(writer, watcher(api, watcher::Config::default()).default_backoff()));
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::InitDone) => progress.notify(Seen::List(Instant::now())),
            Ok(Event::Apply(object)) => progress.applied(&object),
            Ok(_) => {}
            Err(error) => eprintln!("kube-rs: {error}"),
        }
    }
}

fn versions<K: Lookup + Clone + Resource + 'static>(store: &Store<K>) -> (usize, u64)
where
    <K as Lookup>::DynamicType: Eq + Hash + Clone,
{
    let held = store.state();
    let version = |object: &Arc<K>| object.meta().resource_version.as_deref().and_then(|text| text.parse::<u64>().ok());
    (held.len(), held.iter().filter_map(version).sum())
}

async fn run(options: HashMap<String, String>) -> Result<serde_json::Value, Failure> {
    let option = |name: &str| options.get(name).cloned().unwrap_or_default();
    let (sender, receiver) = std::sync::mpsc::channel();
    let progress = Arc::new(Progress::new(sender));
    let measured = measure::Work::new(&options, Arc::clone(&progress), receiver);
    let mut config = Config::new(option("server").parse()?);
    if options.contains_key("ca_file") {
        config.root_cert_file = Some(option("ca_file").into());
    }
    config.auth_info.token = options.get("token").map(|token| token.clone().into());
    let client = Client::try_from(config)?;
    match option("mode").as_str() {
        "typed" => {
            let writer = Writer::<Pod>::default();
            let store = writer.as_reader();
            tokio::spawn(follow(Api::<Pod>::all(client), writer, progress));
            tokio::task::spawn_blocking(move || measured.run(|| versions(&store))).await?
        }
        "dynamic" => {
            let watched =
                options.get("resource").map_or_else(|| ApiResource::erase::<Pod>(&()), |name| real::named(name));
            let writer = Writer::<DynamicObject>::new(watched.clone());
            let store = writer.as_reader();
            tokio::spawn(follow(Api::<DynamicObject>::all_with(client, &watched), writer, progress));
            tokio::task::spawn_blocking(move || measured.run(|| versions(&store))).await?
        }
        other => Err(format!("no mode {other:?}").into()),
    }
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let pairs = arguments.chunks_exact(2);
    let options = pairs.map(|pair| (pair[0].trim_start_matches("--").to_string(), pair[1].clone())).collect();
    match run(options).await {
        Ok(serde_json::Value::Null) => {} // all has been said
        Ok(report) => println!("{report}"),
        Err(error) => {
            eprintln!("kube-rs: {}", json!(error.to_string()));
            std::process::exit(1);
        }
    }
    // The watch would go on; there is nothing to wait for.
    std::process::exit(0);
}
