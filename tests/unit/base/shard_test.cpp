#include "base/shard.hpp"

#include <doctest/doctest.h>

#include <random>
#include <vector>

using ksr::Shard;

namespace {

std::string selector_of(const std::string& text) {
  const auto shard = Shard::parse(text);
  return shard ? shard->selector() : shard.error().message;
}

std::string range(const std::string& lower, const std::string& upper) {
  return "shardRange(object.metadata.uid, '0x" + lower + "', '0x" + upper + "')";
}

}  // namespace

TEST_CASE("the ranges that Kubernetes gives as examples (apimachinery, pkg/apis/meta/v1/types.go)") {
  CHECK(selector_of("0/1") == range("0000000000000000", "10000000000000000"));
  CHECK(selector_of("0/2") == range("0000000000000000", "8000000000000000"));
  CHECK(selector_of("1/2") == range("8000000000000000", "10000000000000000"));
  CHECK(selector_of("1/4") == range("4000000000000000", "8000000000000000"));
  CHECK(selector_of("2/4") == range("8000000000000000", "c000000000000000"));
  CHECK(selector_of("3/4") == range("c000000000000000", "10000000000000000"));
}

TEST_CASE("counts that do not divide 2^64") {
  CHECK(selector_of("0/3") == range("0000000000000000", "5555555555555555"));
  CHECK(selector_of("1/3") == range("5555555555555555", "aaaaaaaaaaaaaaaa"));
  CHECK(selector_of("2/3") == range("aaaaaaaaaaaaaaaa", "10000000000000000"));
  CHECK(selector_of("65535/65536") == range("ffff000000000000", "10000000000000000"));
}

TEST_CASE("the hash is the API's: uids hashed by apimachinery's sharding.HashField fall where it puts them") {
  const std::vector<std::pair<std::string, std::uint64_t>> hashes{
      {"", 0xcbf29ce484222325},
      {"a", 0xaf63dc4c8601ec8c},
      {"foobar", 0x85944171f73967e8},
      {"00000000-0000-0000-0000-000000000000", 0x7c384c6218f299f1},
      {"6f1c2b1e-9d0a-4f59-8a3c-2f7a4d1f0b11", 0xae93d29e6770f395},
      {"ffffffff-ffff-ffff-ffff-ffffffffffff", 0x7718f1b2f3cdd331}};
  for (const auto& [uid, hash] : hashes) {
    CAPTURE(uid);
    const std::uint64_t part = hash >> 48;
    CHECK(Shard::parse(std::to_string(part) + "/65536")->holds(uid));
    CHECK_FALSE(Shard::parse(std::to_string(part ^ 1) + "/65536")->holds(uid));
  }
}

// A version 4 UUID, as the API server gives each object.
std::string random_uid(std::mt19937_64& random) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string uid = "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx";
  for (char& digit : uid) {
    if (digit == 'x') digit = kDigits[random() % 16];
  }
  return uid;
}

TEST_CASE("every uid is in exactly one part, and the parts are of about one size") {
  std::mt19937_64 random(1);
  std::vector<std::string> uids(2000);
  for (std::string& uid : uids) uid = random_uid(random);
  for (const int count : {1, 2, 3, 4, 7, 100}) {
    std::vector<int> sizes;
    std::vector<int> found(uids.size(), 0);
    for (int part = 0; part < count; ++part) {
      const auto shard = Shard::parse(std::to_string(part) + "/" + std::to_string(count));
      REQUIRE(shard);
      CHECK(shard->text() == std::to_string(part) + "/" + std::to_string(count));
      sizes.push_back(0);
      for (std::size_t i = 0; i < found.size(); ++i) {
        if (!shard->holds(uids[i])) continue;
        ++found[i];
        ++sizes.back();
      }
    }
    for (const int times : found) CHECK(times == 1);
    if (count <= 7) {
      for (const int size : sizes) CHECK(size > 2000 / count / 2);
    }
  }
}

TEST_CASE("what is no part is refused, and the message says what is expected") {
  for (const char* text : {"", "1", "/", "1/", "/4", "4/4", "5/4", "0/0", "-1/4", "0/-4", "+0/4", "0/4/2", "0.5/4",
                           "a/b", "0/65537", "0/99999999999999999999", "0 / 4", "0x0/4"}) {
    CAPTURE(text);
    CHECK_FALSE(Shard::parse(text));
    CHECK(selector_of(text) == "expected I/N, part I of N from 0, such as 0/4 for the first of four; N at most 65536");
  }
}
