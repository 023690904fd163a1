#include "transport/response_decoder.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "transport/header_rules.hpp"

namespace ksr::transport {
namespace {

// For Content-Length: no body is that long. Leading zeros are digits like others (RFC 9110, section 8.6).
constexpr std::uint64_t kMaxLength = 999'999'999'999'999'999;

// kube-apiserver sends seven or eight.
constexpr std::size_t kUsualHeaders = 12;

bool is_control_but_tab(char c) {
  return is_control(c) && c != '\t';
}

// The length of a header section with its empty line; npos when that has not come yet. A line may end with LF alone
// (RFC 9112, section 2.2).
std::size_t end_of_head(std::string_view text, std::size_t from) {
  for (std::size_t lf = text.find('\n', from); lf != std::string_view::npos; lf = text.find('\n', lf + 1)) {
    const std::string_view next = text.substr(lf + 1, 2);
    if (next.substr(0, 1) == "\n") return lf + 2;
    if (next == "\r\n") return lf + 3;
  }
  return std::string_view::npos;
}

// The next line without its end, cut off `text`.
std::string_view take_line(std::string_view& text) {
  const std::size_t lf = text.find('\n');
  std::string_view line = text.substr(0, lf);
  text.remove_prefix(std::min(lf, text.size() - 1) + 1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

constexpr std::string_view kBeginOfResponse = "HTTP/1.";
constexpr std::size_t kMaxNotHttp = 200;

struct ParsedHead {
  ResponseHead head;
  bool is_http = false;
  bool http11 = false;
  // What is wrong with it; NULL when nothing is.
  const char* problem = nullptr;
};

// status-line = "HTTP/1." DIGIT SP 3DIGIT [ SP reason ] (RFC 9112, section 4). The reason is not used, but has the
// characters of a field value. There are versions 1.0 and 1.1; what else says so is not HTTP, as for Boost.Beast.
bool parse_status_line(std::string_view line, ParsedHead& parsed) {
  if (line.size() < 12 || line.substr(0, 7) != kBeginOfResponse || line[8] != ' ' || !is_field_value(line))
    return false;
  if (line[7] != '0' && line[7] != '1') return false;
  if (!is_digit(line[9]) || !is_digit(line[10]) || !is_digit(line[11])) return false;
  if (line.size() > 12 && line[12] != ' ') return false;
  parsed.http11 = line[7] == '1';
  parsed.head.status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  return parsed.head.status >= 100;
}

// `text` ends with the empty line.
ParsedHead parse_head(std::string_view text) {
  ParsedHead parsed;
  const auto wrong = [&](const char* problem) {
    parsed.problem = problem;
    return std::move(parsed);
  };
  std::vector<Header>& headers = parsed.head.headers;
  headers.reserve(kUsualHeaders);
  parsed.is_http = parse_status_line(take_line(text), parsed);
  if (!parsed.is_http) return parsed;
  for (std::string_view line = take_line(text); !line.empty(); line = take_line(text)) {
    if (!is_field_value(line)) return wrong("a header line has a control character");
    if (line.front() == ' ' || line.front() == '\t') {
      // obs-fold: the line goes on with the value before it, as after one space (RFC 9112, section 5.2). Before the
      // first header there is none to continue (section 2.2).
      if (headers.empty()) return wrong("the first header line begins with a space");
      std::string& value = headers.back().value;
      const std::string_view rest = trimmed(line, kBlanks);
      if (!value.empty() && !rest.empty()) value += ' ';
      value += rest;
      continue;
    }
    const std::size_t colon = line.find(':');
    const std::string_view name = trimmed(line.substr(0, colon), kBlanks);
    if (colon == std::string_view::npos || !is_token(name)) return wrong("a header line has no valid name");
    std::string lower_name = lower_case(name);
    // Blanks before the colon are removed, as a proxy does (RFC 9112, section 5.1), unless the framing depends on who
    // does so.
    if (name.size() != colon && (lower_name == "content-length" || lower_name == "transfer-encoding")) {
      return wrong("there is a space between Content-Length or Transfer-Encoding and the colon");
    }
    headers.push_back(Header{std::move(lower_name), std::string(trimmed(line.substr(colon + 1), kBlanks))});
  }
  parsed.head.content_type = joined_values(parsed.head, "content-type");
  // It has one value (RFC 9110, section 10.2.3); net/http takes the first as well.
  const auto retry_after =
      std::find_if(headers.begin(), headers.end(), [](const Header& header) { return header.name == "retry-after"; });
  if (retry_after != headers.end()) parsed.head.retry_after = retry_after->value;
  return parsed;
}

bool has_field(const ResponseHead& head, std::string_view name) {
  return std::any_of(head.headers.begin(), head.headers.end(),
                     [&](const Header& header) { return header.name == name; });
}

// The same number repeated, in fields or in one as in "5, 5", is one number that was sent more than once (RFC 9110,
// section 8.6). Empty is no number, whole or between commas.
std::optional<std::uint64_t> parse_length(const ResponseHead& head) {
  std::optional<std::uint64_t> length;
  for (const Header& header : head.headers) {
    if (header.name != "content-length") continue;
    for (const std::string_view part : split(header.value, ',')) {
      const std::string_view number = trimmed(part, kBlanks);
      std::uint64_t value = 0;
      const char* const end = number.data() + number.size();
      const auto [parsed_to, failure] = std::from_chars(number.data(), end, value);
      if (failure != std::errc() || parsed_to != end || value > kMaxLength) return std::nullopt;
      if (length && *length != value) return std::nullopt;
      length = value;
    }
  }
  return length;
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

// The lines of chunks end with CR LF: LF alone is allowed for the lines of a header section only (RFC 9112, section
// 2.2), and so for trailers.
ChunkDecoder::Progress ChunkDecoder::step(char c) {
  const auto expect = [&](char wanted, State next) {
    if (c != wanted) return Progress::bad_line;
    state_ = next;
    return Progress::more;
  };
  const auto count = [&] { return ++line_ > kMaxLineLength ? Progress::too_long : Progress::more; };
  switch (state_) {
    case State::size:
      return read_size(c);
    case State::after_size:
      // Blanks may follow the size, and come before an extension (RFC 9112, section 7.1.1).
      if (c == ' ' || c == '\t') return count();
      if (c != '\r' && c != ';') return Progress::bad_size;
      state_ = c == ';' ? State::extension : State::size_lf;
      return count();
    case State::extension:
      if (c == '\r') return expect('\r', State::size_lf);
      return is_control_but_tab(c) ? Progress::bad_line : count();
    case State::size_lf:
      return c == '\n' ? end_of_size_line() : Progress::bad_line;
    case State::data_cr:
      return expect('\r', State::data_lf);
    case State::data_lf:
      return expect('\n', State::size);
    case State::trailer_start:
      if (c == '\n') return Progress::end;
      if (c == '\r') return expect('\r', State::last_lf);
      state_ = State::trailer;
      [[fallthrough]];
    case State::trailer:
      if (c == '\n') return expect('\n', State::trailer_start);
      if (c == '\r') return expect('\r', State::trailer_lf);
      return is_control_but_tab(c) ? Progress::bad_line : count();
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
    state_ = c == ';' ? State::extension : State::after_size;
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
      return fail(head_.empty() ? "the connection was closed before a response"
                                : "the connection was closed within the response header");
    case State::until_close:
      keeps_alive_ = false;
      return Progress::complete;
    default:
      return fail("the connection was closed within the response body");
  }
}

ResponseDecoder::Progress ResponseDecoder::read_head(std::string_view& bytes) {
  const std::size_t before = head_.size();
  const std::size_t searched = before < 3 ? 0 : before - 3;
  head_.append(bytes.substr(0, kMaxHeadSize + 1 - std::min(kMaxHeadSize, head_bytes_ + before)));
  // Such a server may wait for us, as one of HTTP/2 does, or have no line end.
  const std::string_view begin = std::string_view(head_).substr(0, kBeginOfResponse.size());
  if (begin != kBeginOfResponse.substr(0, begin.size())) return fail_as_not_http(head_);
  const std::size_t size = end_of_head(head_, searched);
  if (head_bytes_ + std::min(size, head_.size()) > kMaxHeadSize) return fail("the response header exceeds 64 KiB");
  if (size == std::string_view::npos) {
    bytes = {};
    return Progress::more;
  }
  head_.resize(size);
  bytes.remove_prefix(size - before);
  head_bytes_ += size;
  unread_ = bytes.size();
  const std::string head = std::exchange(head_, {});
  return take_head(head);
}

ResponseDecoder::Progress ResponseDecoder::take_head(std::string_view text) {
  ParsedHead parsed = parse_head(text);
  if (!parsed.is_http) return fail_as_not_http(text);
  if (parsed.problem != nullptr) return fail(parsed.problem);
  ResponseHead& head = parsed.head;
  if (head.status == 101) {
    // HTTP/1.0 cannot be upgraded (RFC 9110, section 7.8).
    if (!expects_upgrade_ || !parsed.http11) return fail("unexpected 101 Switching Protocols");
    return sink_.take_head(std::move(head)) ? Progress::upgraded : Progress::stopped;
  }
  // Interim responses; the final one follows (RFC 9110, section 15.2).
  if (head.status < 200) return Progress::more;
  if (auto problem = choose_framing(head, parsed.http11)) return fail(*std::move(problem));
  return sink_.take_head(std::move(head)) ? Progress::more : Progress::stopped;
}

// RFC 9112, section 6.3.
std::optional<std::string> ResponseDecoder::choose_framing(const ResponseHead& head, bool http11) {
  const std::string connection = joined_values(head, "connection");
  keeps_alive_ = http11 ? !has_list_token(connection, "close") : has_list_token(connection, "keep-alive");
  const std::vector<std::string> codings = list_parts(joined_values(head, "transfer-encoding"));
  const bool has_length = has_field(head, "content-length");
  if (answers_head_ || head.status == 204 || head.status == 304) {
    state_ = State::done;
  } else if (has_field(head, "transfer-encoding")) {
    // The last coding frames the body; any before it would have to be asked for with TE (RFC 9112, section 7.4).
    if (codings.empty() || !equal_ignoring_case(codings.back(), "chunked"))
      return "the last transfer coding is not chunked";
    const auto is_chunked = [](const std::string& coding) { return equal_ignoring_case(coding, "chunked"); };
    if (codings.size() > 1) {
      return std::all_of(codings.begin(), codings.end(), is_chunked) ? "the transfer coding chunked is there twice"
                                                                     : "it has a transfer coding other than chunked";
    }
    // Both is what smuggled requests look like, and HTTP/1.0 has no transfer codings (RFC 9112, section 6.1).
    if (has_length || !http11) keeps_alive_ = false;
    state_ = State::chunked;
  } else if (has_length) {
    const auto parsed = parse_length(head);
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
        return fail("a chunk size is not a hexadecimal number of at most 4 GiB");
      case ChunkDecoder::Progress::bad_line:
        return fail("the chunked body is malformed");
      case ChunkDecoder::Progress::too_long:
        return fail("the chunk extensions or trailers exceed 16 KiB");
    }
  }
}

// Bytes after the response were not asked for, so the connection carries no further request.
ResponseDecoder::Progress ResponseDecoder::finish(std::string_view rest) {
  if (!rest.empty()) keeps_alive_ = false;
  return Progress::complete;
}

// Its first line. A server that repeats the request must not have its query shown, which may hold a secret.
ResponseDecoder::Progress ResponseDecoder::fail_as_not_http(std::string_view text) {
  text = text.substr(0, std::min(kMaxNotHttp, text.find('\n')));
  not_http_ = text.substr(0, text.find('?'));
  return fail("the status line is not that of HTTP/1.x");
}

ResponseDecoder::Progress ResponseDecoder::fail(std::string problem) {
  problem_ = std::move(problem);
  return Progress::failed;
}

}  // namespace ksr::transport
