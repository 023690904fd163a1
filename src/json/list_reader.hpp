// `ListReader` finds the items of a list in its bytes as they arrive, without ever holding the whole list; used by
// stream::ListCall. Lives on the thread that feeds it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/expected.hpp"
#include "json/item.hpp"

namespace ksr::json {

struct ReaderOptions {
  bool keep_managed_fields = false;
  // The largest single object, in bytes of JSON as received. Beyond it: Status::too_large.
  std::size_t max_object_size = std::size_t{64} << 20;
  // What the items of a list are where neither they nor its kind say so; from discovery, empty where it was not asked.
  std::string item_kind = {};
  // The deepest nesting of arrays and objects in an object. What is beyond it is skipped, and reported as
  // Status::too_large.
  std::size_t max_depth = 512;
};

struct ListMeta {
  std::string kind;
  std::string api_version;
  std::string resource_version;
  std::string continue_token;
  // metadata.shardInfo.selector: of what part of the resource the server has made the list (KEP-5866); empty: of all.
  std::string shard_selector;
};

class ListObserver {
 public:
  virtual ~ListObserver() = default;
  virtual void on_item(const Item& item) = 0;
  // One item was skipped, and the reader continues after it: it is nested too deep. The message names what and where.
  virtual void on_bad_item(const Error& error) = 0;
  // The list has another page. Before the items where the server sends its metadata first, as it does for all types but
  // custom ones.
  virtual void on_continue_token(std::string_view /*token*/) {}
};

// After an error it stays in error.
class ListReader {
 public:
  ListReader(const ReaderOptions& options, ListObserver& observer);
  ~ListReader();
  ListReader(ListReader&&) noexcept;
  ListReader& operator=(ListReader&&) noexcept;

  // Any split of the bytes gives the same items. Errors name what and where (item number, byte offset, field).
  Expected<void> feed(std::string_view bytes);
  // The body has ended: the list's own metadata, or why it was no whole list.
  Expected<ListMeta> finish();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ksr::json
