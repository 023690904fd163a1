// `HttpFetch` is one request whose small response is kept whole; used by discovery, by channel and stream for small
// documents, before a WebSocket through a stateless Headlamp server, and for OIDC. Lives on the network thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/expected.hpp"
#include "transport/transport.hpp"

namespace ksr::cluster {

// How many times request_timeout a document may take as a whole.
inline constexpr int kWholeDocument = 4;

struct FetchedAnswer {
  transport::ResponseHead head;
  std::string body;
};

// Destroying it cancels.
class HttpFetch final : public transport::ExchangeObserver {
 public:
  using Done = std::function<void(Expected<FetchedAnswer>)>;
  // `url`: for messages. `done` gets a response of any status; an error is a failure of the connection or a body larger
  // than `max_size`. It may destroy the fetch.
  HttpFetch(std::shared_ptr<transport::Connection> connection, transport::Request request, const std::string& url,
            std::size_t max_size, Done done);

  void on_head(const transport::ResponseHead& head) override;
  void on_body(std::string_view bytes) override;
  void on_end(const std::optional<Error>& error) override;

 private:
  void finish(Expected<FetchedAnswer> outcome);

  std::shared_ptr<transport::Connection> connection_;
  // "GET https://10.0.0.1:6443/apis".
  std::string what_;
  std::size_t max_size_;
  Done done_;
  FetchedAnswer answer_;
  std::unique_ptr<transport::Exchange> exchange_;
};

// A response of another status than 200 as an error: "GET https://10.0.0.1:6443/apis: the server answered 403
// Forbidden: apis is forbidden".
Error refusal_of(const FetchedAnswer& answer, const std::string& url);

}  // namespace ksr::cluster
