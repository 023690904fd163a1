// How the reflector lists.
#include <utility>

#include "base/resource_version.hpp"
#include "sync/reflector_impl.hpp"

namespace ksr::sync {
namespace {

constexpr int kMaxListsRefused = 3;

}  // namespace

bool Reflector::Impl::wants_watchlist() const {
  if (plain_list_next_) return false;
  switch (options_.initial) {
    case Initial::list:
      return false;
    case Initial::watchlist:
      return !server_state_->watchlist_refused(state_key());
    case Initial::automatic:
      return server_state_->watchlist_probable(state_key());
  }
  return false;
}

std::string Reflector::Impl::state_key() const {
  return options_.resource + '#' + std::to_string(candidates_.current());
}

// Not older than what was seen, so that the view never goes back (client-go reflector.go, relistResourceVersion).
std::string Reflector::Impl::list_version() const {
  return most_recent_next_ ? std::string() : version_;
}

void Reflector::Impl::begin_staging() {
  abandon_staging();
  bad_item_.reset();
  if (!synced_) expected_type_.forget();
  effects_.begin_list();
  staging_ = true;
}

void Reflector::Impl::abandon_staging() {
  deleted_meanwhile_.clear();
  if (std::exchange(staging_, false)) effects_.abandon_list();
}

void Reflector::Impl::open_list(Instant now) {
  phase_ = Phase::listing;
  set_state(State::listing);
  ++counters_.lists;
  if (synced_) ++counters_.relists;
  pager_.begin(candidates_.current(), options_.page_size, list_version());
  list_started_ = now;
  begin_staging();
  request_page();
}

void Reflector::Impl::request_page() {
  list_id_ = ++last_id_;
  effects_.start_list(list_id_, pager_.request());
}

void Reflector::Impl::on_list_item(RequestId id, const json::Item& item) {
  if (id == 0 || id != list_id_ || bad_item_) return;
  bad_item_ = expected_type_.check(item);
  if (bad_item_) return;
  pager_.note_item(item);
  effects_.stage(item);
}

void Reflector::Impl::on_list_end(RequestId id, const json::ListMeta& meta, Instant now) {
  if (id == 0 || id != list_id_) return;
  list_id_ = 0;
  if (bad_item_) {
    // What was learned may have been the mistake: the next list decides.
    expected_type_.forget();
    fail_list(bad_item_->within("the list"), RecoveryAction::retry, now);
  } else {
    switch (pager_.end_page(meta)) {
      case Pager::Step::next_page:
        request_page();
        break;
      case Pager::Step::broken:
        fail_list(pager_.error(), RecoveryAction::retry, now);
        break;
      case Pager::Step::done:
        if (!accept_version(pager_.version(), pager_.at_version(), now)) break;
        events_kind_ = meta.kind == "EventList";
        listed_at_version_ = pager_.at_version();
        commit(pager_.version(), list_started_, now);
        slot_->release();
        pursue(Aim::watch, now);
        break;
    }
  }
  arm();
}

void Reflector::Impl::on_list_failed(RequestId id, const Error& error, const std::optional<json::ApiStatus>& status,
                                     Instant now) {
  if (id == 0 || id != list_id_) return;
  list_id_ = 0;
  RequestContext asked;
  asked.what = RequestContext::What::list;
  asked.at_version = pager_.at_version();
  asked.continued = pager_.continued();
  fail_list(error, recovery_for(asked, error, status), now);
  arm();
}

void Reflector::Impl::fail_list(const Error& error, RecoveryAction action, Instant now) {
  if (action == RecoveryAction::list_in_one_page && pager_.restart_in_one_page()) {
    log(LogLevel::notice, "listing again in one page: " + error.message);
    list_started_ = now;
    begin_staging();
    return request_page();
  }
  abandon_staging();
  slot_->release();
  recover(error, action, now);
}

// A server that was restored from a backup does go back, for good; one that lies, or a stale cache, must not take the
// view along. So the third list in a row that goes back is believed.
bool Reflector::Impl::accept_version(std::string_view version, bool at_version, Instant now) {
  const std::optional<int> order = compare_resource_versions(version, version_);
  if (!order || *order >= 0) {
    lists_gone_back_ = 0;
    return true;
  }
  most_recent_next_ = true;
  if (!at_version && ++lists_gone_back_ >= kMaxListsRefused) return true;
  const Error error = found_error(Status::protocol, "the list's resourceVersion went back from " + version_ + " to " +
                                                        std::string(version.substr(0, 100)));
  if (watch_) {
    fail_watch(Line::running, error, RecoveryAction::retry_by_list, now);
  } else {
    fail_list(error, RecoveryAction::retry, now);
  }
  return false;
}

void Reflector::Impl::commit(std::string_view version, Instant as_of, Instant now) {
  staging_ = false;
  effects_.commit_list(version);
  version_ = version;
  synced_ = true;
  most_recent_next_ = false;
  plain_list_next_ = false;
  credentials_refreshed_ = false;
  unreachable_ = false;
  candidates_.note_found();
  server_state_->note_working_candidate(options_.resource, candidates_.current());
  server_state_->limiter().note_answer(now);
  for (const OwnedItem& item : std::exchange(deleted_meanwhile_, {})) {
    effects_.apply(json::EventType::deleted, item.view());
  }
  prove_fresh(as_of);
}

}  // namespace ksr::sync
