#include "stream/call.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/text.hpp"
#include "base/thread_check.hpp"
#include "cluster/query.hpp"
#include "cluster/refusal.hpp"

namespace ksr::stream {
namespace {

// How long the body of a refused handshake may take as a whole: another transport waits.
constexpr Milliseconds kMaxHandshakeRefusalTime{2'000};
constexpr std::size_t kMaxShownType = 100;

// A gateway answers with a page of its own, such as one to log in.
std::string foreign_type(const transport::ResponseHead& head) {
  const std::string& type = head.content_type;
  if (type.empty() || type.find("json") != std::string::npos || cluster::is_protobuf(type)) return {};
  return "; the answer is of type " + one_line(type, kMaxShownType);
}

}  // namespace

Call::Call(CallOwner& owner, sync::RequestId id, ErrorContext context)
    : owner_(owner), id_(id), context_(std::move(context)) {}

void Call::start(cluster::Access& access, transport::Request request, bool websocket) {
  KSR_ASSERT_ON_THREAD(owner_.executor());
  access_ = &access;
  websocket_ = websocket;
  const auto purpose = websocket ? cluster::Purpose::websocket : cluster::Purpose::request;
  pending_ = access.authenticate(
      purpose, [this, request = std::move(request), websocket](Expected<cluster::RequestAuth> auth) mutable {
        send(std::move(auth), std::move(request), websocket);
      });
}

void Call::send(Expected<cluster::RequestAuth> auth, transport::Request request, bool websocket) {
  KSR_ASSERT_ON_THREAD(owner_.executor());
  guarded([&] {
    if (!auth) return fail(auth.error());
    cluster::authorize(request, *auth);
    transport::Connection& connection = *auth->connection;
    exchange_ =
        websocket ? connection.open_websocket(std::move(request), *this) : connection.send(std::move(request), *this);
  });
}

void Call::take(cluster::Access& access, std::unique_ptr<PageAhead> page) {
  KSR_ASSERT_ON_THREAD(owner_.executor());
  access_ = &access;
  page->deliver_to(*this);
  exchange_ = std::move(page);
}

void Call::stop() {
  KSR_ASSERT_ON_THREAD(owner_.executor());
  stopped_ = true;
  pending_.cancel();
  exchange_.reset();
  refusal_timer_.reset();
}

void Call::on_head(const transport::ResponseHead& head) {
  KSR_ASSERT_ON_THREAD(owner_.executor());
  guarded([&] {
    head_ = head;
    access_->on_response_head(head);
    accepted_ = accepts(head.status);
    if (accepted_) return opened();
    // A gateway without WebSocket passes the handshake on as a plain request: its body is a watch, without an end. That
    // of a redirect says nothing.
    if (websocket_ && head.status < 400) return refuse();
    const Milliseconds limit = websocket_ ? kMaxHandshakeRefusalTime : transport::kMaxRefusalTime;
    refusal_timer_ = owner_.executor().schedule(now() + limit, [this] { guarded([this] { refuse(); }); });
  });
}

void Call::on_body(std::string_view bytes) {
  KSR_ASSERT_ON_THREAD(owner_.executor());
  owner_.count_bytes(bytes.size());
  guarded([&] {
    if (accepted_) return received(bytes);
    refusal_.append(bytes.substr(0, cluster::kMaxRefusalBody - std::min(refusal_.size(), cluster::kMaxRefusalBody)));
    if (refusal_.size() >= cluster::kMaxRefusalBody) refuse();
  });
}

void Call::on_message_end(transport::MessageType) {
  KSR_ASSERT_ON_THREAD(owner_.executor());
  guarded([&] {
    if (accepted_) message_ended();
  });
}

void Call::on_drained() {
  KSR_ASSERT_ON_THREAD(owner_.executor());
  guarded([&] { owner_.flush(); });
}

void Call::on_end(const std::optional<Error>& error) {
  KSR_ASSERT_ON_THREAD(owner_.executor());
  guarded([&] {
    // A refusal whose body is incomplete is still a refusal.
    if (head_.status != 0 && !accepted_) return refuse();
    if (error) return fail(*error);
    if (accepted_) return completed();
    fail(Error{Status::protocol, "the connection ended before a response came", "", 502});
  });
}

void Call::refuse() {
  const cluster::Refusal refusal = cluster::read_refusal(head_, refusal_, std::chrono::system_clock::now());
  fail(refusal.error, refusal.status);
}

void Call::fail(const Error& error, const std::optional<json::ApiStatus>& status) {
  if (!finish()) return;
  Error told = error;
  if (accepted_ && error.status == Status::protocol) told.message += foreign_type(head_);
  failed(told.within(context_), status);
}

bool Call::finish() {
  if (stopped_) return false;
  stop();
  owner_.retire(id_);
  return true;
}

}  // namespace ksr::stream
