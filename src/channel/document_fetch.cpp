#include "channel/document_fetch.hpp"

#include <utility>

#include "cluster/refusal.hpp"

namespace ksr::channel {
namespace {

constexpr Milliseconds kTimeout{15'000};
// etcd's limit of an object is 1.5 MiB; managed fields and escapes may double it in JSON.
constexpr std::size_t kMaxDocument = std::size_t{4} << 20;

}  // namespace

DocumentFetch::DocumentFetch(std::shared_ptr<cluster::Access> access, std::string target,
                             std::vector<transport::Header> headers, const char* accept, Done done)
    : access_(std::move(access)),
      target_(std::move(target)),
      headers_(std::move(headers)),
      accept_(accept),
      done_(std::move(done)) {
  authenticate();
}

void DocumentFetch::authenticate() {
  pending_ = access_->authenticate(cluster::Purpose::request, [this](Expected<cluster::RequestAuth> auth) {
    answering_exceptions(done_, [&] { send(std::move(auth)); });
  });
}

void DocumentFetch::send(Expected<cluster::RequestAuth> auth) {
  if (!auth) return done_(std::move(auth).error());
  transport::Request request;
  request.target = target_;
  request.headers = headers_;
  cluster::add_headers(request, *auth);
  cluster::set_accept(request, accept_);
  request.response_timeout = kTimeout;
  request.idle_timeout = kTimeout;
  request.whole_timeout = kTimeout;
  request.accept_gzip = auth->compression;
  // A document is JSON; the line of a log that is read aside counts by the time with which it begins.
  request.cut_shows = true;
  fetch_ = std::make_unique<cluster::HttpFetch>(auth->connection, std::move(request), access_->server() + target_,
                                                kMaxDocument, [this](Expected<cluster::FetchedAnswer> answer) {
                                                  answering_exceptions(done_, [&] { answered(std::move(answer)); });
                                                });
}

void DocumentFetch::answered(Expected<cluster::FetchedAnswer> answer) {
  if (!answer) return done_(std::move(answer).error());
  access_->on_response_head(answer->head);
  if (answer->head.status == 401 && !std::exchange(renewed_, true)) {
    access_->reject_credentials();
    // The fetch that has ended is on the stack: authenticate() answers later.
    return authenticate();
  }
  if (!transport::is_success(answer->head.status)) {
    return done_(cluster::read_call_refusal(answer->head, answer->body, std::chrono::system_clock::now())
                     .error.within("GET " + access_->server() + target_));
  }
  done_(std::move(answer->body));
}

}  // namespace ksr::channel
