// Lists in protobuf: whatever comes, in pieces of any size the same items are found, the text of each is JSON, and
// json::ListReader reads the same from it.
#include "fuzz/protobuf/protobuf_case.hpp"
#include "protobuf/list_reader.hpp"
#include "unit/json/recorder.hpp"

namespace {

using ksr::fuzz::require;
using protobuf_fuzz::Case;

struct Found {
  ksr::json::testing::ListLog log;
  ksr::json::ListMeta meta;
  std::string error;
};

void read_list(const Case& given, const std::string& body, std::size_t piece, Found& found) {
  ksr::protobuf::ListReader reader(given.options, found.log);
  const auto fed = ksr::json::testing::feed_in_chunks(reader, body, piece);
  const auto meta = reader.finish();
  if (meta) found.meta = *meta;
  if (const ksr::Error* error = meta.if_error()) found.error = ksr::json::testing::describe(*error);
  if (const ksr::Error* error = fed.if_error()) {
    require(found.error == ksr::json::testing::describe(*error), "the error is another one at the end");
  }
}

void check_against_json(const Case& given, const Found& found) {
  std::string list = R"({"kind":"List","apiVersion":"v1","metadata":{},"items":[)";
  for (const std::string& text : found.log.texts) {
    require(text.size() <= given.options.max_object_size, "an item is larger than max_object_size");
    list += (list.back() == '[' ? "" : ",") + text;
  }
  ksr::json::ReaderOptions options;
  options.keep_managed_fields = true;
  const auto read = ksr::json::testing::read_list(list + "]}", options);
  require(read.error.empty(), "the items are no JSON: " + read.error);
  require(read.lines == found.log.items, "json::ListReader finds other items");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ksr::protobuf;
  const Case given = protobuf_fuzz::read_case(data, size);
  std::string body = given.bytes;
  if (given.wrapped) {
    // The object alone, as the only item; or all fields of the list.
    const std::string kind = given.kind.kind + (given.kind.kind.find("List") == std::string::npos ? "List" : "");
    body =
        enveloped(given.kind.api_version, kind, given.odd ? given.bytes : list_meta("1") + bytes_field(2, given.bytes));
  }
  Found whole;
  read_list(given, body, body.size() + 1, whole);
  Found pieces;
  read_list(given, body, given.piece, pieces);
  require(whole.log.lines == pieces.log.lines, "the items depend on the split");
  require(whole.error == pieces.error, "the error depends on the split: " + whole.error + " / " + pieces.error);
  require(whole.meta.resource_version == pieces.meta.resource_version, "the version depends on the split");
  check_against_json(given, whole);
  return 0;
}
