// gzip, however the bytes are cut.
#include "transport/inflater.hpp"

#include <doctest/doctest.h>

#include "unit/transport/gzip.hpp"

using ksr::transport::Inflater;
using Progress = Inflater::Progress;

namespace {

struct Unpacked {
  Progress progress = Progress::more;
  std::string text;
  bool complete = false;
  std::size_t max_step = 0;
};

Unpacked unpack(std::string_view packed, std::size_t step) {
  Unpacked result;
  Inflater inflater;
  while (!packed.empty() && result.progress == Progress::more) {
    std::string_view piece = packed.substr(0, step);
    result.progress = inflater.feed(piece, [&](std::string_view bytes) {
      result.text += bytes;
      result.max_step = std::max(result.max_step, bytes.size());
      return true;
    });
    packed.remove_prefix(std::min(step, packed.size()));
  }
  result.complete = inflater.complete();
  return result;
}

}  // namespace

TEST_CASE("one member and several give the same text at every cut") {
  const std::string packed = test::gzip("hello ") + test::gzip("") + test::gzip("world");
  for (std::size_t step = 1; step <= packed.size(); ++step) {
    const Unpacked result = unpack(packed, step);
    CHECK(result.progress == Progress::more);
    CHECK(result.text == "hello world");
    CHECK(result.complete);
  }
}

TEST_CASE("a truncated stream is never complete") {
  const std::string packed = test::gzip("hello world");
  for (std::size_t size = 0; size < packed.size(); ++size) CHECK_FALSE(unpack(packed.substr(0, size), 4).complete);
  CHECK_FALSE(unpack(packed + packed.substr(0, 5), 100).complete);
}

TEST_CASE("damage is noticed") {
  std::string packed = test::gzip(std::string(1000, 'a') + "b");
  packed[packed.size() - 6] = static_cast<char>(packed[packed.size() - 6] ^ 1);
  CHECK(unpack(packed, 7).progress == Progress::failed);
  CHECK(unpack("this is not gzip", 3).progress == Progress::failed);
  CHECK(unpack(test::gzip("x") + "garbage", 100).progress == Progress::failed);
}

TEST_CASE("a body that unpacks to much more comes in bounded steps") {
  const std::string text(50'000'000, 'a');
  const Unpacked result = unpack(test::gzip(text), 16'000);
  CHECK(result.complete);
  CHECK(result.text.size() == text.size());
  CHECK(result.max_step <= 64 * 1024);
}

TEST_CASE("the sink can stop it after each step, and it goes on where it was") {
  const std::string text = std::string(1'000'000, 'a') + std::string(64 * 1024, 'b');
  const std::string packed = test::gzip(text) + test::gzip("") + test::gzip("end");
  std::string_view left = packed;
  Inflater inflater;
  std::string unpacked;
  std::size_t steps = 0;
  const auto one_step = [&](std::string_view bytes) {
    unpacked += bytes;
    ++steps;
    return false;
  };
  Progress progress = Progress::stopped;
  for (std::size_t i = 0; progress == Progress::stopped && i < 100; ++i) {
    progress = inflater.feed(left, one_step);
    CHECK(steps <= i + 1);
    CHECK(unpacked.size() <= (i + 1) * 64 * 1024);
  }
  CHECK(progress == Progress::more);
  CHECK(left.empty());
  CHECK(unpacked == text + "end");
  CHECK(inflater.complete());
}
