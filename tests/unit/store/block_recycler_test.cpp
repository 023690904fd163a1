#include "store/block_recycler.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace ksr::store::test {
namespace {

struct Fixture {
  BlockRecycler memory;
  BlockRecycler::Lease user{memory};

  // Without slack.
  void* take(std::size_t size) { return memory.allocate(size, size).memory; }
};

TEST_CASE_FIXTURE(Fixture, "what was released is used again for the same size") {
  void* const first = take(3000);
  memory.release(first, 3000);
  CHECK(take(3000) == first);
  memory.release(first, 3000);
}

TEST_CASE_FIXTURE(Fixture,
                  "a block a little larger than requested is taken, one that is smaller or much larger is not") {
  void* const block = take(3000);
  std::memset(block, 7, 3000);
  memory.release(block, 3000);

  const BlockRecycler::Block longer = memory.allocate(3001, 3100);
  CHECK(longer.memory != block);
  CHECK(longer.capacity == 3001);
  const BlockRecycler::Block much_shorter = memory.allocate(2000, 2060);
  CHECK(much_shorter.memory != block);
  const BlockRecycler::Block shorter = memory.allocate(2950, 3050);
  CHECK(shorter.memory == block);
  CHECK(shorter.capacity == 3000);
  for (const BlockRecycler::Block& held : {longer, much_shorter, shorter}) memory.release(held.memory, held.capacity);
}

TEST_CASE_FIXTURE(Fixture, "blocks of all sizes can be written to in full and come back") {
  std::vector<BlockRecycler::Block> blocks;
  for (int round = 0; round < 3; ++round) {
    for (std::size_t size = 1; size < 200'000; size += 1 + size / 7) {
      blocks.push_back(memory.allocate(size, size + size / 32));
      REQUIRE(blocks.back().capacity >= size);
      REQUIRE(blocks.back().capacity <= size + size / 32);
      std::memset(blocks.back().memory, 7, size);
    }
    for (const BlockRecycler::Block& block : blocks) memory.release(block.memory, block.capacity);
    blocks.clear();
  }
}

// More than is kept; LeakSanitizer finds what would be lost.
TEST_CASE_FIXTURE(Fixture, "blocks beyond the bound go back to malloc") {
  for (const std::size_t size : {1000u, 3000u, 5000u}) {
    std::vector<void*> blocks;
    for (int i = 0; i < 3000; ++i) blocks.push_back(take(size));
    for (void* const block : blocks) memory.release(block, size);
  }
}

TEST_CASE("without a lease nothing is kept, and the release of the last one frees everything") {
  BlockRecycler memory;
  memory.release(memory.allocate(3000, 3000).memory, 3000);
  {
    const BlockRecycler::Lease user(memory);
    const BlockRecycler::Lease second = user;
    memory.release(memory.allocate(3000, 3000).memory, 3000);
  }
  memory.release(memory.allocate(3000, 3000).memory, 3000);
}

TEST_CASE("threads pass blocks to each other, also while the last lease is released") {
  BlockRecycler memory;
  for (int round = 0; round < 20; ++round) {
    std::mutex mutex;
    std::deque<BlockRecycler::Block> handed;
    std::atomic<bool> ended{false};
    const auto drop = [&] {
      for (;;) {
        const bool last = ended;
        std::deque<BlockRecycler::Block> mine;
        {
          const std::lock_guard<std::mutex> lock(mutex);
          const std::size_t some = (handed.size() + 1) / 2;
          for (std::size_t i = 0; i < some; ++i) {
            mine.push_back(handed.front());
            handed.pop_front();
          }
        }
        for (const BlockRecycler::Block& block : mine) {
          std::memset(block.memory, 9, block.capacity < 64 ? block.capacity : 64);
          memory.release(block.memory, block.capacity);
        }
        if (last && mine.empty()) return;
      }
    };
    std::thread one(drop);
    std::thread other(drop);
    {
      const BlockRecycler::Lease user(memory);
      for (std::size_t i = 0; i < 2000; ++i) {
        const std::size_t size = 300 + i % 40 * 16;
        const BlockRecycler::Block block = memory.allocate(size, size + size / 32);
        std::memset(block.memory, 7, size);
        const std::lock_guard<std::mutex> lock(mutex);
        handed.push_back(block);
      }
    }
    ended = true;
    one.join();
    other.join();
  }
}

}  // namespace
}  // namespace ksr::store::test
