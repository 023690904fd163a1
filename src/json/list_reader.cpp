#include "json/list_reader.hpp"

#include <optional>
#include <utility>
#include <vector>

#include "base/escapes.hpp"
#include "base/text.hpp"
#include "json/item_builder.hpp"
#include "json/list_envelope.hpp"
#include "json/object_tracker.hpp"
#include "json/partial_text.hpp"
#include "json/scanner.hpp"

namespace ksr::json {

class ListReader::Impl {
 public:
  Impl(const ReaderOptions& options, ListObserver& observer)
      : options_(options),
        observer_(observer),
        item_(!options.keep_managed_fields),
        text_(options.max_object_size),
        // An item lies in an array of an object.
        scanner_(*this, options.max_depth + 2) {}

  Expected<void> feed(std::string_view bytes);
  Expected<ListMeta> finish();

  // The scanner's events.
  bool on_key(const RawText& key, std::uint64_t at);
  bool on_value(ValueKind kind, std::uint64_t at, Interest& interest);
  bool on_value_end(std::uint64_t end, const RawText& captured);
  bool on_leave(std::uint64_t end);
  bool on_comma(std::uint64_t at);
  bool on_too_deep(std::uint64_t at);

 private:
  enum class Place : std::uint8_t { before, envelope, metadata, shard_info, items, after };

  // An item that waits for the kind of the list.
  struct Held {
    ObjectTracker object;
    std::string text;
    std::uint64_t number;
  };

  bool begin_list(ValueKind kind, std::uint64_t at, Interest& interest);
  bool begin_member(ValueKind kind, std::uint64_t at, Interest& interest);
  bool begin_metadata_value(ValueKind kind, std::uint64_t at, Interest& interest);
  bool begin_item(ValueKind kind, std::uint64_t at, Interest& interest);
  bool end_item(std::uint64_t end);
  bool hold(std::string_view text);
  bool release_held();
  ItemType type_of_items() const;
  bool deliver(const ObjectTracker& object, std::string_view text, std::uint64_t number);
  bool needs_type(const ObjectTracker& object) const noexcept {
    return !object[TrackedField::kind].present || !object[TrackedField::api_version].present;
  }

  void after_feed(Outcome outcome);
  bool fail(Status status, std::string message);
  bool fail_at(std::uint64_t at, const std::string& problem);
  bool fail_item(std::uint64_t number, std::uint64_t at, const std::string& problem);
  bool accept(const ListEnvelope::Problem& problem, std::uint64_t at) { return !problem || fail_at(at, *problem); }
  void fail_too_large();
  // "item 2 (d/big) at byte 103"
  std::string item_in_progress();

  const ReaderOptions options_;
  ListObserver& observer_;
  ListEnvelope envelope_;
  ListEnvelope::Member member_ = ListEnvelope::Member::other;
  Place place_ = Place::before;
  ObjectTracker item_;
  std::uint64_t item_number_ = 0;
  bool too_deep_ = false;
  PartialText text_;
  ItemBuilder builder_;
  bool type_set_ = false;
  std::vector<Held> held_;
  std::size_t held_size_ = 0;
  // The bytes of this feed(), and the offset of the first one.
  std::string_view buffer_;
  std::uint64_t buffer_base_ = 0;
  std::optional<Error> error_;
  Scanner<Impl> scanner_;
};

Expected<void> ListReader::Impl::feed(std::string_view bytes) {
  if (error_) return *error_;
  buffer_ = bytes;
  buffer_base_ = scanner_.offset();
  after_feed(scanner_.feed(bytes));
  if (!error_) text_.keep(buffer_, buffer_base_);
  buffer_ = {};
  if (error_) return *error_;
  return {};
}

// The size of the object in progress is checked first, or the error would depend on how the bytes were split.
void ListReader::Impl::after_feed(Outcome outcome) {
  if (outcome == Outcome::stopped) return;
  if (item_.inside() && text_.too_large(scanner_.offset())) return fail_too_large();
  if (outcome == Outcome::invalid) {
    const std::string where = item_.inside() ? " (in item " + std::to_string(item_number_) + ")" : "";
    fail_at(scanner_.offset(), scanner_.problem() + where);
  }
}

void ListReader::Impl::fail_too_large() {
  fail(Status::too_large,
       item_in_progress() + " is larger than max_object_size (" + std::to_string(options_.max_object_size) + " bytes)");
}

std::string ListReader::Impl::item_in_progress() {
  const std::string label = item_label(item_, text_.text(buffer_, buffer_base_));
  return "item " + std::to_string(item_number_) + (label.empty() ? "" : " (" + label + ")") + " at byte " +
         std::to_string(item_.begin_at());
}

Expected<ListMeta> ListReader::Impl::finish() {
  if (error_) return *error_;
  if (place_ == Place::after) return envelope_.meta();
  const std::string where = item_.inside() ? " in item " + std::to_string(item_number_) : "";
  fail(Status::protocol, place_ == Place::before
                             ? "expected a list, got nothing"
                             : "the list ends early" + where + ", after byte " + std::to_string(scanner_.offset()));
  return *error_;
}

bool ListReader::Impl::on_key(const RawText& key, std::uint64_t at) {
  if (item_.inside()) {
    item_.on_key(key, at);
  } else if (place_ == Place::envelope) {
    member_ = ListEnvelope::member_named(key);
  } else if (place_ == Place::metadata) {
    envelope_.on_metadata_key(key);
  } else if (place_ == Place::shard_info) {
    envelope_.on_shard_info_key(key);
  }
  return true;
}

bool ListReader::Impl::on_value(ValueKind kind, std::uint64_t at, Interest& interest) {
  if (item_.inside()) {
    item_.on_value(kind, at, interest);
    return true;
  }
  switch (place_) {
    case Place::before:
      return begin_list(kind, at, interest);
    case Place::envelope:
      return begin_member(kind, at, interest);
    case Place::metadata:
      return begin_metadata_value(kind, at, interest);
    case Place::shard_info:
      envelope_.on_shard_info_value(kind);
      interest = Interest::capture;
      return true;
    case Place::items:
      return begin_item(kind, at, interest);
    case Place::after:
      break;
  }
  return fail_at(at, "expected nothing after the list");
}

bool ListReader::Impl::begin_list(ValueKind kind, std::uint64_t at, Interest& interest) {
  if (kind != ValueKind::object) return fail_at(at, std::string("expected a list, got ") + kind_name(kind));
  interest = Interest::enter;
  place_ = Place::envelope;
  return true;
}

bool ListReader::Impl::begin_member(ValueKind kind, std::uint64_t at, Interest& interest) {
  if (!accept(envelope_.on_value(member_, kind), at)) return false;
  switch (member_) {
    case ListEnvelope::Member::kind:
    case ListEnvelope::Member::api_version:
      interest = Interest::capture;
      break;
    case ListEnvelope::Member::metadata:
      interest = Interest::enter;
      place_ = Place::metadata;
      break;
    case ListEnvelope::Member::items:
      if (kind != ValueKind::array) break;
      interest = Interest::enter;
      place_ = Place::items;
      break;
    case ListEnvelope::Member::other:
      break;
  }
  return true;
}

bool ListReader::Impl::begin_metadata_value(ValueKind kind, std::uint64_t at, Interest& interest) {
  interest = Interest::capture;
  if (!accept(envelope_.on_metadata_value(kind), at)) return false;
  if (envelope_.at_shard_info()) {
    interest = Interest::enter;
    place_ = Place::shard_info;
  }
  return true;
}

bool ListReader::Impl::begin_item(ValueKind kind, std::uint64_t at, Interest& interest) {
  ++item_number_;
  if (kind != ValueKind::object) {
    return fail_item(item_number_, at, std::string("is ") + kind_name(kind) + ", expected an object");
  }
  interest = Interest::enter;
  item_.begin(at, options_.max_object_size);
  too_deep_ = false;
  text_.begin(at);
  return true;
}

bool ListReader::Impl::on_value_end(std::uint64_t end, const RawText& captured) {
  if (item_.inside()) {
    item_.on_value_end(end, captured.escaped);
    return true;
  }
  if (place_ == Place::metadata) return accept(envelope_.on_metadata_text(captured), end);
  if (place_ == Place::shard_info) return accept(envelope_.on_shard_info_text(captured), end);
  if (place_ != Place::envelope) return true;
  return accept(envelope_.on_text(member_, captured), end) && release_held();
}

bool ListReader::Impl::on_leave(std::uint64_t end) {
  if (item_.inside()) {
    item_.on_leave(end);
    return item_.inside() || end_item(end);
  }
  if (place_ == Place::envelope) {
    place_ = Place::after;
    return accept(envelope_.missing(), end);
  }
  if (place_ == Place::shard_info) {
    place_ = Place::metadata;
    return true;
  }
  if (place_ == Place::metadata && !envelope_.meta().continue_token.empty()) {
    observer_.on_continue_token(envelope_.meta().continue_token);
  }
  place_ = Place::envelope;
  return true;
}

bool ListReader::Impl::on_comma(std::uint64_t at) {
  if (item_.inside()) item_.on_comma(at);
  return true;
}

bool ListReader::Impl::on_too_deep(std::uint64_t at) {
  if (!item_.inside()) return fail_at(at, "nested deeper than " + std::to_string(options_.max_depth));
  too_deep_ = too_deep_ || !item_.in_cut();
  return true;
}

bool ListReader::Impl::end_item(std::uint64_t end) {
  text_.finish(end);
  if (text_.too_large(end)) {
    fail_too_large();
    return false;
  }
  const bool ill_formed = scanner_.take_ill_formed();
  if (too_deep_) {
    observer_.on_bad_item({Status::too_large, item_in_progress() + " is nested deeper than " +
                                                  std::to_string(options_.max_depth) + " levels"});
    text_.release();
    return true;
  }
  std::string_view text = text_.text(buffer_, buffer_base_);
  std::string mended;
  if (ill_formed) {
    mended = json_as_unicode(text);
    text = mended;
    item_.track(text, item_.begin_at());
  }
  if (const auto problem = item_problem(item_, text, Uid::optional))
    return fail_item(item_number_, item_.begin_at(), *problem);
  const bool waits = !held_.empty() || (needs_type(item_) && !envelope_.item_type());
  const bool taken = waits ? hold(text) : deliver(item_, text, item_number_);
  text_.release();
  return taken;
}

bool ListReader::Impl::hold(std::string_view text) {
  held_size_ += text.size() + sizeof(Held);
  if (held_size_ > options_.max_object_size) {
    return fail(Status::too_large, "the list's kind and apiVersion come after more than " +
                                       std::to_string(options_.max_object_size) +
                                       " bytes (max_object_size) of items without a kind of their own");
  }
  held_.push_back({item_, std::string(text), item_number_});
  return true;
}

bool ListReader::Impl::release_held() {
  if (held_.empty() || !envelope_.item_type()) return true;
  const std::vector<Held> held = std::exchange(held_, {});
  held_size_ = 0;
  for (const Held& item : held) {
    if (!deliver(item.object, item.text, item.number)) return false;
  }
  return true;
}

bool ListReader::Impl::deliver(const ObjectTracker& object, std::string_view text, std::uint64_t number) {
  if (needs_type(object)) {
    if (!type_set_) builder_.set_type(type_of_items());
    type_set_ = true;
    envelope_.rely_on_type();
    if (!object[TrackedField::kind].present && builder_.type().kind.empty()) {
      return fail_item(
          number, object.begin_at(),
          "kind is missing, and a list of kind " + in_quotes(envelope_.meta().kind) + " does not give one");
    }
  }
  observer_.on_item(builder_.build(object, text));
  return true;
}

ItemType ListReader::Impl::type_of_items() const {
  ItemType type = *envelope_.item_type();
  if (type.kind.empty()) type.kind = options_.item_kind;
  return type;
}

bool ListReader::Impl::fail(Status status, std::string message) {
  error_ = Error{status, std::move(message)};
  text_.release();
  held_.clear();
  return false;
}

bool ListReader::Impl::fail_at(std::uint64_t at, const std::string& problem) {
  return fail(Status::protocol, "byte " + std::to_string(at) + ": " + problem);
}

bool ListReader::Impl::fail_item(std::uint64_t number, std::uint64_t at, const std::string& problem) {
  return fail(Status::protocol, "item " + std::to_string(number) + " at byte " + std::to_string(at) + ": " + problem);
}

ListReader::ListReader(const ReaderOptions& options, ListObserver& observer)
    : impl_(std::make_unique<Impl>(options, observer)) {}
ListReader::~ListReader() = default;
ListReader::ListReader(ListReader&&) noexcept = default;
ListReader& ListReader::operator=(ListReader&&) noexcept = default;

Expected<void> ListReader::feed(std::string_view bytes) {
  return impl_->feed(bytes);
}
Expected<ListMeta> ListReader::finish() {
  return impl_->finish();
}

}  // namespace ksr::json
