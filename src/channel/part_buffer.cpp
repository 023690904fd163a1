#include "channel/part_buffer.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace ksr::channel {

void PartBuffer::add_bytes(std::string_view bytes) {
  if (!items_.empty()) {
    Item& last = items_.back();
    if (!last.is_mark && !last.is_message && last.bytes.size() < kMaxJoined) {
      // To the brim: a quarter of the memory would be unused else, uncounted.
      const std::string_view fitting = bytes.substr(0, kMaxJoined - last.bytes.size());
      // Not by doubling, which could end at nearly twice that.
      if (last.bytes.size() + fitting.size() >= kBulk) last.bytes.reserve(kMaxJoined);
      last.bytes += fitting;
      size_ += fitting.size();
      bytes.remove_prefix(fitting.size());
    }
  }
  if (bytes.empty()) return;
  Item item;
  // More of the kind will come: it is neither copied again nor in twice the memory then.
  if (bytes.size() >= kBulk) item.bytes = block_for(std::max(bytes.size(), kMaxJoined));
  item.bytes += bytes;
  size_ += cost(item);
  items_.push_back(std::move(item));
}

std::string PartBuffer::block_for(std::size_t size) {
  std::string block;
  if (block_count_ > 0 && blocks_[block_count_ - 1].capacity() >= size) {
    block.swap(blocks_[--block_count_]);
  } else {
    block.reserve(size);
  }
  return block;
}

bool PartBuffer::keep_block(std::string block) noexcept {
  if (block.capacity() < kMaxJoined) return false;
  // A larger one would be filled in part, and the rest of it is not counted.
  if (block.capacity() > kMaxJoined + kMaxJoined / 4 || block_count_ == kMaxBlocks) return true;
  block.clear();
  blocks_[block_count_++].swap(block);
  return true;
}

void PartBuffer::release_blocks() noexcept {
  while (block_count_ > 0) std::string().swap(blocks_[--block_count_]);
}

void PartBuffer::add_message(std::string message, std::uint64_t order) {
  Item item;
  item.bytes = std::move(message);
  item.is_message = true;
  item.order = order;
  size_ += cost(item);
  items_.push_back(std::move(item));
}

void PartBuffer::add_mark(Mark mark) {
  Item item;
  item.is_mark = true;
  item.mark = mark;
  size_ += cost(item);
  items_.push_back(std::move(item));
}

bool PartBuffer::holds_event() const {
  return std::any_of(items_.begin(), items_.end(),
                     [](const Item& item) { return item.is_mark && item.mark != Mark::finished; });
}

PartBuffer::Item PartBuffer::take() {
  Item item = std::move(items_.front());
  items_.pop_front();
  size_ -= cost(item);
  return item;
}

void PartBuffer::give_back(Item item) {
  size_ += cost(item);
  items_.push_front(std::move(item));
}

std::size_t PartBuffer::read(char* to, std::size_t size) {
  std::size_t copied = 0;
  while (copied < size && at_bytes()) {
    Item& item = items_.front();
    const std::string_view left = item.left().substr(0, size - copied);
    std::memcpy(to + copied, left.data(), left.size());
    copied += left.size();
    item.begin += left.size();
    size_ -= left.size();
    if (item.begin < item.bytes.size()) break;
    size_ -= kOverhead;
    items_.pop_front();
  }
  return copied;
}

void PartBuffer::clear() noexcept {
  items_.clear();
  release_blocks();
  size_ = 0;
}

}  // namespace ksr::channel
