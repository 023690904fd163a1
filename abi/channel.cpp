#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "abi/client_callbacks.hpp"
#include "abi/guard.hpp"
#include "client/client.hpp"
#include "stream/open.hpp"

using ksr::Error;
using ksr::Expected;
using ksr::Status;
using ksr::abi::guard;
using ksr::abi::guard_value;
using ksr::abi::invalid;
using ksr::abi::number_of;
using ksr::client::ChannelRegistry;
using ksr::client::ClientRegistry;
using ksr::client::OpenChannel;

namespace {

std::shared_ptr<OpenChannel> find(const ksr_channel* channel) {
  return ChannelRegistry::instance().find(number_of(channel));
}

// Runs `body` on an open channel.
template <class Body>
ksr_status with(ksr_channel* channel, ksr_error** err, const char* function, Body&& body) {
  return guard(err, [&]() -> Expected<void> {
    const auto found = find(channel);
    if (!found) return Error{Status::invalid, std::string(function) + ": the channel is closed"};
    Expected<void> outcome = body(*found->channel);
    // An error of the channel names it by itself.
    if (outcome || outcome.error().context) return outcome;
    return outcome.error().within(function);
  });
}

}  // namespace

extern "C" {

ksr_status ksr_channel_open(ksr_client* client, const ksr_params* params, void* user_data, ksr_destroy_fn destroy,
                            ksr_channel** out, ksr_error** err) {
  // Whatever fails below, the host's destroy runs once: here, until ChannelCallbacks has it.
  ksr::abi::DestroyOnce destroy_once(user_data, destroy);
  return guard(err, [&]() -> Expected<void> {
    if (params == nullptr) return invalid("ksr_channel_open: params is NULL");
    if (out == nullptr) return invalid("ksr_channel_open: out is NULL");
    const auto found = ClientRegistry::instance().find(number_of(client));
    if (!found) return invalid("ksr_channel_open: the client is closed");
    const ksr::Handle number = ChannelRegistry::instance().reserve();
    ksr_channel* const channel = ksr::abi::channel_handle(number);
    auto host = std::make_unique<ksr::abi::ChannelCallbacks>(*params, channel, user_data, destroy);
    destroy_once.release();
    Expected<void> opened = found->open_channel(number, params->params, std::move(host));
    if (!opened) return opened;
    *out = channel;
    return {};
  });
}

ksr_status ksr_channel_read(ksr_channel* channel, int32_t part, void* to, size_t size, int64_t timeout_ms,
                            size_t* got) {
  return with(channel, nullptr, "ksr_channel_read", [&](ksr::client::ChannelHandle& found) -> Expected<void> {
    if (got == nullptr || (to == nullptr && size > 0)) return invalid("to or got is NULL");
    std::size_t copied = 0;
    Expected<void> read = found.read(part, static_cast<char*>(to), size, ksr::stream::timeout_from(timeout_ms), copied);
    if (read || read.error().status == Status::too_large) *got = copied;
    return read;
  });
}

ksr_status ksr_channel_write(ksr_channel* channel, int32_t part, const void* bytes, size_t len, int64_t timeout_ms,
                             size_t* taken) {
  return with(channel, nullptr, "ksr_channel_write", [&](ksr::client::ChannelHandle& found) -> Expected<void> {
    if (taken == nullptr || (bytes == nullptr && len > 0)) return invalid("bytes or taken is NULL");
    const std::string_view given =
        len == 0 ? std::string_view() : std::string_view(static_cast<const char*>(bytes), len);
    std::size_t accepted = 0;
    Expected<void> written = found.write(part, given, ksr::stream::timeout_from(timeout_ms), accepted);
    if (written || written.error().status == Status::timeout) *taken = accepted;
    return written;
  });
}

ksr_status ksr_channel_finish(ksr_channel* channel, int32_t part) {
  return with(channel, nullptr, "ksr_channel_finish",
              [&](ksr::client::ChannelHandle& found) { return found.finish(part); });
}

ksr_status ksr_channel_resume(ksr_channel* channel, int32_t part) {
  return with(channel, nullptr, "ksr_channel_resume",
              [&](ksr::client::ChannelHandle& found) { return found.resume(part); });
}

ksr_status ksr_channel_resize(ksr_channel* channel, uint32_t columns, uint32_t rows) {
  return with(channel, nullptr, "ksr_channel_resize",
              [&](ksr::client::ChannelHandle& found) { return found.resize(columns, rows); });
}

ksr_status ksr_channel_wait(ksr_channel* channel, int64_t timeout_ms, int32_t* exit_code, ksr_error** err) {
  return with(channel, err, "ksr_channel_wait", [&](ksr::client::ChannelHandle& found) -> Expected<void> {
    const auto outcome = found.wait(ksr::stream::timeout_from(timeout_ms));
    if (!outcome) return Error{Status::timeout, "no end within timeout_ms"};
    if (!*outcome) return outcome->error();
    if (const std::optional<int>& code = **outcome; code && exit_code != nullptr) *exit_code = *code;
    return {};
  });
}

size_t ksr_channel_info(ksr_channel* channel, const char* name, char* to, size_t size) {
  return guard_value<size_t>(0, 0, [&]() -> size_t {
    const auto found = name == nullptr ? nullptr : find(channel);
    if (size > 0 && to != nullptr) *to = '\0';
    if (!found) return 0;
    const std::string text = found->channel->info(name);
    if (size == 0 || to == nullptr) return text.size();
    const std::size_t copied = std::min(text.size(), size - 1);
    std::memcpy(to, text.data(), copied);
    to[copied] = '\0';
    return text.size();
  });
}

ksr_status ksr_channel_stat(ksr_channel* channel, const char* name, uint64_t* value) {
  return with(channel, nullptr, "ksr_channel_stat", [&](ksr::client::ChannelHandle& found) -> Expected<void> {
    if (name == nullptr || value == nullptr) return invalid("name or value is NULL");
    const std::optional<std::uint64_t> statistic = found.statistic(name);
    if (!statistic) return Error{Status::unknown_key, "no such statistic"};
    *value = *statistic;
    return {};
  });
}

void ksr_channel_cancel(ksr_channel* channel) {
  guard(nullptr, [&]() -> Expected<void> {
    if (const auto found = find(channel)) found->channel->cancel();
    return {};
  });
}

ksr_status ksr_channel_close(ksr_channel* channel) {
  if (channel == nullptr) return KSR_OK;
  return guard(nullptr, [&]() -> Expected<void> {
    const auto found = find(channel);
    if (!found) return invalid("ksr_channel_close: the channel is closed");
    if (found->client->close_channel(*found->channel) == Status::ok) return {};
    return Error{Status::would_deadlock,
                 "ksr_channel_close: called inside a callback of the client; use ksr_channel_close_async"};
  });
}

void ksr_channel_close_async(ksr_channel* channel) {
  guard(nullptr, [&]() -> Expected<void> {
    if (const auto found = find(channel)) found->channel->close_async();
    return {};
  });
}

}  // extern "C"
