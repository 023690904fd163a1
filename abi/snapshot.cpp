#include "abi/constants.hpp"
#include "abi/handles.hpp"

// Everything here reads immutable data and is noexcept by what it does.

using ksr::abi::code;
using ksr::abi::handle;
using ksr::abi::snapshot_of;
using ksr::abi::text_out;

extern "C" {

const ksr_snapshot* ksr_snapshot_retain(const ksr_snapshot* snapshot) {
  if (snapshot != nullptr) snapshot_of(snapshot)->retain();
  return snapshot;
}

void ksr_snapshot_release(const ksr_snapshot* snapshot) {
  if (snapshot != nullptr) snapshot_of(snapshot)->release();
}

uint64_t ksr_snapshot_sequence(const ksr_snapshot* snapshot) {
  return snapshot == nullptr ? 0 : snapshot_of(snapshot)->sequence();
}

const char* ksr_snapshot_resource_version(const ksr_snapshot* snapshot, size_t* len) {
  return text_out(snapshot == nullptr ? "" : snapshot_of(snapshot)->view().resource_version(), len);
}

size_t ksr_snapshot_count(const ksr_snapshot* snapshot) {
  return snapshot == nullptr ? 0 : snapshot_of(snapshot)->view().count();
}

const ksr_object* ksr_snapshot_at(const ksr_snapshot* snapshot, size_t i) {
  return snapshot == nullptr ? nullptr : handle(snapshot_of(snapshot)->view().at(i));
}

const ksr_object* ksr_snapshot_find(const ksr_snapshot* snapshot, const char* ns, const char* name) {
  if (snapshot == nullptr || name == nullptr) return nullptr;
  return handle(snapshot_of(snapshot)->view().find(ns == nullptr ? "" : ns, name));
}

const ksr_object* ksr_snapshot_find_uid(const ksr_snapshot* snapshot, const char* uid) {
  if (snapshot == nullptr || uid == nullptr) return nullptr;
  return handle(snapshot_of(snapshot)->view().find_uid(uid));
}

size_t ksr_snapshot_delta_count(const ksr_snapshot* snapshot) {
  return snapshot == nullptr ? 0 : snapshot_of(snapshot)->deltas().count();
}

ksr_delta ksr_snapshot_delta_at(const ksr_snapshot* snapshot, size_t i, const ksr_object** obj) {
  if (snapshot == nullptr || i >= snapshot_of(snapshot)->deltas().count()) return 0;
  const ksr::store::Deltas& deltas = snapshot_of(snapshot)->deltas();
  if (obj != nullptr) *obj = handle(deltas.object_at(i));
  return code(deltas.kind_at(i));
}

const ksr_object* ksr_snapshot_delta_before(const ksr_snapshot* snapshot, size_t i) {
  if (snapshot == nullptr || i >= snapshot_of(snapshot)->deltas().count()) return nullptr;
  return handle(snapshot_of(snapshot)->deltas().before_at(i));
}

int ksr_snapshot_delta_left(const ksr_snapshot* snapshot, size_t i) {
  if (snapshot == nullptr || i >= snapshot_of(snapshot)->deltas().count()) return 0;
  return snapshot_of(snapshot)->deltas().left_at(i) ? 1 : 0;
}

size_t ksr_snapshot_index_count(const ksr_snapshot* snapshot, size_t column, const char* value) {
  if (snapshot == nullptr || value == nullptr) return 0;
  return snapshot_of(snapshot)->view().index_count(column, value);
}

const ksr_object* ksr_snapshot_index_at(const ksr_snapshot* snapshot, size_t column, const char* value, size_t i) {
  if (snapshot == nullptr || value == nullptr) return nullptr;
  return handle(snapshot_of(snapshot)->view().index_at(column, value, i));
}

}  // extern "C"
