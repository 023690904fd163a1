#include "channel/part_buffer.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace ksr::channel;

TEST_CASE("bytes are joined and cut as it suits, and none is lost") {
  PartBuffer buffer;
  std::string all;
  for (int i = 0; i < 3000; ++i) {
    const std::string piece(static_cast<std::size_t>(i % 97), static_cast<char>('a' + i % 26));
    buffer.add_bytes(piece);
    all += piece;
  }
  std::string got;
  char block[1000];
  for (std::size_t size = 1; buffer.at_bytes(); size = size % sizeof block + 1) {
    const std::size_t count = buffer.read(block, size);
    REQUIRE(count > 0);
    CHECK(count <= size);
    got.append(block, count);
  }
  CHECK(got == all);
  CHECK(buffer.empty());
  CHECK(buffer.size() == 0);
}

TEST_CASE("what is held takes no more memory than it says") {
  for (const std::size_t piece : {900U, 5000U, 8191U, 20000U, 32000U}) {
    CAPTURE(piece);
    PartBuffer buffer;
    for (std::size_t all = 0; all < 1'000'000; all += piece) buffer.add_bytes(std::string(piece, 'x'));
    const std::size_t told = buffer.size();
    std::size_t held = 0;
    while (!buffer.empty()) held += buffer.take().bytes.capacity();
    // The last one has room for what comes next.
    CHECK(held <= told + (std::size_t{32} << 10));
  }
}

TEST_CASE("blocks that were taken are used again, a few of them, until they are released") {
  PartBuffer buffer;
  const std::string bytes(20'000, 'x');
  buffer.add_bytes(bytes);
  std::string block = buffer.take().bytes;
  const char* const memory = block.data();
  CHECK_FALSE(buffer.keeps_blocks());
  CHECK(buffer.keep_block(std::move(block)));
  CHECK(buffer.keeps_blocks());
  CHECK(buffer.size() == 0);
  buffer.add_bytes(bytes);
  CHECK_FALSE(buffer.keeps_blocks());
  CHECK(buffer.front().bytes.data() == memory);
  CHECK(buffer.take().bytes == bytes);

  // Too small to matter, and too large for what usually comes.
  CHECK_FALSE(buffer.keep_block("small"));
  CHECK(buffer.keep_block(std::string(1'000'000, 'x')));
  CHECK_FALSE(buffer.keeps_blocks());
  for (int i = 0; i < 100; ++i) CHECK(buffer.keep_block(std::string(40'000, 'x')));
  std::size_t kept = 0;
  for (; buffer.keeps_blocks(); ++kept) buffer.add_bytes(std::string(40'000, 'y'));
  CHECK(kept > 0);
  CHECK(kept <= 8);
  CHECK(buffer.take().bytes == std::string(40'000, 'y'));

  CHECK(buffer.keep_block(std::string(40'000, 'x')));
  // Bytes that no kept block has room for.
  buffer.clear();
  CHECK_FALSE(buffer.keeps_blocks());
  CHECK(buffer.keep_block(std::string(33'000, 'x')));
  buffer.add_bytes(std::string(60'000, 'z'));
  CHECK(buffer.keeps_blocks());
  CHECK(buffer.take().bytes == std::string(60'000, 'z'));
  buffer.release_blocks();
  CHECK_FALSE(buffer.keeps_blocks());
}

TEST_CASE("a read ends at a mark") {
  PartBuffer buffer;
  buffer.add_bytes("before");
  buffer.add_mark(Mark::gap);
  buffer.add_bytes("after");
  char block[32];
  CHECK(std::string(block, buffer.read(block, sizeof block)) == "before");
  CHECK(buffer.at_mark());
  CHECK(buffer.read(block, sizeof block) == 0);
  CHECK(buffer.take().mark == Mark::gap);
  CHECK(std::string(block, buffer.read(block, sizeof block)) == "after");
}

TEST_CASE("what was not taken comes first again") {
  PartBuffer buffer;
  buffer.add_bytes("0123456789");
  buffer.add_message("message");
  PartBuffer::Item item = buffer.take();
  CHECK(item.left() == "0123456789");
  item.begin += 4;
  buffer.give_back(std::move(item));
  CHECK(buffer.front().left() == "456789");
  char block[4];
  CHECK(std::string(block, buffer.read(block, 2)) == "45");
  CHECK(buffer.take().left() == "6789");
  CHECK(buffer.front().is_message);
}

TEST_CASE("messages stay apart, empty ones too") {
  PartBuffer buffer;
  buffer.add_message("");
  buffer.add_message("a");
  buffer.add_message("b");
  CHECK(buffer.take().left().empty());
  CHECK(buffer.take().left() == "a");
  CHECK(buffer.take().left() == "b");
}

TEST_CASE("a flood of empty messages and marks has a size") {
  PartBuffer buffer;
  for (int i = 0; i < 1000; ++i) buffer.add_message("");
  CHECK(buffer.size() >= 64'000);
  for (int i = 0; i < 1000; ++i) buffer.add_mark(Mark::gap);
  CHECK(buffer.size() >= 128'000);
  buffer.clear();
  CHECK(buffer.size() == 0);
}

TEST_CASE("the bytes alone, without what it costs to hold them") {
  PartBuffer buffer;
  for (int i = 0; i < 1000; ++i) buffer.add_message("ab");
  buffer.add_mark(Mark::gap);
  CHECK(buffer.bytes() == 2000);
  CHECK(buffer.size() > 100'000);
  PartBuffer::Item item = buffer.take();
  CHECK(buffer.bytes() == 1998);
  item.begin = 1;
  buffer.give_back(std::move(item));
  CHECK(buffer.bytes() == 1999);
  char some[2];
  CHECK(buffer.read(some, 2) == 2);
  CHECK(buffer.bytes() == 1997);
  buffer.clear();
  CHECK(buffer.bytes() == 0);
}

TEST_CASE("the mark that nothing more comes is an end, a gap and bytes are none") {
  PartBuffer buffer;
  CHECK(buffer.at_its_end());
  buffer.add_mark(Mark::gap);
  CHECK_FALSE(buffer.at_its_end());
  buffer.add_bytes("a");
  buffer.add_mark(Mark::finished);
  buffer.take();
  CHECK_FALSE(buffer.at_its_end());
  buffer.take();
  CHECK(buffer.at_its_end());
}

TEST_CASE("an event is held wherever its mark lies, and the mark that nothing more comes is none") {
  for (const Mark mark : {Mark::gap, Mark::restarted, Mark::finished}) {
    PartBuffer buffer;
    CHECK_FALSE(buffer.holds_event());
    buffer.add_bytes("a");
    buffer.add_mark(mark);
    buffer.add_bytes("b");
    CHECK(buffer.holds_event() == (mark != Mark::finished));
    buffer.take();
    buffer.take();
    CHECK_FALSE(buffer.holds_event());
  }
}
