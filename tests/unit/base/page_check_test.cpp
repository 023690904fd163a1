#include "base/page_check.hpp"

#include <doctest/doctest.h>

using ksr::PageCheck;

namespace {

std::string result(PageCheck& pages, const char* token, const char* first_uid) {
  const auto checked = pages.add(token, *first_uid == '\0', first_uid);
  return checked ? "" : checked.error().message;
}

}  // namespace

TEST_CASE("pages with tokens and objects of their own are those of a list that ends") {
  PageCheck pages;
  CHECK(result(pages, "one", "a") == "");
  CHECK(result(pages, "two", "b") == "");
  CHECK(result(pages, "three", "") == "");
  CHECK(result(pages, "", "a") == "");
}

TEST_CASE("a page that names itself as the next one") {
  PageCheck pages;
  CHECK(result(pages, "one", "a") == "");
  CHECK(result(pages, "one", "b") == "page 2 of the list has its own continue token");
}

TEST_CASE("a list that begins again") {
  PageCheck pages;
  CHECK(result(pages, "one", "a") == "");
  CHECK(result(pages, "two", "b") == "");
  CHECK(result(pages, "one", "a") == "page 3 of the list begins with the same object as the first page");
}

TEST_CASE("more than 16 empty pages in a row, objects without a uid are none") {
  PageCheck pages;
  for (int i = 0; i < 40; ++i) CHECK(pages.add("object " + std::to_string(i), false, ""));
  for (int i = 0; i < 16; ++i) CHECK(pages.add("empty " + std::to_string(i), true, ""));
  CHECK(result(pages, "one more", "") ==
        "page 57 of the list is empty, like the 16 pages before it, and has a continue token");
}
