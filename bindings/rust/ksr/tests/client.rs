//! Clients and requests: on the test server, on a real one, and on none.

mod common;

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake};
use std::thread;
use std::time::{Duration, Instant};

use common::{
    any_server, await_one, changes, channel, code, eventually, names, next_of, nowhere, DropCounter, Place,
    TEST_TIMEOUT,
};
use ksr::{Callbacks, Client, Code, Config, Object, Params, RequestFuture, Response, Snapshot, Updates};

const MAPS: &str = "v1/configmaps";

macro_rules! place {
    ($name:expr) => {
        match Place::of($name) {
            Some(place) => place,
            None => return,
        }
    };
}

struct Woken(Mutex<Sender<()>>);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        let _ = self.0.lock().unwrap().send(());
    }
}

/// An executor for one future.
fn block_on<F: Future + Unpin>(mut future: F) -> F::Output {
    let (sender, woken) = channel();
    let waker = Arc::new(Woken(Mutex::new(sender))).into();
    let mut context = Context::from_waker(&waker);
    loop {
        match Pin::new(&mut future).poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => woken.recv_timeout(TEST_TIMEOUT).expect("the future was not woken"),
        }
    }
}

fn is_pending(future: &mut RequestFuture) -> bool {
    let (sender, _woken) = channel();
    let waker = Arc::new(Woken(Mutex::new(sender))).into();
    Pin::new(future).poll(&mut Context::from_waker(&waker)).is_pending()
}

fn client_of(place: &Place) -> Client {
    Client::open(&place.config()).unwrap()
}

fn get(place: &Place, name: &str) -> Params {
    Params::get(MAPS, name).namespace(place.namespace())
}

fn create(place: &Place, body: &str) -> Params {
    Params::create(MAPS, body).namespace(place.namespace())
}

fn none_open(client: &Client) {
    eventually("the end of the last request", || client.stat("open_requests").unwrap() == 0);
}

/// Asks for no scripts, so that it passes on a real kube-apiserver too.
#[test]
fn verbs_on_any_server() {
    let config = match any_server(MAPS) {
        Some(config) => config,
        None => return,
    };
    let client = Client::open(&config).unwrap();
    for asynchronous in [false, true] {
        let call = |params: &Params| match asynchronous {
            false => client.call(params),
            true => block_on(client.request(params)),
        };
        let name = format!("rust-{}-{asynchronous}", std::process::id());
        let body = format!(r#"{{"metadata":{{"name":"{name}"}},"data":{{"k":"1"}}}}"#);
        let created: Response = call(&Params::create(MAPS, &*body).namespace("default")).unwrap();
        assert_eq!(created.http_status(), 201);
        assert!(created.header("content-TYPE").unwrap().starts_with("application/json"));
        assert_eq!((created.header("x-none"), created.header("a\0b"), created.warnings().count()), (None, None, 0));
        let object = created.object().unwrap();
        assert_eq!((object.name(), object.kind(), object.get("/data/k")), (&*name, "ConfigMap", Some(&br#""1""#[..])));
        assert_eq!(created[0], b'{');
        assert!(created.text().unwrap().contains(&name));
        let kept = object.retain();

        let conflict = call(&Params::create(MAPS, body).namespace("default")).unwrap_err();
        assert_eq!((conflict.code(), conflict.http_status()), (Code::Conflict, Some(409)));
        assert_eq!((conflict.reason(), conflict.maybe_done(), conflict.is_fatal()), ("AlreadyExists", false, true));
        assert!(conflict.details().contains(&format!(r#""name":"{name}""#)), "{}", conflict.details());

        let patch = Params::patch(MAPS, &*name, r#"{"data":{"k":"2"}}"#).namespace("default");
        assert_eq!(call(&patch).unwrap().object().unwrap().get("/data/k"), Some(&br#""2""#[..]));
        let applied = format!(
            r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{name}"}},"data":{{"applied":"3"}}}}"#
        );
        let apply = Params::apply(MAPS, &*name, "rust-test", applied).namespace("default").force();
        assert!(call(&apply).unwrap().object().unwrap().get("/data/applied").is_some());
        let list = Params::list(MAPS).namespace("default").field_selector(format!("metadata.name={name}"));
        assert!(call(&list).unwrap().text().unwrap().contains(&name));
        let raw = Params::raw("GET", format!("/api/v1/namespaces/default/configmaps/{name}"));
        assert_eq!(call(&raw).unwrap().object().unwrap().name(), name);
        call(&Params::delete(MAPS, &*name).namespace("default").set("propagation", "Background")).unwrap();
        let gone = call(&Params::get(MAPS, &*name).namespace("default")).unwrap_err();
        assert_eq!((gone.code(), gone.http_status(), gone.reason()), (Code::NotFound, Some(404), "NotFound"));
        assert!(gone.to_string().contains(&name));
        assert_eq!(kept.object().name(), name);
    }
    none_open(&client);
    client.close().unwrap();
}

#[test]
fn many_at_once() {
    let place = place!("many-at-once");
    place.script("create configmap NS/a");
    let client = client_of(&place);
    let threads: Vec<_> = (0..25)
        .map(|_| {
            let (client, params) = (client.clone(), get(&place, "a"));
            thread::spawn(move || {
                for _ in 0..4 {
                    assert_eq!(client.call(&params).unwrap().object().unwrap().name(), "a");
                }
            })
        })
        .collect();
    let futures: Vec<_> = (0..50).map(|_| client.request(&get(&place, "a"))).collect();
    for future in futures {
        assert_eq!(block_on(future).unwrap().object().unwrap().name(), "a");
    }
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(client.stat("requests").unwrap(), 150);
    none_open(&client);
}

#[test]
fn a_future_that_is_dropped_cancels() {
    let place = place!("dropped-future");
    place.script("fault any /api/v1/namespaces/NS/ stall bytes=0 times=forever");
    let client = client_of(&place);
    let mut waiting = client.request(&create(&place, r#"{"metadata":{"name":"a"}}"#));
    assert!(is_pending(&mut waiting));
    assert_eq!(format!("{waiting:?}"), "RequestFuture(open)");
    eventually("the request to be sent", || client.stat("bytes_sent").unwrap() > 0);
    let other = client.request(&get(&place, "a"));
    assert_eq!(client.stat("open_requests").unwrap(), 2);
    drop(waiting);
    drop(other);
    none_open(&client);
    // The last future keeps its client open, and closes it without waiting.
    let last = client.request(&get(&place, "a"));
    drop(client);
    drop(last);
}

#[test]
fn cancelled_from_outside() {
    let place = place!("cancelled-client");
    place.script("fault any /api/v1/namespaces/NS/ stall bytes=0 times=forever");
    for close in [false, true] {
        let client = client_of(&place);
        let write = client.request(&create(&place, r#"{"metadata":{"name":"a"}}"#));
        let read = client.request(&get(&place, "a"));
        let blocked = {
            let (client, params) = (client.clone(), create(&place, r#"{"metadata":{"name":"b"}}"#));
            thread::spawn(move || client.call(&params))
        };
        let size = r#"{"metadata":{"name":"a"}}"#.len() as u64;
        eventually("both writes to be sent", || client.stat("bytes_sent").unwrap() == 2 * size);
        if close {
            client.close().unwrap();
        } else {
            client.cancel();
        }
        for (outcome, write) in [(block_on(write), true), (block_on(read), false), (blocked.join().unwrap(), true)] {
            let error = outcome.unwrap_err();
            assert_eq!((error.code(), error.maybe_done()), (Code::Cancelled, write), "{error}");
        }
        let closed = if close { Code::Invalid } else { Code::Cancelled };
        assert_eq!(code(client.call(&get(&place, "a"))), closed);
        assert_eq!(code(block_on(client.request(&get(&place, "a")))), closed);
        client.close().unwrap();
        client.close().unwrap();
        assert_eq!(code(client.stat("requests")), Code::Invalid);
        client.cancel();
    }
}

#[test]
fn the_time_limit() {
    let place = place!("time-limit");
    place.script("fault any /api/v1/namespaces/NS/ stall bytes=0 times=forever");
    let client = client_of(&place);
    let limited = get(&place, "a").timeout(Duration::from_millis(50));
    for outcome in [client.call(&limited), block_on(client.request(&limited))] {
        let error = outcome.unwrap_err();
        assert_eq!((error.code(), error.http_status(), error.maybe_done()), (Code::Timeout, Some(408), false));
    }
    none_open(&client);
}

#[test]
fn what_may_have_been_done() {
    let place = place!("maybe-done");
    place.script("fault any /api/v1/namespaces/NS/ cut bytes=0 times=forever");
    let client = client_of(&place);
    let error = client.call(&create(&place, r#"{"metadata":{"name":"a"}}"#)).unwrap_err();
    assert_eq!((error.code(), error.maybe_done(), error.details()), (Code::Transport, true, ""));
    let error = client.call(&get(&place, "a").set("retries", "never")).unwrap_err();
    assert_eq!((error.code(), error.maybe_done()), (Code::Transport, false));
}

#[test]
fn large_bodies_and_warnings() {
    let place = place!("large-bodies");
    place.script(
        "fault get /api/v1/namespaces/NS/configmaps/warned answer 200 body={} header=\"Warning: 299 - \\\"old, very old\\\"\"\n\
         fault get /api/v1/namespaces/NS/configmaps/text answer 200 type=text/plain body=[1]",
    );
    let client = client_of(&place);
    let body = format!(r#"{{"metadata":{{"name":"large"}},"data":{{"k":"{}"}}}}"#, "x".repeat(3 << 20));
    client.call(&create(&place, &body)).unwrap();
    let got = client.call(&get(&place, "large")).unwrap();
    assert!(got.len() > body.len() && got.as_ref().len() == got.body().len());
    let copy = got.clone();
    assert_eq!(
        (copy.body().as_ptr(), format!("{copy:?}")),
        (got.body().as_ptr(), format!("Response(200: {} bytes)", got.len()))
    );
    assert_eq!(code(client.call(&get(&place, "large").set("max_body", "1Mi"))), Code::TooLarge);
    let warned = client.call(&get(&place, "warned")).unwrap();
    assert_eq!(warned.warnings().collect::<Vec<_>>(), ["old, very old"]);
    let text = client.call(&get(&place, "text")).unwrap();
    assert!(text.object().is_none());
    assert_eq!(&*text, b"[1]");
    drop((client, got));
    assert_eq!(thread::spawn(move || copy.object().unwrap().name().to_owned()).join().unwrap(), "large");
}

#[test]
fn what_is_refused_is_not_sent() {
    let client = Client::open(&nowhere()).unwrap();
    let apply = Params::apply(MAPS, "a", "", "{}").namespace("a");
    for (params, named) in [
        (Params::new(), "resource"),
        (Params::get(MAPS, "a").set("colour", "blue"), "colour"),
        (Params::create(MAPS, "").namespace("a"), "body"),
        (Params::raw("GET", "/\0"), "path"),
        (Params::raw("GET", "/").set("a\0", "b"), "NUL"),
        (Params::raw("GET", "/").header("Authorization", "Bearer a"), "header.Authorization"),
        (Params::raw("GET", "/").add("name", "b"), "name"),
        (apply, "field_manager"),
    ] {
        for outcome in [client.call(&params), block_on(client.request(&params))] {
            let error = outcome.unwrap_err();
            assert!(matches!(error.code(), Code::Invalid | Code::UnknownKey), "{error}");
            assert!(error.to_string().contains(named), "{named}: {error}");
        }
    }
    assert_eq!(client.stat("requests").unwrap(), 0);
    assert_eq!(code(client.stat("colour")), Code::UnknownKey);
    let unreachable = client.call(&Params::raw("GET", "/").set("retries", "never")).unwrap_err();
    assert_eq!((unreachable.code(), unreachable.http_status()), (Code::Transport, Some(502)));
    assert_eq!(code(Client::open(&nowhere().ca_file("/nonexistent"))), Code::Invalid);
    assert_eq!(code(Client::open(&nowhere().set("delivery", "manual"))), Code::Invalid);
    assert_eq!(format!("{client:?}"), "Client { open_requests: Some(0) }");
}

#[test]
fn limits_beyond_the_largest() {
    let client = Client::open(&nowhere()).unwrap();
    for years in [90, 150, 1000, u64::MAX / 60 / 60 / 24 / 366] {
        for limit in [Duration::from_secs(years * 60 * 60 * 24 * 366), Duration::MAX] {
            let params = Params::raw("GET", "/").set("retries", "never").timeout(limit);
            assert_eq!(code(client.call(&params)), Code::Transport, "{limit:?}");
        }
    }
    let mut updates = client.updates(&Config::new(MAPS).reconnect(false)).unwrap();
    assert_eq!(code(updates.wait_synced(Some(Duration::MAX))), Code::Cancelled);
    assert!(updates.next_within(Duration::MAX).is_ready());
    let channel = client.channel(&Params::download("/a")).unwrap();
    assert!(channel.wait(Some(Duration::MAX)).is_err());
    assert!(channel.read_within(ksr::Part::Stdout, &mut [0; 4], Duration::MAX).is_err());
}

#[test]
fn a_log_and_its_panic() {
    let drops = DropCounter::default();
    let (token, (sender, lines)) = (drops.token(), channel());
    let client = Client::open_with_log(&nowhere(), move |_, line| {
        token.touch();
        let _ = sender.send((line.to_owned(), ksr::in_callback()));
    })
    .unwrap();
    let (line, inside) = await_one(&lines);
    assert!(!line.is_empty() && inside);
    let again = client.clone();
    drop(client);
    assert_eq!(drops.count(), 0);
    drop(again);
    assert_eq!(drops.count(), 1);

    let client = Client::open_with_log(&nowhere(), |_, _| panic!("boom")).unwrap();
    eventually("the panic", || code(client.call(&Params::raw("GET", "/").set("retries", "never"))) == Code::Panic);
    assert_eq!(code(block_on(client.request(&Params::raw("GET", "/")))), Code::Panic);
}

#[test]
fn a_request_inside_a_callback_of_its_client() {
    let (sender, answers) = channel();
    let own: common::Shared<Client> = Arc::new(Mutex::new(None));
    let seen = Arc::clone(&own);
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let client = Client::open_with_log(&nowhere(), move |_, _| {
        // The first line is of the opening itself: where the connection comes from.
        if counted.fetch_add(1, Ordering::SeqCst) == 0 {
            eventually("the client", || seen.lock().unwrap().is_some());
            let client = seen.lock().unwrap().clone().unwrap();
            let params = Params::raw("GET", "/").set("retries", "never");
            let _ = sender.send((code(client.call(&params)), code(client.close())));
        }
    })
    .unwrap();
    *own.lock().unwrap() = Some(client.clone());
    assert_eq!(await_one(&answers), (Code::Transport, Code::WouldDeadlock));
    *own.lock().unwrap() = None;
}

#[test]
fn threads_may_share_clients() {
    fn shared<T: Send + Sync + Clone>() {}
    shared::<(Client, Response, Params)>();
    fn sent<T: Send + Sync + Unpin>() {}
    sent::<RequestFuture>();
}

#[test]
fn streams_of_a_client() {
    let place = place!("client-streams");
    place.script("create configmap NS/a");
    let client = client_of(&place);
    let query = Config::new(MAPS).namespace(place.namespace());
    let (sender, calls) = channel();
    let inner = client.clone();
    let params = get(&place, "a");
    let stream = client
        .stream(
            &query,
            Callbacks::new().on_update(move |handle, snapshot| {
                // A request, and what would wait for this callback, inside it.
                let name = inner.call(&params).unwrap().object().unwrap().name().to_owned();
                let codes = (code(handle.close()), code(inner.close()));
                let _ = sender.send((name, codes, changes(snapshot)));
            }),
        )
        .unwrap();
    let deadlock = (Code::WouldDeadlock, Code::WouldDeadlock);
    assert_eq!(await_one(&calls), ("a".to_owned(), deadlock, "+a".to_owned()));
    // Iterated on several threads, each of which may make the callbacks of the others.
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let mut updates = client.updates(&query).unwrap();
            assert_eq!(changes(&next_of(&mut updates)), "+a");
            thread::spawn(move || {
                let mut seen = Vec::new();
                while seen.last().map_or(true, |last: &String| !last.contains("last")) {
                    // Those that no thread has polled for a while are merged.
                    seen.push(changes(&next_of(&mut updates)));
                }
                seen.join(" ")
            })
        })
        .collect();
    let mut awaited = client.updates(&query).unwrap().into_async().unwrap();
    assert_eq!(changes(&block_on(awaited.next()).unwrap().unwrap()), "+a");
    assert_eq!(client.stat("open_streams").unwrap(), 1);
    for line in ["create configmap NS/b", "update configmap NS/a x=y", "update configmap NS/b x=y"] {
        place.script(line);
        let one = block_on(awaited.next()).unwrap().unwrap();
        assert_eq!(one.deltas().len(), 1);
    }
    place.script("create configmap NS/last");
    for thread in threads {
        let seen = thread.join().unwrap();
        for change in ["~a", "+b", "+last"] {
            assert_eq!(seen.matches(change).count(), 1, "{seen}");
        }
    }
    let (closer, (tell, told)) = (client.clone(), channel());
    let callbacks = Callbacks::new().on_state(move |_, _| {
        let _ = tell.send(code(closer.close()));
    });
    let mut left = client.updates_with(&query, callbacks).unwrap();
    next_of(&mut left);
    // It shares a view that is there already: the state comes after it, in the next round.
    let end = Instant::now() + TEST_TIMEOUT;
    let refused = loop {
        match told.try_recv() {
            Ok(code) => break code,
            Err(_) => assert!(Instant::now() < end, "no state was told"),
        }
        let _ = left.next_within(Duration::from_millis(10));
    };
    assert_eq!(refused, Code::WouldDeadlock);
    client.close().unwrap();
    assert!(left.next().is_none());
    assert!(left.next_within(TEST_TIMEOUT).is_ready());
    while block_on(awaited.next()).is_some() {}
    assert_eq!((stream.state(), stream.failure()), (ksr::State::Closed, None));
    assert_eq!(code(client.updates(&query)), Code::Invalid);
    assert_eq!(code(client.stream(&query, Callbacks::new())), Code::Invalid);
}

/// The changes with the label `team` of what the object is and of what it was, such as `~a(red<blue)`.
fn teams(snapshot: &Snapshot) -> String {
    let team = |object: Object<'_>| object.get_string("/metadata/labels/team").unwrap_or_default();
    let all = changes(snapshot);
    let told = all.split_terminator(' ').zip(snapshot.deltas()).map(|(change, delta)| {
        let before = delta.before.map_or("none".to_owned(), team);
        format!("{change}({}<{before}){}", team(delta.object), if delta.left { "left" } else { "" })
    });
    told.collect::<Vec<_>>().join(" ")
}

/// Makes changes, each of which is delivered by itself to all streams of the client.
fn delivered(place: &Place, polled: &mut Updates, lines: &[&str]) {
    for line in lines {
        place.script(line);
        next_of(polled);
        // Of the other streams.
        assert!(polled.next_within(Duration::from_millis(50)).is_pending());
    }
}

#[test]
fn changes_are_merged_for_who_is_not_polled() {
    let place = place!("client-merged");
    place.script("create configmap NS/a\ncreate configmap NS/b\ncreate configmap NS/c\ncreate configmap NS/d");
    let client = client_of(&place);
    let query = Config::new(MAPS).namespace(place.namespace());
    let open = || client.updates(&query).unwrap();
    let (mut polled, mut other, mut late) = (open(), open(), open());
    for updates in [&mut polled, &mut other] {
        assert_eq!(teams(&next_of(updates)), "+a(<none) +b(<none) +c(<none) +d(<none)");
    }
    let lines = ["update configmap NS/a team=red", "update configmap NS/a team=blue", "create configmap NS/e"];
    delivered(&place, &mut polled, &lines);
    let lines = ["update configmap NS/e team=red", "create configmap NS/f", "delete configmap NS/f"];
    delivered(&place, &mut polled, &lines);
    let lines = ["update configmap NS/b team=red", "delete configmap NS/b", "delete configmap NS/c"];
    delivered(&place, &mut polled, &lines);
    delivered(&place, &mut polled, &["create configmap NS/c team=green"]);
    let snapshot = next_of(&mut other);
    assert_eq!(teams(&snapshot.clone()), "-b(red<) -c(<) ~a(blue<) +c(green<none) +e(red<none)");
    assert_eq!(snapshot.deltas().rev().map(|delta| delta.object.name()).collect::<String>(), "ecacb");
    assert_eq!(names(&snapshot), ["a", "c", "d", "e"]);
    assert_eq!(teams(&next_of(&mut late)), "+a(blue<none) +c(green<none) +d(<none) +e(red<none)");
    delivered(&place, &mut polled, &["delete configmap NS/d"]);
    for mut updates in [other, late] {
        assert_eq!(teams(&next_of(&mut updates)), "-d(<)");
    }
}

#[test]
fn who_comes_back_into_a_limit() {
    let place = place!("client-limit");
    place.script("create configmap NS/a");
    let newest = r#"create configmap NS/z {"metadata":{"creationTimestamp":"2199-01-01T00:00:00Z"}}"#;
    let client = client_of(&place);
    let query = Config::new(MAPS).namespace(place.namespace()).set("limit", "1");
    let (mut polled, mut other) = (client.updates(&query).unwrap(), client.updates(&query).unwrap());
    for updates in [&mut polled, &mut other] {
        assert_eq!(teams(&next_of(updates)), "+a(<none)");
    }
    delivered(&place, &mut polled, &[newest, "delete configmap NS/z"]);
    assert!(other.next_within(Duration::from_millis(200)).is_pending());
    delivered(&place, &mut polled, &[newest]);
    place.script("update configmap NS/a team=red");
    delivered(&place, &mut polled, &["delete configmap NS/z"]);
    assert_eq!(teams(&next_of(&mut other)), "~a(red<)");
    delivered(&place, &mut polled, &[newest]);
    assert_eq!(teams(&next_of(&mut other)), "-a(red<red)left +z(<none)");
}

/// As after an etcd was restored from a backup, or with another default of a custom resource.
#[test]
fn another_text_of_the_same_version() {
    let place = place!("client-text");
    place.script("create configmap NS/a");
    let client = client_of(&place);
    let query = Config::new(MAPS).namespace(place.namespace()).set("limit", "1");
    let path = format!("/api/v1/namespaces/{}/configmaps", place.namespace());
    place.script(&format!("fault watch {path} error-event 410 event=2"));
    let (mut polled, mut other) = (client.updates(&query).unwrap(), client.updates(&query).unwrap());
    let first = next_of(&mut polled);
    next_of(&mut other);
    let a = first.get(0).unwrap();
    let text = String::from_utf8_lossy(a.json());
    let text = text.replacen(r#""metadata":{"#, r#""metadata":{"labels":{"team":"red"},"#, 1);
    let version = a.resource_version().parse::<u64>().unwrap() + 1000;
    let meta = format!(r#""apiVersion":"v1","metadata":{{"resourceVersion":"{version}"}}"#);
    let list = format!(r#"{{"kind":"ConfigMapList",{meta},"items":[{text}]}}"#);
    place.script(&format!("fault list {path} answer 200 type=application/json body={list}"));
    let created = |name: &str, year: u32| {
        format!(r#"create configmap NS/{name} {{"metadata":{{"creationTimestamp":"{year}-01-01T00:00:00Z"}}}}"#)
    };
    delivered(&place, &mut polled, &[&created("z", 2199), &created("y", 1999)]);
    assert_eq!(teams(&next_of(&mut other)), "~a(red<)");
}

#[test]
fn another_place_is_a_change() {
    let place = place!("client-place");
    place.script("create configmap NS/a\ncreate configmap NS/b");
    let client = client_of(&place);
    let query = Config::new(MAPS).namespace(place.namespace()).set("limit", "2");
    let by_columns = query.clone().set("columns", "/data/v").set("notify", "columns");
    let mut years = 2100..;
    for query in [by_columns, query.set("keep_fields", "/data/v")] {
        let (mut polled, mut other) = (client.updates(&query).unwrap(), client.updates(&query).unwrap());
        next_of(&mut polled);
        next_of(&mut other);
        for name in ["a", "b", "a"] {
            for year in years.by_ref().take(2) {
                let time = format!(r#"{{"lastTimestamp":"{year}-01-01T00:00:00Z"}}"#);
                delivered(&place, &mut polled, &[&format!("update configmap NS/{name} {time}")]);
            }
            let snapshot = next_of(&mut other);
            assert_eq!(snapshot.get(0).unwrap().name(), name);
            assert_eq!(teams(&snapshot), format!("~{name}(<)"));
        }
    }
}

#[test]
fn what_has_changed_back_is_no_change() {
    let place = place!("client-back");
    place.script(r#"create configmap NS/a {"data":{"v":"1"}}"#);
    let change = |to: char| format!(r#"update configmap NS/a {{"data":{{"v":"{to}"}}}}"#);
    let value = |object: ksr::Object<'_>| object.get_string("/data/v").unwrap();
    let values = |snapshot: &Snapshot| {
        snapshot.deltas().map(|delta| value(delta.before.unwrap()) + "-" + &value(delta.object)).collect::<String>()
    };
    let client = client_of(&place);
    let query = Config::new(MAPS).namespace(place.namespace());
    let by_columns = query.clone().set("columns", "/data/v").set("notify", "columns");
    for (query, sees_versions) in
        [(by_columns, false), (query.clone().set("keep_fields", "/data"), false), (query, true)]
    {
        let (mut polled, mut other) = (client.updates(&query).unwrap(), client.updates(&query).unwrap());
        next_of(&mut polled);
        next_of(&mut other);
        delivered(&place, &mut polled, &[&change('2'), &change('1')]);
        if sees_versions {
            assert_eq!(values(&next_of(&mut other)), "1-1");
        } else {
            assert!(other.next_within(Duration::from_millis(200)).is_pending());
        }
        delivered(&place, &mut polled, &[&change('2'), &change('1'), &change('3')]);
        assert_eq!(values(&next_of(&mut other)), "1-3");
        delivered(&place, &mut polled, &[&change('1')]);
        assert_eq!(values(&next_of(&mut other)), "3-1");
    }
}

#[test]
fn the_object_of_a_change_is_the_one_that_is_shown() {
    let place = place!("client-shown");
    place.script("create configmap NS/a\ncreate configmap NS/b");
    let client = client_of(&place);
    let query = Config::new(MAPS).namespace(place.namespace());
    let by_columns = query.clone().set("columns", "/data/v").set("notify", "columns");
    for (query, value) in [(by_columns, 1), (query.set("keep_fields", "/data"), 2)] {
        let (mut polled, mut other) = (client.updates(&query).unwrap(), client.updates(&query).unwrap());
        next_of(&mut polled);
        next_of(&mut other);
        let change = |name: char| format!(r#"update configmap NS/{name} {{"data":{{"v":"{value}"}}}}"#);
        delivered(&place, &mut polled, &[&change('a')]);
        // Which is no change.
        place.script(&format!("update configmap NS/a team=t{value}"));
        delivered(&place, &mut polled, &[&change('b')]);
        let snapshot = next_of(&mut other);
        let shown = snapshot.iter().map(|object| object.resource_version());
        assert!(snapshot.deltas().map(|delta| delta.object.resource_version()).eq(shown));
    }
}

#[test]
fn other_values_that_read_the_same_are_a_change() {
    let place = place!("client-values");
    place.script(r#"create configmap NS/a {"data":{"v":"x,y"}}"#);
    let client = client_of(&place);
    let query = Config::new(MAPS).namespace(place.namespace());
    let query = query.set("columns", "/data/*").set("index", "0").set("notify", "columns");
    let (mut polled, mut other) = (client.updates(&query).unwrap(), client.updates(&query).unwrap());
    next_of(&mut polled);
    next_of(&mut other);
    let change = |w: char| format!(r#"update configmap NS/a {{"data":{{"v":"x","w":"{w}"}}}}"#);
    delivered(&place, &mut polled, &[&change('z'), &change('y')]);
    let snapshot = next_of(&mut other);
    assert_eq!(snapshot.deltas().map(|delta| delta.object.column(0).unwrap()).collect::<String>(), "x,y");
    assert_eq!(snapshot.by_index(0, "y").len(), 1);
}

#[test]
fn closing_wakes_who_iterates() {
    let place = place!("client-closing");
    place.script("create configmap NS/a");
    let client = client_of(&place);
    let query = Config::new(MAPS).namespace(place.namespace());
    let (sender, ends) = channel();
    for asynchronous in [false, true, false, true] {
        let (mut updates, sender) = (client.updates(&query).unwrap(), sender.clone());
        thread::spawn(move || {
            let mut count = 0;
            if asynchronous {
                let mut stream = updates.into_async().unwrap();
                while block_on(stream.next()).is_some() {
                    count += 1;
                }
            } else {
                while updates.next().is_some() {
                    count += 1;
                }
            }
            sender.send(count).unwrap();
        });
    }
    let mut own = client.updates(&query).unwrap();
    next_of(&mut own);
    client.close().unwrap();
    for _ in 0..4 {
        assert!(await_one(&ends) <= 1);
    }
}

#[test]
fn a_stream_keeps_its_client_open() {
    let client = Client::open(&nowhere()).unwrap();
    let query = Config::new("v1/pods").set("backoff_initial", "10ms").set("backoff_max", "10ms");
    let (sender, errors) = channel();
    let callbacks = Callbacks::new().on_error(move |_, error| {
        let _ = sender.send(error.code());
    });
    let stream = client.stream(&query, callbacks).unwrap();
    let mut updates = client.updates(&query.clone().reconnect(false)).unwrap();
    for (key, value) in [("server", "http://127.0.0.1:1"), ("delivery", "thread"), ("token", "a")] {
        let refused = query.clone().set(key, value);
        assert_eq!(code(client.stream(&refused, Callbacks::new())), Code::Invalid);
        assert_eq!(code(client.updates(&refused)), Code::Invalid);
    }
    drop(client);
    assert_eq!(await_one(&errors), Code::Transport);
    assert_eq!(updates.next().unwrap().unwrap_err().code(), Code::Transport);
    stream.close().unwrap();
    drop(updates);
}
