//! Starts the replay server's events, and reads its state.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

pub type Failure = Box<dyn std::error::Error + Send + Sync>;

pub fn ask(control: &str, path: &str) -> Result<serde_json::Value, Failure> {
    let address = control.strip_prefix("http://").ok_or("--control takes http://HOST:PORT")?;
    let mut connection = std::net::TcpStream::connect(address)?;
    write!(connection, "GET /control/{path} HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    let (_, body) = answer.split_once("\r\n\r\n").ok_or("the bench server does not answer")?;
    Ok(serde_json::from_str(body)?)
}

pub fn number(state: &serde_json::Value, name: &str) -> u64 {
    state[name].as_u64().unwrap_or(0)
}

pub fn wait_for_watch(control: &str) -> Result<(), Failure> {
    let begin = Instant::now();
    while number(&ask(control, "state")?, "watchers") == 0 {
        if begin.elapsed() > Duration::from_secs(120) {
            return Err("no watch was opened within 2 minutes".into());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}
