#include "support/channel_user.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "support/wait_limit.hpp"

namespace ksr::testing {
namespace {

constexpr std::chrono::milliseconds kPollInterval{10};

ChannelEvent event_of(std::int32_t event, std::int32_t part, const ksr_error* error) {
  ChannelEvent seen{event, part, KSR_OK, 0, "", ksr_error_retry_ms(error)};
  if (error == nullptr) return seen;
  seen.status = ksr_error_code(error);
  seen.http_status = ksr_error_http_status(error);
  seen.message = ksr_error_message(error, nullptr);
  return seen;
}

bool is_list(const std::string& key) {
  return key == "command" || key == "subprotocol" || key.rfind("query.", 0) == 0;
}

}  // namespace

ChannelUser::~ChannelUser() {
  close();
}

ksr_status ChannelUser::open(ksr_client* client, const Settings& settings, Mode mode) {
  ksr_params* params = nullptr;
  ksr_status status = ksr_params_new(&params);
  ksr_error* error = nullptr;
  for (const auto& [key, value] : settings) {
    if (status != KSR_OK) break;
    status = is_list(key) ? ksr_params_add(params, key.c_str(), value.c_str(), &error)
                          : ksr_params_set(params, key.c_str(), value.c_str(), &error);
  }
  if (status == KSR_OK) {
    if (mode == Mode::push) ksr_params_on_data(params, on_data);
    ksr_params_on_event(params, on_event);
    // Callbacks may come before this returns; they find the channel in their arguments.
    status = ksr_channel_open(client, params, this, on_destroy, &channel_, &error);
    if (status != KSR_OK && destroyed_ != 1) violations_.push_back("destroy did not come once with a failed open");
  }
  ksr_params_free(params);
  if (error != nullptr) open_error_ = ksr_error_message(error, nullptr);
  ksr_error_free(error);
  return status;
}

ChannelEnd ChannelUser::wait() const {
  ChannelEnd end;
  int32_t exit_code = -12'345;
  ksr_error* error = nullptr;
  end.status = ksr_channel_wait(channel_, kWaitLimitMs, &exit_code, &error);
  if (exit_code != -12'345) end.exit_code = exit_code;
  if (error != nullptr) {
    end.http_status = ksr_error_http_status(error);
    end.maybe_done = ksr_error_maybe_done(error);
    end.message = ksr_error_message(error, nullptr);
    end.details = ksr_error_details(error, nullptr);
  }
  ksr_error_free(error);
  return end;
}

ksr_status ChannelUser::write_all(std::int32_t part, const std::string& bytes) const {
  for (std::size_t at = 0; at < bytes.size();) {
    std::size_t taken = 0;
    const ksr_status status =
        ksr_channel_write(channel_, part, bytes.data() + at, bytes.size() - at, kWaitLimitMs, &taken);
    if (status != KSR_OK) return status;
    at += taken;
  }
  return KSR_OK;
}

std::string ChannelUser::info(const char* name) const {
  std::string text(ksr_channel_info(channel_, name, nullptr, 0) + 64, '\0');
  const std::size_t size = ksr_channel_info(channel_, name, text.data(), text.size());
  text.resize(std::min(size, text.size() - 1));
  return text;
}

std::uint64_t ChannelUser::stat(const char* name) const {
  std::uint64_t value = 0;
  return ksr_channel_stat(channel_, name, &value) == KSR_OK ? value : ~std::uint64_t{0};
}

void ChannelUser::close() {
  ksr_channel* const closing = std::exchange(channel_, nullptr);
  if (closing == nullptr) return;
  const ksr_status status = ksr_channel_close(closing);
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  if (status != KSR_OK) violations_.push_back("close: " + std::string(ksr_status_name(status)));
  if (destroyed_ != 1) violations_.push_back("destroy did not come once");
}

bool ChannelUser::wait_until(const std::function<bool(const ChannelUser&)>& condition) const {
  const auto until = std::chrono::steady_clock::now() + kWaitLimit;
  std::unique_lock<std::recursive_mutex> lock(mutex_);
  while (!condition(*this)) {
    if (std::chrono::steady_clock::now() >= until) return false;
    // Statistics change without a callback.
    changed_.wait_for(lock, kPollInterval);
  }
  return true;
}

bool ChannelUser::wait_for_event(std::int32_t event) const {
  return wait_until([event](const ChannelUser& now) { return now.count(event) > 0; });
}

bool ChannelUser::wait_for_bytes(std::int32_t part, const std::string& bytes) const {
  return wait_until([&](const ChannelUser& now) { return now.bytes(part) == bytes; });
}

std::string ChannelUser::bytes(std::int32_t part) const {
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  const auto found = bytes_.find(part);
  return found == bytes_.end() ? std::string() : found->second;
}

std::vector<std::string> ChannelUser::pieces(std::int32_t part) const {
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  const auto found = pieces_.find(part);
  return found == pieces_.end() ? std::vector<std::string>() : found->second;
}

std::vector<ChannelEvent> ChannelUser::events() const {
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  return events_;
}

std::size_t ChannelUser::count(std::int32_t event) const {
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  std::size_t count = 0;
  for (const ChannelEvent& seen : events_) count += seen.event == event ? 1 : 0;
  return count;
}

std::vector<std::string> ChannelUser::violations() const {
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  return violations_;
}

void ChannelUser::begin_callback(const char* what) {
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  if (std::exchange(in_callback_, true)) violations_.push_back(std::string(what) + " within another callback");
  if (closed_event_) violations_.push_back(std::string(what) + " after KSR_EVENT_CLOSED");
  if (destroyed_ > 0) violations_.push_back(std::string(what) + " after destroy");
}

void ChannelUser::end_callback() {
  in_callback_ = false;
  changed_.notify_all();
}

std::size_t ChannelUser::on_data(ksr_channel* channel, std::int32_t part, const void* bytes, std::size_t len,
                                 void* self) {
  auto& user = *static_cast<ChannelUser*>(self);
  user.begin_callback("on_data");
  const std::string given(static_cast<const char*>(bytes), len);
  const std::size_t taken = user.taking ? std::min(user.taking(channel, part, given), len) : len;
  const std::lock_guard<std::recursive_mutex> lock(user.mutex_);
  if (taken > 0 || len == 0) user.pieces_[part].push_back(given.substr(0, taken));
  user.bytes_[part] += given.substr(0, taken);
  user.end_callback();
  return taken;
}

void ChannelUser::on_event(ksr_channel* channel, std::int32_t event, std::int32_t part, const ksr_error* error,
                           void* self) {
  auto& user = *static_cast<ChannelUser*>(self);
  user.begin_callback("on_event");
  const ChannelEvent seen = event_of(event, part, error);
  if (user.during_event) user.during_event(channel, seen);
  const std::lock_guard<std::recursive_mutex> lock(user.mutex_);
  if (event == KSR_EVENT_INTERRUPTED && error == nullptr) user.violations_.push_back("INTERRUPTED without an error");
  if (event == KSR_EVENT_CLOSED) user.closed_event_ = true;
  user.events_.push_back(seen);
  user.end_callback();
}

void ChannelUser::on_destroy(void* self) {
  auto& user = *static_cast<ChannelUser*>(self);
  const std::lock_guard<std::recursive_mutex> lock(user.mutex_);
  if (++user.destroyed_ > 1) user.violations_.push_back("destroy came again");
  user.changed_.notify_all();
}

}  // namespace ksr::testing
