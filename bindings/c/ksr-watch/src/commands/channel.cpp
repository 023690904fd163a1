#include "commands/channel.hpp"

namespace ksr::commands {
namespace {

struct FreeParams {
  void operator()(ksr_params* params) const { ksr_params_free(params); }
};

std::size_t on_data(ksr_channel*, std::int32_t part, const void* bytes, std::size_t size, void* host) {
  return static_cast<ChannelHost*>(host)->take(part, {static_cast<const char*>(bytes), size});
}

void on_event(ksr_channel*, std::int32_t kind, std::int32_t part, const ksr_error* error, void* host) {
  ChannelEvent event;
  event.kind = kind;
  event.part = part;
  if (error != nullptr) {
    event.failure = failure_of(ksr_error_code(error), error);
    event.retry_ms = ksr_error_retry_ms(error);
  }
  static_cast<ChannelHost*>(host)->on_event(event);
}

Error error_of(ksr_status status, ksr_error* error) {
  const std::string message = failure_of(status, error).message;
  ksr_error_free(error);
  return {Status::invalid, message};
}

}  // namespace

Expected<Channel> Channel::open(Client& client, const ChannelKeys& keys, ChannelHost& host) {
  ksr_params* params = nullptr;
  if (const ksr_status status = ksr_params_new(&params); status != KSR_OK) return error_of(status, nullptr);
  const std::unique_ptr<ksr_params, FreeParams> owned(params);
  ksr_error* error = nullptr;
  ChannelKeys all = keys;
  all.insert(all.end(), client.channel_keys().begin(), client.channel_keys().end());
  for (const auto& [key, value] : all) {
    const bool is_list = key == "command";
    const ksr_status status = is_list ? ksr_params_add(params, key.c_str(), value.c_str(), &error)
                                      : ksr_params_set(params, key.c_str(), value.c_str(), &error);
    if (status != KSR_OK) return error_of(status, error);
  }
  ksr_params_on_data(params, on_data);
  ksr_params_on_event(params, on_event);
  ksr_channel* channel = nullptr;
  const ksr_status status = ksr_channel_open(client.handle(), params, &host, nullptr, &channel, &error);
  if (status != KSR_OK) return error_of(status, error);
  return Channel(channel);
}

std::size_t Channel::write(std::string_view bytes) {
  std::size_t taken = 0;
  const ksr_status status = ksr_channel_write(channel_.get(), KSR_PART_DATA, bytes.data(), bytes.size(), 0, &taken);
  if (status == KSR_OK) return taken;
  // Its end is told by an event; where that is KSR_E_TIMEOUT too, the bytes stay here until then.
  return status == KSR_E_TIMEOUT ? 0 : bytes.size();
}

bool Channel::finish() {
  return ksr_channel_finish(channel_.get(), KSR_PART_DATA) != KSR_E_UNSUPPORTED;
}

std::int64_t Channel::queued_bytes() const {
  std::uint64_t bytes = 0;
  ksr_channel_stat(channel_.get(), "queued_bytes", &bytes);
  return static_cast<std::int64_t>(bytes);
}

std::string Channel::info(const char* name) const {
  std::string text(ksr_channel_info(channel_.get(), name, nullptr, 0), '\0');
  ksr_channel_info(channel_.get(), name, text.data(), text.size() + 1);
  return text;
}

std::optional<std::int32_t> Channel::exit_code() const {
  constexpr std::int32_t kNone = INT32_MIN;
  std::int32_t code = kNone;
  if (ksr_channel_wait(channel_.get(), 0, &code, nullptr) != KSR_OK || code == kNone) return std::nullopt;
  return code;
}

std::string retry_text(std::int64_t retry_ms) {
  if (retry_ms < 0) return "";
  if (retry_ms == 0) return "; trying again";
  std::string seconds = std::to_string(retry_ms / 1000);
  if (const std::int64_t tenths = retry_ms % 1000 / 100; tenths != 0) seconds += "." + std::to_string(tenths);
  return "; trying again in " + seconds + " s";
}

}  // namespace ksr::commands
