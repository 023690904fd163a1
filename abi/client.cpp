#include "client/client.hpp"

#include <memory>

#include "abi/client_callbacks.hpp"
#include "abi/guard.hpp"

using ksr::Error;
using ksr::Expected;
using ksr::Status;
using ksr::abi::guard;
using ksr::abi::guard_value;
using ksr::abi::invalid;
using ksr::abi::number_of;
using ksr::client::Client;
using ksr::client::ClientRegistry;

namespace {

std::shared_ptr<Client> find(const ksr_client* client) {
  return ClientRegistry::instance().find(number_of(client));
}

}  // namespace

extern "C" {

ksr_status ksr_client_open(const ksr_config* config, void* user_data, ksr_destroy_fn destroy, ksr_client** out,
                           ksr_error** err) {
  // Whatever fails below, the host's destroy runs once: here, until ClientCallbacks has it.
  ksr::abi::DestroyOnce destroy_once(user_data, destroy);
  return guard(err, [&]() -> Expected<void> {
    if (config == nullptr) return invalid("ksr_client_open: config is NULL");
    if (out == nullptr) return invalid("ksr_client_open: out is NULL");
    auto host = std::make_unique<ksr::abi::ClientCallbacks>(config->callbacks.on_log, user_data, destroy);
    destroy_once.release();
    const ksr::Handle number = ClientRegistry::instance().reserve();
    const ksr::client::ClientOptions options{config->config.connection, config->config.delivery,
                                             config->config.reader.max_object_size};
    if (Expected<void> opened = ksr::client::open_client(number, options, std::move(host)); !opened) return opened;
    *out = ksr::abi::client_handle(number);
    return {};
  });
}

ksr_status ksr_client_stream(ksr_client* client, const ksr_config* query, void* user_data, ksr_destroy_fn destroy,
                             ksr_stream** out, ksr_error** err) {
  // As in ksr_open.
  ksr::abi::DestroyOnce destroy_once(user_data, destroy);
  return guard(err, [&]() -> Expected<void> {
    if (query == nullptr) return invalid("ksr_client_stream: query is NULL");
    if (out == nullptr) return invalid("ksr_client_stream: out is NULL");
    const auto found = find(client);
    if (!found) return invalid("ksr_client_stream: the client is closed");
    const ksr::Handle number = ksr::stream::StreamRegistry::instance().reserve();
    ksr_stream* const stream = ksr::abi::stream_handle(number);
    auto host = std::make_unique<ksr::abi::HostCallbacks>(query->callbacks, stream, user_data, destroy);
    destroy_once.release();
    if (Expected<void> opened = found->open_stream(number, query->config, std::move(host)); !opened) return opened;
    *out = stream;
    return {};
  });
}

void ksr_client_cancel(ksr_client* client) {
  guard(nullptr, [&]() -> Expected<void> {
    if (const auto found = find(client)) found->cancel();
    return {};
  });
}

ksr_status ksr_client_close(ksr_client* client) {
  if (client == nullptr) return KSR_OK;
  return guard(nullptr, [&]() -> Expected<void> {
    const auto found = find(client);
    if (!found) return invalid("ksr_client_close: the client is closed");
    if (found->close() != Status::ok) {
      return Error{Status::would_deadlock,
                   "ksr_client_close: called inside a callback of the client; use ksr_client_close_async"};
    }
    ClientRegistry::instance().remove(number_of(client));
    return {};
  });
}

void ksr_client_close_async(ksr_client* client) {
  guard(nullptr, [&]() -> Expected<void> {
    const ksr::Handle number = number_of(client);
    if (const auto found = find(client)) found->close_async([number] { ClientRegistry::instance().remove(number); });
    return {};
  });
}

int ksr_client_fd(ksr_client* client) {
  return guard_value<int>(-1, -1, [&] {
    const auto found = find(client);
    return found ? found->fd() : -1;
  });
}

int64_t ksr_client_dispatch(ksr_client* client) {
  return guard_value<int64_t>(KSR_E_NOMEM, KSR_E_FORKED, [&]() -> int64_t {
    const auto found = find(client);
    return found ? found->dispatch() : int64_t{KSR_E_INVALID};
  });
}

ksr_status ksr_client_stat(ksr_client* client, const char* name, uint64_t* value) {
  return guard(nullptr, [&]() -> Expected<void> {
    if (name == nullptr || value == nullptr) return invalid("ksr_client_stat: name or value is NULL");
    const auto found = find(client);
    if (!found) return invalid("ksr_client_stat: the client is closed");
    const std::optional<std::uint64_t> statistic = found->statistic(name);
    if (!statistic) return Error{Status::unknown_key, "ksr_client_stat: no such statistic"};
    *value = *statistic;
    return {};
  });
}

}  // extern "C"
