#include "transport/inflater.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>
#include <new>

namespace ksr::transport {
namespace {

constexpr std::size_t kStepSize = std::size_t{64} * 1024;
constexpr int kGzipOnly = 16 + MAX_WBITS;

}  // namespace

struct Inflater::State {
  z_stream stream{};
  bool within_member = false;
  bool seen_member = false;
  bool output_waits = false;  // in zlib, of what it has consumed
  std::array<Bytef, kStepSize> output;
};

Inflater::Inflater() : state_(std::make_unique<State>()) {
  if (inflateInit2(&state_->stream, kGzipOnly) != Z_OK) throw std::bad_alloc();
}

Inflater::~Inflater() {
  inflateEnd(&state_->stream);
}

Inflater::Progress Inflater::feed(std::string_view& packed, const Sink& sink) {
  z_stream& stream = state_->stream;
  while (!packed.empty() || state_->output_waits) {
    if (!state_->within_member) {
      // A body may be several members, one after the other (RFC 1952, section 2.2).
      inflateReset(&stream);
      state_->within_member = true;
    }
    const auto given = static_cast<uInt>(std::min<std::size_t>(packed.size(), std::numeric_limits<uInt>::max()));
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream.avail_in = given;
    stream.next_out = state_->output.data();
    stream.avail_out = kStepSize;
    const int code = inflate(&stream, Z_NO_FLUSH);
    packed.remove_prefix(given - stream.avail_in);
    const bool starved = code == Z_BUF_ERROR && stream.avail_in == 0;
    if (code != Z_OK && code != Z_STREAM_END && !starved) return Progress::failed;
    state_->output_waits = code == Z_OK && stream.avail_out == 0;
    if (code == Z_STREAM_END) {
      state_->within_member = false;
      state_->seen_member = true;
    }
    const std::size_t produced = kStepSize - stream.avail_out;
    const std::string_view unpacked(reinterpret_cast<const char*>(state_->output.data()), produced);
    if (produced != 0 && !sink(unpacked)) return Progress::stopped;
  }
  return Progress::more;
}

bool Inflater::complete() const {
  return state_->seen_member && !state_->within_member;
}

}  // namespace ksr::transport
