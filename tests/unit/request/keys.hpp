// `params_of` makes the params of a test from key-value pairs; used by the tests of src/request. Lives on the test's
// thread.
#pragma once

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>
#include <utility>

#include "request/params.hpp"
#include "support/fixed_random.hpp"

namespace ksr::request::testing {

using Pairs = std::initializer_list<std::pair<const char*, const char*>>;

inline Params params_of(Pairs pairs, const char* body = nullptr) {
  Params params;
  for (const auto& [key, value] : pairs) REQUIRE_MESSAGE(set_param(params, key, value), key << "=" << value);
  if (body != nullptr) set_body(params, body);
  return params;
}

// What is wrong, as a check says it; empty: nothing contradicts.
inline std::string contradiction(const Expected<void>& checked) {
  if (checked) return "";
  CHECK(checked.error().status == Status::invalid);
  CHECK(checked.error().message.find('\n') == std::string::npos);
  return checked.error().message;
}

using ksr::testing::FixedRandom;

}  // namespace ksr::request::testing
