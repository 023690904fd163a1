// `Host` is the host's side of a stream: its configuration, its callbacks, and the loop that dispatches them; used by
// main.cpp. All of it runs on the host's thread.
#pragma once

#include <ksr.hpp>

#include <thread>

class Host {
 public:
  // With keys written as KEY=VALUE. Throws ksr::error.
  explicit Host(char** keys);
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  // Until the stream has ended, `seconds` ticks have passed (0: no end), or SIGINT or SIGTERM has come. False when the
  // stream has failed for good, or its descriptor cannot be waited for.
  bool run(long seconds);

  // Afterwards the library refers to nothing of the host. False when something of it ran where it must not.
  bool close();

 private:
  void count();
  void report() const;

  std::thread::id thread_ = std::this_thread::get_id();
  long callbacks_ = 0;
  long foreign_callbacks_ = 0;  // on another thread than the host's; stays 0
  bool closed_ = false;         // the last callback has come
  bool destroyed_ = false;      // the library no longer refers to this host
  bool failed_ = false;         // the stream ended by itself, for good
  ksr::stream stream_;          // last, so that it is closed before what its callbacks use
};
