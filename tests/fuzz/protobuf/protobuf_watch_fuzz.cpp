// Watches in protobuf: whatever comes, in pieces of any size the same events are found, the text of each object is
// JSON, and json::WatchReader reads the same from it.
#include "fuzz/protobuf/protobuf_case.hpp"
#include "protobuf/watch_reader.hpp"
#include "unit/json/recorder.hpp"

namespace {

using ksr::fuzz::require;
using ksr::protobuf::Framing;
using protobuf_fuzz::Case;

struct Found {
  ksr::json::testing::WatchLog log;
  std::string end;
};

void read_watch(const Case& given, const std::string& bytes, Framing framing, std::size_t piece, Found& found) {
  ksr::protobuf::WatchReader reader(given.options, framing, found.log);
  auto fed = ksr::json::testing::feed_in_chunks(reader, bytes, piece);
  if (fed && framing == Framing::messages) fed = reader.end_message();
  found.end = fed ? "" : ksr::json::testing::describe(fed.error());
  if (fed) found.end = reader.at_boundary() ? "at a boundary" : "within an event";
}

void check_against_json(const Case& given, const Found& found) {
  ksr::json::testing::WatchRun read;
  std::string watch;
  std::vector<std::string> lines;
  std::size_t items = 0;
  for (const std::string& line : found.log.lines) {
    const std::string type = line.substr(0, line.find(' '));
    if (type != "ADDED" && type != "MODIFIED" && type != "DELETED") continue;
    const std::string& text = found.log.texts.at(items++);
    // Nested too deep.
    if (text.empty() && type == "DELETED") continue;
    require(text.size() <= given.options.max_object_size, "an object is larger than max_object_size");
    watch += R"({"type":")" + type + R"(","object":)" + text + "}";
    lines.push_back(line);
  }
  ksr::json::ReaderOptions options;
  options.keep_managed_fields = true;
  read = ksr::json::testing::read_watch(watch, options);
  require(read.error.empty(), "the objects are no JSON: " + read.error);
  require(read.lines == lines, "json::WatchReader finds other events");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ksr::protobuf;
  const Case given = protobuf_fuzz::read_case(data, size);
  const Framing framing = given.odd ? Framing::messages : Framing::lengths;
  std::string bytes = given.bytes;
  if (given.wrapped) {
    const char* const types[] = {"ADDED", "MODIFIED", "BOOKMARK", "ERROR"};
    const std::string object = enveloped(given.kind.api_version, given.kind.kind, given.bytes);
    bytes = watch_event(types[given.piece % 4], object);
    if (!given.odd) bytes = framed(bytes) + framed(bytes);
  }
  Found whole;
  read_watch(given, bytes, framing, bytes.size() + 1, whole);
  Found pieces;
  read_watch(given, bytes, framing, given.piece, pieces);
  require(whole.log.lines == pieces.log.lines, "the events depend on the split");
  require(whole.end == pieces.end, "the end depends on the split: " + whole.end + " / " + pieces.end);
  check_against_json(given, whole);
  return 0;
}
