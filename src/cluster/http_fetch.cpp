#include "cluster/http_fetch.hpp"

#include <chrono>
#include <utility>

#include "base/exception_error.hpp"
#include "cluster/refusal.hpp"

namespace ksr::cluster {

HttpFetch::HttpFetch(std::shared_ptr<transport::Connection> connection, transport::Request request,
                     const std::string& url, std::size_t max_size, Done done)
    : connection_(std::move(connection)),
      what_(request.method + " " + url),
      max_size_(max_size),
      done_(std::move(done)) {
  exchange_ = connection_->send(std::move(request), *this);
}

void HttpFetch::on_head(const transport::ResponseHead& head) {
  answer_.head = head;
}

void HttpFetch::on_body(std::string_view bytes) {
  if (bytes.size() <= max_size_ - answer_.body.size()) {
    answer_.body.append(bytes);
    return;
  }
  finish(Error{Status::too_large, what_ + ": the response is larger than " + std::to_string(max_size_) + " bytes"});
}

void HttpFetch::on_end(const std::optional<Error>& error) {
  // A refusal whose body broke off is still a refusal.
  if (error && answer_.head.status < 400) return finish(made_error([&] { return error->within(what_); }));
  finish(std::move(answer_));
}

void HttpFetch::finish(Expected<FetchedAnswer> outcome) {
  exchange_.reset();
  const auto done = std::exchange(done_, nullptr);
  if (done) done(std::move(outcome));
}

Error refusal_of(const FetchedAnswer& answer, const std::string& url) {
  return read_refusal(answer.head, answer.body, std::chrono::system_clock::now()).error.within("GET " + url);
}

}  // namespace ksr::cluster
