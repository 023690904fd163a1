#include "host.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "process.hpp"

namespace ksr::bench {
namespace {

std::string take_message(ksr_error* error) {
  std::string message = error != nullptr ? ksr_error_message(error, nullptr) : "no reason given";
  ksr_error_free(error);
  return message;
}

}  // namespace

ksr_stream* open_stream(const Settings& settings, ksr_update_fn on_update, ksr_error_fn on_error, void* user_data) {
  ksr_config* config = nullptr;
  if (ksr_config_new(&config) != KSR_OK) throw std::bad_alloc();
  ksr_error* error = nullptr;
  for (const auto& [key, value] : settings) {
    if (ksr_config_set(config, key.c_str(), value.c_str(), &error) != KSR_OK)
      throw std::runtime_error(take_message(error));
  }
  ksr_config_on_update(config, on_update);
  ksr_config_on_error(config, on_error);
  ksr_stream* stream = nullptr;
  const ksr_status opened = ksr_open(config, user_data, nullptr, &stream, &error);
  ksr_config_free(config);
  if (opened != KSR_OK) throw std::runtime_error(take_message(error));
  return stream;
}

// Its callbacks may come before open_stream() returns: every member has to be there.
Host::Host(const Settings& settings, Update update) : update_(std::move(update)) {
  stream_ = open_stream(settings, on_update, on_error, this);
}

Host::~Host() {
  close();
}

void Host::close() {
  ksr_close(stream_);
  stream_ = nullptr;
}

void Host::on_update(ksr_stream*, const ksr_snapshot* snapshot, void* self) {
  Host& host = *static_cast<Host*>(self);
  const double now = now_seconds();
  if (host.update_) host.update_(snapshot);
  ++host.deliveries_;
  const std::lock_guard lock(host.mutex_);
  if (host.first_update_at_ == 0) host.first_update_at_ = now;
  host.version_ = std::strtoull(ksr_snapshot_resource_version(snapshot, nullptr), nullptr, 10);
  // Waking the waiting thread at each delivery would cost as much as the delivery.
  if (host.version_ >= host.wanted_) host.changed_.notify_all();
}

void Host::on_error(ksr_stream*, const ksr_error* error, void* self) {
  ++static_cast<Host*>(self)->errors_;
  std::fprintf(stderr, "on_error: %s\n", ksr_error_message(error, nullptr));
}

void Host::wait_until(const std::function<bool()>& reached) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, std::chrono::minutes(5), reached))
    throw std::runtime_error("no delivery within 5 minutes");
}

void Host::wait_for_version(std::uint64_t version) {
  {
    const std::lock_guard lock(mutex_);
    wanted_ = version;
  }
  wait_until([&] { return version_ >= version; });
}

void Host::wait_for_first() {
  wait_until([&] { return first_update_at_ != 0; });
}

std::uint64_t Host::stat(const char* name) const {
  std::uint64_t value = 0;
  if (ksr_stat(stream_, name, &value) != KSR_OK) throw std::runtime_error(std::string("unknown statistic ") + name);
  return value;
}

std::uint64_t version_of(const ksr_object* object) {
  return std::strtoull(ksr_object_field(object, KSR_FIELD_RESOURCE_VERSION, nullptr), nullptr, 10);
}

std::uint64_t read_changes(const ksr_snapshot* snapshot) {
  std::uint64_t newest = 0;
  const std::size_t count = ksr_snapshot_delta_count(snapshot);
  for (std::size_t i = 0; i < count; ++i) {
    const ksr_object* object = nullptr;
    ksr_snapshot_delta_at(snapshot, i, &object);
    newest = std::max(newest, version_of(object));
  }
  return newest;
}

std::uint64_t version_sum(const ksr_snapshot* snapshot) {
  std::uint64_t sum = 0;
  const std::size_t count = ksr_snapshot_count(snapshot);
  for (std::size_t i = 0; i < count; ++i) sum += version_of(ksr_snapshot_at(snapshot, i));
  return sum;
}

}  // namespace ksr::bench
