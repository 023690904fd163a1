#include "sync/list_run.hpp"

#include <utility>

#include "base/resource_version.hpp"

namespace ksr::sync {

// ---- ExpectedType -------------------------------------------------------------------------------------------------

std::optional<Error> ExpectedType::check(const json::Item& item) {
  if (kind_.empty() && api_version_.empty()) {
    kind_ = item.kind;
    api_version_ = item.api_version;
    return std::nullopt;
  }
  if (item.kind == kind_ && item.api_version == api_version_) return std::nullopt;
  return detected_error(Status::protocol, "object " + shortened(item.name_space) + "/" + shortened(item.name) +
                                              " is a " + shortened(item.api_version) + " " + shortened(item.kind) +
                                              ", expected " + shortened(api_version_) + " " + shortened(kind_));
}

void ExpectedType::forget() noexcept {
  kind_.clear();
  api_version_.clear();
}

// ---- ListRun ------------------------------------------------------------------------------------------------------

void ListRun::advance_to(std::string_view version) {
  if (version.empty() || version == version_) return;
  std::string next(version);
  effects_.set_resource_version(version);
  version_.swap(next);
}

store::Applied ListRun::apply(json::EventType type, const json::Item& item) {
  // A list without a version is followed by a watch without one, and that by a list.
  const bool advances = resumable() && !item.resource_version.empty() && item.resource_version != version_;
  std::string next(advances ? item.resource_version : std::string_view());
  const store::Applied applied = effects_.apply(type, item, next);
  if (advances) version_.swap(next);
  return applied;
}

bool ListRun::comparable() const noexcept {
  return resumable() && compare_resource_versions(version_, version_).has_value();
}

bool ListRun::wants(const json::Item& item) noexcept {
  if (!shard_ || shard_->holds(item.uid)) return true;
  shard_by_server_ = false;
  return false;
}

void ListRun::begin_staging() {
  abandon();
  bad_item_.reset();
  if (!synced_) expected_type_.forget();
  bytes_ = 0;
  shard_by_server_.reset();
  effects_.begin_list();
  staging_ = true;
}

void ListRun::begin(std::size_t candidate, std::size_t page_size, Instant now) {
  pager_.begin(candidate, page_size, next_version());
  started_ = now;
  begin_staging();
}

void ListRun::request_page(RequestId id, bool protobuf) {
  id_ = id;
  ListRequest request = pager_.request();
  request.protobuf = protobuf_ = protobuf;
  effects_.start_list(id, request);
}

Error ListRun::too_large_error() const {
  return detected_error(Status::too_large, "the list is larger than max_view_bytes (" + std::to_string(max_bytes_) +
                                               " bytes) and was not taken");
}

void ListRun::add(const json::Item& item) {
  const bool wanted = wants(item);
  if (wanted) bytes_ += item.kept_size();
  if (bad_item_ || too_large()) return;
  bad_item_ = expected_type_.check(item);
  if (bad_item_) return;
  pager_.note_item(item);
  if (!wanted) return;
  effects_.stage(item);
}

Pager::Step ListRun::end_page(const json::ListMeta& meta) {
  id_ = 0;
  if (shard_) {
    const bool earlier = !pager_.continued() || pages_are_of_shard_;
    pages_are_of_shard_ = earlier && meta.shard_selector == shard_->selector();
  }
  if (bad_item_) {
    // The expectation may have been wrong: the next list decides.
    expected_type_.forget();
    error_ = bad_item_->within("the list");
    return Pager::Step::broken;
  }
  // Else a page of another type without items would end the list as a whole one.
  if (pager_.continued() && !meta.kind.empty() && !kind_of_pages_.empty() && meta.kind != kind_of_pages_) {
    error_ = detected_error(Status::protocol, "the list: a page is a " + shortened(meta.kind) + ", expected a " +
                                                  shortened(kind_of_pages_) + " as before");
    return Pager::Step::broken;
  }
  kind_of_pages_ = meta.kind;
  const Pager::Step step = pager_.end_page(meta);
  if (step == Pager::Step::broken) error_ = pager_.error();
  // One that breaks off later has not gone back.
  if (step == Pager::Step::next_page && !goes_back(pager_.version())) gone_back_in_a_row_ = 0;
  return step;
}

RequestContext ListRun::context() const {
  RequestContext context;
  context.what = RequestContext::What::list;
  context.at_version = pager_.at_version();
  context.continued = pager_.continued();
  context.protobuf = protobuf_;
  return context;
}

bool ListRun::restart_in_one_page(Instant now) {
  if (!pager_.restart_in_one_page()) return false;
  started_ = now;
  begin_staging();
  return true;
}

// Deletions can come in between when the server's cache lags behind etcd (cacher.go: the initial events are those of
// the cache, the bookmark waits for etcd).
void ListRun::add_initial(json::EventType type, const json::Item& item) {
  if (!wants(item)) return;
  bytes_ += item.kept_size();
  if (too_large()) return;
  if (type == json::EventType::deleted) {
    effects_.stage_deletion(item);
  } else {
    effects_.stage(item);
  }
}

bool ListRun::goes_back(std::string_view version) const {
  if (version.empty()) return !version_.empty();
  return compare_resource_versions(version, version_).value_or(0) < 0;
}

bool ListRun::accepts_version(std::string_view version, bool at_version) {
  if (!goes_back(version)) {
    gone_back_in_a_row_ = 0;
    return true;
  }
  most_recent_next_ = true;
  return !at_version && ++gone_back_in_a_row_ >= kMaxListsRefused;
}

bool ListRun::commit_pages() {
  if (pages_are_of_shard_ && !shard_by_server_) shard_by_server_ = true;
  return commit(pager_.version(), pager_.at_version());
}

bool ListRun::commit_initial(std::string_view version, bool at_version) {
  return commit(version, at_version);
}

bool ListRun::commit(std::string_view version, bool at_version) {
  std::string next(version);
  const bool went_back = goes_back(version);
  const std::size_t changed =
      effects_.commit_list(version, went_back ? store::Precedence::list_wins : store::Precedence::newer_wins);
  staging_ = false;
  gone_back_in_a_row_ = 0;
  listed_at_version_ = at_version;
  version_.swap(next);
  unversioned_events_ = false;
  synced_ = true;
  most_recent_next_ = false;
  without_watchlist_next_ = false;
  return changed > 0;
}

void ListRun::abandon() {
  if (std::exchange(staging_, false)) effects_.abandon_list();
}

void ListRun::stop_request() {
  if (id_ != 0) effects_.stop(std::exchange(id_, 0));
}

}  // namespace ksr::sync
