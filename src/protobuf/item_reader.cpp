#include "protobuf/item_reader.hpp"

#include "base/text.hpp"
#include "json/unescape.hpp"

namespace ksr::protobuf {
namespace {

constexpr std::size_t kMaxNameLength = 253;

DecodeOptions decode_options(const json::ReaderOptions& options) {
  DecodeOptions decode;
  decode.keep_managed_fields = options.keep_managed_fields;
  decode.max_size = options.max_object_size;
  decode.max_depth = options.max_depth;
  return decode;
}

// Unescaped into `scratch` if need be.
std::string_view plain(const ObjectDecoder::Noted& noted, std::string& scratch) {
  if (!noted.escaped) return noted.text;
  const std::size_t begin = scratch.size();
  json::unescape(noted.text, scratch);
  return std::string_view(scratch).substr(begin);
}

bool has_nul(const ObjectDecoder::Noted& noted) {
  if (!noted.escaped) return false;
  std::string text;
  json::unescape(noted.text, text);
  return text.find('\0') != std::string::npos;
}

Status status_of(DecodeOutcome outcome) noexcept {
  switch (outcome) {
    case DecodeOutcome::unknown:
      return Status::unsupported;
    case DecodeOutcome::too_deep:
    case DecodeOutcome::too_large:
      return Status::too_large;
    default:
      return Status::protocol;
  }
}

}  // namespace

ItemReader::ItemReader(const Schema& schema, const json::ReaderOptions& options)
    : schema_(schema), max_object_size_(options.max_object_size), decoder_(schema, decode_options(options)) {}

void ItemReader::set_type(const KindRow& row, std::string_view api_version, std::string_view kind) {
  row_ = nullptr;
  api_version_ = api_version;
  kind_ = kind;
  prefix_ = "\"kind\":";
  json::append_json_string(kind, prefix_);
  prefix_ += ",\"apiVersion\":";
  json::append_json_string(api_version, prefix_);
  prefix_ += ',';
  row_ = &row;
}

std::optional<Error> ItemReader::decode(std::string_view raw) {
  too_deep_ = false;
  if (raw.size() > max_object_size_) {
    decoder_.clear();
    return Error{Status::too_large, "is larger than max_object_size (" + std::to_string(max_object_size_) + " bytes)"};
  }
  const DecodeOutcome outcome = decoder_.decode(schema_.messages[row_->message], prefix_, raw);
  too_deep_ = outcome == DecodeOutcome::too_deep;
  if (outcome == DecodeOutcome::done) return std::nullopt;
  return Error{status_of(outcome), decoder_.problem()};
}

std::optional<Error> ItemReader::read(std::string_view raw, json::Uid uid, json::Item& item) {
  if (auto error = decode(raw)) return error;
  return read_decoded(uid, item);
}

std::optional<Error> ItemReader::read_decoded(json::Uid uid, json::Item& item) {
  if (auto error = problem(uid)) return error;
  fill(item);
  return std::nullopt;
}

std::string_view ItemReader::noted(Role role, std::string& scratch) const {
  return plain(decoder_.noted(role), scratch);
}

std::string ItemReader::label() const {
  std::string scratch;
  std::string label(one_line(noted(Role::name_space, scratch), kMaxNameLength));
  if (!label.empty()) label += '/';
  scratch.clear();
  const std::string_view name = noted(Role::name, scratch);
  return name.empty() ? std::string() : label + one_line(name, kMaxNameLength);
}

// As json::item_problem: an object that is computed when it is listed has neither a uid nor a resourceVersion.
std::optional<Error> ItemReader::problem(json::Uid uid_is) const {
  const auto bad = [](const char* what) { return std::optional(Error{Status::protocol, what}); };
  const ObjectDecoder::Noted uid = decoder_.noted(Role::uid);
  const ObjectDecoder::Noted name = decoder_.noted(Role::name);
  const ObjectDecoder::Noted version = decoder_.noted(Role::resource_version);
  if (uid.text.empty() && (uid_is == json::Uid::required || version.present)) return bad("metadata.uid is missing");
  if (name.text.empty()) return bad("metadata.name is missing");
  if (has_nul(uid)) return bad("metadata.uid contains a NUL character");
  if (has_nul(name)) return bad("metadata.name contains a NUL character");
  if (has_nul(decoder_.noted(Role::name_space))) return bad("metadata.namespace contains a NUL character");
  if (has_nul(version)) return bad("metadata.resourceVersion contains a NUL character");
  return std::nullopt;
}

void ItemReader::fill(json::Item& item) {
  item = {};
  item.text[0] = decoder_.text();
  const ObjectDecoder::Noted uid = decoder_.noted(Role::uid);
  const ObjectDecoder::Noted name_space = decoder_.noted(Role::name_space);
  const ObjectDecoder::Noted name = decoder_.noted(Role::name);
  const ObjectDecoder::Noted version = decoder_.noted(Role::resource_version);
  unescaped_.clear();
  // Not reallocated below, since the item has views into it. Twice: for the uid of an object that has none.
  unescaped_.reserve(1 + uid.text.size() + 2 * (name_space.text.size() + name.text.size()) + version.text.size());
  item.uid = plain(uid, unescaped_);
  item.name_space = plain(name_space, unescaped_);
  item.name = plain(name, unescaped_);
  item.resource_version = plain(version, unescaped_);
  // Times are written without escapes.
  item.creation_timestamp = decoder_.noted(Role::creation_timestamp).text;
  if (item.uid.empty()) {
    const std::size_t begin = unescaped_.size();
    unescaped_.append(item.name_space).append(1, '/').append(item.name);
    item.uid = std::string_view(unescaped_).substr(begin);
  }
  item.kind = kind_;
  item.api_version = api_version_;
  for (const Role role : {Role::last_timestamp, Role::last_observed_time, Role::event_time}) {
    item.recency = decoder_.noted(role).text;
    if (!item.recency.empty()) return;
  }
  item.recency = item.creation_timestamp;
}

}  // namespace ksr::protobuf
