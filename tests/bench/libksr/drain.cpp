// The floor of a watch: a socket whose bytes are read and discarded. What the server can deliver, without libksr.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "cases.hpp"
#include "process.hpp"

namespace ksr::bench {
namespace {

constexpr std::size_t kReadSize = 256 * 1024;
constexpr std::size_t kTail = 8 * 1024;  // holds the last event

class Drain {
 public:
  explicit Drain(int socket) : socket_(socket), buffer_(kTail + kReadSize) {}
  ~Drain() { close(socket_); }
  Drain(const Drain&) = delete;
  Drain& operator=(const Drain&) = delete;

  // Reads until an event of that resourceVersion has come; the number of bytes.
  std::uint64_t until(std::uint64_t version) {
    const std::string wanted = "\"resourceVersion\":\"" + std::to_string(version) + '"';
    std::uint64_t bytes = 0;
    for (std::size_t kept = 0;;) {
      const ssize_t got = recv(socket_, buffer_.data() + kept, kReadSize, 0);
      if (got <= 0) throw std::runtime_error("the watch ended early");
      bytes += static_cast<std::uint64_t>(got);
      const std::size_t size = kept + static_cast<std::size_t>(got);
      kept = std::min(size, kTail);
      const auto end = buffer_.begin() + static_cast<std::ptrdiff_t>(size);
      const auto tail = end - static_cast<std::ptrdiff_t>(kept);
      // Reads of the last event end in it: only the end of what was read is looked at.
      if (std::search(tail, end, wanted.begin(), wanted.end()) != end) return bytes;
      std::copy(tail, end, buffer_.begin());
    }
  }

 private:
  int socket_;
  std::vector<char> buffer_;
};

}  // namespace

void run_drain(const Setup& setup, Report& report) {
  Drain drain(setup.control.open("GET /api/v1/pods?watch=true HTTP/1.1\r\nHost: bench\r\n\r\n"));
  setup.control.wait_for_watchers(1);
  const double cpu = cpu_seconds();
  const double begin = now_seconds();
  const std::uint64_t bytes = drain.until(setup.control.go(setup.events).goal);
  const double took = now_seconds() - begin;
  report.add("events", setup.events);
  report.add("events_per_second", static_cast<double>(setup.events) / took);
  report.add("bytes_per_second", static_cast<double>(bytes) / took);
  report.add("cpu_us_per_event", (cpu_seconds() - cpu) / static_cast<double>(setup.events) * 1e6);
  report.add_json("correct", "true");
}

}  // namespace ksr::bench
