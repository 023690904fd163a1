#include "sync/pager.hpp"

#include <utility>

#include "sync/failure.hpp"

namespace ksr::sync {

// The token holds the version of the first page; servers refuse a resourceVersion in addition.
ListRequest following_page(ListRequest request, std::string_view continue_token) {
  request.continue_token = continue_token;
  request.resource_version.clear();
  request.resource_version_match.clear();
  return request;
}

void Pager::begin(std::size_t candidate, std::size_t page_size, const std::string& resource_version) {
  first_ = ListRequest();
  first_.candidate = candidate;
  first_.limit = resource_version.empty() ? page_size : 0;
  first_.resource_version = resource_version;
  if (!resource_version.empty()) first_.resource_version_match = "NotOlderThan";
  request_ = first_;
  page_uid_.clear();
  pages_ = {};
}

void Pager::note_item(const json::Item& item) {
  if (page_uid_.empty()) page_uid_ = item.uid;
}

Pager::Step Pager::end_page(const json::ListMeta& meta) {
  if (pages_.is_at_first()) version_ = meta.resource_version;
  const Expected<void> checked = pages_.add(meta.continue_token, page_uid_.empty(), page_uid_);
  if (meta.continue_token.empty()) return Step::done;
  if (const Error* error = checked.if_error()) {
    error_ = detected_error(error->status, error->message);
    return Step::broken;
  }
  page_uid_.clear();
  request_ = following_page(std::move(request_), meta.continue_token);
  return Step::next_page;
}

bool Pager::restart_in_one_page() {
  if (first_.limit == 0) return false;
  const ListRequest first = std::exchange(first_, {});
  begin(first.candidate, 0, first.resource_version);
  return true;
}

}  // namespace ksr::sync
