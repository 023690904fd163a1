#include "server/watch_feed.hpp"

namespace ksr::testserver {
namespace {

std::uint64_t asked_revision(const ApiRequest& request) {
  return parse_number(request.target.get_or_empty("resourceVersion")).value_or(0);
}

bool wants_initial_events(const ApiRequest& request) {
  return request.target.flag("sendInitialEvents");
}

}  // namespace

std::optional<ApiStatus> WatchFeed::refusal(const ApiRequest& request, const RevisionLog& log,
                                            const ServerOptions& options) {
  // Throws if a selector is invalid: now, before the response has begun.
  Scope::of(request);
  const std::string version = request.target.get_or_empty("resourceVersion");
  if (!version.empty() && !parse_number(version)) {
    ApiStatus status = status_of_code(500, "strconv.ParseUint: parsing \"" + version + "\": invalid syntax");
    return status;
  }
  if (wants_initial_events(request)) {
    if (!options.watch_list) {
      return invalid_list_options(
          "sendInitialEvents", "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled");
    }
    if (request.target.get_or_empty("resourceVersionMatch") != "NotOlderThan") {
      return invalid_list_options("resourceVersionMatch", "resourceVersionMatch is required with sendInitialEvents");
    }
  } else if (!request.target.get_or_empty("resourceVersionMatch").empty()) {
    return invalid_list_options("resourceVersionMatch", "resourceVersionMatch is forbidden for watch");
  }
  const std::uint64_t asked = asked_revision(request);
  if (asked > log.revision() && !options.future_watch_waits) return too_large(asked, log.revision());
  return std::nullopt;
}

WatchFeed::WatchFeed(const ApiRequest& request, const RevisionLog& log, EventSink& sink)
    : request_(request),
      log_(log),
      sink_(sink),
      scope_(Scope::of(request)),
      wants_bookmarks_(request.target.flag("allowWatchBookmarks")),
      metadata_only_(wants_metadata(request)) {}

void WatchFeed::begin() {
  const std::uint64_t asked = asked_revision(request_);
  if (asked == 0 || wants_initial_events(request_)) {
    send_state();
    if (wants_initial_events(request_) && wants_bookmarks_) bookmark(true);
    return;
  }
  sent_up_to_ = asked;
  if (asked >= log_.oldest(type())) return send_since(asked);
  if (!type().silently_stale) {
    const ApiStatus gone = too_old_watch(asked, log_.oldest(type()));
    sink_.send_event("{\"type\":\"ERROR\",\"object\":" + gone.body() + "}\n");
  }
  sink_.end_stream();
}

void WatchFeed::send_state() {
  sent_up_to_ = log_.revision();
  log_.collection(type()).visit(log_.revision(), "", [this](const ObjectPtr& object) {
    if (scope_.holds(*object)) send("ADDED", *object);
    return true;
  });
}

void WatchFeed::send_since(std::uint64_t revision) {
  for (const Change& change : log_.collection(type()).changes()) {
    if (change.revision > revision) send_change(change);
  }
}

void WatchFeed::on_change(const ResourceType& changed_type, const Change& change) {
  if (&changed_type == &type() && change.revision > sent_up_to_) send_change(change);
}

// An object that starts or stops matching is ADDED or DELETED (cacher: convertToWatchEvent).
void WatchFeed::send_change(const Change& change) {
  sent_up_to_ = change.revision;
  const bool was = change.previous && scope_.holds(*change.previous);
  const bool is = change.kind != ChangeKind::deleted && scope_.holds(*change.object);
  if (is) return send(was ? "MODIFIED" : "ADDED", *change.object);
  if (was)
    send("DELETED", *(change.kind == ChangeKind::deleted ? change.object
                                                         : at_revision(type(), *change.previous, change.revision)));
}

void WatchFeed::send(const char* event, const StoredObject& object) {
  if (over_) return;
  sink_.send_event(std::string("{\"type\":\"") + event +
                   "\",\"object\":" + (metadata_only_ ? metadata_only_text(object) : object.text) + "}\n");
}

void WatchFeed::bookmark(bool initial_events_end) {
  if (!wants_bookmarks_ || over_) return;
  std::string metadata = R"("metadata":{)";
  if (initial_events_end && type().custom) metadata += R"("annotations":{"k8s.io/initial-events-end":"true"},)";
  metadata += R"("resourceVersion":")" + std::to_string(log_.revision()) + "\"";
  if (initial_events_end && !type().custom) metadata += R"(,"annotations":{"k8s.io/initial-events-end":"true"})";
  metadata += "}";
  const std::string kind = R"("kind":")" + (metadata_only_ ? "PartialObjectMetadata" : type().kind) + "\",";
  const std::string version = R"("apiVersion":")" + (metadata_only_ ? "meta.k8s.io/v1" : type().api_version()) + "\",";
  const std::string object =
      type().custom ? version + kind + metadata : kind + version + metadata + (metadata_only_ ? "" : type().zero_body);
  sink_.send_event(R"({"type":"BOOKMARK","object":{)" + object + "}}\n");
}

std::optional<std::chrono::seconds> WatchFeed::timeout() const {
  const auto seconds = parse_number(request_.target.get_or_empty("timeoutSeconds"));
  if (!seconds || *seconds == 0) return std::nullopt;
  return std::chrono::seconds(static_cast<std::int64_t>(*seconds));
}

}  // namespace ksr::testserver
