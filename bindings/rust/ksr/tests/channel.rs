//! Channels: on the test server, and on none.

mod common;

use std::future::Future;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake};
use std::thread;
use std::time::Duration;

use common::{await_one, channel, code, eventually, nowhere, Place, TEST_TIMEOUT};
use ksr::{Channel, Client, Code, Config, Error, EventKind, Message, Params, Part};

macro_rules! place {
    ($name:expr) => {
        match Place::of($name) {
            Some(place) => {
                place.script("create pods NS/web");
                place
            }
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

struct PollFn<F>(F);

impl<T, F: FnMut(&mut Context<'_>) -> Poll<T> + Unpin> Future for PollFn<F> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        (self.0)(context)
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

fn client_of(place: &Place) -> Client {
    Client::open(&place.config()).unwrap()
}

fn exec(place: &Place, keys: &[(&str, &str)]) -> Params {
    let params = Params::exec("web", ["ls", "a,b"]).namespace(place.namespace());
    keys.iter().fold(params, |params, (key, value)| params.set(*key, *value))
}

fn log(place: &Place) -> Params {
    Params::log("web").namespace(place.namespace())
}

fn read_all(channel: &Channel, part: Part) -> Vec<u8> {
    let mut all = Vec::new();
    channel.reader(part).read_to_end(&mut all).unwrap();
    all
}

fn inner(error: &std::io::Error) -> Code {
    error.get_ref().and_then(|error| error.downcast_ref::<Error>()).expect("a ksr::Error").code()
}

#[test]
fn exec_has_both_outputs_and_an_exit_code() {
    let place = place!("exec");
    place.script("stream exec NS/web out=hello err=\"oops\\n\" exit=7");
    let client = client_of(&place);
    for asynchronous in [false, true] {
        let run = client.channel(&exec(&place, &[])).unwrap();
        if asynchronous {
            let mut buffer = [0; 9];
            let got = block_on(run.read_async(Part::Stdout, &mut buffer)).unwrap();
            assert_eq!(&buffer[..got], b"hello");
            assert_eq!(block_on(run.read_async(Part::Stdout, &mut buffer)).unwrap(), 0);
            assert_eq!(block_on(run.read_async(Part::Stderr, &mut buffer)).unwrap(), 5);
            assert_eq!(block_on(run.wait_async()).unwrap(), Some(7));
        } else {
            assert_eq!(read_all(&run, Part::Stdout), b"hello");
            assert_eq!(read_all(&run, Part::Stderr), b"oops\n");
            assert_eq!(run.wait(None).unwrap(), Some(7));
        }
        assert_eq!(run.stat("exit_verified").unwrap(), 1);
        assert_eq!(run.info("protocol").as_deref(), Some("v4.channel.k8s.io"));
        assert_eq!(run.info("colour"), None);
        assert_eq!(run.read(Part::Stdout, &mut []).unwrap(), 0);
    }
    eventually("the channels are closed", || client.stat("open_channels").unwrap() == 0);
}

#[test]
fn what_is_written_comes_back() {
    let place = place!("echo");
    place.script("stream exec NS/web echo wait-eof exit=0");
    let client = client_of(&place);
    let sent: Vec<u8> = (0..2 << 20).map(|i: u32| ((i * 31) >> 3) as u8).collect();
    let run = client.channel(&exec(&place, &[("stdin", "true"), ("stderr", "false")])).unwrap();
    let (mut stdin, bytes) = (run.writer(Part::Stdin), sent.clone());
    let writer = thread::spawn(move || {
        stdin.write_all(&bytes).unwrap();
        assert_eq!(stdin.write(&[]).unwrap(), 0);
        stdin.flush().unwrap();
        stdin.finish().unwrap();
        stdin.finish().unwrap();
    });
    assert!(read_all(&run, Part::Stdout) == sent);
    writer.join().unwrap();
    assert_eq!(run.wait(Some(TEST_TIMEOUT)).unwrap(), Some(0));
    assert_eq!(run.stat("exit_verified").unwrap(), 0);
    assert_eq!(code(run.write(Part::Stdin, b"x")), Code::Lost);
    assert_eq!(code(run.read(Part::Stderr, &mut [0])), Code::Invalid);
    assert_eq!(code(run.write(Part::Stdout, b"x")), Code::Invalid);
}

#[test]
fn an_exec_that_is_lost_has_no_exit_code() {
    let place = place!("lost");
    let client = client_of(&place);
    for end in ["cut", "reset", "close=1000", "close=1011:broken"] {
        place.script(&format!("stream exec NS/web out=half {end}"));
        let run = client.channel(&exec(&place, &[])).unwrap();
        let mut all = Vec::new();
        let error = run.reader(Part::Stdout).read_to_end(&mut all).unwrap_err();
        assert_eq!(inner(&error), Code::Lost, "{end}: {error}");
        let error = run.wait(None).unwrap_err();
        assert!(error.code() == Code::Lost && error.message().contains("exec"), "{end}: {error}");
    }
}

#[test]
fn refusals_have_their_status() {
    let place = place!("refused");
    place.script("fault stream /api/v1/namespaces/NS/ answer 403 body={}");
    let client = client_of(&place);
    let error = client.channel(&exec(&place, &[])).unwrap().wait(None).unwrap_err();
    assert_eq!((error.code(), error.http_status(), error.maybe_done()), (Code::Forbidden, Some(403), false));
    let none = client.channel(&Params::log("none").namespace(place.namespace())).unwrap();
    assert_eq!(code(none.read(Part::Stdout, &mut [0])), Code::NotFound);
    assert_eq!(code(block_on(none.wait_async())), Code::NotFound);
}

#[test]
fn attach_and_the_size_of_its_terminal() {
    let place = place!("attach");
    place.script("stream attach NS/web out=x wait-resize=2 out=resized exit=0");
    let client = client_of(&place);
    let params = Params::attach("web").namespace(place.namespace());
    let keys = [("stdin", "true"), ("tty", "true"), ("columns", "80"), ("rows", "24")];
    let params = keys.iter().fold(params, |params, (key, value)| params.set(*key, *value));
    let run = client.channel(&params).unwrap();
    for (columns, rows) in [(0, 1), (1, 0), (65536, 1), (u32::MAX, u32::MAX)] {
        assert_eq!(code(run.resize(columns, rows)), Code::Invalid);
    }
    assert_eq!(run.read(Part::Stdout, &mut [0]).unwrap(), 1);
    run.resize(65535, 1).unwrap();
    assert_eq!(read_all(&run, Part::Stdout), b"resized");
    assert_eq!(run.wait(None).unwrap(), None);
    assert_eq!(code(client.channel(&exec(&place, &[])).unwrap().resize(80, 24)), Code::Invalid);
}

#[test]
fn cancel_ends_what_waits() {
    let place = place!("cancel");
    place.script("stream portforward NS/web deaf");
    let client = client_of(&place);
    let port = client.channel(&Params::port_forward("web", 80).namespace(place.namespace())).unwrap();
    assert_eq!(code(port.read_within(Part::Data, &mut [0], Duration::from_millis(10))), Code::Timeout);
    assert_eq!(code(port.read_within(Part::Data, &mut [0], Duration::ZERO)), Code::Timeout);
    assert_eq!(code(port.wait(Some(Duration::ZERO))), Code::Timeout);
    assert_eq!(code(port.finish(Part::Data)), Code::Unsupported);
    let reading = {
        let mut port = port.reader(Part::Data);
        thread::spawn(move || inner(&port.read(&mut [0]).unwrap_err()))
    };
    let writing = {
        let mut port = port.writer(Part::Data);
        thread::spawn(move || inner(&port.write_all(&vec![0; 64 << 20]).unwrap_err()))
    };
    let polling = {
        let port = port.clone();
        thread::spawn(move || code(block_on(port.wait_async())))
    };
    eventually("the send buffer is full", || port.stat("queued_bytes").unwrap() > 200 << 10);
    port.cancel();
    port.cancel();
    for one in [reading, writing, polling] {
        assert_eq!(one.join().unwrap(), Code::Cancelled);
    }
}

#[test]
fn the_end_of_a_client_is_that_of_its_channels() {
    let place = place!("client-end");
    let client = client_of(&place);
    let run = client.channel(&exec(&place, &[("stdin", "true")])).unwrap();
    let reading = {
        let run = run.clone();
        thread::spawn(move || code(run.read(Part::Stdout, &mut [0])))
    };
    client.close().unwrap();
    assert_eq!(reading.join().unwrap(), Code::Cancelled);
    assert_eq!(code(run.read(Part::Stdout, &mut [0])), Code::Cancelled);
    assert_eq!(code(run.wait(None)), Code::Cancelled);
    assert_eq!(code(run.stat("state")), Code::Invalid);
    assert_eq!(run.cursor(), None);
    assert_eq!(code(client.channel(&exec(&place, &[]))), Code::Invalid);
}

#[test]
fn a_port_is_a_connection() {
    let place = place!("port");
    let client = client_of(&place);
    let params = Params::port_forward("web", 8080).namespace(place.namespace());
    let port = client.channel(&params).unwrap();
    port.writer(Part::Data).write_all(b"\xff\x00 no UTF-8").unwrap();
    let mut back = [0; 11];
    port.reader(Part::Data).read_exact(&mut back).unwrap();
    assert_eq!(&back, b"\xff\x00 no UTF-8");
    assert_eq!(block_on(port.write_async(Part::Data, b"ab")).unwrap(), 2);
    let mut reader = port.reader(Part::Data);
    let got = block_on(PollFn(|context: &mut Context<'_>| Pin::new(&mut reader).poll_read(context, &mut back)));
    assert_eq!(got.unwrap(), 2);
    place.script("stream portforward NS/web err=\"connection refused\" close=1000");
    let error = client.channel(&params).unwrap().read(Part::Data, &mut back).unwrap_err();
    assert!(error.code() == Code::Transport && error.message().contains("connection refused"), "{error}");
}

#[test]
fn gaps_come_where_lines_are_missing() {
    let place = place!("gaps");
    place.script("log NS/web line=old");
    let client = client_of(&place);
    for asynchronous in [false, true] {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let gaps = Arc::clone(&seen);
        let followed = client.channel_with(&log(&place).set("follow", "true").set("tail", "1"), move |event| {
            if event.kind == EventKind::Gap {
                gaps.lock().unwrap().push("GAP".to_owned());
            }
        });
        let followed = followed.unwrap();
        let mut lines = BufReader::new(followed.reader(Part::Stdout));
        let mut next = || {
            let mut line = String::new();
            if asynchronous {
                let mut buffer = [0; 99];
                let got = block_on(followed.read_async(Part::Stdout, &mut buffer)).unwrap();
                line.push_str(std::str::from_utf8(&buffer[..got]).unwrap());
            } else {
                lines.read_line(&mut line).unwrap();
            }
            seen.lock().unwrap().push(line.trim().to_owned());
            line
        };
        assert!(next().len() == 4);
        place.script("log NS/web rotate\nlog NS/web cut\nlog NS/web line=lost\nlog NS/web rotate line=far");
        while next() != "far\n" {}
        let seen = seen.lock().unwrap();
        let gaps = seen.iter().filter(|line| *line == "GAP").count() as u64;
        assert_eq!(gaps, followed.stat("gaps").unwrap(), "{seen:?}");
        assert_eq!(seen.iter().position(|line| line == "GAP"), Some(seen.len() - 2), "{seen:?}");
        let cursor = followed.cursor().expect("a cursor");
        assert_eq!(followed.cursor_at(u64::MAX).as_ref(), Some(&cursor));
        assert_ne!(followed.cursor_at(4).expect("one behind the first line"), cursor);
        drop(seen);
        let rest = client.channel(&log(&place).set("from_cursor", cursor)).unwrap();
        assert_eq!(read_all(&rest, Part::Stdout), b"");
    }
}

#[test]
fn a_channel_that_has_ended_with_a_timeout() {
    let place = place!("over-time");
    place.script("stream proxy NS/web text=one binary=two no-pong");
    let client = client_of(&place);
    let over_time = |error: &Error| (error.code(), error.http_status()) == (Code::Timeout, Some(408));
    for asynchronous in [false, true] {
        let path = format!("/api/v1/namespaces/{}/pods/web/proxy", place.namespace());
        let params = Params::web_socket(path).set("ping_interval", "50ms").set("pong_timeout", "50ms");
        let socket = client.channel(&params).unwrap();
        let receive = || match asynchronous {
            true => block_on(PollFn(|context: &mut Context<'_>| socket.poll_receive(context))),
            false => socket.receive(),
        };
        assert_eq!(receive().unwrap(), Some(Message::Text("one".to_owned())));
        assert_eq!(receive().unwrap(), Some(Message::Binary(b"two".to_vec())));
        assert!(over_time(&receive().unwrap_err()));
        let message = Message::Text("three".to_owned());
        let sent = match asynchronous {
            true => block_on(PollFn(|context: &mut Context<'_>| socket.poll_send(context, &message))),
            false => socket.send(&message),
        };
        assert!(over_time(&sent.unwrap_err()));
    }
    // Nobody answers there.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent =
        Client::open(&Config::default().set("server", format!("http://{}", listener.local_addr().unwrap()))).unwrap();
    let body =
        silent.channel(&Params::new().set("kind", "http").set("path", "/x").set("head_timeout", "50ms")).unwrap();
    assert_eq!(inner(&body.reader(Part::Stdout).read(&mut [0]).unwrap_err()), Code::Timeout);
    assert!(over_time(&block_on(body.read_async(Part::Stdout, &mut [0])).unwrap_err()));
    assert!(over_time(&body.read_within(Part::Stdout, &mut [0], TEST_TIMEOUT).unwrap_err()));
}

#[test]
fn messages_of_a_websocket_come_whole_and_in_order() {
    let place = place!("websocket");
    place.script("stream proxy NS/web echo wait-bytes=70010 text=bye close=4321:enough");
    let client = client_of(&place);
    let path = format!("/api/v1/namespaces/{}/pods/web/proxy", place.namespace());
    let socket = client.channel(&Params::web_socket(path)).unwrap();
    let large = Message::Binary([0xff, 7].repeat(35_000));
    for message in [Message::Text("grüße".to_owned()), large] {
        socket.send(&message).unwrap();
        assert_eq!(socket.receive().unwrap(), Some(message));
    }
    assert_eq!(code(socket.send(&Message::Binary(vec![0; 17 << 20]))), Code::TooLarge);
    let three = Message::Binary(b"abc".to_vec());
    block_on(PollFn(|context: &mut Context<'_>| socket.poll_send(context, &three))).unwrap();
    assert_eq!(block_on(PollFn(|context: &mut Context<'_>| socket.poll_receive(context))).unwrap(), Some(three));
    assert_eq!(socket.receive().unwrap(), Some(Message::Text("bye".to_owned())));
    assert!(socket.receive().is_err());
    assert_eq!(socket.info("close_code").as_deref(), Some("4321"));
    assert_eq!(socket.info("close_reason").as_deref(), Some("enough"));
}

/// The library passes a text on as it came; a `String` cannot hold it.
#[test]
fn a_text_that_is_no_utf8() {
    let place = place!("no-utf8");
    let mut script = format!("stream proxy {}/web text=a", place.namespace()).into_bytes();
    script.extend(b"\xffb text=\xed\xa0\x80 text=fine close=1000:\xff");
    place.script_of_bytes(&script);
    let client = client_of(&place);
    let path = format!("/api/v1/namespaces/{}/pods/web/proxy", place.namespace());
    let socket = client.channel(&Params::web_socket(path)).unwrap();
    for wanted in ["a\u{fffd}b", "\u{fffd}\u{fffd}\u{fffd}", "fine"] {
        assert_eq!(socket.receive().unwrap(), Some(Message::Text(wanted.to_owned())));
    }
    assert_eq!(socket.receive().unwrap(), None);
    assert_eq!(socket.info("close_code").as_deref(), Some("1000"));
}

#[test]
fn the_body_of_a_response() {
    let place = place!("download");
    let client = client_of(&place);
    let body = client.channel(&Params::download("/api/v1/namespaces/default/configmaps")).unwrap();
    assert!(String::from_utf8(read_all(&body, Part::Stdout)).unwrap().contains("ConfigMapList"));
    assert_eq!(body.info("http_status").as_deref(), Some("200"));
    let none = client.channel(&Params::download("/nothing/here")).unwrap();
    assert_eq!(code(none.read(Part::Stdout, &mut [0])), Code::NotFound);
}

#[test]
fn what_a_channel_refuses() {
    let client = Client::open(&nowhere()).unwrap();
    let web = || Params::exec("web", ["a"]).namespace("default");
    for (what, params) in [
        ("no command", Params::exec("web", Vec::<String>::new()).namespace("default")),
        ("an empty command", Params::exec("web", [""]).namespace("default")),
        ("NUL", Params::exec("web", ["a\0b"]).namespace("default")),
        ("a terminal with stderr", web().set("tty", "true").set("stderr", "true")),
        ("a size without a terminal", web().set("columns", "80").set("rows", "24")),
        ("half a size", web().set("tty", "true").set("columns", "80")),
        ("a terminal too large", web().set("tty", "true").set("columns", "65536").set("rows", "1")),
        ("nothing asked for", web().set("stdout", "false").set("stderr", "false")),
        ("a bad container", web().set("container", "Not/A/Name")),
        ("stdin for a log", Params::log("web").namespace("default").set("stdin", "true")),
        ("a negative tail", Params::log("web").namespace("default").set("tail", "-1")),
        ("no pod", Params::log("").namespace("default")),
        ("no namespace", Params::log("web")),
        ("port 0", Params::port_forward("web", 0).namespace("default")),
        ("port 65536", Params::port_forward("web", 1).namespace("default").set("port", "65536")),
        ("no path", Params::new().set("kind", "websocket")),
        ("no kind", Params::new().set("path", "/")),
        ("a bad subprotocol", Params::web_socket("/").add("subprotocol", "a b")),
        ("a key of requests", Params::web_socket("/").set("dry_run", "true")),
        ("a key of logs", Params::web_socket("/").set("follow", "true")),
        ("a body", Params::web_socket("/").body("x")),
    ] {
        assert_eq!(code(client.channel(&params)), Code::Invalid, "{what}");
    }
    assert_eq!(code(client.call(&Params::log("web").namespace("default"))), Code::Invalid);
    let log = client.channel(&Params::log("web").namespace("default").set("resume", "false")).unwrap();
    assert_eq!(log.read(Part::Stdout, &mut []).unwrap(), 0);
    assert_eq!(code(log.read(Part::Stderr, &mut [0])), Code::Invalid);
    assert_eq!(code(log.write(Part::Stdin, b"x")), Code::Invalid);
    assert_eq!(code(log.finish(Part::Stdin)), Code::Invalid);
    assert_eq!(code(log.receive()), Code::Invalid);
    assert_eq!(code(log.read(Part::Stdout, &mut [0])), Code::Transport);
    assert_eq!(code(log.stat("colour")), Code::UnknownKey);
    assert_eq!(code(log.stat("a\0")), Code::UnknownKey);
    assert_eq!(log.info("a\0"), None);
    // Ended by its own callback, which drops a clone of it too.
    let holder = Arc::new(Mutex::new(None));
    let inside = Arc::clone(&holder);
    let closing = client.channel_with(&Params::log("web").namespace("default"), move |_| {
        if let Some(closing) = inside.lock().unwrap().take() {
            Channel::cancel(&closing);
        }
    });
    let closing = closing.unwrap();
    *holder.lock().unwrap() = Some(closing.clone());
    assert_eq!(code(closing.read(Part::Stdout, &mut [0])), Code::Cancelled);
    let run = client.channel(&web()).unwrap();
    assert_eq!(code(run.write(Part::Stdin, b"x")), Code::Invalid);
    assert_eq!(code(run.resize(80, 24)), Code::Invalid);
}

/// Whether the last of a client can be dropped while a callback of the client runs.
fn is_dropped_beside_a_callback<T: Send + 'static>(make: impl FnOnce(&Client) -> T) -> bool {
    let ((sender, called), (release, released)) = (channel(), channel::<()>());
    let client = Client::open_with_log(&nowhere(), move |_, _| {
        let _ = sender.send(());
        let _ = released.recv();
    })
    .unwrap();
    await_one(&called);
    let last = make(&client);
    drop(client);
    let (tell, dropped) = channel();
    let dropper = thread::spawn(move || {
        drop(last);
        let _ = tell.send(());
    });
    let in_time = dropped.recv_timeout(TEST_TIMEOUT).is_ok();
    drop(release);
    dropper.join().unwrap();
    in_time
}

#[test]
fn dropping_the_last_never_waits() {
    let pod = Params::log("web").namespace("default");
    assert!(is_dropped_beside_a_callback(|client| client.channel(&pod).unwrap()));
    assert!(is_dropped_beside_a_callback(|client| client.channel(&pod).unwrap().reader(Part::Stdout)));
    assert!(is_dropped_beside_a_callback(|client| client.request(&Params::raw("GET", "/"))));
}

#[test]
fn the_documentation_names_every_statistic() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../CONFIGURATION.md");
    let page = match std::fs::read_to_string(path) {
        Ok(page) => page,
        Err(_) => return,
    };
    let section = page.split("`ksr_channel_stat` knows:").nth(1).unwrap().split("\n## ").next().unwrap();
    let client = Client::open(&nowhere()).unwrap();
    let log = client.channel(&Params::log("web").namespace("default")).unwrap();
    let names: Vec<_> = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert!(names.len() > 10);
    for name in names {
        log.stat(name).unwrap();
    }
}

#[test]
fn a_read_inside_a_callback_of_the_client() {
    let place = place!("inside");
    place.script("log NS/web line=one");
    let (sender, read) = channel();
    let (give, given) = channel::<Channel>();
    let (given, once) = (Mutex::new(given), Mutex::new(Some(sender)));
    let client = Client::open_with_log(&place.config(), move |_, _| {
        if let Some(sender) = once.lock().unwrap().take() {
            let channel: Channel = await_one(&given.lock().unwrap());
            let mut buffer = [0; 9];
            let _ = sender.send(channel.read(Part::Stdout, &mut buffer));
        }
    })
    .unwrap();
    give.send(client.channel(&log(&place)).unwrap()).unwrap();
    let _ = client.call(&Params::raw("GET", "/api/v1/pods"));
    assert_eq!(await_one(&read).unwrap(), 4);
}

/// A waker that is counted as long as it lives.
struct Counted(Arc<AtomicUsize>);

impl Wake for Counted {
    fn wake(self: Arc<Self>) {}
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Polls many times, each with a waker of its own, and returns how many wakers are kept.
fn kept_wakers(mut poll: impl FnMut(&mut Context<'_>) -> bool) -> usize {
    let living = Arc::new(AtomicUsize::new(0));
    for _ in 0..500 {
        living.fetch_add(1, Ordering::SeqCst);
        let waker = Arc::new(Counted(Arc::clone(&living))).into();
        assert!(poll(&mut Context::from_waker(&waker)), "there is nothing to read");
    }
    living.load(Ordering::SeqCst)
}

#[test]
fn a_silent_channel_keeps_no_waker_of_what_is_dropped() {
    let client = Client::open(&nowhere()).unwrap();
    let log = client.channel(&Params::log("web").namespace("a").set("follow", "true")).unwrap();
    let mut buffer = [0_u8; 16];
    let reads = kept_wakers(|context| {
        let mut read = log.read_async(Part::Stdout, &mut buffer);
        Pin::new(&mut read).poll(context).is_pending()
    });
    assert_eq!(reads, 0, "of futures that read");
    let waits = kept_wakers(|context| Pin::new(&mut log.wait_async()).poll(context).is_pending());
    assert_eq!(waits, 0, "of futures that wait");

    let mut reader = log.reader(Part::Stdout);
    let of_a_reader = kept_wakers(|context| Pin::new(&mut reader).poll_read(context, &mut buffer).is_pending());
    assert!(of_a_reader <= 1, "{of_a_reader} of a reader that one task polls");
    let of_functions = kept_wakers(|context| log.poll_read(context, Part::Stdout, &mut buffer).is_pending());
    assert!(of_functions <= 65, "{of_functions} of poll functions");
}

#[test]
fn a_full_channel_keeps_no_waker_of_a_write_that_is_dropped() {
    let place = place!("a-full-channel");
    place.script("stream portforward NS/web deaf");
    let port = client_of(&place).channel(&Params::port_forward("web", 80).namespace(place.namespace())).unwrap();
    let bytes = [0_u8; 64 << 10];
    while port.write_within(Part::Data, &bytes, Duration::from_millis(500)).is_ok() {}
    let writes = kept_wakers(|context| Pin::new(&mut port.write_async(Part::Data, &bytes)).poll(context).is_pending());
    assert_eq!(writes, 0);
}

#[test]
fn all_that_wait_are_woken() {
    let place = place!("all-that-wait");
    let port = client_of(&place).channel(&Params::port_forward("web", 80).namespace(place.namespace())).unwrap();
    let (sender, woken) = channel();
    let mut contexts = Vec::new();
    for _ in 0..200 {
        contexts.push(Arc::new(Woken(Mutex::new(sender.clone()))).into());
    }
    let mut futures: Vec<_> = contexts.iter().map(|_| port.wait_async()).collect();
    for (waker, future) in contexts.iter().zip(&mut futures) {
        let mut context = Context::from_waker(waker);
        assert!(Pin::new(future).poll(&mut context).is_pending());
        assert!(port.poll_wait(&mut context).is_pending());
    }
    port.cancel();
    // Each by its future, and once more by the poll function.
    for _ in 0..400 {
        await_one(&woken);
    }
}
