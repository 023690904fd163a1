// Reads an HTTP/1.x response from the bytes as they arrive, strictly (RFC 9112). Pure: no I/O, no clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "transport/chunk_decoder.hpp"
#include "transport/transport.hpp"

namespace ksr::transport {

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

  // All heads of one response together, those with status 1xx included.
  static constexpr std::size_t kMaxHeadSize = 64 * 1024;

  // `expects_upgrade`: status 101 is an answer, and what follows it is not HTTP.
  ResponseDecoder(Sink& sink, bool expects_upgrade) : sink_(sink), expects_upgrade_(expects_upgrade) {}

  Progress feed(std::string_view bytes);
  // The peer closed the connection in order.
  Progress end_of_stream();

  // After `failed`: what was wrong.
  const std::string& problem() const { return problem_; }
  // After `complete`: whether the connection can carry another request.
  bool keeps_alive() const { return keeps_alive_; }
  bool has_head() const { return state_ != State::head; }

 private:
  enum class State { head, sized, chunked, until_close, done };

  Progress read_head(std::string_view& bytes);
  Progress take_head(std::string_view head);
  Progress read_sized(std::string_view& bytes);
  Progress read_chunked(std::string_view& bytes);
  Progress finish(std::string_view rest);
  Progress fail(std::string problem);
  std::optional<std::string> choose_framing(const ResponseHead& head, bool http11);

  Sink& sink_;
  const bool expects_upgrade_;
  State state_ = State::head;
  std::string head_;
  std::size_t head_bytes_ = 0;
  std::uint64_t left_ = 0;
  ChunkDecoder chunks_;
  bool keeps_alive_ = false;
  std::string problem_;
};

}  // namespace ksr::transport
