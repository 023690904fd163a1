//! What a stream does when its connections end. Alone in its program: it ends those of all others too.

mod common;

use common::{changes, channel, names, next_of, Place};
use ksr::{Callbacks, LogLevel};

#[test]
fn a_list_again_brings_the_difference() {
    let place = match Place::of("again") {
        Some(place) => place,
        None => return,
    };
    place.script("create configmap NS/a\ncreate configmap NS/b");
    let (log, logged) = channel();
    let callbacks = Callbacks::new().on_log(move |level, line| log.send((level, line.to_owned())).unwrap());
    let mut updates = place.config().set("transport", "http").updates_with(callbacks).unwrap();
    next_of(&mut updates);
    place.script("wait watches configmaps 1\nfault watch /api/v1/namespaces/NS/configmaps mute\ndrop connections");
    // The next watch is silent; what it misses comes with the list.
    while updates.stat("watches").unwrap() < 2 {
        assert!(updates.next_within(std::time::Duration::from_millis(20)).is_pending());
    }
    place.script("delete configmap NS/a\nupdate configmap NS/b x=y\ncreate configmap NS/c\ncompact\ndrop connections");
    let snapshot = next_of(&mut updates);
    assert_eq!((changes(&snapshot), names(&snapshot)), ("-a ~b +c".to_owned(), vec!["b", "c"]));
    assert_eq!(updates.stat("relists").unwrap(), 1);
    drop(updates);
    let lines: Vec<_> = logged.iter().collect();
    assert!(lines.iter().any(|(level, _)| *level >= LogLevel::Notice), "{lines:?}");
}
