#include "commands/deletion.hpp"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>

namespace ksr::commands {
namespace {

class Watch {
 public:
  explicit Watch(std::string uid) : uid_(std::move(uid)) {}

  void look(const ksr_snapshot* snapshot) {
    if (ksr_snapshot_find_uid(snapshot, uid_.c_str()) == nullptr) end(Gone::yes);
  }
  // Neither a refusal nor an API that cannot be watched is mended by trying again.
  void fail(const ksr_error* error) {
    const ksr_status code = ksr_error_code(error);
    if (code == KSR_E_FORBIDDEN || code == KSR_E_AUTH || code == KSR_E_NOT_FOUND || ksr_error_retry_ms(error) < 0) {
      end(Gone::unknown);
    }
  }
  Gone wait(double seconds) {
    std::unique_lock<std::mutex> lock(mutex_);
    const auto ended = [this] { return ended_; };
    if (seconds <= 0) {
      changed_.wait(lock, ended);
    } else if (!changed_.wait_for(lock, std::chrono::duration<double>(seconds), ended)) {
      return Gone::no;
    }
    return outcome_;
  }

 private:
  void end(Gone outcome) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (std::exchange(ended_, true)) return;
    outcome_ = outcome;
    changed_.notify_all();
  }

  const std::string uid_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;
  Gone outcome_ = Gone::unknown;
};

void on_update(ksr_stream*, const ksr_snapshot* snapshot, void* watch) {
  static_cast<Watch*>(watch)->look(snapshot);
}

void on_error(ksr_stream*, const ksr_error* error, void* watch) {
  static_cast<Watch*>(watch)->fail(error);
}

struct Release {
  void operator()(ksr_config* config) const { ksr_config_free(config); }
  void operator()(ksr_stream* stream) const { ksr_close(stream); }
};

}  // namespace

Gone wait_until_gone(Session& session, const Target& target, const std::string& uid, double seconds) {
  Watch watch(uid);
  ksr_config* config = nullptr;
  if (ksr_config_new(&config) != KSR_OK) return Gone::unknown;
  const std::unique_ptr<ksr_config, Release> owned(config);
  const std::string selector = "metadata.name=" + target.name;
  const std::pair<const char*, std::string> keys[] = {{"resource", target.resource.display},
                                                      {"namespace", session.namespace_key(target)},
                                                      {"field_selector", selector},
                                                      {"metadata_only", "true"}};
  for (const auto& [key, value] : keys) {
    if (ksr_config_set(config, key, value.c_str(), nullptr) != KSR_OK) return Gone::unknown;
  }
  ksr_config_on_update(config, on_update);
  ksr_config_on_error(config, on_error);
  ksr_stream* stream = nullptr;
  if (ksr_client_stream(session.client().handle(), config, &watch, nullptr, &stream, nullptr) != KSR_OK) {
    return Gone::unknown;
  }
  const std::unique_ptr<ksr_stream, Release> open(stream);
  return watch.wait(seconds);
}

}  // namespace ksr::commands
