// `OutgoingQueue` holds what the host has written to a channel until it is sent; used by client::ChannelHandle, whose
// mutex guards it. Pure.
#pragma once

#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <string_view>

namespace ksr::channel {

struct Outgoing {
  int part = 0;
  std::string bytes;
  // Nothing follows on this part.
  bool finishes = false;
};

class OutgoingQueue {
 public:
  // Holds about `limit`. `messages`: what is added is sent as it is, one message each; else it is a stream, whose bytes
  // are cut and joined as it suits.
  OutgoingQueue(std::size_t limit, bool messages) : limit_(limit), messages_(messages) {}

  // Whether add() takes something of so many bytes: a message as a whole, also one that is larger than all of the room
  // when nothing waits before it.
  bool has_room_for(std::size_t size) const noexcept;
  // How many bytes were taken. Only after has_room_for().
  std::size_t add(int part, std::string_view bytes);
  // The end of a part.
  void add_end(int part);

  // The oldest message, or at most ChannelCodec::kMaxPayload bytes of the stream.
  std::optional<Outgoing> take();
  // So many bytes of what take() has returned are sent, or lost with their connection.
  void release(std::size_t bytes) noexcept;

  // Of what is added and not released, without what it costs to hold.
  std::size_t bytes() const noexcept { return bytes_; }
  bool half_free() const noexcept { return size_ <= limit_ / 2; }
  void clear() noexcept;

 private:
  // Of a message, so that a flood of small ones is bounded too.
  static constexpr std::size_t kOverhead = 64;

  std::size_t room() const noexcept { return size_ < limit_ ? limit_ - size_ : 0; }
  std::size_t cost(std::size_t bytes) const noexcept { return bytes + (messages_ ? kOverhead : 0); }

  const std::size_t limit_;
  const bool messages_;
  // A list: what is added is put into it whole, or not at all.
  std::list<Outgoing> pieces_;
  // What it costs to hold them.
  std::size_t size_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace ksr::channel
