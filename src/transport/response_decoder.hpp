// `ResponseDecoder` reads an HTTP/1.x response from its bytes as they arrive (RFC 9112); used by ExchangeDriver. Pure:
// no I/O, no clock. Lives on the network thread.
//
// It is strict about framing, and takes what RFC 9112 lets a user agent take: lines that end with LF alone, and header
// lines that are continued on the next line (obs-fold).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "transport/transport.hpp"

namespace ksr::transport {

// The chunked transfer coding (RFC 9112, section 7.1). Passes on the data of a chunk as it arrives, whole or in parts.
class ChunkDecoder {
 public:
  enum class Progress { more, data, end, bad_size, bad_line, too_long };

  // No Kubernetes server writes more at once; a larger size is an attack or a broken stream.
  static constexpr std::uint64_t kMaxChunkSize = std::uint64_t{1} << 32;
  // The extensions of one chunk, and the whole trailer section.
  static constexpr std::size_t kMaxLineLength = std::size_t{16} * 1024;

  // Consumes from the front of `bytes`. `data`: `piece` is the next part of the body, and there may be more in `bytes`.
  // `more`: all is consumed. `end`: the body is complete, and what is left of `bytes` follows it.
  Progress next(std::string_view& bytes, std::string_view& piece);

 private:
  enum class State {
    size,
    after_size,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_start,
    trailer,
    trailer_lf,
    last_lf
  };

  Progress step(char c);
  Progress read_size(char c);
  Progress end_of_size_line();

  State state_ = State::size;
  std::uint64_t left_ = 0;
  int digits_ = 0;
  std::size_t line_ = 0;
};

class ResponseDecoder {
 public:
  // Returning false stops the decoder for good.
  class Sink {
   public:
    virtual ~Sink() = default;
    virtual bool take_head(ResponseHead head) = 0;
    virtual bool take_body(std::string_view bytes) = 0;
  };
  enum class Progress { more, complete, upgraded, stopped, failed };

  // The header sections of one response together, those with status 1xx included.
  static constexpr std::size_t kMaxHeadSize = std::size_t{64} * 1024;

  // `expects_upgrade`: status 101 is a response, and what follows it is not HTTP. `answers_head`: no body follows that
  // is to be read, whatever the headers say: the answer to HEAD, and to CONNECT (RFC 9110, section 9.3.6).
  ResponseDecoder(Sink& sink, bool expects_upgrade, bool answers_head = false)
      : sink_(sink), expects_upgrade_(expects_upgrade), answers_head_(answers_head) {}

  Progress feed(std::string_view bytes);
  // The peer closed the connection in order.
  Progress end_of_stream();

  // After `failed`: what was wrong.
  const std::string& problem() const { return problem_; }
  // And what came in the place of a status line, not fit to be shown as it is; empty where that was in order.
  const std::string& not_http() const { return not_http_; }
  // After `complete`: whether the connection can carry another request.
  bool keeps_alive() const { return keeps_alive_; }
  bool has_head() const { return state_ != State::head; }
  // The body has no length, and no chunks.
  bool ends_with_connection() const { return state_ == State::until_close; }
  // After `upgraded` or `stopped` in the header section: how many of the bytes last fed come after that section.
  std::size_t unread() const { return unread_; }

 private:
  enum class State { head, sized, chunked, until_close, done };

  Progress read_head(std::string_view& bytes);
  Progress take_head(std::string_view head);
  Progress read_sized(std::string_view& bytes);
  Progress read_chunked(std::string_view& bytes);
  Progress finish(std::string_view rest);
  Progress fail(std::string problem);
  Progress fail_as_not_http(std::string_view text);
  std::optional<std::string> choose_framing(const ResponseHead& head, bool http11);

  Sink& sink_;
  const bool expects_upgrade_;
  const bool answers_head_;
  State state_ = State::head;
  std::string head_;
  std::size_t head_bytes_ = 0;
  std::size_t unread_ = 0;
  std::uint64_t left_ = 0;
  ChunkDecoder chunks_;
  bool keeps_alive_ = false;
  std::string problem_;
  std::string not_http_;
};

}  // namespace ksr::transport
