// Whether protobuf becomes the JSON that an API server sends for the same object, also when both are cut by random
// keep_fields and drop_fields: reads the records of tests/protobuf/objects, shows each difference. Without one it ends
// with 0.
//   compare_protobuf FILE
#include <cstdio>
#include <fstream>
#include <iterator>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/json/dom.hpp"
#include "json/field_filter.hpp"
#include "json/field_path.hpp"
#include "protobuf/list_reader.hpp"
#include "protobuf/object_decoder.hpp"
#include "protobuf/watch_reader.hpp"
#include "protobuf/wire_reader.hpp"
#include "unit/json/recorder.hpp"

namespace {

using namespace ksr::protobuf;
using ksr::json::FieldOptions;
using ksr::json::ReaderOptions;
using ksr::json::testing::ListLog;
using ksr::json::testing::WatchLog;

struct Record {
  std::string outcome;
  std::string name;
  std::string_view protobuf;
  std::string_view json;
};

class Records {
 public:
  explicit Records(std::string bytes) : bytes_(std::move(bytes)), rest_(bytes_) {}

  bool next(Record& record) {
    if (rest_.empty()) return false;
    const std::size_t end = rest_.find('\n');
    std::istringstream line{std::string(rest_.substr(0, end))};
    std::size_t protobuf_size = 0;
    std::size_t json_size = 0;
    line >> record.outcome >> protobuf_size >> json_size;
    std::getline(line >> std::ws, record.name);
    rest_.remove_prefix(end + 1);
    record.protobuf = take(protobuf_size);
    record.json = take(json_size);
    take(1);
    return true;
  }

 private:
  std::string_view take(std::size_t size) {
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(taken.size());
    return taken;
  }

  std::string bytes_;
  std::string_view rest_;
};

std::string first_difference(std::string_view expected, std::string_view found) {
  std::size_t at = 0;
  while (at < expected.size() && at < found.size() && expected[at] == found[at]) ++at;
  const std::size_t from = at < 60 ? 0 : at - 60;
  return "differs at byte " + std::to_string(at) + "\n  expected …" + std::string(expected.substr(from, 200)) +
         "\n  found    …" + std::string(found.substr(from, 200));
}

// ---- fields ---------------------------------------------------------------------------------------------------------

constexpr std::size_t kMaxColumnBytes = std::size_t{1} << 20;

// Cuts as stream::ListCall and WatchCall do before it records.
template <class Log>
class Cutting : public Log {
 public:
  // NULL: nothing is cut.
  explicit Cutting(const FieldOptions* fields) {
    if (fields != nullptr) filter_.emplace(*fields, kMaxColumnBytes);
  }

 protected:
  template <class Record>
  void cut(const ksr::json::Item& item, Record&& record) {
    if (!filter_) return record(item);
    const ksr::json::Item made = filter_->apply(item);
    record(made);
    for (const std::string_view column : made.columns->texts) this->lines.back().append(" | ").append(column);
  }

 private:
  std::optional<ksr::json::FieldFilter> filter_;
};

class CutList final : public Cutting<ListLog> {
 public:
  using Cutting::Cutting;
  void on_item(const ksr::json::Item& item) override {
    cut(item, [this](const ksr::json::Item& made) { ListLog::on_item(made); });
  }
};

class CutWatch final : public Cutting<WatchLog> {
 public:
  using Cutting::Cutting;
  void on_event(ksr::json::EventType type, const ksr::json::Item& item) override {
    cut(item, [this, type](const ksr::json::Item& made) { WatchLog::on_event(type, made); });
  }
};

std::string pointer_step(const std::string& name) {
  std::string step = "/";
  for (const char c : name) c == '~' ? step += "~0" : c == '/' ? step += "~1" : step += c;
  return step;
}

// A way down the object, of which steps after the first may be `*`.
std::string random_pointer(const json_fuzz::Node& object, std::mt19937& random) {
  std::string pointer;
  const json_fuzz::Node* node = &object;
  while (!node->members.empty() && (pointer.empty() || random() % 4 != 0)) {
    const std::size_t i = random() % node->members.size();
    const auto& [name, below] = node->members[i];
    if (!pointer.empty() && random() % 3 == 0) {
      pointer += "/*";
    } else {
      pointer += pointer_step(node->is_object() ? name : std::to_string(i));
    }
    node = &below;
  }
  // A blank would end it.
  return pointer.find_first_of(" \t\r\n") == std::string::npos ? pointer : std::string("/metadata");
}

FieldOptions random_fields(const json_fuzz::Node& object, std::mt19937& random) {
  const auto pointers = [&] {
    std::string text;
    for (std::size_t count = 1 + random() % 5; count > 0; --count) text += random_pointer(object, random) + " ";
    return ksr::json::parse_field_paths(text).value();
  };
  FieldOptions fields;
  (random() % 2 == 0 ? fields.keep : fields.drop) = pointers();
  if (random() % 2 == 0) fields.columns = pointers();
  return fields;
}

std::string type_members(const Envelope& envelope) {
  return "\"kind\":\"" + std::string(envelope.kind) + "\",\"apiVersion\":\"" + std::string(envelope.api_version) +
         "\",";
}

std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>((value & 0x7F) | 0x80);
  return bytes + static_cast<char>(value);
}

std::string bytes_field(char tag, std::string_view bytes) {
  return tag + varint(bytes.size()) + std::string(bytes);
}

// With its length before it, as over HTTP.
std::string event_of(std::string_view protobuf) {
  const std::string event = bytes_field(0x0a, "MODIFIED") + bytes_field(0x12, bytes_field(0x0a, protobuf));
  std::string length;
  for (int shift = 24; shift >= 0; shift -= 8) length += static_cast<char>(event.size() >> shift & 0xFF);
  return length + event;
}

// Bytes that need not be in one piece.
template <class Reader>
void feed(Reader& reader, std::string_view bytes, std::size_t size, std::string& error) {
  for (std::size_t at = 0; at < bytes.size() && error.empty(); at += size) {
    if (const auto fed = reader.feed(bytes.substr(at, size)); !fed) error = fed.error().message;
  }
}

// A bad event is bad in either encoding, although it is not said in the same words.
std::vector<std::string> without_reasons(std::vector<std::string> lines) {
  for (std::string& line : lines) {
    if (line.compare(0, 4, "BAD ") == 0) line.resize(line.find(' ', 4));
  }
  return lines;
}

std::string compare_lines(const std::vector<std::string>& expected, const std::vector<std::string>& found) {
  if (expected == found) return {};
  for (std::size_t i = 0; i < expected.size() && i < found.size(); ++i) {
    if (expected[i] != found[i]) return "item " + std::to_string(i) + ": " + first_difference(expected[i], found[i]);
  }
  return "expected " + std::to_string(expected.size()) + " items, found " + std::to_string(found.size());
}

std::string compare_events(const Record& record, const ReaderOptions& options, const FieldOptions* fields = nullptr) {
  CutWatch expected(fields);
  ksr::json::WatchReader json_reader(options, expected);
  std::string expected_error;
  feed(json_reader, R"({"type":"MODIFIED","object":)" + std::string(record.json) + "}", record.json.size() + 100,
       expected_error);
  CutWatch found(fields);
  WatchReader reader(options, Framing::lengths, found);
  std::string error;
  const std::string event = event_of(record.protobuf);
  feed(reader, event + event, 1 + event.size() / 3, error);
  if (!expected_error.empty() || !error.empty()) return expected_error + " / " + error;
  expected.lines.push_back(expected.lines.back());
  return compare_lines(without_reasons(expected.lines), without_reasons(found.lines));
}

constexpr int kCuts = 4;

// Calls `compare(fields)` with random fields of the object, until one of them shows a difference.
template <class Compare>
std::string compare_cut(const Record& record, std::string_view object, Compare&& compare) {
  json_fuzz::Node root;
  if (json_fuzz::take_document(object, root) != json_fuzz::Parsed::whole) return {};
  std::mt19937 random(static_cast<std::uint32_t>(record.json.size()));
  for (int i = 0; i < kCuts; ++i) {
    const FieldOptions fields = random_fields(root, random);
    if (std::string problem = compare(fields); !problem.empty()) return "cut " + std::to_string(i) + ": " + problem;
  }
  return {};
}

// Empty: as it should be.
std::string compare_object(const Record& record, const Envelope& envelope, const KindRow& kind) {
  DecodeOptions decode;
  decode.keep_managed_fields = true;
  ObjectDecoder decoder(built_in_schema(), decode);
  const DecodeOutcome outcome =
      decoder.decode(built_in_schema().messages[kind.message], type_members(envelope), envelope.raw);
  if (outcome == DecodeOutcome::unknown && record.outcome != "same") return {};
  if (outcome != DecodeOutcome::done) return decoder.problem();
  if (record.outcome == "unknown") return "an object that cannot be known was decoded";
  if (decoder.text() != record.json) return first_difference(record.json, decoder.text());
  ReaderOptions options;
  std::string problem = compare_events(record, options);
  if (problem.empty()) {
    problem = compare_cut(record, record.json,
                          [&](const FieldOptions& fields) { return compare_events(record, options, &fields); });
  }
  options.keep_managed_fields = true;
  return problem.empty() ? compare_events(record, options) : problem;
}

struct ListFound {
  explicit ListFound(const FieldOptions* fields) : log(fields) {}

  CutList log;
  std::string error;
  ksr::json::ListMeta meta;
};

template <class Reader>
void read_list(const ReaderOptions& options, std::string_view bytes, std::size_t size, ListFound& found) {
  Reader reader(options, found.log);
  feed(reader, bytes, size, found.error);
  const auto meta = reader.finish();
  if (meta) found.meta = *meta;
}

std::string compare_list(const Record& record, const ReaderOptions& options, const FieldOptions* fields = nullptr) {
  ListFound expected(fields);
  ListFound found(fields);
  read_list<ksr::json::ListReader>(options, record.json, record.json.size() + 1, expected);
  read_list<ListReader>(options, record.protobuf, 1 + record.protobuf.size() / 5, found);
  // The first item that is none ends both.
  if (expected.error.empty() != found.error.empty()) return expected.error + " / " + found.error;
  if (expected.meta.resource_version != found.meta.resource_version || expected.meta.kind != found.meta.kind ||
      expected.meta.continue_token != found.meta.continue_token ||
      expected.meta.api_version != found.meta.api_version) {
    return "the list's metadata differs";
  }
  return compare_lines(expected.log.lines, found.log.lines);
}

std::string compare(const Record& record) {
  Envelope envelope;
  if (read_envelope(record.protobuf, envelope) != EnvelopeOutcome::done) return "it has no envelope";
  const KindRow* const kind = built_in_schema().find(envelope.api_version, envelope.kind);
  if (kind == nullptr) return record.outcome == "unknown" ? "" : "its kind is not known";
  if (kind->list == 0) return compare_object(record, envelope, *kind);
  ReaderOptions options;
  std::string problem = compare_list(record, options);
  ListFound whole(nullptr);
  read_list<ksr::json::ListReader>(options, record.json, record.json.size() + 1, whole);
  if (problem.empty() && !whole.log.texts.empty()) {
    problem = compare_cut(record, whole.log.texts.front(),
                          [&](const FieldOptions& fields) { return compare_list(record, options, &fields); });
  }
  options.keep_managed_fields = true;
  return problem.empty() ? compare_list(record, options) : problem;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: compare_protobuf FILE\n"), 2;
  std::ifstream file(argv[1], std::ios::binary);
  Records records(std::string(std::istreambuf_iterator<char>(file), {}));
  std::size_t count = 0;
  std::size_t different = 0;
  for (Record record; records.next(record); ++count) {
    const std::string problem = compare(record);
    if (problem.empty()) continue;
    if (++different <= 20) std::printf("%s: %s\n", record.name.c_str(), problem.c_str());
  }
  std::printf("%zu records, %zu of them differ\n", count, different);
  return count > 0 && different == 0 ? 0 : 1;
}
