// Logs of any bytes, in pieces and over responses that are cut and repeat: what is delivered came, no line twice in one
// response; and cursors of any text.
#include <algorithm>

#include "channel/log_cursor.hpp"
#include "fuzz/fuzz.hpp"

namespace {

using ksr::fuzz::require;

class Sink final : public ksr::channel::LogSink {
 public:
  void on_line(std::string_view text) override {
    require(!text.empty(), "an empty piece is delivered");
    bytes += text.size();
  }
  void on_gap() override {}
  std::size_t bytes = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::size_t piece = data[0] + std::size_t{1};
  const std::size_t cut = (std::size_t{data[1]} << 8 | data[2]) % size;
  const std::string_view log(reinterpret_cast<const char*>(data) + 3, size - 3);
  ksr::channel::LogCursor cursor((data[0] & 1U) != 0);
  Sink sink;
  const auto response = [&](std::string_view bytes) {
    cursor.begin_response();
    for (std::size_t i = 0; i < bytes.size(); i += piece) cursor.feed(bytes.substr(i, piece), sink);
    cursor.end_response();
  };
  // The host has taken less than all.
  const std::uint64_t taken = data[2];
  cursor.set_taken(taken);
  response(log.substr(0, cut));
  require(sink.bytes <= cut, "more is delivered than came");
  // Whatever comes in the place of the last line.
  cursor.compare_with_last(log.substr(std::min(cut, log.size())));
  response(log);
  // Each line once, and twice at most where times do not tell.
  require(sink.bytes <= cut + log.size(), "more is delivered than came");
  const auto since = cursor.since();
  if (since) require(since->seconds >= -2, "a response is asked for from before all times");
  ksr::channel::LogCursor other((data[0] & 1U) != 0);
  require(static_cast<bool>(other.restore(cursor.text())), "a cursor does not restore its own text");
  require(other.text() == cursor.text(), "a restored cursor is another one");
  require(static_cast<bool>(other.restore(cursor.text(taken))), "a cursor of less does not restore its own text");
  require(other.text() == cursor.text(taken), "a restored cursor of less is another one");
  require(cursor.told() == sink.bytes, "what was told is counted wrongly");
  cursor.finish(sink);
  if (other.restore(log)) other.begin_response();
  return 0;
}
