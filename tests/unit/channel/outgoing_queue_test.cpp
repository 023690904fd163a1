// What the host has written: its bounds, the pieces in which it is sent, the counts.
#include <doctest/doctest.h>

#include <string>

#include "channel/channel_codec.hpp"
#include "channel/outgoing_queue.hpp"

using namespace ksr::channel;

namespace {

constexpr std::size_t kPiece = ChannelCodec::kMaxPayload;

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i % 23);
  return text;
}

}  // namespace

TEST_CASE("a stream: as much is taken as fits, and it is sent in pieces that are full but for the last one") {
  OutgoingQueue queue(10 * kPiece, false);
  const std::string text = pattern(12 * kPiece);
  REQUIRE(queue.has_room_for(text.size()));
  CHECK(queue.add(0, text.substr(0, 5)) == 5);
  CHECK(queue.add(0, text.substr(5)) == 10 * kPiece - 5);
  CHECK(queue.bytes() == 10 * kPiece);
  CHECK_FALSE(queue.has_room_for(1));
  std::string sent;
  for (int i = 0; i < 10; ++i) {
    const auto piece = queue.take();
    REQUIRE(piece);
    CHECK(piece->bytes.size() == kPiece);
    CHECK(queue.half_free() == (i >= 4));
    CHECK(queue.has_room_for(1));
    sent += piece->bytes;
  }
  CHECK((sent == text.substr(0, 10 * kPiece)));
  CHECK_FALSE(queue.take());
  // Taken, and not sent yet.
  CHECK(queue.bytes() == 10 * kPiece);
  queue.release(3 * kPiece);
  CHECK(queue.bytes() == 7 * kPiece);
}

TEST_CASE("the end of a part comes behind its bytes, and costs nothing") {
  OutgoingQueue queue(4096, false);
  queue.add(7, "last");
  queue.add_end(7);
  CHECK(queue.bytes() == 4);
  const auto bytes = queue.take();
  CHECK((bytes && bytes->bytes == "last" && bytes->part == 7 && !bytes->finishes));
  const auto end = queue.take();
  CHECK((end && end->finishes && end->part == 7));
  queue.release(4);
  CHECK(queue.bytes() == 0);
}

TEST_CASE("messages are sent as they were added, each whole; their count has their bytes alone") {
  OutgoingQueue queue(1000, true);
  queue.add(16, "");
  queue.add(17, std::string(700, 'x'));
  CHECK(queue.bytes() == 700);
  // Each costs something, so that a flood of empty ones ends.
  CHECK(queue.has_room_for(108));
  CHECK_FALSE(queue.has_room_for(109));
  CHECK(queue.take()->part == 16);
  CHECK(queue.take()->bytes.size() == 700);
  // One that is larger than the room, when nothing waits.
  CHECK(queue.has_room_for(5000));
  CHECK(queue.add(16, std::string(5000, 'y')) == 5000);
  CHECK_FALSE(queue.has_room_for(0));
  CHECK_FALSE(queue.half_free());
  CHECK(queue.bytes() == 5700);
  queue.clear();
  CHECK(queue.bytes() == 0);
  // Of what was taken before.
  queue.release(700);
  CHECK(queue.bytes() == 0);
  CHECK(queue.has_room_for(0));
}
