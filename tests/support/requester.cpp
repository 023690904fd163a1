#include "support/requester.hpp"

#include <poll.h>

#include <chrono>
#include <stdexcept>
#include "support/wait_limit.hpp"

namespace ksr::testing {
namespace {

std::string text(const char* data, std::size_t length) {
  return data == nullptr ? std::string() : std::string(data, length);
}

void must(ksr_status status, ksr_error* error) {
  if (status == KSR_OK) return;
  const std::string message = ksr_error_message(error, nullptr);
  ksr_error_free(error);
  throw std::runtime_error(std::string(ksr_status_name(status)) + ": " + message);
}

}  // namespace

Answer answer_of(const ksr_response* response, const ksr_error* error) {
  Answer answer;
  std::size_t length = 0;
  if (response != nullptr) {
    answer.http_status = ksr_response_http_status(response);
    const void* body = ksr_response_body(response, &length);
    answer.body = text(static_cast<const char*>(body), length);
    for (std::size_t i = 0; i < ksr_response_warning_count(response); ++i) {
      const char* warning = ksr_response_warning(response, i, &length);
      answer.warnings.push_back(text(warning, length));
    }
    return answer;
  }
  answer.status = ksr_error_code(error);
  answer.http_status = ksr_error_http_status(error);
  answer.message = ksr_error_message(error, nullptr);
  answer.reason = ksr_error_reason(error, nullptr);
  answer.details = ksr_error_details(error, nullptr);
  answer.maybe_done = ksr_error_maybe_done(error);
  return answer;
}

Answer answer_of(ksr_status status, const ksr_response* response, ksr_error* error) {
  Answer answer = answer_of(response, error);
  answer.status = status;
  ksr_response_release(response);
  ksr_error_free(error);
  return answer;
}

Params::Params(const Settings& settings, const std::string& body) {
  must(ksr_params_new(&params_), nullptr);
  for (const auto& [key, value] : settings) {
    ksr_error* error = nullptr;
    must(ksr_params_set(params_, key.c_str(), value.c_str(), &error), error);
  }
  if (!body.empty()) must(ksr_params_body(params_, body.data(), body.size(), nullptr), nullptr);
}

Requester::Requester(const Settings& settings) {
  ksr_config* config = nullptr;
  must(ksr_config_new(&config), nullptr);
  ksr_error* error = nullptr;
  ksr_status status = KSR_OK;
  for (const auto& [key, value] : settings) {
    if (status == KSR_OK) status = ksr_config_set(config, key.c_str(), value.c_str(), &error);
  }
  if (status == KSR_OK) status = ksr_client_open(config, nullptr, nullptr, &client_, &error);
  ksr_config_free(config);
  must(status, error);
}

Requester::~Requester() {
  ksr_client_close(client_);
}

Answer Requester::call(const Settings& params, const std::string& body) const {
  const Params held(params, body);
  const ksr_response* response = nullptr;
  ksr_error* error = nullptr;
  const ksr_status status = ksr_call(client_, held.get(), &response, &error);
  return answer_of(status, response, error);
}

std::uint64_t Requester::stat(const char* name) const {
  std::uint64_t value = 0;
  return ksr_client_stat(client_, name, &value) == KSR_OK ? value : ~std::uint64_t{0};
}

bool dispatch_until(ksr_client* client, const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + ksr::testing::kWaitLimit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    pollfd entry{ksr_client_fd(client), POLLIN, 0};
    poll(&entry, 1, 100);
    if (ksr_client_dispatch(client) < 0) return false;
  }
  return true;
}

}  // namespace ksr::testing
