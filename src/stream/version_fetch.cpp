#include "stream/version_fetch.hpp"

#include <algorithm>
#include <utility>

#include "cluster/bounded_json.hpp"
#include "json/values.hpp"

namespace ksr::stream {
namespace {

// Nobody waits longer for it: all it decides is how many pages the first list has, or whether there is a list at once.
constexpr Milliseconds kVersionLimit{3'000};

}  // namespace

VersionFetch::VersionFetch(Executor& executor, cluster::Access& access, transport::Request request,
                           std::size_t max_size, Milliseconds request_timeout, Done done)
    : access_(access), request_(std::move(request)), max_size_(max_size), done_(std::move(done)) {
  const Milliseconds limit = request_timeout.count() > 0 ? std::min(request_timeout, kVersionLimit) : kVersionLimit;
  request_.response_timeout = limit;
  request_.idle_timeout = limit;
  timer_ = executor.schedule(executor.now() + kVersionLimit, [this] { finish(std::nullopt); });
  pending_ = access.authenticate(cluster::Purpose::request, [this](Expected<cluster::RequestAuth> auth) {
    guarded([&] { send(std::move(auth)); });
  });
}

template <class Step>
void VersionFetch::guarded(Step&& step) {
  try {
    step();
  } catch (...) {
    finish(std::nullopt);
  }
}

// The list says what is wrong with the credentials or the connection.
void VersionFetch::send(Expected<cluster::RequestAuth> auth) {
  if (!auth) return finish(std::nullopt);
  request_.headers.insert(request_.headers.begin(), auth->headers.begin(), auth->headers.end());
  const std::string url = access_.server() + request_.target;
  fetch_ = std::make_unique<cluster::HttpFetch>(
      auth->connection, std::move(request_), url, max_size_,
      [this](Expected<cluster::FetchedAnswer> answer) { guarded([&] { on_answer(std::move(answer)); }); });
}

void VersionFetch::on_answer(Expected<cluster::FetchedAnswer> answer) {
  if (!answer) return finish(std::nullopt);
  access_.on_response_head(answer->head);
  // Credentials that have expired are the list's to renew.
  if (answer->head.status == 401) return finish(std::nullopt);
  finish(std::move(answer).value());
}

void VersionFetch::finish(std::optional<cluster::FetchedAnswer> answer) {
  // `done` may destroy this.
  if (const Done done = std::exchange(done_, nullptr)) done(std::move(answer));
}

transport::Request server_version_request() {
  transport::Request request;
  request.target = "/version";
  request.headers.push_back({"Accept", "application/json"});
  return request;
}

// apimachinery/pkg/version/types.go, Info.
ServerVersion server_version_in(const cluster::FetchedAnswer& answer) {
  ServerVersion version;
  if (!transport::is_success(answer.head.status)) return version;
  const std::optional<boost::json::value> body = cluster::parse_bounded_json(answer.body);
  const boost::json::object* const info = body ? body->if_object() : nullptr;
  if (info == nullptr) return version;
  const auto text = [info](const char* name) {
    const boost::json::value* const member = info->if_contains(name);
    return member != nullptr && member->is_string() ? std::string(member->get_string()) : std::string();
  };
  version.major = text("major");
  version.minor = text("minor");
  return version;
}

std::string listed_version_in(const cluster::FetchedAnswer& answer) {
  if (!transport::is_success(answer.head.status)) return {};
  return json::text_at(answer.body, "/metadata/resourceVersion");
}

}  // namespace ksr::stream
