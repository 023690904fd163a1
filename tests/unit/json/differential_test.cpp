// The scanner accepts exactly what Boost.JSON accepts.
#include <doctest/doctest.h>

#include <boost/json.hpp>
#include <random>

#include "unit/json/corpus.hpp"
#include "unit/json/documents.hpp"

namespace ksr::json::testing {
namespace {

constexpr unsigned kSeed = 20261124;

std::string mutated(std::string text, std::mt19937& random) {
  static const std::string alphabet =
      "\"\\{}[]:,0-1.eE+ \n\ttrunlfasb/ud8\x01\x7f\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xff";
  const auto below = [&](std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
  };
  for (std::size_t changes = below(4); changes > 0 && !text.empty(); --changes) {
    const std::size_t at = below(text.size());
    switch (below(5)) {
      case 0:
        text[at] = alphabet[below(alphabet.size())];
        break;
      case 1:
        text.insert(at, 1, alphabet[below(alphabet.size())]);
        break;
      case 2:
        text.erase(at, 1 + below(3));
        break;
      case 3:
        std::swap(text[at], text[below(text.size())]);
        break;
      default:
        text.insert(at, text.substr(below(text.size()), 1 + below(20)));
    }
  }
  return text;
}

bool boost_takes(const std::string& text) {
  boost::system::error_code error;
  boost::json::parse_options options;
  options.max_depth = 512;
  boost::json::parse("[" + text + "]", error, {}, options);
  // Its own limit, not JSON's.
  return !error || error == boost::json::error::exponent_overflow;
}

TEST_CASE("random mutations are judged as by Boost.JSON, whole and in pieces") {
  std::mt19937 random(kSeed);
  const std::vector<std::string> seeds = {
      rich_list(),
      rich_custom_list(),
      R"({"a":[1,2,{"b":"c\n"}],"d":"\u00e9"})",
      "[1.5e3,-0,true,false,null,\"x\"]",
      "{\n  \"a\" : [\n 1 , { } , [ ] ]\n , \"b\" : \"0123456789abcdef0123456789abcdef\\\\\" }",
      R"({"k:{\"uid\":\"4f0c\"}":{".":{},"f:x":{"g":[[],[{}]]}},"plain":"0123456789012345678901234567890123456789"})"};
  std::size_t valid = 0;
  for (int round = 0; round < 60000; ++round) {
    const std::string text = mutated(seeds[static_cast<std::size_t>(round) % seeds.size()], random);
    const bool expected = boost_takes(text);
    valid += expected ? 1 : 0;
    const Verdict whole = judge(text);
    REQUIRE_MESSAGE(whole.valid == expected, text << "\n" << whole.problem);
    const std::size_t chunk = 1 + random() % 80;
    const Verdict split = judge(text, chunk, random() % 2 == 0);
    REQUIRE_MESSAGE(split == whole, text << "\nby " << chunk << ": " << split.problem << " / " << whole.problem);
  }
  // Both ways are tried often enough to mean something.
  CHECK(valid > 10000);
  CHECK(valid < 50000);
}

}  // namespace
}  // namespace ksr::json::testing
