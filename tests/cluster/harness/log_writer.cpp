#include "cluster/harness/log_writer.hpp"

namespace ksr::clustertest {
namespace {

constexpr std::int64_t kJitter = 20'000'000;
constexpr std::int64_t kCoarseTick = 100'000'000;
constexpr int kLongestShortLine = 120;
constexpr int kPartSize = 16 * 1024;  // containerd's max_container_log_line_size
constexpr int kOneInParts = 25;
constexpr int kOneToStderr = 8;

}  // namespace

LogWriter::LogWriter(ContainerLog& log, std::uint64_t seed, Stamps stamps)
    : log_(&log), random_(seed), stamps_(stamps), seed_(seed) {}

void LogWriter::write(int count) {
  for (int i = 0; i < count; ++i) {
    if (below(kOneInParts) == 0) {
      write_parts();
    } else {
      const LogStream stream = below(kOneToStderr) == 0 ? LogStream::err : LogStream::out;
      put(stream, LogTag::full, text(static_cast<std::size_t>(below(kLongestShortLine))));
    }
  }
}

void LogWriter::write_parts() {
  const int parts = 1 + below(3);
  for (int i = 0; i < parts; ++i) {
    put(LogStream::out, LogTag::partial, text(kPartSize));
    if (below(3) == 0) put(LogStream::err, LogTag::full, text(static_cast<std::size_t>(below(kLongestShortLine))));
  }
  put(LogStream::out, LogTag::full, text(static_cast<std::size_t>(below(kPartSize))));
}

// The reader writes what it reads one after the other, whichever stream it is of; a full entry ends a line.
void LogWriter::put(LogStream stream, LogTag tag, const std::string& text) {
  log_->write(stamp(), stream, tag, text);
  unfinished_ += text;
  if (tag == LogTag::partial) return;
  lines_.push_back(unfinished_);
  unfinished_.clear();
}

std::int64_t LogWriter::stamp() {
  const std::int64_t now = stamp_of_now();
  if (stamps_ == Stamps::equal) return now - now % kCoarseTick;
  return now - std::uniform_int_distribution<std::int64_t>(0, kJitter)(random_);
}

std::string LogWriter::text(std::size_t more) {
  const std::string number = std::to_string(++number_);
  return "<" + std::to_string(seed_) + ":" + number + ">" + std::string(more, static_cast<char>('a' + number_ % 26));
}

}  // namespace ksr::clustertest
