#include "transport/response_decoder.hpp"

#include <algorithm>
#include <utility>

#include "transport/response_head.hpp"

namespace ksr::transport {
namespace {

constexpr std::string_view kEndOfHead = "\r\n\r\n";

// The same number twice, as "5, 5", is one that some proxy joined (RFC 9110, section 8.6).
std::optional<std::uint64_t> parse_length(std::string_view text) {
  std::optional<std::uint64_t> length;
  while (true) {
    const auto comma = text.find(',');
    std::string_view number = text.substr(0, comma);
    while (!number.empty() && number.front() == ' ') number.remove_prefix(1);
    while (!number.empty() && number.back() == ' ') number.remove_suffix(1);
    if (number.empty() || number.size() > 18) return std::nullopt;
    std::uint64_t value = 0;
    for (const char c : number) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + static_cast<std::uint64_t>(c - '0');
    }
    if (length && *length != value) return std::nullopt;
    length = value;
    if (comma == std::string_view::npos) return length;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace

ResponseDecoder::Progress ResponseDecoder::feed(std::string_view bytes) {
  Progress progress = Progress::more;
  while (progress == Progress::more) {
    if (state_ == State::done) return finish(bytes);
    if (bytes.empty()) return Progress::more;
    switch (state_) {
      case State::head:
        progress = read_head(bytes);
        break;
      case State::sized:
        progress = read_sized(bytes);
        break;
      case State::chunked:
        progress = read_chunked(bytes);
        break;
      case State::until_close:
        return sink_.take_body(bytes) ? Progress::more : Progress::stopped;
      case State::done:
        break;
    }
  }
  return progress;
}

ResponseDecoder::Progress ResponseDecoder::end_of_stream() {
  switch (state_) {
    case State::head:
      return fail(head_.empty() ? "the connection was closed before an answer"
                                : "the connection was closed within the head");
    case State::until_close:
      keeps_alive_ = false;
      return Progress::complete;
    default:
      return fail("the connection was closed within the body");
  }
}

ResponseDecoder::Progress ResponseDecoder::read_head(std::string_view& bytes) {
  const std::size_t searched = head_.size() < 3 ? 0 : head_.size() - 3;
  const std::size_t before = head_.size();
  head_.append(bytes.substr(0, kMaxHeadSize + 1 - std::min(kMaxHeadSize, head_bytes_ + before)));
  const auto end = head_.find(kEndOfHead, searched);
  if (end == std::string::npos) {
    if (head_bytes_ + head_.size() > kMaxHeadSize) return fail("the head is longer than 64 KiB");
    bytes = {};
    return Progress::more;
  }
  const std::size_t size = end + kEndOfHead.size();
  head_.resize(size);
  bytes.remove_prefix(size - before);
  head_bytes_ += size;
  if (head_bytes_ > kMaxHeadSize) return fail("the head is longer than 64 KiB");
  const std::string head = std::exchange(head_, {});
  return take_head(head);
}

ResponseDecoder::Progress ResponseDecoder::take_head(std::string_view text) {
  auto parsed = parse_response_head(text);
  if (!parsed) return fail(parsed.error().message);
  ResponseHead& head = parsed->head;
  if (head.status == 101) {
    if (!expects_upgrade_) return fail("the server switched protocols unasked (status 101)");
    return sink_.take_head(std::move(head)) ? Progress::upgraded : Progress::stopped;
  }
  // Interim answers; the final one follows (RFC 9110, section 15.2).
  if (head.status < 200) return Progress::more;
  if (auto problem = choose_framing(head, parsed->http11)) return fail(std::move(*problem));
  return sink_.take_head(std::move(head)) ? Progress::more : Progress::stopped;
}

// RFC 9112, section 6.3.
std::optional<std::string> ResponseDecoder::choose_framing(const ResponseHead& head, bool http11) {
  const std::string connection = joined_values(head, "connection");
  keeps_alive_ = http11 ? !has_list_token(connection, "close") : has_list_token(connection, "keep-alive");
  const std::string coding = joined_values(head, "transfer-encoding");
  const std::string length = joined_values(head, "content-length");
  if (head.status == 204 || head.status == 304) {
    state_ = State::done;
  } else if (!coding.empty()) {
    if (!has_list_token("chunked", coding)) return "it has a transfer coding other than chunked";
    // Both is what smuggled requests look like.
    if (!length.empty()) keeps_alive_ = false;
    state_ = State::chunked;
  } else if (!length.empty()) {
    const auto parsed = parse_length(length);
    if (!parsed) return "Content-Length is not one number";
    left_ = *parsed;
    state_ = left_ == 0 ? State::done : State::sized;
  } else {
    state_ = State::until_close;
  }
  return std::nullopt;
}

ResponseDecoder::Progress ResponseDecoder::read_sized(std::string_view& bytes) {
  const std::string_view piece =
      bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size())));
  bytes.remove_prefix(piece.size());
  left_ -= piece.size();
  if (left_ == 0) state_ = State::done;
  return sink_.take_body(piece) ? Progress::more : Progress::stopped;
}

ResponseDecoder::Progress ResponseDecoder::read_chunked(std::string_view& bytes) {
  for (;;) {
    std::string_view piece;
    switch (chunks_.next(bytes, piece)) {
      case ChunkDecoder::Progress::more:
        return Progress::more;
      case ChunkDecoder::Progress::data:
        if (!sink_.take_body(piece)) return Progress::stopped;
        break;
      case ChunkDecoder::Progress::end:
        state_ = State::done;
        return Progress::more;
      case ChunkDecoder::Progress::bad_size:
        return fail("the size of a chunk is not a hexadecimal number up to 4 GiB");
      case ChunkDecoder::Progress::bad_line:
        return fail("the chunked body is malformed");
      case ChunkDecoder::Progress::too_long:
        return fail("the extensions or trailers of the chunked body are longer than 16 KiB");
    }
  }
}

// Nobody asked for what comes after the response, so the connection is not to be trusted further.
ResponseDecoder::Progress ResponseDecoder::finish(std::string_view rest) {
  if (!rest.empty()) keeps_alive_ = false;
  return Progress::complete;
}

ResponseDecoder::Progress ResponseDecoder::fail(std::string problem) {
  problem_ = std::move(problem);
  return Progress::failed;
}

}  // namespace ksr::transport
