#include "base/base64.hpp"

#include <doctest/doctest.h>

#include <utility>

using namespace ksr;

TEST_CASE("base64 encodes and decodes") {
  // RFC 4648, section 10.
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
