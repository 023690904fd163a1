#include "support/recorder.hpp"

#include <memory>

#include "base/resource_version.hpp"

namespace ksr::testing {
namespace {

struct ConfigDeleter {
  void operator()(ksr_config* config) const { ksr_config_free(config); }
};
struct ErrorDeleter {
  void operator()(ksr_error* error) const { ksr_error_free(error); }
};

std::string message_of(ksr_error* error) {
  const std::unique_ptr<ksr_error, ErrorDeleter> owned(error);
  return ksr_error_message(error, nullptr);
}

std::string identity(const ksr_object* object) {
  return field(object, KSR_FIELD_NAMESPACE) + "/" + field(object, KSR_FIELD_NAME);
}

bool older(const std::string& a, const std::string& b) {
  return ksr::compare_resource_versions(a, b).value_or(0) < 0;
}

}  // namespace

std::string field(const ksr_object* object, ksr_field wanted) {
  std::size_t length = 0;
  const char* text = ksr_object_field(object, wanted, &length);
  return text == nullptr ? std::string() : std::string(text, length);
}

std::string get(const ksr_object* object, const char* pointer) {
  std::size_t length = 0;
  const char* text = ksr_object_get(object, pointer, &length);
  return text == nullptr ? "(nothing)" : std::string(text, length);
}

Contents contents_of(const ksr_snapshot* snapshot) {
  Contents contents;
  for (std::size_t i = 0; i < ksr_snapshot_count(snapshot); ++i) {
    const ksr_object* object = ksr_snapshot_at(snapshot, i);
    contents[field(object, KSR_FIELD_UID)] = field(object, KSR_FIELD_RESOURCE_VERSION);
  }
  return contents;
}

// Marks a callback as running: callbacks do not overlap, and none runs after CLOSED.
class Recorder::Entry {
 public:
  explicit Entry(Recorder& recorder, const char* callback) : recorder_(recorder) {
    if (recorder_.inside_.fetch_add(1) != 0) {
      const std::lock_guard<std::recursive_mutex> lock(recorder_.mutex_);
      recorder_.violated(std::string(callback) + " overlaps another callback");
    }
    const std::lock_guard<std::recursive_mutex> lock(recorder_.mutex_);
    if (recorder_.closed_) recorder_.violated(std::string(callback) + " after CLOSED");
  }
  ~Entry() { recorder_.inside_.fetch_sub(1); }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

 private:
  Recorder& recorder_;
};

Recorder::~Recorder() {
  if (stream_ != nullptr) close();
}

ksr_status Recorder::open(const Settings& settings, ksr_client* client) {
  ksr_config* raw = nullptr;
  ksr_config_new(&raw);
  const std::unique_ptr<ksr_config, ConfigDeleter> config(raw);
  for (const auto& [key, value] : settings) {
    ksr_error* error = nullptr;
    const ksr_status set = ksr_config_set(config.get(), key.c_str(), value.c_str(), &error);
    if (set != KSR_OK) {
      open_error_ = message_of(error);
      return set;
    }
    if (key == "limit" && value != "0") limited_ = true;
    if (key == "keep_fields" || key == "drop_fields" || key == "notify") some_changes_are_no_deltas_ = true;
  }
  ksr_config_on_update(config.get(), on_update);
  ksr_config_on_error(config.get(), on_error);
  ksr_config_on_state(config.get(), on_state);
  ksr_config_on_log(config.get(), on_log);
  ksr_error* error = nullptr;
  const ksr_status opened = client != nullptr
                                ? ksr_client_stream(client, config.get(), this, on_destroy, &stream_, &error)
                                : ksr_open(config.get(), this, on_destroy, &stream_, &error);
  if (opened != KSR_OK) open_error_ = message_of(error);
  return opened;
}

ksr_status Recorder::close() {
  const ksr_status closed = ksr_close(stream_);
  if (closed == KSR_OK) stream_ = nullptr;
  return closed;
}

bool Recorder::wait(const std::function<bool(const Recorder&)>& condition, std::chrono::milliseconds timeout) const {
  const auto end = std::chrono::steady_clock::now() + timeout;
  std::unique_lock<std::recursive_mutex> lock(mutex_);
  while (!condition(*this)) {
    if (std::chrono::steady_clock::now() >= end) return false;
    // A timeout: some conditions, such as statistics, change without a callback.
    recorded_.wait_for(lock, std::chrono::milliseconds(10));
  }
  return true;
}

bool Recorder::wait_state(ksr_state state) const {
  return wait([state](const Recorder& seen) { return !seen.states_.empty() && seen.states_.back() == state; });
}

bool Recorder::wait_count(std::size_t count) const {
  return wait([count](const Recorder& seen) { return seen.updates_ > 0 && seen.contents_.size() == count; });
}

bool Recorder::wait_name(const std::string& name, bool present) const {
  return wait([&](const Recorder& seen) {
    bool found = false;
    for (const std::string& held : seen.names_) found = found || held == name;
    return seen.updates_ > 0 && found == present;
  });
}

bool Recorder::wait_error(ksr_status code) const {
  return wait([code](const Recorder& seen) {
    for (const SeenError& error : seen.errors_) {
      if (error.code == code) return true;
    }
    return false;
  });
}

void Recorder::check_update(const ksr_snapshot* snapshot) {
  const std::uint64_t sequence = ksr_snapshot_sequence(snapshot);
  if (sequence <= last_sequence_) violated("sequence did not grow");
  last_sequence_ = sequence;
  contents_ = contents_of(snapshot);
  resource_version_ = ksr_snapshot_resource_version(snapshot, nullptr);
  names_.clear();
  std::string before;
  for (std::size_t i = 0; i < ksr_snapshot_count(snapshot); ++i) {
    const ksr_object* object = ksr_snapshot_at(snapshot, i);
    const std::string key = field(object, KSR_FIELD_NAMESPACE) + '\0' + field(object, KSR_FIELD_NAME);
    if (!limited_ && i > 0 && !(before < key)) violated("not ordered at " + identity(object));
    before = key;
    names_.push_back(field(object, KSR_FIELD_NAME));
    if (field(object, KSR_FIELD_KIND).empty()) violated("no kind in " + identity(object));
    if (field(object, KSR_FIELD_API_VERSION).empty()) violated("no apiVersion in " + identity(object));
    if (get(object, "/kind") != '"' + field(object, KSR_FIELD_KIND) + '"') violated("kind is not in the JSON");
  }
  for (std::size_t i = 0; i < ksr_snapshot_delta_count(snapshot); ++i) {
    const ksr_object* object = nullptr;
    const ksr_delta kind = ksr_snapshot_delta_at(snapshot, i, &object);
    const SeenDelta delta{kind, field(object, KSR_FIELD_NAMESPACE), field(object, KSR_FIELD_NAME),
                          field(object, KSR_FIELD_UID), field(object, KSR_FIELD_RESOURCE_VERSION)};
    const bool was_there = summed_.count(delta.uid) > 0;
    if (kind == KSR_DELTA_ADDED && was_there) violated("ADDED twice: " + delta.name);
    if (kind != KSR_DELTA_ADDED && !was_there) violated("changed or deleted but not there: " + delta.name);
    if (kind == KSR_DELTA_DELETED) {
      summed_.erase(delta.uid);
    } else {
      summed_[delta.uid] = delta.resource_version;
      std::string& newest = newest_[delta.uid];
      if (older(delta.resource_version, newest)) violated("back in time: " + delta.name);
      newest = delta.resource_version;
    }
    deltas_.push_back(delta);
  }
  if (some_changes_are_no_deltas_) {
    for (auto& [uid, version] : summed_) {
      const auto now = contents_.find(uid);
      if (now != contents_.end() && older(version, now->second)) version = now->second;
    }
  }
  if (summed_ != contents_) violated("deltas do not add up to snapshot " + std::to_string(sequence));
}

void Recorder::on_update(ksr_stream* stream, const ksr_snapshot* snapshot, void* self) {
  Recorder& recorder = *static_cast<Recorder*>(self);
  const Entry entry(recorder, "on_update");
  if (recorder.during_update) recorder.during_update(stream, snapshot);
  const std::lock_guard<std::recursive_mutex> lock(recorder.mutex_);
  ++recorder.updates_;
  recorder.check_update(snapshot);
  recorder.recorded_.notify_all();
}

void Recorder::on_error(ksr_stream* stream, const ksr_error* error, void* self) {
  Recorder& recorder = *static_cast<Recorder*>(self);
  const Entry entry(recorder, "on_error");
  if (recorder.during_error) recorder.during_error(stream, error);
  const std::lock_guard<std::recursive_mutex> lock(recorder.mutex_);
  recorder.errors_.push_back({ksr_error_code(error), ksr_error_http_status(error), ksr_error_retry_ms(error),
                              ksr_error_message(error, nullptr), ksr_error_reason(error, nullptr)});
  recorder.recorded_.notify_all();
}

void Recorder::on_state(ksr_stream* stream, ksr_state state, void* self) {
  Recorder& recorder = *static_cast<Recorder*>(self);
  const Entry entry(recorder, "on_state");
  if (recorder.during_state) recorder.during_state(stream, state);
  const std::lock_guard<std::recursive_mutex> lock(recorder.mutex_);
  if (state == KSR_STATE_CLOSED) recorder.closed_ = true;
  recorder.states_.push_back(state);
  recorder.recorded_.notify_all();
}

void Recorder::on_log(std::int32_t, const char* message, std::size_t length, void* self) {
  Recorder& recorder = *static_cast<Recorder*>(self);
  const Entry entry(recorder, "on_log");
  const std::lock_guard<std::recursive_mutex> lock(recorder.mutex_);
  recorder.log_.emplace_back(message, length);
  recorder.recorded_.notify_all();
}

void Recorder::on_destroy(void* self) {
  Recorder& recorder = *static_cast<Recorder*>(self);
  const std::lock_guard<std::recursive_mutex> lock(recorder.mutex_);
  ++recorder.destroyed_;
  recorder.recorded_.notify_all();
}

#define KSR_TEST_LOCKED(type, name, member)                   \
  type Recorder::name() const {                               \
    const std::lock_guard<std::recursive_mutex> lock(mutex_); \
    return member;                                            \
  }
KSR_TEST_LOCKED(std::vector<ksr_state>, states, states_)
KSR_TEST_LOCKED(std::vector<SeenError>, errors, errors_)
KSR_TEST_LOCKED(std::vector<SeenDelta>, deltas, deltas_)
KSR_TEST_LOCKED(std::vector<std::string>, log, log_)
KSR_TEST_LOCKED(std::size_t, updates, updates_)
KSR_TEST_LOCKED(std::size_t, count, contents_.size())
KSR_TEST_LOCKED(Contents, contents, contents_)
KSR_TEST_LOCKED(std::vector<std::string>, names, names_)
KSR_TEST_LOCKED(std::string, resource_version, resource_version_)
KSR_TEST_LOCKED(std::vector<std::string>, violations, violations_)
#undef KSR_TEST_LOCKED

std::uint64_t Recorder::stat(const char* name) const {
  std::uint64_t value = 0;
  ksr_stat(stream_, name, &value);
  return value;
}

}  // namespace ksr::testing
