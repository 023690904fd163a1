#include <memory>
#include <optional>
#include <utility>

#include "abi/guard.hpp"
#include "abi/host_callbacks.hpp"
#include "stream/open.hpp"

using ksr::Error;
using ksr::Expected;
using ksr::Status;
using ksr::abi::guard;
using ksr::abi::guard_value;
using ksr::abi::invalid;
using ksr::abi::number_of;
using ksr::stream::Stream;
using ksr::stream::StreamRegistry;

namespace {

std::shared_ptr<Stream> find(const ksr_stream* stream) {
  return StreamRegistry::instance().find(number_of(stream));
}

Expected<void> outcome(Status status, const char* message) {
  if (status == Status::ok) return {};
  return Error{status, message};
}

}  // namespace

extern "C" {

ksr_status ksr_open(const ksr_config* config, void* user_data, ksr_destroy_fn destroy, ksr_stream** out,
                    ksr_error** err) {
  // Whatever fails below, the host's destroy runs once: here, until HostCallbacks has it.
  ksr::abi::DestroyOnce destroy_once(user_data, destroy);
  return guard(err, [&]() -> Expected<void> {
    if (config == nullptr) return invalid("ksr_open: config is NULL");
    if (out == nullptr) return invalid("ksr_open: out is NULL");
    const StreamRegistry::Handle number = StreamRegistry::instance().reserve();
    ksr_stream* const stream = ksr::abi::stream_handle(number);
    auto host = std::make_unique<ksr::abi::HostCallbacks>(config->callbacks, stream, user_data, destroy);
    destroy_once.release();
    if (Expected<void> opened = ksr::stream::open(number, config->config, std::move(host)); !opened) return opened;
    *out = stream;
    return {};
  });
}

void ksr_cancel(ksr_stream* stream) {
  guard(nullptr, [&]() -> Expected<void> {
    if (const auto found = find(stream)) found->cancel();
    return {};
  });
}

ksr_status ksr_close(ksr_stream* stream) {
  if (stream == nullptr) return KSR_OK;
  return guard(nullptr, [&]() -> Expected<void> {
    const auto found = find(stream);
    if (!found) return invalid("ksr_close: the stream is closed");
    const Status closed = found->close();
    if (closed == Status::ok) StreamRegistry::instance().remove(number_of(stream));
    return outcome(closed, "ksr_close: called inside a callback of the stream; use ksr_close_async");
  });
}

void ksr_close_async(ksr_stream* stream) {
  guard(nullptr, [&]() -> Expected<void> {
    const StreamRegistry::Handle number = number_of(stream);
    if (const auto found = find(stream)) found->close_async([number] { StreamRegistry::instance().remove(number); });
    return {};
  });
}

ksr_status ksr_wait_synced(ksr_stream* stream, int64_t timeout_ms) {
  return guard(nullptr, [&]() -> Expected<void> {
    const auto found = find(stream);
    if (!found) return invalid("ksr_wait_synced: the stream is closed");
    return outcome(found->wait_synced(ksr::stream::timeout_from(timeout_ms)), "ksr_wait_synced: not synced");
  });
}

ksr_status ksr_wait_until(ksr_stream* stream, ksr_test_fn test, void* user_data, int64_t timeout_ms) {
  return guard(nullptr, [&]() -> Expected<void> {
    if (test == nullptr) return invalid("ksr_wait_until: test is NULL");
    const auto found = find(stream);
    if (!found) return invalid("ksr_wait_until: the stream is closed");
    const auto outcome_of_test = [&](const ksr::delivery::Snapshot& snapshot) -> std::optional<Status> {
      if (test(ksr::abi::handle(&snapshot), user_data) != 0) return Status::ok;
      // The test has forked: in the child no lock of the stream may be taken, and nothing changes any more.
      if (ksr::stream::in_forked_child()) return Status::forked;
      return std::nullopt;
    };
    return outcome(found->wait_until(outcome_of_test, ksr::stream::timeout_from(timeout_ms)),
                   "ksr_wait_until: the test has not been passed");
  });
}

const ksr_snapshot* ksr_latest(ksr_stream* stream) {
  return guard_value<const ksr_snapshot*>(nullptr, nullptr, [&]() -> const ksr_snapshot* {
    const auto found = find(stream);
    return found ? ksr::abi::handle(found->latest().detach()) : nullptr;
  });
}

int ksr_fd(ksr_stream* stream) {
  return guard_value<int>(-1, -1, [&] {
    const auto found = find(stream);
    return found ? found->fd() : -1;
  });
}

int64_t ksr_dispatch(ksr_stream* stream) {
  return guard_value<int64_t>(KSR_E_NOMEM, KSR_E_FORKED, [&]() -> int64_t {
    const auto found = find(stream);
    return found ? found->dispatch() : int64_t{KSR_E_INVALID};
  });
}

ksr_status ksr_stat(ksr_stream* stream, const char* name, uint64_t* value) {
  return guard(nullptr, [&]() -> Expected<void> {
    if (name == nullptr || value == nullptr) return invalid("ksr_stat: name or value is NULL");
    const auto found = find(stream);
    if (!found) return invalid("ksr_stat: the stream is closed");
    const std::optional<std::uint64_t> statistic = found->statistic(name);
    if (!statistic) return Error{Status::unknown_key, "ksr_stat: no such statistic"};
    *value = *statistic;
    return {};
  });
}

ksr_error* ksr_last_error(ksr_stream* stream) {
  return guard_value<ksr_error*>(nullptr, nullptr, [&]() -> ksr_error* {
    const auto found = find(stream);
    if (!found) return nullptr;
    std::optional<ksr::delivery::ErrorReport> report = found->last_error();
    return report ? new ksr_error(*std::move(report)) : nullptr;
  });
}

}  // extern "C"
