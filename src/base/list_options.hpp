// `ListOptions` and `WatchOptions` are the query parameters of a list and of a watch, as metav1.ListOptions has them;
// used by sync, which chooses them, and by cluster, which writes them into a URL. Plain data, for any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace ksr {

struct ListOptions {
  std::size_t limit = 0;               // 0: not sent
  std::string resource_version;        // empty: not sent
  std::string resource_version_match;  // empty: not sent
  std::string continue_token;          // empty: not sent
};

struct WatchOptions {
  std::string name;                    // of the only object; empty: all
  std::string resource_version;        // empty: not sent
  std::string resource_version_match;  // empty: not sent
  bool send_initial_events = false;
  std::chrono::seconds timeout{0};  // timeoutSeconds; 0: not sent
};

}  // namespace ksr
