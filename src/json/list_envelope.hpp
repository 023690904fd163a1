// `ListEnvelope` reads the members of a list other than its items: kind, apiVersion, metadata; used by ListReader.
// Lives on the thread of its reader.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "json/item_builder.hpp"
#include "json/list_reader.hpp"
#include "json/scanner.hpp"

namespace ksr::json {

// The problems it returns are one line each.
class ListEnvelope {
 public:
  enum class Member : std::uint8_t { kind, api_version, metadata, items, other };
  using Problem = std::optional<std::string>;

  static Member member_named(const RawText& key);

  Problem on_value(Member member, ValueKind kind);
  Problem on_text(Member member, const RawText& captured);
  void on_metadata_key(const RawText& key);
  Problem on_metadata_value(ValueKind kind);
  Problem on_metadata_text(const RawText& captured);
  // The value that has begun in the metadata is its shardInfo.
  bool at_shard_info() const noexcept { return metadata_member_ == MetadataMember::shard_info; }
  void on_shard_info_key(const RawText& key);
  void on_shard_info_value(ValueKind kind);
  Problem on_shard_info_text(const RawText& captured);

  // From now on kind and apiVersion must not change: items have got them.
  void rely_on_type() noexcept { relied_on_ = true; }
  // The type of an item that has none itself; empty until both kind and apiVersion were read. Its kind is empty where
  // that of the list does not name it.
  std::optional<ItemType> item_type() const;
  // The whole list has been read.
  Problem missing() const;
  const ListMeta& meta() const noexcept { return meta_; }

 private:
  enum class MetadataMember : std::uint8_t { resource_version, continue_token, shard_info, other };

  Problem take_type(std::string& member, bool& known, const char* name, const RawText& captured);
  std::string* metadata_text() noexcept;
  const char* metadata_name() const noexcept;

  ListMeta meta_;
  bool kind_known_ = false;
  bool api_version_known_ = false;
  bool relied_on_ = false;
  bool items_seen_ = false;
  MetadataMember metadata_member_ = MetadataMember::other;
  bool at_selector_ = false;
};

}  // namespace ksr::json
