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
  first_uid_.clear();
  page_uid_.clear();
  pages_ = 0;
  empty_pages_ = 0;
}

void Pager::note_item(const json::Item& item) {
  if (page_uid_.empty()) page_uid_ = item.uid;
}

Pager::Step Pager::end_page(const json::ListMeta& meta) {
  if (++pages_ == 1) version_ = meta.resource_version;
  if (meta.continue_token.empty()) return Step::done;
  const std::string page = "page " + std::to_string(pages_) + " of the list";
  if (meta.continue_token == request_.continue_token) return broken(page + " has its own continue token");
  empty_pages_ = page_uid_.empty() ? empty_pages_ + 1 : 0;
  if (empty_pages_ > kMaxEmptyPages) {
    return broken(page + " is empty, like the " + std::to_string(kMaxEmptyPages) +
                  " pages before it, and has a continue token");
  }
  if (pages_ == 1) {
    first_uid_ = page_uid_;
  } else if (!page_uid_.empty() && page_uid_ == first_uid_) {
    return broken(page + " begins with the same object as the first page");
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

Pager::Step Pager::broken(std::string message) {
  error_ = detected_error(Status::protocol, std::move(message));
  return Step::broken;
}

}  // namespace ksr::sync
