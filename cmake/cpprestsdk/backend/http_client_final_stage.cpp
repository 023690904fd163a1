// The last stage of every http_client's pipeline, in place of cpprestsdk's Asio backend. ksr adds a stage of its own
// with http_client::add_handler that answers each request itself, so this one is never reached.
#include "stdafx.h"

#include "http/client/http_client_impl.h"

namespace web::http::client::details {
namespace {

constexpr const char* kReached = "the http_client has no handler that sends requests: add one with add_handler()";

class final_stage final : public _http_client_communicator {
 public:
  final_stage(http::uri&& address, http_client_config&& config)
      : _http_client_communicator(std::move(address), std::move(config)) {}

  pplx::task<http_response> propagate(http_request) override {
    return pplx::task_from_exception<http_response>(http_exception(kReached));
  }

 private:
  void send_request(const std::shared_ptr<request_context>& request) override {
    request->report_exception(http_exception(kReached));
  }
};

}  // namespace

std::shared_ptr<_http_client_communicator> create_platform_final_pipeline_stage(uri&& address,
                                                                                http_client_config&& config) {
  return std::make_shared<final_stage>(std::move(address), std::move(config));
}

}  // namespace web::http::client::details
