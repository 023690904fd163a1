//! What has been delivered to a stream and not been taken yet.

use std::collections::HashMap;

use crate::{Delta, DeltaKind, Object, OwnedObject, Snapshot};

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
    fn followed_by(self, later: Change, sameness: &Sameness) -> Option<Change> {
        let kind = match (&self.before, later.kind) {
            (None, DeltaKind::Deleted) => return None,
            (None, _) => DeltaKind::Added,
            (Some(_), DeltaKind::Deleted) => DeltaKind::Deleted,
            // It has changed back, or, with `limit`, has left the view and come back.
            (Some(before), _) if sameness.holds(before.object(), later.object.object()) => return None,
            (Some(_), _) => DeltaKind::Modified,
        };
        Some(Change { kind, before: self.before, ..later })
    }

    /// What is no change has moved objects on since.
    fn shown_by(self, snapshot: &Snapshot) -> Change {
        if self.kind == DeltaKind::Deleted {
            return self;
        }
        let shown = snapshot.find_uid(self.object.object().uid()).map(|shown| shown.retain());
        Change { object: shown.unwrap_or(self.object), ..self }
    }
}

/// When two states of an object are the same, as the library has it by the keys of a stream.
pub(crate) struct Sameness {
    pub(crate) by: By,
    /// Columns by each of whose values an index finds objects: "a,b" may be one value or two.
    pub(crate) joined: Vec<usize>,
}

/// What they must have in common beside their columns.
pub(crate) enum By {
    /// And all that is shown: a server that was restored gives its versions a second time.
    Version,
    /// But for the resourceVersion: fields that are not kept may have changed.
    Text,
    Columns,
}

impl Sameness {
    fn holds(&self, one: Object<'_>, other: Object<'_>) -> bool {
        let same_rest = match self.by {
            By::Version => one.resource_version() == other.resource_version() && one.json() == other.json(),
            By::Text => text_around_version(one) == text_around_version(other),
            By::Columns => true,
        };
        let may_be_others = |place: &usize| one.column(*place).map_or(false, |text| text.contains(','));
        same_rest && one.columns().eq(other.columns()) && !self.joined.iter().any(may_be_others)
    }
}

fn text_around_version(object: Object<'_>) -> (&[u8], &[u8]) {
    let text = object.json();
    match object.get("/metadata/resourceVersion") {
        Some(version) => {
            // It is a slice of the text.
            let begin = version.as_ptr() as usize - text.as_ptr() as usize;
            (&text[..begin], &text[begin + version.len()..])
        }
        None => (text, &[]),
    }
}

/// At most one snapshot, with all that has changed since the one that was taken before: the streams of a client dispatch
/// each other, also when nobody polls this one.
pub(crate) struct Waiting {
    sameness: Sameness,
    /// The first one was taken.
    began: bool,
    snapshot: Option<Snapshot>,
    /// By uid; `None`: those of the snapshot.
    changes: Option<HashMap<String, Change>>,
}

impl Waiting {
    pub(crate) fn new(sameness: Sameness) -> Waiting {
        Waiting { sameness, began: false, snapshot: None, changes: None }
    }

    pub(crate) fn add(&mut self, snapshot: Snapshot) {
        let sameness = &self.sameness;
        if let Some(earlier) = self.snapshot.take() {
            let changes = self.changes.get_or_insert_with(|| {
                let mut changes = HashMap::new();
                merge(&mut changes, &earlier, sameness);
                changes
            });
            merge(changes, &snapshot, sameness);
            if changes.is_empty() && self.began {
                // All is as it was in the one that was taken.
                self.changes = None;
                return;
            }
        }
        self.snapshot = Some(snapshot);
    }

    pub(crate) fn take(&mut self) -> Option<Snapshot> {
        let changes = self.changes.take();
        let snapshot = self.snapshot.take()?;
        self.began = true;
        Some(match changes {
            Some(changes) => {
                let changes = in_order(changes.into_values().map(|change| change.shown_by(&snapshot)).collect());
                snapshot.with_changes(changes)
            }
            None => snapshot,
        })
    }
}

/// Adds the changes of the snapshot that follows.
fn merge(changes: &mut HashMap<String, Change>, snapshot: &Snapshot, sameness: &Sameness) {
    for delta in snapshot.deltas() {
        let (uid, later) = (delta.object.uid(), Change::of(delta));
        let both = match changes.remove(uid) {
            Some(earlier) => earlier.followed_by(later, sameness),
            None => Some(later),
        };
        if let Some(both) = both {
            changes.insert(uid.to_owned(), both);
        }
    }
}

/// As the library has them.
fn in_order(mut changes: Vec<Change>) -> Vec<Change> {
    changes.sort_by(|one, other| place(one).cmp(&place(other)));
    changes
}

fn place(change: &Change) -> (bool, &str, &str) {
    let object = change.object.object();
    (change.kind != DeltaKind::Deleted, object.namespace(), object.name())
}
