// `PartialText` is the text of one object: a view into the buffer it arrived in, or a copy when it continues in the
// next buffer; used by ListReader and WatchReader. Lives on the thread of its reader.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace ksr::json {

// Lives on the thread of its reader.
class PartialText {
 public:
  explicit PartialText(std::size_t max_size) : max_size_(max_size) {}

  void begin(std::uint64_t at);
  void finish(std::uint64_t end) noexcept { end_ = end; }
  // Nothing more is wanted of it.
  void release();

  bool wanted() const noexcept { return wanted_; }
  std::uint64_t begin_at() const noexcept { return begin_; }
  bool too_large(std::uint64_t now) const noexcept { return wanted_ && (end_ < now ? end_ : now) - begin_ > max_size_; }

  // `buffer` starts at `base` in the stream. The first max_size bytes of what is there of the text; valid as long as
  // the buffer and until the next call.
  std::string_view text(std::string_view buffer, std::uint64_t base);
  // The buffer is about to go away.
  void keep(std::string_view buffer, std::uint64_t base);

 private:
  std::string_view part_in(std::string_view buffer, std::uint64_t base) const noexcept;
  void append(std::string_view part);

  const std::size_t max_size_;
  bool wanted_ = false;
  std::uint64_t begin_ = 0;
  std::uint64_t end_ = 0;
  // Up to where in the stream the text has been copied.
  std::uint64_t kept_to_ = 0;
  std::vector<char> kept_;
};

}  // namespace ksr::json
