// Whether protobuf becomes the JSON that an API server sends for the same object: reads the records of
// tests/protobuf/objects, shows each difference. Without one it ends with 0.
//   compare_protobuf FILE
#include <cstdio>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>

#include "protobuf/object_decoder.hpp"
#include "protobuf/wire_reader.hpp"

namespace {

using namespace ksr::protobuf;

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

std::string type_members(const Envelope& envelope) {
  return "\"kind\":\"" + std::string(envelope.kind) + "\",\"apiVersion\":\"" + std::string(envelope.api_version) +
         "\",";
}

// Empty: as it should be.
std::string compare_object(const Record& record, const Envelope& envelope, const KindRow& kind) {
  DecodeOptions options;
  options.keep_managed_fields = true;
  ObjectDecoder decoder(built_in_schema(), options);
  const DecodeOutcome outcome =
      decoder.decode(built_in_schema().messages[kind.message], type_members(envelope), envelope.raw);
  if (outcome == DecodeOutcome::unknown && record.outcome != "same") return {};
  if (outcome != DecodeOutcome::done) return decoder.problem();
  if (record.outcome == "unknown") return "an object that cannot be known was decoded";
  return decoder.text() == record.json ? "" : first_difference(record.json, decoder.text());
}

std::string compare(const Record& record) {
  const auto envelope = open_envelope(record.protobuf);
  if (!envelope) return "it has no envelope";
  const KindRow* const kind = built_in_schema().find(envelope->api_version, envelope->kind);
  if (kind == nullptr) return record.outcome == "unknown" ? "" : "its kind is not known";
  return kind->list != 0 ? "" : compare_object(record, *envelope, *kind);
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
