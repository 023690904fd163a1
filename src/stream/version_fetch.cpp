#include "stream/version_fetch.hpp"

#include <algorithm>
#include <utility>

#include "cluster/bounded_json.hpp"

namespace ksr::stream {
namespace {

// The list does not wait longer for it: nothing depends on the answer but how many pages it has.
constexpr Milliseconds kVersionLimit{3'000};
constexpr std::size_t kMaxVersionSize = 64 << 10;

// apimachinery/pkg/version/types.go, Info.
ServerVersion version_of(const cluster::FetchedAnswer& answer) {
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

}  // namespace

VersionFetch::VersionFetch(Executor& executor, cluster::Access& access, Milliseconds request_timeout, Done done)
    : access_(access),
      limit_(request_timeout.count() > 0 ? std::min(request_timeout, kVersionLimit) : kVersionLimit),
      done_(std::move(done)) {
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
  transport::Request request;
  request.target = "/version";
  request.headers = auth->headers;
  request.headers.push_back({"Accept", "application/json"});
  request.response_timeout = limit_;
  request.idle_timeout = limit_;
  fetch_ = std::make_unique<cluster::HttpFetch>(
      auth->connection, std::move(request), access_.server() + "/version", kMaxVersionSize,
      [this](const Expected<cluster::FetchedAnswer>& answer) { guarded([&] { on_answer(answer); }); });
}

void VersionFetch::on_answer(const Expected<cluster::FetchedAnswer>& answer) {
  if (!answer) return finish(std::nullopt);
  access_.on_response_head(answer->head);
  // Credentials that have expired are the list's to renew.
  if (answer->head.status == 401) return finish(std::nullopt);
  finish(version_of(*answer));
}

void VersionFetch::finish(std::optional<ServerVersion> version) {
  // `done` may destroy this.
  if (const Done done = std::exchange(done_, nullptr)) done(std::move(version));
}

}  // namespace ksr::stream
