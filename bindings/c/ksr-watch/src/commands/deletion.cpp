#include "commands/deletion.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

namespace ksr::commands {
namespace {

int is_gone(const ksr_snapshot* snapshot, void* uid) {
  return ksr_snapshot_find_uid(snapshot, static_cast<const char*>(uid)) == nullptr ? 1 : 0;
}

// Neither a refusal nor an API that cannot be watched is mended by trying again: the wait ends.
void on_error(ksr_stream* stream, const ksr_error* error, void*) {
  const ksr_status code = ksr_error_code(error);
  if (code == KSR_E_FORBIDDEN || code == KSR_E_AUTH || code == KSR_E_NOT_FOUND) ksr_cancel(stream);
}

struct Release {
  void operator()(ksr_config* config) const { ksr_config_free(config); }
  void operator()(ksr_stream* stream) const { ksr_close(stream); }
};

}  // namespace

Gone wait_until_gone(Session& session, const Target& target, const std::string& uid, double seconds) {
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
  ksr_config_on_error(config, on_error);
  ksr_stream* stream = nullptr;
  if (ksr_client_stream(session.client().handle(), config, nullptr, nullptr, &stream, nullptr) != KSR_OK) {
    return Gone::unknown;
  }
  const std::unique_ptr<ksr_stream, Release> open(stream);
  std::string sought = uid;
  const auto limit = seconds <= 0 ? std::int64_t{-1} : static_cast<std::int64_t>(std::max(seconds * 1000, 1.0));
  const ksr_status waited = ksr_wait_until(stream, is_gone, sought.data(), limit);
  if (waited == KSR_OK) return Gone::yes;
  return waited == KSR_E_TIMEOUT ? Gone::no : Gone::unknown;
}

}  // namespace ksr::commands
