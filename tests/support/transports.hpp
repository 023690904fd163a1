// What the cases on the scriptable server and on the real cluster say alike.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "support/recorder.hpp"

namespace ksr_test {

inline Settings with(Settings settings, const std::string& key, const std::string& value) {
  settings.emplace_back(key, value);
  return settings;
}

// Runs `test(transport)` for each way to carry a watch.
template <class Test>
void on_both_transports(Test test) {
  for (const char* transport : {"websocket", "http"}) {
    CAPTURE(transport);
    test(std::string(transport));
  }
}

}  // namespace ksr_test
