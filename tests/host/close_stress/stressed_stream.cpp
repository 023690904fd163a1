#include "host/close_stress/stressed_stream.hpp"

#include <chrono>
#include <memory>
#include <thread>

namespace ksr::testing {

// Exists while a callback runs: callbacks never overlap, and none starts after the end.
class StressedStream::Callback {
 public:
  explicit Callback(void* user_data) : owner_(*static_cast<UserData*>(user_data)->stream) {
    if (owner_.inside_.fetch_add(1) != 0) owner_.violated(overlap);
    if (owner_.close_returned_) owner_.violated(after_close);
    if (owner_.destroyed_ != 0) owner_.violated(after_destroy);
  }
  ~Callback() { owner_.inside_.fetch_sub(1); }
  Callback(const Callback&) = delete;
  Callback& operator=(const Callback&) = delete;
  StressedStream* operator->() { return &owner_; }

 private:
  StressedStream& owner_;
};

void StressedStream::open(const Settings& settings) {
  ksr_config* config = nullptr;
  bool ok = ksr_config_new(&config) == KSR_OK;
  for (const auto& [key, value] : settings) {
    ok = ok && ksr_config_set(config, key.c_str(), value.c_str(), nullptr) == KSR_OK;
  }
  ksr_config_on_update(config, on_update);
  ksr_config_on_error(config, on_error);
  ksr_config_on_state(config, on_state);
  ksr_config_on_log(config, on_log);
  auto user_data = std::make_unique<UserData>(UserData{this});
  ok = ok && ksr_open(config, user_data.release(), on_destroy, &stream_, nullptr) == KSR_OK;
  ksr_config_free(config);
  if (!ok) violated(open_failed);
}

bool StressedStream::close() {
  const ksr_status status = ksr_close(stream_);
  if (status == KSR_E_INVALID) return false;
  if (status != KSR_OK) violated(wrong_status);
  close_returned_ = true;
  if (destroyed_ != 1 || inside_ != 0) violated(after_close);
  return true;
}

void StressedStream::call_any(std::mt19937& engine) {
  std::uint64_t value = 0;
  switch (engine() % 40) {
    case 0:
      return ksr_cancel(stream_);
    case 1:
      return static_cast<void>(close());
    case 2:
      return ksr_close_async(stream_);
    case 3:
      return static_cast<void>(ksr_wait_synced(stream_, static_cast<std::int64_t>(engine() % 3)));
    case 4:
      return static_cast<void>(ksr_stat(stream_, "objects", &value));
    case 5:
      return static_cast<void>(ksr_fd(stream_));
    case 6:
      return std::this_thread::sleep_for(std::chrono::milliseconds(1));
    default:
      ksr_dispatch(stream_);
      const ksr_snapshot* latest = ksr_latest(stream_);
      if (latest != nullptr) ksr_object_field(ksr_snapshot_at(latest, 0), KSR_FIELD_JSON, nullptr);
      return ksr_snapshot_release(latest);
  }
}

void StressedStream::end_in_callback(ksr_stream* stream) {
  if (!ends_itself_) return;
  // Deterministic for a seed and an order of callbacks.
  switch ((seed_ + ++calls_) % 7) {
    case 0:
      return ksr_cancel(stream);
    case 1:
      return ksr_close_async(stream);
    case 2: {
      const ksr_status status = ksr_close(stream);
      if (status != KSR_E_WOULD_DEADLOCK && status != KSR_E_INVALID) violated(wrong_status);
      return;
    }
    case 3:
      if (ksr_dispatch(stream) > 0) violated(overlap);
      return;
    default:
      return;
  }
}

void StressedStream::on_update(ksr_stream* stream, const ksr_snapshot* snapshot, void* user_data) {
  Callback call(user_data);
  const std::uint64_t sequence = ksr_snapshot_sequence(snapshot);
  if (sequence <= call->last_sequence_ || call->ended_ != 0) call->violated(wrong_order);
  call->last_sequence_ = sequence;
  call->end_in_callback(stream);
}

void StressedStream::on_error(ksr_stream* stream, const ksr_error* error, void* user_data) {
  Callback call(user_data);
  if (ksr_error_code(error) >= 0) call->violated(wrong_status);
  if (call->ended_ != 0) call->violated(wrong_order);
  call->end_in_callback(stream);
}

void StressedStream::on_state(ksr_stream* stream, ksr_state state, void* user_data) {
  Callback call(user_data);
  if (call->ended_ != 0) call->violated(wrong_order);
  if (state == KSR_STATE_CLOSED) ++call->ended_;
  call->end_in_callback(stream);
}

void StressedStream::on_log(std::int32_t, const char*, std::size_t, void* user_data) {
  Callback call(user_data);
  if (call->ended_ != 0) call->violated(wrong_order);
}

void StressedStream::on_destroy(void* user_data) {
  const std::unique_ptr<UserData> own(static_cast<UserData*>(user_data));
  StressedStream& stream = *own->stream;
  if (stream.inside_ != 0) stream.violated(overlap);
  if (stream.close_returned_) stream.violated(after_close);
  if (stream.ended_ != 1) stream.violated(wrong_order);
  if (stream.destroyed_.fetch_add(1) != 0) stream.violated(closed_twice);
}

std::vector<std::string> StressedStream::violations() const {
  const std::pair<Violation, const char*> all[] = {
      {open_failed, "open failed"},
      {overlap, "callbacks overlapped"},
      {after_close, "a callback after ksr_close had returned"},
      {after_destroy, "a callback after destroy"},
      {closed_twice, "destroy ran twice"},
      {wrong_status, "an undocumented status"},
      {wrong_order, "a callback after CLOSED, or a sequence that decreased"}};
  std::vector<std::string> found;
  for (const auto& [bit, text] : all) {
    if ((violations_ & bit) != 0) found.emplace_back(text);
  }
  return found;
}

}  // namespace ksr::testing
