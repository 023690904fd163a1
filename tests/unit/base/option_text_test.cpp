#include "base/option_text.hpp"

#include <doctest/doctest.h>

using namespace ksr;
using std::chrono::milliseconds;

TEST_CASE("durations take a unit") {
  CHECK(*parse_duration("0") == milliseconds(0));
  CHECK(*parse_duration("800ms") == milliseconds(800));
  CHECK(*parse_duration("30s") == milliseconds(30'000));
  CHECK(*parse_duration("5m") == milliseconds(300'000));
  CHECK(*parse_duration("1h") == milliseconds(3'600'000));
  for (const char* bad : {"", "5", "s", "-1s", "+1s", " 1s", "1 s", "1s ", "1.5s", "1d", "0x1s",
                          "99999999999999999999s", "18446744073709551615h", "9000000000s"}) {
    CAPTURE(bad);
    const auto parsed = parse_duration(bad);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().status == Status::invalid);
    CHECK(parsed.error().message.find("expected a duration") == 0);
  }
}

TEST_CASE("sizes take binary units") {
  CHECK(*parse_size("0") == 0u);
  CHECK(*parse_size("4096") == 4096u);
  CHECK(*parse_size("512Ki") == 512u << 10);
  CHECK(*parse_size("64Mi") == 64u << 20);
  CHECK(*parse_size("2Gi") == std::uint64_t{2} << 30);
  for (const char* bad : {"", "Ki", "1K", "1kb", "1MB", "-1", "1.5Mi", "99999999999Gi", "18446744073709551616"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_size(bad));
  }
}

TEST_CASE("booleans are spelled out") {
  CHECK(*parse_boolean("true"));
  CHECK_FALSE(*parse_boolean("false"));
  for (const char* bad : {"", "1", "0", "yes", "TRUE", "True", "true "}) CHECK_FALSE(parse_boolean(bad));
}

TEST_CASE("counts are whole numbers") {
  CHECK(*parse_count("500") == 500u);
  CHECK(*parse_count("18446744073709551615") == 18446744073709551615u);
  for (const char* bad : {"", "-1", "1e3", "5 ", "18446744073709551616"}) CHECK_FALSE(parse_count(bad));
}

TEST_CASE("names are split at commas") {
  CHECK(parse_names("a, b ,,c,") == std::vector<std::string>{"a", "b", "c"});
  CHECK(parse_names("").empty());
  CHECK(parse_names(" , ").empty());
}

TEST_CASE("an error leaves the place as it was") {
  bool place = true;
  CHECK_FALSE(assign(parse_boolean("no"), place));
  CHECK(place);
  CHECK(assign(parse_boolean("false"), place));
  CHECK_FALSE(place);
}

TEST_CASE("a word is one of those that are listed") {
  constexpr std::array<std::pair<std::string_view, int>, 2> words{{{"one", 1}, {"two", 2}}};
  int place = 0;
  CHECK(assign_word("two", words, place));
  CHECK(place == 2);
  for (const char* bad : {"", "on", "one ", "One", "one, two"}) {
    CAPTURE(bad);
    const Expected<void> assigned = assign_word(bad, words, place);
    REQUIRE_FALSE(assigned);
    CHECK(assigned.error().status == Status::invalid);
    CHECK(assigned.error().message == "expected one of one, two");
    CHECK(place == 2);
  }
}

TEST_CASE("errors never repeat the value") {
  CHECK(parse_boolean("hunter2").error().message.find("hunter2") == std::string::npos);
  CHECK(parse_duration("hunter2").error().message.find("hunter2") == std::string::npos);
  CHECK(parse_size("hunter2").error().message.find("hunter2") == std::string::npos);
  CHECK(parse_count("hunter2").error().message.find("hunter2") == std::string::npos);
}
