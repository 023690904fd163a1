#include <doctest/doctest.h>

#include "base/base64.hpp"
#include "cluster/text.hpp"

using namespace ksr;
using namespace ksr::cluster;

TEST_CASE("percent encoding leaves the unreserved characters alone and nothing else") {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  const std::string encoded = percent_encode(all);
  CHECK(encoded.size() == 66 + (256 - 66) * 3);
  CHECK(percent_decode(encoded) == all);
  CHECK(percent_encode(" /?&=+%") == "%20%2F%3F%26%3D%2B%25");
}

TEST_CASE("percent decoding refuses what is cut off or no hex") {
  CHECK(!percent_decode("%"));
  CHECK(!percent_decode("a%2"));
  CHECK(!percent_decode("%zz"));
  CHECK(percent_decode("a%2fb") == "a/b");
}

TEST_CASE("base64 goes both ways") {
  // RFC 4648 section 10.
  const std::pair<const char*, const char*> vectors[] = {{"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
                                                         {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : vectors) {
    CHECK(base64_encode(plain) == text);
    CHECK(base64_decode(text) == plain);
  }
  CHECK(base64url_encode("\xfb\xff\xfe?") == "-__-Pw");
  CHECK(base64_decode("Zm9v\n  YmFy\r\n") == "foobar");
  for (const char* bad : {"Z", "Zg=", "Zg===", "Zg==Zg==", "Z*==", "Zm9vYg", "=", "Zm9v=Zm9"}) {
    CAPTURE(bad);
    CHECK(!base64_decode(bad));
  }
}
