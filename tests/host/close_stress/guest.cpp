#include "host/close_stress/guest.hpp"

#include <chrono>
#include <memory>
#include <thread>

namespace ksr_test {

// Open while a callback runs: they never overlap, and none starts after the end.
class Guest::Callback {
 public:
  explicit Callback(void* pass) : guest_(*static_cast<Pass*>(pass)->guest) {
    if (guest_.inside_.fetch_add(1) != 0) guest_.violated(overlap);
    if (guest_.close_returned_) guest_.violated(after_close);
    if (guest_.destroyed_ != 0) guest_.violated(after_destroy);
  }
  ~Callback() { guest_.inside_.fetch_sub(1); }
  Callback(const Callback&) = delete;
  Callback& operator=(const Callback&) = delete;
  Guest* operator->() { return &guest_; }

 private:
  Guest& guest_;
};

void Guest::open(const Settings& settings) {
  ksr_config* config = nullptr;
  bool ok = ksr_config_new(&config) == KSR_OK;
  for (const auto& [key, value] : settings) {
    ok = ok && ksr_config_set(config, key.c_str(), value.c_str(), nullptr) == KSR_OK;
  }
  ksr_config_on_update(config, on_update);
  ksr_config_on_error(config, on_error);
  ksr_config_on_state(config, on_state);
  ksr_config_on_log(config, on_log);
  auto pass = std::make_unique<Pass>(Pass{this});
  ok = ok && ksr_open(config, pass.release(), on_destroy, &stream_, nullptr) == KSR_OK;
  ksr_config_free(config);
  if (!ok) violated(open_failed);
}

bool Guest::close() {
  const ksr_status status = ksr_close(stream_);
  if (status == KSR_E_INVALID) return false;
  if (status != KSR_OK) violated(wrong_status);
  close_returned_ = true;
  if (destroyed_ != 1 || inside_ != 0) violated(after_close);
  return true;
}

void Guest::poke(std::mt19937& random) {
  std::uint64_t value = 0;
  switch (random() % 40) {
    case 0:
      return ksr_cancel(stream_);
    case 1:
      return static_cast<void>(close());
    case 2:
      return ksr_close_async(stream_);
    case 3:
      return static_cast<void>(ksr_wait_synced(stream_, static_cast<std::int64_t>(random() % 3)));
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

void Guest::misbehave(ksr_stream* stream) {
  if (!unruly_) return;
  // The same every time the storm is repeated, as far as the callbacks are.
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

void Guest::on_update(ksr_stream* stream, const ksr_snapshot* snapshot, void* pass) {
  Callback call(pass);
  const std::uint64_t sequence = ksr_snapshot_sequence(snapshot);
  if (sequence <= call->last_sequence_ || call->ended_ != 0) call->violated(wrong_order);
  call->last_sequence_ = sequence;
  call->misbehave(stream);
}

void Guest::on_error(ksr_stream* stream, const ksr_error* error, void* pass) {
  Callback call(pass);
  if (ksr_error_code(error) >= 0) call->violated(wrong_status);
  if (call->ended_ != 0) call->violated(wrong_order);
  call->misbehave(stream);
}

void Guest::on_state(ksr_stream* stream, ksr_state state, void* pass) {
  Callback call(pass);
  if (call->ended_ != 0) call->violated(wrong_order);
  if (state == KSR_STATE_CLOSED) ++call->ended_;
  call->misbehave(stream);
}

void Guest::on_log(std::int32_t, const char*, std::size_t, void* pass) {
  Callback call(pass);
  if (call->ended_ != 0) call->violated(wrong_order);
}

void Guest::on_destroy(void* pass) {
  const std::unique_ptr<Pass> own(static_cast<Pass*>(pass));
  Guest& guest = *own->guest;
  if (guest.inside_ != 0) guest.violated(overlap);
  if (guest.close_returned_) guest.violated(after_close);
  if (guest.ended_ != 1) guest.violated(wrong_order);
  if (guest.destroyed_.fetch_add(1) != 0) guest.violated(closed_twice);
}

std::vector<std::string> Guest::violations() const {
  const std::pair<Violation, const char*> all[] = {{open_failed, "open failed"},
                                                   {overlap, "callbacks overlapped"},
                                                   {after_close, "a callback after ksr_close had returned"},
                                                   {after_destroy, "a callback after destroy"},
                                                   {closed_twice, "destroy ran twice"},
                                                   {wrong_status, "a status that is not promised"},
                                                   {wrong_order, "a callback after CLOSED, or a sequence that fell"}};
  std::vector<std::string> found;
  for (const auto& [bit, text] : all) {
    if ((violations_ & bit) != 0) found.emplace_back(text);
  }
  return found;
}

}  // namespace ksr_test
