// `PartBuffer` holds what has come of one part of a channel and the host has not taken; used by client::ChannelHandle,
// whose mutex guards it. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace ksr::channel {

// What happens at a place among the bytes.
enum class Mark : std::uint8_t { finished, gap, restarted };

class PartBuffer {
 public:
  struct Item {
    std::string bytes;
    std::size_t begin = 0;  // of what is left of them
    bool is_message = false;
    std::uint64_t order = 0;  // of a message, among those of all parts
    bool is_mark = false;
    Mark mark = Mark::finished;

    std::string_view left() const { return std::string_view(bytes).substr(begin); }
  };

  // Bytes of a stream, which are cut and joined as it suits.
  void add_bytes(std::string_view bytes);
  void add_message(std::string message, std::uint64_t order = 0);
  void add_mark(Mark mark);

  bool empty() const noexcept { return items_.empty(); }
  // What it costs to hold.
  std::size_t size() const noexcept { return size_; }
  // Of what is held, without that.
  std::size_t bytes() const noexcept { return size_ - items_.size() * kOverhead; }
  // Nothing is held but, at most, the mark that nothing more comes.
  bool at_its_end() const { return empty() || (at_mark() && front().mark == Mark::finished); }
  // Of gap and restarted, anywhere in what is held.
  bool holds_event() const;
  bool at_mark() const { return !items_.empty() && items_.front().is_mark; }
  bool at_bytes() const { return !items_.empty() && !items_.front().is_mark; }
  const Item& front() const { return items_.front(); }

  Item take();
  // What take() returned, of which the host has not taken all.
  void give_back(Item item);
  // The block of bytes that take() returned and the host has taken: kept for bytes that come, since blocks that come
  // from the heap and go back to it are pages that the kernel takes and gives each time. It is dropped when it is too
  // small for that, which is false, or when there are enough.
  bool keep_block(std::string block) noexcept;
  bool keeps_blocks() const noexcept { return block_count_ > 0; }
  void release_blocks() noexcept;
  // Up to the next mark.
  std::size_t read(char* to, std::size_t size);
  void clear() noexcept;

 private:
  // For items without bytes, and so that a flood of small messages is bounded too.
  static constexpr std::size_t kOverhead = 128;
  static constexpr std::size_t kMaxJoined = std::size_t{32} << 10;
  static constexpr std::size_t kBulk = std::size_t{4} << 10;

  static constexpr std::size_t kMaxBlocks = 4;

  std::string block_for(std::size_t size);
  static std::size_t cost(const Item& item) noexcept { return item.bytes.size() - item.begin + kOverhead; }

  std::deque<Item> items_;
  std::array<std::string, kMaxBlocks> blocks_;
  std::size_t block_count_ = 0;
  std::size_t size_ = 0;
};

}  // namespace ksr::channel
