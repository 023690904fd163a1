#include "protobuf/api_status.hpp"

#include "json/unescape.hpp"
#include "protobuf/object_decoder.hpp"
#include "protobuf/wire_reader.hpp"

namespace ksr::protobuf {
namespace {

constexpr std::size_t kMaxStatusSize = std::size_t{1} << 20;  // as json::parse_api_status

}  // namespace

std::optional<std::string> status_as_json(std::string_view body) {
  Envelope envelope;
  if (read_envelope(body, envelope) != EnvelopeOutcome::done || envelope.kind != "Status") return std::nullopt;
  const Schema& schema = built_in_schema();
  const KindRow* const row = schema.find("v1", "Status");
  if (row == nullptr) return std::nullopt;
  std::string prefix = "\"kind\":\"Status\",\"apiVersion\":";
  json::append_json_string(envelope.api_version, prefix);
  prefix += ',';
  DecodeOptions options;
  options.max_size = kMaxStatusSize;
  options.skip_unknown_fields = true;
  ObjectDecoder decoder(schema, options);
  if (decoder.decode(schema.messages[row->message], prefix, envelope.raw) != DecodeOutcome::done) return std::nullopt;
  return std::string(decoder.text());
}

}  // namespace ksr::protobuf
