// `ItemReader` makes a json::Item of an object in protobuf; used by ListReader and WatchReader. Lives on the thread of
// its reader.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "json/item.hpp"
#include "json/item_builder.hpp"
#include "json/list_reader.hpp"
#include "protobuf/object_decoder.hpp"

namespace ksr::protobuf {

class ItemReader {
 public:
  ItemReader(const Schema& schema, const json::ReaderOptions& options);

  // Of the objects to come, which do not say so themselves.
  void set_type(const KindRow& row, std::string_view api_version, std::string_view kind);
  bool has_type(std::string_view api_version, std::string_view kind) const noexcept {
    return row_ != nullptr && kind == kind_ && api_version == api_version_;
  }

  // Why `raw` is no item, without where it is: `unsupported` when only JSON can tell what the object is, `too_large`,
  // `protocol`. The item's views are valid until the next call.
  std::optional<Error> read(std::string_view raw, json::Uid uid, json::Item& item);
  // The same of an object that need not be an item, such as a bookmark.
  std::optional<Error> decode(std::string_view raw);
  // The item that was decoded last; one that is too deep is without its text.
  std::optional<Error> read_decoded(json::Uid uid, json::Item& item);
  // Why the object decoded last is too_large: it is not its size.
  bool too_deep() const noexcept { return too_deep_; }
  // The object is not used any more: memory for a large one is freed.
  void release() noexcept { decoder_.release(); }
  std::string_view text() const noexcept { return decoder_.text(); }
  // Unescaped into `scratch` if need be; empty when it is not there.
  std::string_view noted(Role role, std::string& scratch) const;
  // "default/web-0", "web-0", or "" when the object decoded last has no name.
  std::string label() const;

 private:
  std::optional<Error> problem(json::Uid uid_is) const;
  void fill(json::Item& item);

  const Schema& schema_;
  const std::size_t max_object_size_;
  ObjectDecoder decoder_;
  bool too_deep_ = false;
  const KindRow* row_ = nullptr;
  std::string api_version_;
  std::string kind_;
  std::string prefix_;
  // Key fields that were written with escapes, and the uid of an object that has none.
  std::string unescaped_;
};

}  // namespace ksr::protobuf
