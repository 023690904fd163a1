//! The work: a list, then events; and what is measured of it.

use crate::control::{ask, number, wait_for_watch, Failure};
use crate::process::{cpu_seconds, memory, reset_peak};
use crate::progress::{Progress, Seen};
use serde_json::{json, Value};
use std::collections::HashMap;
use std::sync::mpsc::Receiver;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub const LONGEST: Duration = Duration::from_secs(300);

pub struct Work {
    control: String,
    events: u64,
    rate: u64,
    settle: f64,
    progress: Arc<Progress>,
    seen: Receiver<Seen>,
    begin: Instant,
    cpu: f64,
}

impl Work {
    pub fn new(options: &HashMap<String, String>, progress: Arc<Progress>, seen: Receiver<Seen>) -> Self {
        let number = |name: &str| options.get(name).and_then(|text| text.parse::<f64>().ok());
        Self {
            control: options.get("control").cloned().unwrap_or_default(),
            events: number("events").unwrap_or(200_000.0) as u64,
            rate: number("rate").unwrap_or(0.0) as u64,
            settle: number("settle").unwrap_or(2.0),
            progress,
            seen,
            begin: Instant::now(),
            cpu: cpu_seconds(),
        }
    }

    /// `versions`: how many objects are held, and the sum of their resourceVersions.
    pub fn run(self, versions: impl Fn() -> (usize, u64)) -> Result<Value, Failure> {
        if self.control.is_empty() {
            return crate::real::answer(&self.seen, self.begin, self.cpu, versions);
        }
        let mut report = json!({});
        let Seen::List(listed) = self.seen.recv_timeout(LONGEST)? else { return Err("events before the list".into()) };
        report["list_seconds"] = json!((listed - self.begin).as_secs_f64());
        report["list_cpu_seconds"] = json!(cpu_seconds() - self.cpu);
        wait_for_watch(&self.control)?;
        report["peak_list_bytes"] = json!(memory("VmHWM"));
        report["resident_list_bytes"] = json!(self.settled());
        self.watch(&mut report)?;
        report["peak_watch_bytes"] = json!(memory("VmHWM"));
        report["resident_watch_bytes"] = json!(self.settled());
        let state = ask(&self.control, "state")?;
        let (objects, sum) = versions();
        report["objects"] = json!(objects);
        report["correct"] = json!(objects as u64 == number(&state, "objects") && sum == number(&state, "version_sum"));
        Ok(report)
    }

    fn settled(&self) -> u64 {
        std::thread::sleep(Duration::from_secs_f64(self.settle));
        memory("VmRSS")
    }

    fn watch(&self, report: &mut Value) -> Result<(), Failure> {
        {
            let mut wanted = self.progress.wanted.lock().map_err(|_| "poisoned")?;
            wanted.version = number(&ask(&self.control, "state")?, "goal") + self.events;
            wanted.delays = (self.rate > 0).then(|| Vec::with_capacity(self.events as usize));
        }
        reset_peak();
        let (begin, cpu) = (Instant::now(), cpu_seconds());
        ask(&self.control, &format!("go?events={}&rate={}", self.events, self.rate))?;
        let Seen::Goal(reached) = self.seen.recv_timeout(LONGEST)? else { return Err("a second list".into()) };
        report["events"] = json!(self.events);
        report["events_per_second"] = json!(self.events as f64 / (reached - begin).as_secs_f64());
        report["cpu_us_per_event"] = json!((cpu_seconds() - cpu) / self.events as f64 * 1e6);
        let delays = self.progress.wanted.lock().map_err(|_| "poisoned")?.delays.take();
        if let Some(mut delays) = delays {
            delays.sort_unstable();
            add_delays(&delays, report);
        }
        Ok(())
    }
}

fn add_delays(sorted: &[i64], report: &mut Value) {
    let microseconds = |at: usize| sorted[at.min(sorted.len() - 1)] as f64 / 1e3;
    for (name, part) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999), ("max", 1.0)] {
        report[format!("delay_{name}_us")] = json!(microseconds((part * sorted.len() as f64) as usize));
    }
    // A few hundred of all, in order: enough to draw their distribution.
    report["delays_us"] = (0..200).map(|i| microseconds(i * (sorted.len() - 1) / 199)).collect();
}
