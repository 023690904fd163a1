#include "channel/outgoing_queue.hpp"

#include <algorithm>
#include <utility>

#include "channel/channel_codec.hpp"

namespace ksr::channel {

bool OutgoingQueue::has_room_for(std::size_t size) const noexcept {
  return messages_ ? pieces_.empty() || cost(size) <= room() : room() > 0;
}

std::size_t OutgoingQueue::add(int part, std::string_view bytes) {
  if (!messages_) bytes = bytes.substr(0, room());
  const std::size_t taken = bytes.size();
  std::list<Outgoing> added;
  std::string_view joined;
  if (messages_) {
    added.push_back({part, std::string(bytes), false});
  } else {
    // In the pieces that are sent, so that nothing is moved when one is taken.
    constexpr std::size_t kPiece = ChannelCodec::kMaxPayload;
    if (!pieces_.empty()) {
      std::string& last = pieces_.back().bytes;
      joined = bytes.substr(0, kPiece - std::min(kPiece, last.size()));
      last.reserve(last.size() + joined.size());
    }
    for (std::size_t at = joined.size(); at < bytes.size(); at += kPiece) {
      added.push_back({part, std::string(bytes.substr(at, kPiece)), false});
    }
  }
  // Nothing from here on needs memory.
  if (!joined.empty()) pieces_.back().bytes += joined;
  pieces_.splice(pieces_.end(), added);
  size_ += cost(taken);
  bytes_ += taken;
  return taken;
}

void OutgoingQueue::add_end(int part) {
  pieces_.push_back({part, std::string(), true});
}

std::optional<Outgoing> OutgoingQueue::take() {
  if (pieces_.empty()) return std::nullopt;
  Outgoing first = std::move(pieces_.front());
  pieces_.pop_front();
  if (!first.finishes) size_ -= cost(first.bytes.size());
  return first;
}

void OutgoingQueue::release(std::size_t bytes) noexcept {
  bytes_ -= std::min(bytes_, bytes);
}

void OutgoingQueue::clear() noexcept {
  pieces_.clear();
  size_ = 0;
  bytes_ = 0;
}

}  // namespace ksr::channel
