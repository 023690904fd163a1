#include "base/escapes.hpp"

#include <doctest/doctest.h>

using namespace ksr;

namespace {

std::string json(std::string_view text) {
  return unescaped(text, Escaping::json).text;
}
std::string html(std::string_view text) {
  return unescaped(text, Escaping::html).text;
}
std::string percent(std::string_view text) {
  return unescaped(text, Escaping::percent).text;
}

}  // namespace

TEST_CASE("escape sequences of JSON, HTML and URLs are what they stand for, anything else stays") {
  CHECK(json(R"(a\"\\\/\b\f\n\r\t\u0041\u00e4\u20ac\ud83d\ude00z)") == "a\"\\/\b\f\n\r\tA\u00e4\u20ac\U0001f600z");
  CHECK(json(R"(\x \u12 \u12g4 \)") == R"(\x \u12 \u12g4 \)");
  CHECK(html("&lt;&gt;&amp;&quot;&apos;&#60;&#x3C;&#X3c;&#8364;") == "<>&\"'<<<\u20ac");
  CHECK(html("& &; &#; &#x; &copy; &lt &#1114112; &#99999999999;") ==
        "& &; &#; &#x; &copy; &lt &#1114112; &#99999999999;");
  CHECK(percent("%41%2f%c3%A4") == "A/\u00e4");
  CHECK(percent("% %4 %4g 100%") == "% %4 %4g 100%");
}

TEST_CASE("each byte knows where it comes from") {
  const UnescapedText made = unescaped(R"(a\u00e4b\n)", Escaping::json);
  CHECK(made.text == "a\u00e4b\n");
  CHECK(made.places == std::vector<std::size_t>{0, 1, 1, 7, 8, 10});
  CHECK(unescaped("", Escaping::html).places == std::vector<std::size_t>{0});
}
