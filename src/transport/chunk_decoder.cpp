#include "transport/chunk_decoder.hpp"

#include <algorithm>

namespace ksr::transport {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_control(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
}

}  // namespace

ChunkDecoder::Progress ChunkDecoder::next(std::string_view& bytes, std::string_view& piece) {
  while (!bytes.empty()) {
    if (state_ == State::data) {
      piece = bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size())));
      bytes.remove_prefix(piece.size());
      left_ -= piece.size();
      if (left_ == 0) state_ = State::data_cr;
      return Progress::data;
    }
    const char c = bytes.front();
    bytes.remove_prefix(1);
    const Progress progress = step(c);
    if (progress != Progress::more) return progress;
  }
  return Progress::more;
}

ChunkDecoder::Progress ChunkDecoder::step(char c) {
  const auto expect = [&](char wanted, State next) {
    if (c != wanted) return Progress::bad_line;
    state_ = next;
    return Progress::more;
  };
  switch (state_) {
    case State::size:
      return read_size(c);
    case State::extension:
      if (c == '\r') return expect('\r', State::size_lf);
      if (is_control(c)) return Progress::bad_line;
      return ++line_ > kMaxLineLength ? Progress::too_long : Progress::more;
    case State::size_lf:
      return c == '\n' ? end_of_size_line() : Progress::bad_line;
    case State::data_cr:
      return expect('\r', State::data_lf);
    case State::data_lf:
      return expect('\n', State::size);
    case State::trailer_start:
      if (c == '\r') return expect('\r', State::last_lf);
      state_ = State::trailer;
      [[fallthrough]];
    case State::trailer:
      if (c == '\r') return expect('\r', State::trailer_lf);
      if (is_control(c)) return Progress::bad_line;
      return ++line_ > kMaxLineLength ? Progress::too_long : Progress::more;
    case State::trailer_lf:
      return expect('\n', State::trailer_start);
    case State::last_lf:
      return c == '\n' ? Progress::end : Progress::bad_line;
    case State::data:
      break;
  }
  return Progress::bad_line;
}

ChunkDecoder::Progress ChunkDecoder::read_size(char c) {
  if (const int value = hex_value(c); value >= 0) {
    left_ = left_ * 16 + static_cast<std::uint64_t>(value);
    return ++digits_ > 16 || left_ > kMaxChunkSize ? Progress::bad_size : Progress::more;
  }
  if (digits_ == 0) return Progress::bad_size;
  if (c == '\r') {
    state_ = State::size_lf;
    return Progress::more;
  }
  if (c == ';' || c == ' ' || c == '\t') {
    state_ = State::extension;
    return Progress::more;
  }
  return Progress::bad_size;
}

ChunkDecoder::Progress ChunkDecoder::end_of_size_line() {
  digits_ = 0;
  line_ = 0;
  state_ = left_ == 0 ? State::trailer_start : State::data;
  return Progress::more;
}

}  // namespace ksr::transport
