// `on_both_transports` runs a case over WebSockets and over HTTP; used by the cases on the scriptable server and on the
// real cluster. Lives on the test's thread.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "support/recorder.hpp"

namespace ksr::testing {

inline Settings with(Settings settings, const std::string& key, const std::string& value) {
  settings.emplace_back(key, value);
  return settings;
}

// Runs `test(transport)` for each transport.
template <class Test>
void on_both_transports(Test test) {
  for (const char* transport : {"websocket", "http"}) {
    CAPTURE(transport);
    test(std::string(transport));
  }
}

}  // namespace ksr::testing
