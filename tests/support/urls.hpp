// `url_of` and `proxy_of` parse valid URLs; used by tests that make ConnectionSettings. Lives on the test's thread.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "base/url.hpp"

namespace ksr::testing {

inline ksr::Url url_of(const std::string& text) {
  auto url = ksr::parse_server_url("server", text);
  REQUIRE(url);
  return *std::move(url);
}

inline ksr::Url proxy_of(const std::string& text) {
  auto url = ksr::parse_proxy_url("proxy_url", text);
  REQUIRE(url);
  return *std::move(url);
}

}  // namespace ksr::testing
