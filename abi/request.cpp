#include <memory>
#include <optional>
#include <utility>

#include "abi/client_callbacks.hpp"
#include "abi/guard.hpp"
#include "client/client.hpp"
#include "stream/open.hpp"

using ksr::Error;
using ksr::Expected;
using ksr::Status;
using ksr::abi::guard;
using ksr::abi::invalid;
using ksr::abi::number_of;
using ksr::client::ClientRegistry;
using ksr::client::OpenRequest;
using ksr::client::RequestRegistry;
using ksr::request::ResponseRef;

namespace {

std::shared_ptr<OpenRequest> find(const ksr_request* request) {
  return RequestRegistry::instance().find(number_of(request));
}

Expected<void> give(Expected<ResponseRef> outcome, const ksr_response** out) {
  if (!outcome) return std::move(outcome).error();
  if (out != nullptr) *out = ksr::abi::handle(outcome->detach());
  return {};
}

}  // namespace

extern "C" {

ksr_status ksr_request_open(ksr_client* client, const ksr_params* params, void* user_data, ksr_destroy_fn destroy,
                            ksr_request** out, ksr_error** err) {
  // Whatever fails below, the host's destroy runs once: here, until RequestCallbacks has it.
  ksr::abi::DestroyOnce destroy_once(user_data, destroy);
  return guard(err, [&]() -> Expected<void> {
    if (params == nullptr) return invalid("ksr_request_open: params is NULL");
    if (out == nullptr) return invalid("ksr_request_open: out is NULL");
    const auto found = ClientRegistry::instance().find(number_of(client));
    if (!found) return invalid("ksr_request_open: the client is closed");
    const ksr::Handle number = RequestRegistry::instance().reserve();
    ksr_request* const request = ksr::abi::request_handle(number);
    auto host = std::make_unique<ksr::abi::RequestCallbacks>(params->on_response, request, user_data, destroy);
    destroy_once.release();
    const auto opened = found->open(number, params->params, std::move(host));
    if (!opened) return opened.error();
    *out = request;
    return {};
  });
}

ksr_status ksr_request_wait(ksr_request* request, int64_t timeout_ms, const ksr_response** out, ksr_error** err) {
  return guard(err, [&]() -> Expected<void> {
    const auto found = find(request);
    if (!found) return invalid("ksr_request_wait: the request is closed");
    auto outcome = found->request->wait(ksr::stream::timeout_from(timeout_ms));
    if (!outcome) return Error{Status::timeout, "ksr_request_wait: no answer within timeout_ms"};
    return give(*std::move(outcome), out);
  });
}

void ksr_request_cancel(ksr_request* request) {
  guard(nullptr, [&]() -> Expected<void> {
    if (const auto found = find(request)) found->request->cancel();
    return {};
  });
}

ksr_status ksr_request_close(ksr_request* request) {
  if (request == nullptr) return KSR_OK;
  return guard(nullptr, [&]() -> Expected<void> {
    const auto found = find(request);
    if (!found) return invalid("ksr_request_close: the request is closed");
    if (found->client->close_request(*found->request) == Status::ok) return {};
    return Error{Status::would_deadlock,
                 "ksr_request_close: called inside a callback of the client; use ksr_request_close_async"};
  });
}

void ksr_request_close_async(ksr_request* request) {
  guard(nullptr, [&]() -> Expected<void> {
    if (const auto found = find(request)) found->request->close_async();
    return {};
  });
}

ksr_status ksr_call(ksr_client* client, const ksr_params* params, const ksr_response** out, ksr_error** err) {
  return guard(err, [&]() -> Expected<void> {
    if (params == nullptr) return invalid("ksr_call: params is NULL");
    const auto found = ClientRegistry::instance().find(number_of(client));
    if (!found) return invalid("ksr_call: the client is closed");
    return give(found->call(params->params), out);
  });
}

}  // extern "C"
