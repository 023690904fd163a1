// The chunked transfer coding (RFC 9112, section 7.1): hands on the data of a chunk as it arrives, whole or in parts.
#pragma once

#include <cstdint>
#include <string_view>

namespace ksr::transport {

class ChunkDecoder {
 public:
  enum class Progress { more, data, end, bad_size, bad_line, too_long };

  // No server of Kubernetes writes more at once; a larger size is an attack or a broken stream.
  static constexpr std::uint64_t kMaxChunkSize = std::uint64_t{1} << 32;
  // Chunk extensions, and all trailers together.
  static constexpr std::size_t kMaxLineLength = 16 * 1024;

  // Consumes from the front of `bytes`. `data`: `piece` is the next part of the body, and there may be more in `bytes`.
  // `more`: all is consumed. `end`: the body is complete, and what is left of `bytes` comes after it.
  Progress next(std::string_view& bytes, std::string_view& piece);

 private:
  enum class State { size, extension, size_lf, data, data_cr, data_lf, trailer_start, trailer, trailer_lf, last_lf };

  Progress step(char c);
  Progress read_size(char c);
  Progress end_of_size_line();

  State state_ = State::size;
  std::uint64_t left_ = 0;
  int digits_ = 0;
  std::size_t line_ = 0;
};

}  // namespace ksr::transport
