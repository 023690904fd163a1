#include "stream/sharing_key.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>
#include <vector>

namespace ksr::stream {
namespace {

// Each text with its length and each list with its size, so that no two configurations are written the same.
class Key {
 public:
  template <class... Values>
  Key& add(const Values&... values) {
    (put(values), ...);
    return *this;
  }
  std::string text() && { return std::move(text_); }

 private:
  void put(std::string_view text) {
    put(text.size());
    text_ += text;
  }
  void put(Milliseconds duration) { put(duration.count()); }
  template <class Number, std::enable_if_t<std::is_integral_v<Number>, int> = 0>
  void put(Number number) {
    text_ += std::to_string(number);
    text_ += ' ';
  }
  template <class Word, std::enable_if_t<std::is_enum_v<Word>, int> = 0>
  void put(Word word) {
    put(static_cast<std::underlying_type_t<Word>>(word));
  }
  void put(const Shard& shard) { put(shard.text()); }
  void put(const json::FieldStep& step) { add(step.any, step.name); }
  template <class Value>
  void put(const std::vector<Value>& values) {
    put(values.size());
    for (const Value& value : values) put(value);
  }
  template <class Value>
  void put(const std::optional<Value>& value) {
    put(value.has_value());
    if (value) put(*value);
  }

  std::string text_;
};

}  // namespace

// Each structure is taken apart whole: a member that is added to one does not compile until it is decided here whether
// streams that differ in it may share.
std::string sharing_key(const Config& config, const cluster::Access& access) {
  Key key;
  const auto& [connection, query, limit, sync, reader, fields, delivery, client_key, share] = config;
  // Of the connection all else is in the Access. How and when the host is called is each stream's own.
  key.add(reinterpret_cast<std::uintptr_t>(&access), connection.request_timeout, limit);

  const auto& [resources, namespaces, of_context, labels, selected_fields, shard, metadata_only, listable_only] = query;
  key.add(resources, namespaces, of_context, labels, selected_fields, shard, metadata_only, listable_only);

  const auto& [initial, transport, encoding, reconnect, backoff_initial, backoff_max, watch_timeout, initial_timeout,
               max_view_bytes, page_size, shard_of_lists, events, candidates, resource] = sync;
  key.add(initial, transport, encoding, reconnect, backoff_initial, backoff_max, watch_timeout, initial_timeout,
          max_view_bytes, page_size, shard_of_lists, events, candidates, resource);

  const auto& [keep_managed_fields, max_object_size, item_kind, max_depth] = reader;
  key.add(keep_managed_fields, max_object_size, item_kind, max_depth);

  const auto& [keep, drop, columns, index, notify_columns] = fields;
  key.add(keep, drop, columns, index, notify_columns);
  return std::move(key).text();
}

}  // namespace ksr::stream
