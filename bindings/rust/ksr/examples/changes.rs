//! Prints what changes in a cluster: `cargo run --example changes -- resource=v1/pods namespace=default`. Without
//! `server=` and `kubeconfig=` the cluster is found as kubectl finds it.

use std::process::ExitCode;

use ksr::{Callbacks, Config, DeltaKind, Error};

fn config(arguments: impl Iterator<Item = String>) -> Option<Config> {
    let mut config = Config::default();
    for argument in arguments {
        let (key, value) = argument.split_once('=')?;
        config = config.set(key, value);
    }
    Some(config)
}

fn watch(config: &Config) -> Result<(), Error> {
    let callbacks = Callbacks::new().on_error(|_, error| {
        if let Some(retry) = error.retry() {
            eprintln!("{error}; next try in {retry:?}");
        }
    });
    for snapshot in config.updates_with(callbacks)? {
        let snapshot = snapshot?;
        for delta in snapshot.deltas() {
            let mark = match delta.kind {
                DeltaKind::Added => '+',
                DeltaKind::Deleted => '-',
                _ => '~',
            };
            println!("{mark} {}/{}", delta.object.namespace(), delta.object.name());
        }
        println!("{} objects", snapshot.len());
    }
    Ok(())
}

fn main() -> ExitCode {
    let config = match config(std::env::args().skip(1)) {
        Some(config) => config,
        None => {
            eprintln!("usage: changes KEY=VALUE... with the keys of CONFIGURATION.md");
            return ExitCode::from(2);
        }
    };
    match watch(&config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
