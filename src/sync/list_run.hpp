// `ListRun` collects one list, page by page or as a WatchList's initial events, and knows which resourceVersion the
// view has and how the next list is to be made; used by Reflector. Lives on the reflector's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/instant.hpp"
#include "json/item.hpp"
#include "json/list_reader.hpp"
#include "json/watch_reader.hpp"
#include "sync/effects.hpp"
#include "sync/failure.hpp"
#include "sync/pager.hpp"

namespace ksr::sync {

// The kind and apiVersion that all objects of a stream must have: those of the first one.
class ExpectedType {
 public:
  // Empty: `item` is of that type. The first item after forget() decides what it is.
  std::optional<Error> check(const json::Item& item);
  void forget() noexcept;

 private:
  std::string kind_;
  std::string api_version_;
};

class ListRun {
 public:
  // `shard`: the view is of that part of the objects.
  ListRun(Effects& effects, std::uint64_t max_bytes, const std::optional<Shard>& shard)
      : effects_(effects), max_bytes_(max_bytes), shard_(shard) {}

  // --- the view -----------------------------------------------------------------------------------------------------
  // A list was committed.
  bool synced() const noexcept { return synced_; }
  // The newest resourceVersion that the view has; empty before the first list.
  const std::string& version() const noexcept { return version_; }
  void advance_to(std::string_view version);
  // An event of a watch; where the view can be resumed it is as of its version then.
  store::Applied apply(json::EventType type, const json::Item& item);
  // A watch can be resumed from version(). Aggregated API servers may give no versions to lists or objects.
  bool resumable() const noexcept { return !version_.empty() && !unversioned_events_; }
  // It is, and of what two watches send at the same time it can be told what is newer: versions need not be numbers
  // before Kubernetes 1.35 (KEP-5504).
  bool comparable() const noexcept;
  // An event without a version was applied.
  void note_unversioned_event() noexcept { unversioned_events_ = true; }
  // An object that was received is part of the view.
  bool wants(const json::Item& item) noexcept;
  // The server divides: true: all pages of the newest list say so; false: others' objects have come since it began;
  // empty: nothing tells, as of partial metadata, whose lists have no shardInfo (apiserver
  // pkg/endpoints/handlers/response.go, asPartialObjectMetadataList).
  std::optional<bool> shard_by_server() const noexcept { return shard_by_server_; }
  ExpectedType& expected_type() noexcept { return expected_type_; }

  // --- a list by requests -------------------------------------------------------------------------------------------
  void begin(std::size_t candidate, std::size_t page_size, Instant now);
  // `protobuf`: the answer may be.
  void request_page(RequestId id, bool protobuf);
  bool is_running(RequestId id) const noexcept { return id != 0 && id == id_; }
  // What has come is more than fits: the list is to be given up.
  bool too_large() const noexcept { return bytes_ > max_bytes_; }
  Error too_large_error() const;
  void add(const json::Item& item);
  // The page is complete. `broken`: error() says why.
  Pager::Step end_page(const json::ListMeta& meta);
  const Error& error() const noexcept { return error_; }
  // The request has failed.
  void end_request() noexcept { id_ = 0; }
  RequestContext context() const;
  // The continue token expired: true: begins again, all in one page; false: that was done already.
  bool restart_in_one_page(Instant now);
  // After its last page.
  const std::string& listed_version() const noexcept { return pager_.version(); }
  bool at_version() const noexcept { return pager_.at_version(); }
  // When it was requested: the view it makes is as of then.
  Instant started() const noexcept { return started_; }

  // --- a WatchList's initial events ---------------------------------------------------------------------------------
  void begin_initial_events() { begin_staging(); }
  void add_initial(json::EventType type, const json::Item& item);

  // --- how it ends --------------------------------------------------------------------------------------------------
  // False: its version is older than the view's, or missing where the view has one. `at_version`: it was asked for as
  // "not older than". A server that was restored from a backup does go back, for good; an inconsistent one, or a stale
  // cache, must not take the view along. So the third list in a row that goes back is accepted.
  bool accepts_version(std::string_view version, bool at_version);
  // True: the view has changed.
  bool commit_pages();
  bool commit_initial(std::string_view version, bool at_version);
  void abandon();
  void stop_request();

  // --- the next list ------------------------------------------------------------------------------------------------
  // Its resourceVersion: not older than what was seen, so that the view never goes back (client-go reflector.go,
  // relistResourceVersion); empty: the most recent state.
  std::string next_version() const { return most_recent_next_ ? std::string() : version_; }
  bool watchlist_allowed() const noexcept { return !without_watchlist_next_; }
  void use_most_recent_next() noexcept { most_recent_next_ = true; }
  // It is of another name of the resource.
  void use_other_name_next() noexcept {
    expected_type_.forget();
    most_recent_next_ = true;
  }
  void avoid_watchlist_next() noexcept { without_watchlist_next_ = true; }
  // A watch from the view's version is refused as expired. If the list was at that version, the next is at the most
  // recent.
  void note_expired() noexcept { most_recent_next_ = listed_at_version_; }
  // A watch from the view's version works.
  void note_healthy() noexcept { listed_at_version_ = false; }

 private:
  static constexpr int kMaxListsRefused = 3;

  // It is older than the view's, or missing where the view has one.
  bool goes_back(std::string_view version) const;
  void begin_staging();
  bool commit(std::string_view version, bool at_version);

  Effects& effects_;
  const std::uint64_t max_bytes_;
  const std::optional<Shard> shard_;
  std::optional<bool> shard_by_server_;
  bool pages_are_of_shard_ = false;
  // JSON received since the list began, repeated objects included.
  std::uint64_t bytes_ = 0;
  RequestId id_ = 0;
  bool protobuf_ = false;
  Pager pager_;
  bool staging_ = false;
  Instant started_{};
  std::optional<Error> bad_item_;
  Error error_;
  std::string kind_of_pages_;

  bool synced_ = false;
  std::string version_;
  ExpectedType expected_type_;
  bool unversioned_events_ = false;
  bool listed_at_version_ = false;
  int gone_back_in_a_row_ = 0;

  bool most_recent_next_ = false;
  bool without_watchlist_next_ = false;
};

}  // namespace ksr::sync
