// `ListReader` finds the items of a list in protobuf in its bytes as they arrive, as json::ListReader does in JSON: one
// item at a time, never the whole list; used by stream::ListCall. Lives on the thread that feeds it.
#pragma once

#include <memory>
#include <string_view>

#include "base/expected.hpp"
#include "json/list_reader.hpp"
#include "protobuf/schema.hpp"

namespace ksr::protobuf {

// After an error it stays in error. Status::unsupported: the server knows fields or types that the schema does not, and
// the same has to be asked for in JSON.
class ListReader {
 public:
  ListReader(const json::ReaderOptions& options, json::ListObserver& observer,
             const Schema& schema = built_in_schema());
  ~ListReader();
  ListReader(ListReader&&) noexcept;
  ListReader& operator=(ListReader&&) noexcept;

  // Any split of the bytes gives the same items. Errors name what and where (item number, byte offset, field).
  Expected<void> feed(std::string_view bytes);
  // The body has ended: the list's own metadata, or why it was no whole list.
  Expected<json::ListMeta> finish();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ksr::protobuf
