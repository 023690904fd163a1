// `Pager` makes the requests of one list, page by page (client-go tools/pager/pager.go); used by ListRun.
// Pure logic; lives on the reflector's thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/page_check.hpp"
#include "json/item.hpp"
#include "json/list_reader.hpp"
#include "sync/effects.hpp"

namespace ksr::sync {

// What the page is requested with that follows the one of `request`.
ListRequest following_page(ListRequest request, std::string_view continue_token);

class Pager {
 public:
  // `resource_version` empty: the most recent state. Else a state not older than it, in one page, because servers
  // before 1.34 answer only such a request from the watch cache (client-go reflector.go, list).
  void begin(std::size_t candidate, std::size_t page_size, const std::string& resource_version);

  const ListRequest& request() const noexcept { return request_; }
  bool at_version() const noexcept { return !first_.resource_version.empty(); }
  bool continued() const noexcept { return !request_.continue_token.empty(); }

  void note_item(const json::Item& item);

  enum class Step { done, next_page, broken };
  // The page is complete. `broken`: the list would not end; error() says why.
  Step end_page(const json::ListMeta& meta);
  const Error& error() const noexcept { return error_; }
  // The list's resourceVersion: that of the first page; empty where the server gives none. If later pages are newer,
  // the watch from here sends the changes.
  const std::string& version() const noexcept { return version_; }

  // The continue token expired: the whole list again, in one page, with the version first requested. False: that was
  // done already.
  bool restart_in_one_page();

 private:
  ListRequest first_;
  ListRequest request_;
  std::string version_;
  std::string page_uid_;
  PageCheck pages_;
  Error error_;
};

}  // namespace ksr::sync
