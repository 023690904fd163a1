//! What has been delivered to a stream and not been taken yet.

use std::collections::HashMap;

use crate::{Delta, DeltaKind, OwnedObject, Snapshot};

/// A [`Delta`] that lives by itself.
pub(crate) struct Change {
    kind: DeltaKind,
    object: OwnedObject,
    before: Option<OwnedObject>,
    left: bool,
}

impl Change {
    fn of(delta: Delta<'_>) -> Change {
        let Delta { kind, object, before, left } = delta;
        Change { kind, object: object.retain(), before: before.map(|before| before.retain()), left }
    }

    pub(crate) fn as_delta(&self) -> Delta<'_> {
        let before = self.before.as_ref().map(OwnedObject::object);
        Delta { kind: self.kind, object: self.object.object(), before, left: self.left }
    }

    /// Both changes of an object as one; `None` when it is as it was.
    fn followed_by(self, later: Change) -> Option<Change> {
        let kind = match (self.kind, later.kind) {
            (DeltaKind::Added, DeltaKind::Deleted) => return None,
            (DeltaKind::Added, _) => DeltaKind::Added,
            // With `limit` an object leaves the view and comes back.
            (DeltaKind::Deleted, DeltaKind::Added) if self.had(&later.object) => return None,
            (DeltaKind::Deleted, DeltaKind::Added) => DeltaKind::Modified,
            (_, kind) => kind,
        };
        Some(Change { kind, before: self.before, ..later })
    }

    fn had(&self, object: &OwnedObject) -> bool {
        let before = self.before.as_ref().map(|before| before.object().resource_version());
        before == Some(object.object().resource_version())
    }
}

/// At most one snapshot, with all that has changed since the one that was taken before: the streams of a client dispatch
/// each other, also when nobody polls this one.
#[derive(Default)]
pub(crate) struct Waiting {
    snapshot: Option<Snapshot>,
    /// By uid; `None`: those of the snapshot.
    changes: Option<HashMap<String, Change>>,
}

impl Waiting {
    pub(crate) fn add(&mut self, snapshot: Snapshot) {
        if let Some(earlier) = self.snapshot.take() {
            let changes = self.changes.get_or_insert_with(|| {
                let mut changes = HashMap::new();
                merge(&mut changes, &earlier);
                changes
            });
            merge(changes, &snapshot);
        }
        self.snapshot = Some(snapshot);
    }

    pub(crate) fn take(&mut self) -> Option<Snapshot> {
        let changes = self.changes.take();
        let snapshot = self.snapshot.take()?;
        Some(match changes {
            Some(changes) => snapshot.with_changes(in_order(changes)),
            None => snapshot,
        })
    }
}

/// Adds the changes of the snapshot that follows.
fn merge(changes: &mut HashMap<String, Change>, snapshot: &Snapshot) {
    for delta in snapshot.deltas() {
        let (uid, later) = (delta.object.uid(), Change::of(delta));
        let both = match changes.remove(uid) {
            Some(earlier) => earlier.followed_by(later),
            None => Some(later),
        };
        if let Some(both) = both {
            changes.insert(uid.to_owned(), both);
        }
    }
}

/// As the library has them.
fn in_order(changes: HashMap<String, Change>) -> Vec<Change> {
    let mut all: Vec<_> = changes.into_values().collect();
    all.sort_by(|one, other| place(one).cmp(&place(other)));
    all
}

fn place(change: &Change) -> (bool, &str, &str) {
    let object = change.object.object();
    (change.kind != DeltaKind::Deleted, object.namespace(), object.name())
}
