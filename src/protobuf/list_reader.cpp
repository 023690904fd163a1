#include "protobuf/list_reader.hpp"

#include <optional>
#include <string>
#include <utility>

#include "base/text.hpp"
#include "protobuf/item_reader.hpp"
#include "protobuf/pieces.hpp"

namespace ksr::protobuf {
namespace {

// Of all lists; the table's generator checks it.
constexpr std::uint32_t kListMetadata = 1;
constexpr std::uint32_t kListItems = 2;
// meta.v1.ListMeta
constexpr std::uint32_t kListResourceVersion = 2;
constexpr std::uint32_t kListContinue = 3;
constexpr std::uint32_t kListShardInfo = 5;
// meta.v1.ShardInfo
constexpr std::uint32_t kShardSelector = 1;
// Of what is taken as a whole besides items: kinds, metadata.
constexpr std::uint64_t kMaxListPart = std::uint64_t{1} << 20;
constexpr std::string_view kListSuffix = "List";

}  // namespace

class ListReader::Impl {
 public:
  Impl(const json::ReaderOptions& options, json::ListObserver& observer, const Schema& schema)
      : options_(options), observer_(observer), schema_(schema), items_(schema, options) {}

  Expected<void> feed(std::string_view bytes);
  Expected<json::ListMeta> finish();

 private:
  // Between the fields of the envelope or of the list, in the bytes of one of them, or past them.
  enum class Place : std::uint8_t { magic, envelope, list, part, skip };
  enum class Part : std::uint8_t { type_meta, encoding, metadata, item };

  // False: wait for more bytes, or there is an error.
  bool step();
  bool begin();
  bool envelope_field();
  bool list_field();
  bool head(FieldHead& found, Progress& progress);
  bool take_part(Part part, const FieldHead& head, Place after);
  bool skip(const FieldHead& head, Place after);
  bool end_part(std::string_view bytes);
  bool on_type_meta(std::string_view bytes);
  bool on_metadata(std::string_view bytes);
  bool on_shard_info(const WireField& info);
  bool take_text(const char* name, const WireField& field, std::string& text);
  bool on_item(std::string_view bytes);

  bool fail(Status status, std::string message);
  bool fail_here(Status status, const std::string& problem);

  const json::ReaderOptions options_;
  json::ListObserver& observer_;
  const Schema& schema_;
  ItemReader items_;
  Pieces pieces_;
  Place place_ = Place::magic;
  Place after_ = Place::envelope;
  Part part_ = Part::type_meta;
  std::uint32_t part_field_ = 0;
  std::uint64_t left_ = 0;  // of the part, or of what is skipped
  bool typed_ = false;
  bool whole_ = false;
  json::ListMeta meta_;
  std::uint64_t item_number_ = 0;
  std::uint64_t item_at_ = 0;
  std::optional<Error> error_;
};

Expected<void> ListReader::Impl::feed(std::string_view bytes) {
  if (error_) return *error_;
  pieces_.give(bytes);
  while (step()) {
  }
  pieces_.release();
  if (error_) return *error_;
  return {};
}

Expected<json::ListMeta> ListReader::Impl::finish() {
  if (error_) return *error_;
  if (whole_ && place_ == Place::envelope && pieces_.between_parts()) return meta_;
  if (pieces_.offset() == 0) {
    fail(Status::protocol, "expected a list, got nothing");
  } else {
    const bool inside = place_ == Place::part && part_ == Part::item;
    fail(Status::protocol, "the list ends early" + (inside ? " in item " + std::to_string(item_number_) : "") +
                               ", after byte " + std::to_string(pieces_.offset()));
  }
  return *error_;
}

bool ListReader::Impl::step() {
  switch (place_) {
    case Place::magic:
      return begin();
    case Place::envelope:
      return envelope_field();
    case Place::list:
      return list_field();
    case Place::part: {
      std::string_view bytes;
      if (!pieces_.take(static_cast<std::size_t>(left_), bytes)) return false;
      place_ = after_;
      return end_part(bytes);
    }
    case Place::skip:
      if (!pieces_.skip(left_)) return false;
      place_ = after_;
      return true;
  }
  return false;
}

bool ListReader::Impl::begin() {
  std::string_view bytes;
  if (!pieces_.take(kMagic.size(), bytes)) return false;
  if (bytes != kMagic) return fail(Status::protocol, "expected a list in protobuf, got " + in_quotes(bytes));
  place_ = Place::envelope;
  return true;
}

bool ListReader::Impl::head(FieldHead& found, Progress& progress) {
  progress = pieces_.take_head(found);
  if (progress == Progress::malformed) return fail_here(Status::protocol, "expected a field of protobuf");
  return progress == Progress::done;
}

bool ListReader::Impl::envelope_field() {
  FieldHead field;
  Progress progress{};
  if (!head(field, progress)) return false;
  if (field.type != WireField::Type::bytes || field.number > kUnknownContentType) {
    return fail_here(Status::unsupported, "field " + std::to_string(field.number) + " of the envelope is not known");
  }
  if (field.number == kUnknownTypeMeta) return take_part(Part::type_meta, field, Place::envelope);
  if (field.number != kUnknownRaw) return take_part(Part::encoding, field, Place::envelope);
  // The items of the first have been passed on already.
  if (whole_) return fail_here(Status::protocol, "the list is there twice");
  if (!typed_) return fail_here(Status::unsupported, "the list comes before its kind");
  pieces_.set_end(pieces_.offset() + field.size);
  place_ = Place::list;
  return true;
}

// As of a list in JSON, members that are not known do not matter.
bool ListReader::Impl::list_field() {
  if (pieces_.at_end()) {
    pieces_.set_no_end();
    whole_ = true;
    place_ = Place::envelope;
    return true;
  }
  FieldHead field;
  Progress progress{};
  if (!head(field, progress)) return false;
  const bool known = field.number == kListMetadata || field.number == kListItems;
  if (!known) return skip(field, Place::list);
  if (field.type != WireField::Type::bytes) {
    return fail_here(Status::unsupported, "field " + std::to_string(field.number) + " of the list is not a message");
  }
  if (field.number == kListMetadata) return take_part(Part::metadata, field, Place::list);
  ++item_number_;
  item_at_ = pieces_.offset();
  if (field.size > options_.max_object_size) {
    return fail(Status::too_large, "item " + std::to_string(item_number_) + " at byte " + std::to_string(item_at_) +
                                       " is larger than max_object_size (" + std::to_string(options_.max_object_size) +
                                       " bytes)");
  }
  return take_part(Part::item, field, Place::list);
}

bool ListReader::Impl::take_part(Part part, const FieldHead& head, Place after) {
  if (part != Part::item && head.size > kMaxListPart) {
    return fail_here(Status::protocol, "field " + std::to_string(head.number) + " has " + std::to_string(head.size) +
                                           " bytes, expected at most " + std::to_string(kMaxListPart));
  }
  part_ = part;
  part_field_ = head.number;
  left_ = head.size;
  place_ = Place::part;
  after_ = after;
  return true;
}

bool ListReader::Impl::skip(const FieldHead& head, Place after) {
  left_ = head.size;
  place_ = Place::skip;
  after_ = after;
  return true;
}

bool ListReader::Impl::end_part(std::string_view bytes) {
  switch (part_) {
    case Part::type_meta:
      return on_type_meta(bytes);
    case Part::encoding:
      return is_plain_encoding(part_field_, bytes) ||
             fail_here(Status::unsupported, "the list has the encoding " + in_quotes(bytes));
    case Part::metadata:
      return on_metadata(bytes);
    case Part::item:
      return on_item(bytes);
  }
  return false;
}

bool ListReader::Impl::on_type_meta(std::string_view bytes) {
  Envelope envelope;
  const EnvelopeOutcome outcome = read_type_meta(bytes, envelope);
  if (outcome != EnvelopeOutcome::done) {
    return fail_here(outcome == EnvelopeOutcome::unknown ? Status::unsupported : Status::protocol,
                     "the list's typeMeta is not valid");
  }
  if (whole_ || typed_) return fail_here(Status::protocol, "the list's kind is there twice");
  // What an API server sends in place of a list, recognized before all of it has come.
  if (envelope.kind == "Status") return fail_here(Status::protocol, "expected a list, got kind \"Status\"");
  const KindRow* const row = schema_.find(envelope.api_version, envelope.kind);
  if (row == nullptr) {
    return fail_here(Status::unsupported, "lists of kind " + in_quotes(envelope.kind) + " of " +
                                              in_quotes(envelope.api_version) + " are not known");
  }
  if (row->list == 0) return fail_here(Status::protocol, "expected a list, got kind " + in_quotes(envelope.kind));
  meta_.kind = envelope.kind;
  meta_.api_version = envelope.api_version;
  items_.set_type(*row, envelope.api_version, envelope.kind.substr(0, envelope.kind.size() - kListSuffix.size()));
  typed_ = true;
  return true;
}

bool ListReader::Impl::on_metadata(std::string_view bytes) {
  WireReader reader(bytes);
  while (const auto field = reader.next()) {
    switch (field->number) {
      case kListResourceVersion:
        if (!take_text("resourceVersion", *field, meta_.resource_version)) return false;
        break;
      case kListContinue:
        if (!take_text("continue", *field, meta_.continue_token)) return false;
        break;
      case kListShardInfo:
        if (!on_shard_info(*field)) return false;
        break;
      default:
        break;
    }
  }
  if (reader.malformed()) return fail_here(Status::protocol, "the list's metadata is not valid protobuf");
  if (!meta_.continue_token.empty()) observer_.on_continue_token(meta_.continue_token);
  return true;
}

bool ListReader::Impl::on_shard_info(const WireField& info) {
  WireReader reader(info.type == WireField::Type::bytes ? info.bytes : std::string_view());
  while (const auto field = reader.next()) {
    if (field->number == kShardSelector && !take_text("shardInfo.selector", *field, meta_.shard_selector)) return false;
  }
  return !reader.malformed() || fail_here(Status::protocol, "the list's metadata.shardInfo is not valid protobuf");
}

bool ListReader::Impl::take_text(const char* name, const WireField& field, std::string& text) {
  if (field.type != WireField::Type::bytes || !is_utf8(field.bytes) ||
      field.bytes.find('\0') != std::string_view::npos) {
    return fail_here(Status::protocol, std::string("the list's metadata.") + name + " is not a text");
  }
  text = field.bytes;
  return true;
}

bool ListReader::Impl::on_item(std::string_view bytes) {
  json::Item item;
  if (const auto error = items_.read(bytes, json::Uid::optional, item)) {
    const std::string label = items_.label();
    const std::string message = "item " + std::to_string(item_number_) + (label.empty() ? "" : " (" + label + ")") +
                                " at byte " + std::to_string(item_at_) + ": " + error->message;
    if (!items_.too_deep()) return fail(error->status, message);
    observer_.on_bad_item({error->status, message});
    items_.release();
    return true;
  }
  observer_.on_item(item);
  items_.release();
  return true;
}

bool ListReader::Impl::fail(Status status, std::string message) {
  error_ = Error{status, std::move(message)};
  return false;
}

bool ListReader::Impl::fail_here(Status status, const std::string& problem) {
  return fail(status, "byte " + std::to_string(pieces_.offset()) + ": " + problem);
}

ListReader::ListReader(const json::ReaderOptions& options, json::ListObserver& observer, const Schema& schema)
    : impl_(std::make_unique<Impl>(options, observer, schema)) {}
ListReader::~ListReader() = default;
ListReader::ListReader(ListReader&&) noexcept = default;
ListReader& ListReader::operator=(ListReader&&) noexcept = default;

Expected<void> ListReader::feed(std::string_view bytes) {
  return impl_->feed(bytes);
}
Expected<json::ListMeta> ListReader::finish() {
  return impl_->finish();
}

}  // namespace ksr::protobuf
