#include "commands/object_watch.hpp"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/field_selector.hpp"
#include "base/instant.hpp"

extern "C" {
#include "permanent.h"
}

namespace ksr::commands {
namespace {

using Clock = std::chrono::steady_clock;

struct Release {
  void operator()(ksr_config* config) const { ksr_config_free(config); }
  void operator()(ksr_stream* stream) const { ksr_close(stream); }
  void operator()(ksr_error* error) const { ksr_error_free(error); }
};

struct Test {
  const std::function<bool(const ksr_snapshot*)>& passes;
  // There was a complete view.
  bool begun = false;
};

int test_view(const ksr_snapshot* snapshot, void* user_data) {
  auto& test = *static_cast<Test*>(user_data);
  test.begun = true;
  return test.passes(snapshot) ? 1 : 0;
}

// The library would go on trying, and a deletion has no time limit by itself.
void end_if_permanent(ksr_stream* stream, const ksr_error* error, void*) {
  if (is_permanent(error) != 0) ksr_cancel(stream);
}

// A named object is watched by its name alone, as by kubectl: a change of its labels is no end of it.
std::vector<std::pair<const char*, std::string>> keys_of(const Session& session, const Target& target,
                                                         const WatchedView& view) {
  const Arguments& arguments = session.arguments();
  std::vector<std::pair<const char*, std::string>> keys{{"resource", target.resource.display},
                                                        {"namespace", session.namespace_key(target)}};
  if (target.name.empty()) {
    keys.emplace_back("label_selector", arguments.selector("--selector"));
    keys.emplace_back("field_selector", arguments.selector("--field-selector"));
  } else {
    keys.emplace_back("field_selector", name_selector(target.name));
  }
  if (view.metadata_only) keys.emplace_back("metadata_only", "true");
  return keys;
}

// NULL after an error, which is reported.
std::unique_ptr<ksr_stream, Release> open_stream(Session& session, const Target& target, const WatchedView& view) {
  ksr_config* config = nullptr;
  ksr_stream* stream = nullptr;
  ksr_error* error = nullptr;
  ksr_status status = ksr_config_new(&config);
  const std::unique_ptr<ksr_config, Release> owned(config);
  for (const auto& [key, value] : keys_of(session, target, view)) {
    if (status == KSR_OK) status = ksr_config_set(config, key, value.c_str(), &error);
  }
  if (status == KSR_OK) {
    ksr_config_on_error(config, end_if_permanent);
    status = ksr_client_stream(session.client().handle(), config, nullptr, nullptr, &stream, &error);
  }
  const std::unique_ptr<ksr_error, Release> freed(error);
  if (status != KSR_OK) session.report().failure(failure_of(status, error), view.doing);
  return std::unique_ptr<ksr_stream, Release>(stream);
}

}  // namespace

WatchEnd watch_object(Session& session, const Target& target, const WatchedView& view,
                      const std::function<bool(const ksr_snapshot*)>& test, std::optional<Clock::time_point> deadline) {
  const std::unique_ptr<ksr_stream, Release> stream = open_stream(session, target, view);
  if (!stream) return WatchEnd::failed;
  std::int64_t limit = -1;
  if (deadline) {
    const auto left = std::chrono::duration_cast<Milliseconds>(*deadline - Clock::now());
    limit = std::max<std::int64_t>(left.count(), 0);
  }
  Test tested{test};
  const ksr_status status = ksr_wait_until(stream.get(), test_view, &tested, limit);
  if (status == KSR_OK) return WatchEnd::met;
  const std::unique_ptr<ksr_error, Release> error(ksr_last_error(stream.get()));
  // Without a first view, what has kept it away; else the time is over, whatever else there was.
  if (status == KSR_E_TIMEOUT && (tested.begun || !error)) return WatchEnd::timed_out;
  const ksr_status code = error ? ksr_error_code(error.get()) : status;
  if (code == KSR_E_FORBIDDEN && view.may_be_refused) return WatchEnd::refused;
  session.report().failure(failure_of(code, error.get()), view.doing);
  return WatchEnd::failed;
}

}  // namespace ksr::commands
