//! On a real API server: the list, then each line of standard input is answered by a line of JSON.

use crate::control::Failure;
use crate::measure::LONGEST;
use crate::process::{cpu_seconds, memory};
use crate::progress::Seen;
use kube::api::{ApiResource, GroupVersionKind};
use serde_json::{json, Value};
use std::sync::mpsc::Receiver;
use std::time::Instant;

/// The resource as GROUP/VERSION/NAME, or VERSION/NAME of the core group; its kind is not asked for.
pub fn named(resource: &str) -> ApiResource {
    let parts: Vec<&str> = resource.split('/').collect();
    let (group, version, plural) = match parts[..] {
        [group, version, plural] => (group, version, plural),
        [version, plural] => ("", version, plural),
        _ => ("", "v1", resource),
    };
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, plural), plural)
}

/// `versions`: how many objects are held, and the sum of their resourceVersions.
pub fn answer(
    seen: &Receiver<Seen>,
    begin: Instant,
    cpu: f64,
    versions: impl Fn() -> (usize, u64),
) -> Result<Value, Failure> {
    let Seen::List(listed) = seen.recv_timeout(LONGEST)? else { return Err("events before the list".into()) };
    println!("{}", json!({"list_seconds": (listed - begin).as_secs_f64(), "list_cpu_seconds": cpu_seconds() - cpu}));
    for asked in std::io::stdin().lines() {
        let answer = match asked?.as_str() {
            "cpu" => json!({"cpu_seconds": cpu_seconds()}),
            "memory" => json!({"resident_bytes": memory("VmRSS"), "peak_bytes": memory("VmHWM")}),
            "held" => {
                let (objects, sum) = versions();
                json!({"objects": objects, "version_sum": sum})
            }
            other => return Err(format!("cannot answer {other:?}").into()),
        };
        println!("{answer}");
    }
    Ok(Value::Null)
}
