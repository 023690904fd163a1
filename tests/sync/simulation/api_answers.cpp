// How the API servers answer lists and watches.
#include <algorithm>
#include <cstdlib>
#include <utility>

#include "simulation/api_server.hpp"
#include "simulation/client.hpp"
#include "support/errors.hpp"

namespace ksr::sync::testing {

using namespace std::chrono_literals;

namespace {

Revision parse(const std::string& version) {
  return std::strtoll(version.c_str(), nullptr, 10);
}

}  // namespace

void ApiServer::serve(Call& call) {
  if (call.gone) return;
  call.reached = world_.agenda.now() >= blackholed_until_;
  if (rejects(call) || call.drip == Drip::head) return;
  std::vector<std::size_t> up;
  for (std::size_t i = 0; i < replicas_.size(); ++i) {
    if (replicas_[i].up) up.push_back(i);
  }
  if (up.empty()) return fail(call, unreachable_error());
  call.replica = up[world_.random.below(up.size())];
  if (call.is_watch) {
    serve_watch(call);
  } else {
    serve_list(call);
  }
}

bool ApiServer::rejects(Call& call) {
  const Instant now = world_.agenda.now();
  const std::size_t candidate = call.is_watch ? call.watch.candidate : call.list.candidate;
  if (now < blackholed_until_) {
    call.blackholed = true;
  } else if (now < out_until_) {
    fail(call, unreachable_error());
  } else if (now < overloaded_until_) {
    const auto retry_after = world_.random.chance(0.5) ? std::optional(world_.random.between(1s, 10s)) : std::nullopt;
    refuse(call, world_.random.chance(0.5) ? 429 : 503, world_.random.chance(0.5) ? "TooManyRequests" : nullptr,
           retry_after);
  } else if (call.credentials < credentials_) {
    refuse(call, 401, "Unauthorized");
  } else if (now < forbidden_until_) {
    refuse(call, 403, "Forbidden");
  } else if (now < unknown_until_ || candidate != right_candidate_) {
    refuse(call, 404, nullptr);
  } else {
    return false;
  }
  return true;
}

// ---- lists --------------------------------------------------------------------------------------------------------

void ApiServer::serve_list(Call& call) {
  if (call.drip == Drip::body || call.list.continue_token.rfind("drip", 0) == 0) return drip_list(call);
  const bool first_page = call.list.continue_token.empty();
  if (first_page && list_fault_ != ListFault::none)
    return serve_fault(call, std::exchange(list_fault_, ListFault::none));
  if (call.list.continue_token.rfind("fault", 0) == 0) {
    return serve_fault(call, call.list.continue_token == "fault" ? ListFault::circle : ListFault::empty_pages);
  }
  if (!first_page) {
    const Revision revision = parse(call.list.continue_token);
    if (revision < world_.etcd.compacted()) return refuse(call, 410, "Expired");
    const std::size_t colon = call.list.continue_token.find(':');
    return serve_page(call, revision, static_cast<std::size_t>(parse(call.list.continue_token.substr(colon + 1))));
  }
  if (call.list.resource_version.empty()) return serve_page(call, world_.etcd.revision(), 0);
  const Revision known = replicas_[call.replica].revision;
  if (known >= parse(call.list.resource_version)) return serve_page(call, known, 0);
  // It waits 3 s for the revision (apiserver watch_cache.go).
  world_.agenda.after(3s, [this, &call] {
    if (!call.gone) refuse(call, 504, "Timeout", 1s);
  });
}

void ApiServer::serve_page(Call& call, Revision revision, std::size_t offset) {
  std::vector<std::size_t> items;
  for (const std::size_t change : world_.etcd.state_at(revision)) {
    if (change != Etcd::kNone) items.push_back(change);
  }
  const std::size_t limit = call.list.limit;
  const std::size_t end = limit == 0 ? items.size() : std::min(items.size(), offset + limit);
  json::ListMeta meta;
  meta.kind = world_.scenario.watch_cache ? "PodList" : "EventList";
  meta.resource_version = std::to_string(revision);
  if (end < items.size()) meta.continue_token = meta.resource_version + ':' + std::to_string(end);
  const bool breaks = !world_.quiet && world_.scenario.cuts > 0 && world_.random.chance(0.03);
  const std::size_t sent = breaks ? offset + world_.random.below(end - offset + 1) : end;
  items.resize(sent);
  const bool unknown = sends_unknown_protobuf(call);
  arrive_last(call, [this, &call, items = std::move(items), offset, meta, breaks, unknown](Reflector& reflector,
                                                                                           Instant now) mutable {
    if (unknown) items.resize(offset + (items.size() - offset) / 2);
    for (std::size_t i = offset; i < items.size(); ++i) {
      reflector.on_list_item(call.id, world_.etcd.log()[items[i]].object.item(), now);
    }
    if (unknown) return reflector.on_list_failed(call.id, unknown_protobuf_error(), std::nullopt, now);
    if (breaks) return reflector.on_list_failed(call.id, unreachable_error(), std::nullopt, now);
    call.client->note_success();
    // Not before: of a page that is lost the client has seen nothing.
    call.client->faults_in_a_row = 0;
    reflector.on_list_end(call.id, meta, now);
  });
}

// At most two in a row: the third list that goes back is accepted.
void ApiServer::serve_fault(Call& call, ListFault fault) {
  json::ListMeta meta;
  meta.kind = "PodList";
  meta.resource_version = std::to_string(world_.etcd.revision());
  std::vector<TestObject> items;
  switch (fault) {
    case ListFault::goes_back:
      if (call.client->version() <= 7 || ++call.client->faults_in_a_row > 2)
        return serve_page(call, world_.etcd.revision(), 0);
      meta.resource_version = "7";
      break;
    case ListFault::other_kind:
      items = {{"wrong-1", "wrong-1", "3", "Wrong"}, {"wrong-2", "wrong-2", "4", "Pod"}};
      break;
    case ListFault::empty_pages:
      meta.continue_token = "fault-" + std::to_string(++faults_served_);
      break;
    case ListFault::circle:
      meta.continue_token = "fault";
      break;
    case ListFault::no_version:
      if (call.client->version() == 0 || ++call.client->faults_in_a_row > 2)
        return serve_page(call, world_.etcd.revision(), 0);
      meta.resource_version.clear();
      break;
    case ListFault::none:
      break;
  }
  arrive_last(call, [&call, items, meta](Reflector& reflector, Instant now) {
    for (const TestObject& item : items) reflector.on_list_item(call.id, item.item(), now);
    reflector.on_list_end(call.id, meta, now);
  });
}

// ---- watches ------------------------------------------------------------------------------------------------------

void ApiServer::serve_watch(Call& call) {
  if (stops_at_gateway(call)) return;
  if (call.watch.send_initial_events) return serve_watchlist(call);
  serve_plain_watch(call);
}

bool ApiServer::stops_at_gateway(Call& call) {
  if (!call.watch.websocket) {
    call.blackholed = call.blackholed || gateway_ == Gateway::swallows_http;
    return gateway_ == Gateway::swallows_http;
  }
  switch (gateway_) {
    case Gateway::refuses_websocket:
      refuse(call, world_.scenario.refusal_code, nullptr);
      return true;
    case Gateway::cuts_handshakes:
      fail(call, unreachable_error());
      return true;
    case Gateway::swallows_handshakes:
      call.blackholed = true;
      return true;
    case Gateway::closes_websockets:
      open(call);
      if (world_.random.chance(0.5)) {
        end(call);
      } else {
        fail(call, unreachable_error());
      }
      return true;
    default:
      return false;
  }
}

void ApiServer::open(Call& call) {
  const Gateway mutes = call.watch.websocket ? Gateway::mutes_websockets : Gateway::mutes_http;
  const bool withholds = gateway_ == Gateway::withholds_http;
  if ((gateway_ == Gateway::buffers_http || withholds) && !call.watch.websocket) {
    call.head_held = true;
    call.withheld = withholds;
  } else {
    pass_head(call);
    call.withheld = gateway_ == Gateway::withholds_events && !call.watch.websocket;
  }
  call.muted = gateway_ == mutes;
  if (gateway_ != Gateway::cuts_all) return;
  world_.agenda.after(world_.scenario.connection_life, [this, &call] { cut(call); });
}

void ApiServer::pass_head(Call& call) {
  arrive(call, [&call](Reflector& reflector, Instant now) {
    call.answered = true;
    call.client->note_success();
    reflector.on_watch_open(call.id, now);
  });
}

void ApiServer::serve_watchlist(Call& call) {
  const Revision known = replicas_[call.replica].revision;
  const bool at_version = !call.watch.resource_version.empty();
  if (world_.scenario.watchlist == WatchListSupport::refused) return refuse(call, 422, "Invalid");
  if (at_version && known < parse(call.watch.resource_version)) return refuse(call, 504, "Timeout", 1s);
  open(call);
  if (world_.scenario.watchlist == WatchListSupport::fails_in_stream) return error_event(call, 500, "InternalError");
  // Events, or the bytes of one, of which the reflector sees nothing.
  if (call.drip == Drip::body && drip_random_.chance(0.5)) return;
  if (call.drip == Drip::body) return drip_initial_events(call);
  for (const std::size_t change : world_.etcd.state_at(known)) {
    if (change == Etcd::kNone) continue;
    arrive(call, [this, &call, change](Reflector& reflector, Instant now) {
      reflector.on_watch_event(call.id, json::EventType::added, world_.etcd.log()[change].object.item(), now);
    });
  }
  if (world_.scenario.watchlist == WatchListSupport::works) {
    call.initial_target = at_version ? known : world_.etcd.revision();
  }
  attach(call, known);
}

void ApiServer::serve_plain_watch(Call& call) {
  const Revision from = parse(call.watch.resource_version);
  const Replica& replica = replicas_[call.replica];
  if (watches_to_close_ > 0) {
    --watches_to_close_;
    open(call);
    return end(call);
  }
  if (!world_.scenario.watch_cache && from < world_.etcd.compacted()) {
    open(call);
    return end(call);
  }
  if (world_.scenario.watch_cache && from < replica.window_start) {
    if (world_.random.chance(world_.scenario.gone_by_status))
      return refuse(call, 410, world_.random.chance(0.5) ? "Expired" : nullptr);
    open(call);
    return error_event(call, world_.random.chance(0.8) ? 410 : 0, world_.random.chance(0.8) ? "Expired" : "Gone");
  }
  open(call);
  // The bytes of an event; or all there is, and no end.
  if (call.drip == Drip::body && drip_random_.chance(0.5)) return;
  attach(call, from);
}

void ApiServer::serve_probe(Call& call) {
  const Instant now = world_.agenda.now();
  if (now < blackholed_until_) {
    call.blackholed = true;
    return;
  }
  if (now < out_until_) return fail(call, unreachable_error());
  if (now < forbidden_until_ || call.credentials < credentials_) return refuse(call, 403, "Forbidden");
  if (stops_at_gateway(call)) return;
  open(call);
  for (const std::size_t change : world_.etcd.state_at(world_.etcd.revision())) {
    if (change == Etcd::kNone || world_.etcd.log()[change].object.name != call.watch.name) continue;
    arrive(call, [this, &call, change](Reflector& reflector, Instant at) {
      reflector.on_watch_event(call.id, json::EventType::added, world_.etcd.log()[change].object.item(), at);
    });
  }
  world_.agenda.after(call.watch.timeout, [this, &call] {
    if (!call.closed && !call.gone) end(call);
  });
}

void ApiServer::attach(Call& call, Revision from) {
  call.attached = true;
  call.cursor = from;
  send_changes(call, replicas_[call.replica].revision);
  schedule_bookmark(call);
  world_.agenda.after(call.watch.timeout, [this, &call] {
    if (!call.closed && !call.gone && call.drip != Drip::body) end(call);
  });
  if (call.watch.websocket && world_.scenario.pings) {
    // As the transport does: a ping every 30 s, and the connection fails 15 s later.
    world_.agenda.after(45s, [this, &call] { schedule_ping(call); });
  }
}

void ApiServer::schedule_ping(Call& call) {
  if (call.gone) return;
  if (call.blackholed || call.muted) return fail_now(call, unreachable_error());
  world_.agenda.after(45s, [this, &call] { schedule_ping(call); });
}

void ApiServer::schedule_bookmark(Call& call) {
  if (!world_.scenario.bookmarks) return;
  world_.agenda.after(world_.random.between(55s, 65s), [this, &call] {
    if (call.closed || call.gone) return;
    if (call.initial_target == 0) send_bookmark(call);
    schedule_bookmark(call);
  });
}

void ApiServer::send_changes(Call& call, Revision up_to) {
  for (std::size_t next = world_.etcd.first_after(call.cursor); next < world_.etcd.log().size(); ++next) {
    if (world_.etcd.log()[next].revision > up_to) break;
    send_change(call, next);
  }
  call.cursor = std::max(call.cursor, up_to);
  if (call.initial_target == 0 || up_to < call.initial_target) return;
  call.initial_target = 0;
  arrive(call, [&call, version = std::to_string(up_to)](Reflector& reflector, Instant now) {
    reflector.on_watch_bookmark(call.id, version, true, now);
  });
}

// The client has lost its place in the response, and has not seen the event.
bool ApiServer::sends_unknown_protobuf(const Call& call) {
  const bool protobuf = call.is_watch ? call.watch.protobuf : call.list.protobuf;
  return protobuf && !world_.quiet && world_.scenario.unknown_protobuf > 0 &&
         world_.random.chance(world_.scenario.unknown_protobuf);
}

void ApiServer::send_change(Call& call, std::size_t change) {
  if (call.closed) return;
  if (sends_unknown_protobuf(call)) return fail(call, unknown_protobuf_error());
  if (std::exchange(call.corrupt_next, false))
    return world_.random.chance(0.5) ? send_bad_event(call) : send_garbage(call);
  arrive(call, [this, &call, change](Reflector& reflector, Instant now) {
    const Change& sent = world_.etcd.log()[change];
    reflector.on_watch_event(call.id, sent.type, sent.object.item(), now);
  });
}

void ApiServer::send_bookmark(Call& call) {
  const Revision known = replicas_[call.replica].revision;
  if (known < call.cursor) return;
  arrive(call, [&call, version = std::to_string(known)](Reflector& reflector, Instant now) {
    reflector.on_watch_bookmark(call.id, version, false, now);
  });
}

}  // namespace ksr::sync::testing
