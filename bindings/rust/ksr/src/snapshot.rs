//! The complete view at one moment.

use std::ffi::CString;
use std::fmt;
use std::iter::FusedIterator;
use std::mem::ManuallyDrop;
use std::ops::Range;
use std::sync::Arc;

use ksr_sys as sys;

use crate::text::text;
use crate::waiting::Change;
use crate::{DeltaKind, Object};

/// A complete, immutable view of the resource at one moment, and what has changed since the one before. A clone is one
/// more reference, not a copy.
pub struct Snapshot {
    snapshot: *const sys::ksr_snapshot,
    /// The changes, where they are not the library's, but those of several snapshots.
    merged: Option<Arc<[Change]>>,
}

// SAFETY: snapshots are immutable, their count is atomic.
unsafe impl Send for Snapshot {}
// SAFETY: the same.
unsafe impl Sync for Snapshot {}

impl Snapshot {
    /// Takes over a reference.
    ///
    /// # Safety
    /// `snapshot` is NULL or a reference of the caller's.
    pub(crate) unsafe fn adopt(snapshot: *const sys::ksr_snapshot) -> Option<Snapshot> {
        (!snapshot.is_null()).then(|| Snapshot { snapshot, merged: None })
    }

    /// Lends a snapshot to `user` without counting.
    ///
    /// # Safety
    /// `snapshot` lives until this returns.
    pub(crate) unsafe fn lend<R>(snapshot: *const sys::ksr_snapshot, user: impl FnOnce(&Snapshot) -> R) -> R {
        user(&ManuallyDrop::new(Snapshot { snapshot, merged: None }))
    }

    pub(crate) fn with_changes(mut self, changes: Vec<Change>) -> Snapshot {
        self.merged = Some(changes.into());
        self
    }

    /// 1, 2, 3… within a stream.
    pub fn sequence(&self) -> u64 {
        // SAFETY: we hold a reference.
        unsafe { sys::ksr_snapshot_sequence(self.snapshot) }
    }

    /// The resourceVersion as of which the view is complete.
    pub fn resource_version(&self) -> &str {
        // SAFETY: the text belongs to the snapshot.
        unsafe { text(|len| sys::ksr_snapshot_resource_version(self.snapshot, len)) }
    }

    /// The number of objects.
    pub fn len(&self) -> usize {
        // SAFETY: we hold a reference.
        unsafe { sys::ksr_snapshot_count(self.snapshot) }
    }

    /// Whether there are no objects.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The object at a position, from 0.
    #[must_use]
    pub fn get(&self, place: usize) -> Option<Object<'_>> {
        // SAFETY: what is returned belongs to the snapshot.
        unsafe { Object::borrowed(sys::ksr_snapshot_at(self.snapshot, place)) }
    }

    /// The object of that namespace (empty for cluster-scoped) and name.
    #[must_use]
    pub fn find(&self, namespace: &str, name: &str) -> Option<Object<'_>> {
        let (namespace, name) = (CString::new(namespace).ok()?, CString::new(name).ok()?);
        // SAFETY: what is returned belongs to the snapshot.
        unsafe { Object::borrowed(sys::ksr_snapshot_find(self.snapshot, namespace.as_ptr(), name.as_ptr())) }
    }

    /// The object of that uid.
    #[must_use]
    pub fn find_uid(&self, uid: &str) -> Option<Object<'_>> {
        let uid = CString::new(uid).ok()?;
        // SAFETY: what is returned belongs to the snapshot.
        unsafe { Object::borrowed(sys::ksr_snapshot_find_uid(self.snapshot, uid.as_ptr())) }
    }

    /// The objects that have that value in that column, from 0, of the key `columns`, such as the pods of one node, in
    /// the order of [`iter`](Snapshot::iter). The key `index` names the columns that can be asked for; for others there
    /// are none. A column with `*` finds an object by each of its values; the empty value finds those whose column is
    /// empty. Since 0.2.
    #[must_use]
    pub fn by_index(&self, column: usize, value: &str) -> Indexed<'_> {
        let value = CString::new(value).ok();
        let count = value.as_ref().map_or(0, |value| {
            // SAFETY: we hold a reference.
            unsafe { sys::ksr_snapshot_index_count(self.snapshot, column, value.as_ptr()) }
        });
        Indexed { snapshot: self, column, value: value.unwrap_or_default(), places: 0..count }
    }

    /// All objects: by namespace and name, or, with `limit`, most recent first.
    #[must_use]
    pub fn iter(&self) -> Objects<'_> {
        Objects { snapshot: self, places: 0..self.len() }
    }

    /// What has changed since the snapshot delivered before, each object at most once: deleted ones first, in their
    /// last known state, then the others. In the first snapshot everything is [`DeltaKind::Added`]. An object that was
    /// replaced by another of the same name is deleted and added.
    #[must_use]
    pub fn deltas(&self) -> Deltas<'_> {
        let count = match &self.merged {
            Some(changes) => changes.len(),
            // SAFETY: we hold a reference.
            None => unsafe { sys::ksr_snapshot_delta_count(self.snapshot) },
        };
        Deltas { snapshot: self, places: 0..count }
    }

    fn delta(&self, place: usize) -> Option<Delta<'_>> {
        if let Some(changes) = &self.merged {
            return changes.get(place).map(Change::as_delta);
        }
        let mut object = std::ptr::null();
        // SAFETY: the object belongs to the snapshot.
        unsafe {
            let kind = sys::ksr_snapshot_delta_at(self.snapshot, place, &mut object);
            Some(Delta {
                kind: DeltaKind::from_number(kind),
                object: Object::borrowed(object)?,
                before: Object::borrowed(sys::ksr_snapshot_delta_before(self.snapshot, place)),
                left: sys::ksr_snapshot_delta_left(self.snapshot, place) == 1,
            })
        }
    }
}

impl Clone for Snapshot {
    fn clone(&self) -> Snapshot {
        // SAFETY: we hold a reference, and so there may be one more.
        Snapshot { snapshot: unsafe { sys::ksr_snapshot_retain(self.snapshot) }, merged: self.merged.clone() }
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        // SAFETY: the reference is ours.
        unsafe { sys::ksr_snapshot_release(self.snapshot) };
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Snapshot({}: {} objects at {})", self.sequence(), self.len(), self.resource_version())
    }
}

impl<'a> IntoIterator for &'a Snapshot {
    type Item = Object<'a>;
    type IntoIter = Objects<'a>;

    fn into_iter(self) -> Objects<'a> {
        self.iter()
    }
}

/// One change.
#[derive(Clone, Copy, Debug)]
pub struct Delta<'a> {
    /// What happened.
    pub kind: DeltaKind,
    /// The object; a deleted one in its last known state.
    pub object: Object<'a>,
    /// The object as the snapshot delivered before had it; `None` when it is added. Since 0.2.
    pub before: Option<Object<'a>>,
    /// Deleted only because `limit` has no place for it any more: the object exists. Since 0.2.
    pub left: bool,
}

/// The objects of a [`Snapshot`].
#[derive(Clone, Debug)]
pub struct Objects<'a> {
    snapshot: &'a Snapshot,
    places: Range<usize>,
}

/// The changes of a [`Snapshot`].
#[derive(Clone, Debug)]
pub struct Deltas<'a> {
    snapshot: &'a Snapshot,
    places: Range<usize>,
}

/// The objects of a [`Snapshot`] that have one value in a column. Since 0.2.
#[derive(Clone, Debug)]
pub struct Indexed<'a> {
    snapshot: &'a Snapshot,
    column: usize,
    value: CString,
    places: Range<usize>,
}

impl<'a> Indexed<'a> {
    fn at(&self, place: usize) -> Option<Object<'a>> {
        let snapshot = self.snapshot.snapshot;
        // SAFETY: what is returned belongs to the snapshot.
        unsafe { Object::borrowed(sys::ksr_snapshot_index_at(snapshot, self.column, self.value.as_ptr(), place)) }
    }
}

impl<'a> Iterator for Indexed<'a> {
    type Item = Object<'a>;

    fn next(&mut self) -> Option<Object<'a>> {
        self.places.next().and_then(|place| self.at(place))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.places.size_hint()
    }
}

impl DoubleEndedIterator for Indexed<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.places.next_back().and_then(|place| self.at(place))
    }
}

impl ExactSizeIterator for Indexed<'_> {}
impl FusedIterator for Indexed<'_> {}

macro_rules! over_places {
    ($iterator:ident, $item:ident, $at:ident) => {
        impl<'a> Iterator for $iterator<'a> {
            type Item = $item<'a>;

            fn next(&mut self) -> Option<$item<'a>> {
                self.places.next().and_then(|place| self.snapshot.$at(place))
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                self.places.size_hint()
            }

            fn nth(&mut self, n: usize) -> Option<$item<'a>> {
                self.places.nth(n).and_then(|place| self.snapshot.$at(place))
            }
        }

        impl DoubleEndedIterator for $iterator<'_> {
            fn next_back(&mut self) -> Option<Self::Item> {
                self.places.next_back().and_then(|place| self.snapshot.$at(place))
            }
        }

        impl ExactSizeIterator for $iterator<'_> {}
        impl FusedIterator for $iterator<'_> {}
    };
}

over_places!(Objects, Object, get);
over_places!(Deltas, Delta, delta);
