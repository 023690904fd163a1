// `Pieces` gives out the parts of a message while its bytes arrive in pieces of any size: a field's head, then its
// bytes as a whole, or past them; used by ListReader and WatchReader. Lives on the thread of its reader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "protobuf/wire_reader.hpp"

namespace ksr::protobuf {

// What comes before the bytes of a field; all of a field that is a number.
struct FieldHead {
  std::uint32_t number = 0;
  WireField::Type type = WireField::Type::bytes;
  std::uint64_t size = 0;  // of its bytes; 0 for a number
};

enum class Progress : std::uint8_t { more, done, malformed };

class Pieces {
 public:
  // The bytes are given out, or kept, before the next ones are given.
  void give(std::string_view bytes) noexcept { rest_ = bytes; }
  bool empty() const noexcept { return rest_.empty(); }
  // Of the byte that comes next, or behind what is kept of an unfinished part.
  std::uint64_t offset() const noexcept { return offset_; }
  // Nothing is kept of an unfinished part.
  bool between_parts() const noexcept { return !unfinished_ && !tag_known_; }

  // Heads end before this offset.
  void set_end(std::uint64_t end) noexcept { end_ = end; }
  void set_no_end() noexcept { end_ = std::numeric_limits<std::uint64_t>::max(); }
  bool at_end() const noexcept { return offset_ == end_; }

  Progress take_head(FieldHead& head);
  // All of the next `size` bytes, as a view that is valid until the next call or give(). False: not all are there yet.
  bool take(std::size_t size, std::string_view& taken);
  // Past `left` bytes, which becomes what is still to come. False: some are.
  bool skip(std::uint64_t& left) noexcept;
  // Past all bytes up to the end that was set.
  bool skip_to_end() noexcept;
  // What was given out is not used any more: memory for a large part is freed.
  void release() {
    if (!unfinished_) forget();
  }
  // What is kept of an unfinished part does not matter.
  void drop_part() noexcept { unfinished_ = tag_known_ = false; }

 private:
  Progress take_varint(std::uint64_t& value);
  void advance(std::size_t size) noexcept;
  void forget();

  std::string_view rest_;
  std::uint64_t offset_ = 0;
  std::uint64_t end_ = std::numeric_limits<std::uint64_t>::max();
  // Of a part that is not all there, or was given out from here.
  std::vector<char> kept_;
  bool unfinished_ = false;
  bool tag_known_ = false;
  std::uint32_t tag_ = 0;
};

}  // namespace ksr::protobuf
