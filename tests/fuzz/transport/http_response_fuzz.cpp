// HTTP responses: ResponseDecoder makes of the bytes what Boost.Beast's parser makes of them, and the same for every
// split. What we take and Beast does not is rewritten for Beast, and what Beast alone takes is in `beast_is_lax`; each
// difference names the rule of RFC 9110 or 9112 behind it.
#include <boost/beast/http.hpp>

#include <algorithm>
#include <charconv>
#include <system_error>

#include "base/text.hpp"
#include "fuzz/fuzz.hpp"
#include "transport/response_decoder.hpp"

namespace {

namespace http = boost::beast::http;
using ksr::fuzz::require;
using ksr::transport::Header;
using ksr::transport::ResponseDecoder;
using ksr::transport::ResponseHead;
using Progress = ResponseDecoder::Progress;

struct Response {
  bool whole = false;
  int status = 0;
  // Sorted by name; the values of one name in their order.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string problem;

  void add(std::string_view name, std::string_view value) {
    headers.emplace_back(ksr::lower_case(name), std::string(value));
  }
  void sort() {
    std::stable_sort(headers.begin(), headers.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  }
  bool operator==(const Response& other) const {
    return whole == other.whole && status == other.status && headers == other.headers && body == other.body;
  }
};

class Sink final : public ResponseDecoder::Sink {
 public:
  Response response;
  bool take_head(ResponseHead head) override {
    require(response.status == 0, "two heads of one response");
    response.status = head.status;
    for (const Header& header : head.headers) response.add(header.name, header.value);
    response.sort();
    return true;
  }
  bool take_body(std::string_view bytes) override {
    require(response.status != 0 && !bytes.empty(), "a body without a head, or an empty piece of it");
    response.body += bytes;
    return true;
  }
};

Response read(std::string_view bytes, std::size_t chunk, bool answers_head) {
  Sink sink;
  ResponseDecoder decoder(sink, false, answers_head);
  Progress progress = Progress::more;
  while (progress == Progress::more && !bytes.empty()) {
    const std::string piece(bytes.substr(0, chunk));
    progress = decoder.feed(piece);
    bytes.remove_prefix(piece.size());
  }
  if (progress == Progress::more) progress = decoder.end_of_stream();
  sink.response.whole = progress == Progress::complete;
  sink.response.problem = decoder.problem();
  return sink.response;
}

Response read_with_beast(std::string_view bytes, bool answers_head) {
  for (;;) {
    http::response_parser<http::string_body> parser;
    parser.header_limit(1 << 30);
    // It reserves memory for the whole of a Content-Length. No input has as much.
    parser.body_limit(1 << 20);
    parser.skip(answers_head);
    Response response;
    boost::system::error_code error;
    bool has_head = false;
    while (!parser.is_done() && !error) {
      const std::size_t used = parser.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
      bytes.remove_prefix(used);
      if (parser.is_header_done() && !has_head) {
        has_head = true;
        response.status = static_cast<int>(parser.get().result_int());
        for (const auto& field : parser.get().base()) {
          const auto name = field.name_string();
          const auto value = field.value();
          response.add({name.data(), name.size()}, {value.data(), value.size()});
        }
        response.sort();
        continue;
      }
      if (error != http::error::need_more && used > 0) continue;
      error = {};
      if (parser.got_some()) parser.put_eof(error);
      break;
    }
    response.body = parser.get().body();
    response.whole = parser.is_done() && !error;
    response.problem = error.message();
    const bool interim = response.whole && response.status >= 100 && response.status < 200 && response.status != 101;
    if (!interim) return response;
  }
}

// The headers of a response that frame it or speak of the connection, which `Rewritten` takes out or changes.
bool is_rewritten(std::string_view name) {
  return name == "connection" || name == "proxy-connection" || name == "content-length" || name == "transfer-encoding";
}

std::string_view without_cr(std::string_view line) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

bool has_control(std::string_view line) {
  return std::any_of(line.begin(), line.end(), [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == '\x7f'; });
}

// What a response means to us, in the words that Beast takes: the only differences in what we take are those that this
// rewrites, each by a rule of RFC 9110 or 9112. What it does not understand stays as it is.
class Rewritten {
 public:
  Rewritten(std::string_view text, bool answers_head) : rest_(text) {
    while (rewrite_head(answers_head)) {
    }
    if (is_chunked_) {
      while (rewrite_chunk()) {
      }
    }
    text_ += rest_;
  }

  const std::string& text() const { return text_; }
  // Beast takes a chunk size of any number of digits, and any character between the quotes of a chunk extension.
  bool has_long_size() const { return has_long_size_; }
  bool has_control_in_extension() const { return has_control_in_extension_; }

 private:
  struct Field {
    std::string name, line;
    std::string_view value() const { return std::string_view(line).substr(std::min(name.size() + 1, line.size())); }
  };

  // True when another header section follows.
  bool rewrite_head(bool answers_head);
  bool rewrite_chunk();
  bool rewrite_trailers(std::string_view trailers);

  std::string_view rest_;
  std::string text_;
  bool is_chunked_ = false;
  bool has_long_size_ = false;
  bool has_control_in_extension_ = false;
};

bool Rewritten::rewrite_head(bool answers_head) {
  std::vector<Field> fields;
  std::string status_line;
  std::string_view left = rest_;
  for (bool first = true;; first = false) {
    const std::size_t end = left.find('\n');
    if (end == std::string_view::npos) return false;
    // RFC 9112, section 2.2: a recipient may recognize a single LF as the end of a line.
    const std::string_view line = without_cr(left.substr(0, end));
    left.remove_prefix(end + 1);
    if (first) {
      status_line = line;
    } else if (line.empty()) {
      break;
    } else if (!fields.empty() && (line.front() == ' ' || line.front() == '\t')) {
      // RFC 9112, section 5.2: a user agent replaces obs-fold with spaces.
      std::string& folded = fields.back().line;
      const std::string_view more = ksr::trimmed(line, ksr::kBlanks);
      folded = ksr::trimmed(folded, ksr::kBlanks);
      if (!more.empty()) folded.append(" ").append(more);
    } else {
      const std::size_t colon = line.find(':');
      Field field{ksr::lower_case(line.substr(0, colon)), std::string(line)};
      const std::string name = ksr::lower_case(ksr::trimmed(line.substr(0, colon), ksr::kBlanks));
      // RFC 9112, section 5.1: a proxy removes blanks before the colon. Not of what frames the message.
      const bool has_blank = colon != std::string_view::npos && name.size() < colon && !name.empty() && line[0] > ' ';
      if (has_blank && name != "content-length" && name != "transfer-encoding") {
        field = {name, name + std::string(line.substr(colon))};
      }
      fields.push_back(std::move(field));
    }
  }
  // RFC 9112, section 4: the reason phrase is optional, and the space before it is missing in practice.
  if (status_line.size() == 12) status_line += ' ';
  const std::string code = status_line.size() < 12 ? "" : status_line.substr(9, 3);
  const bool is_interim = !code.empty() && code.front() == '1';
  // RFC 9112, section 6.3, rule 1: whatever the headers say.
  const bool has_no_body = answers_head || is_interim || code == "204" || code == "304";
  std::string codings;
  bool has_coding = false;
  for (const Field& field : fields) {
    if (field.name != "transfer-encoding") continue;
    codings.append(",").append(field.value());
    has_coding = true;
  }
  // RFC 9110, section 5.6.1: empty elements of a list are ignored.
  is_chunked_ = !has_no_body && ksr::lower_case(std::string(ksr::trimmed(codings, ", \t"))) == "chunked";

  text_ += status_line + "\r\n";
  for (const Field& field : fields) {
    // RFC 9112, section 6.3, rule 3: Transfer-Encoding overrides Content-Length.
    if (field.name == "content-length" && (has_no_body || has_coding)) continue;
    if (field.name == "transfer-encoding" && (has_no_body || is_chunked_)) continue;
    // RFC 9110, section 7.6.1: only the options "close" and "keep-alive" mean something here; what is no token is none.
    if (field.name == "connection" || field.name == "proxy-connection") continue;
    text_ += field.line + "\r\n";
  }
  if (is_chunked_) text_ += "Transfer-Encoding: chunked\r\n";
  text_ += "\r\n";
  rest_ = left;
  return is_interim && code != "101";
}

// RFC 9112, section 7.1.1: chunk extensions are ignored. True when another chunk follows.
bool Rewritten::rewrite_chunk() {
  const std::size_t end = rest_.find("\r\n");
  if (end == std::string_view::npos) return false;
  const std::size_t digits = std::min(rest_.find_first_not_of("0123456789abcdefABCDEF"), end);
  std::uint64_t size = 0;
  const auto parsed = std::from_chars(rest_.data(), rest_.data() + digits, size, 16);
  if (digits == 0 || parsed.ec != std::errc()) return false;
  has_long_size_ = has_long_size_ || digits > 16;
  const std::string_view extension = rest_.substr(digits, end - digits);
  if (has_control(extension)) {
    has_control_in_extension_ = true;
    return false;
  }
  // Blanks may come before it, and alone.
  const std::string_view named = ksr::trimmed(extension, ksr::kBlanks);
  if (!named.empty() && named.front() != ';') return false;
  const std::string_view after = rest_.substr(end + 2);
  if (size == 0) return rewrite_trailers(after);
  if (after.size() < size) return false;
  text_.append(rest_.substr(0, digits)).append("\r\n").append(after.substr(0, size));
  rest_ = after.substr(size);
  if (rest_.substr(0, 2) != "\r\n") return false;
  text_ += "\r\n";
  rest_.remove_prefix(2);
  return true;
}

// RFC 9112, section 7.1.2: trailers are discarded; their lines, too, may end with LF alone.
bool Rewritten::rewrite_trailers(std::string_view trailers) {
  for (;;) {
    const std::size_t end = trailers.find('\n');
    if (end == std::string_view::npos) return false;
    const std::string_view line = without_cr(trailers.substr(0, end));
    if (has_control(line)) return false;
    trailers.remove_prefix(end + 1);
    if (line.empty()) break;
  }
  text_ += "0\r\n\r\n";
  rest_ = trailers;
  return false;
}

Response without_rewritten(Response response) {
  auto& headers = response.headers;
  headers.erase(
      std::remove_if(headers.begin(), headers.end(), [](const auto& header) { return is_rewritten(header.first); }),
      headers.end());
  return response;
}

// Whether Beast takes, against a rule, what we have to refuse.
bool beast_is_lax(const Response& beasts, const Rewritten& rewritten) {
  // RFC 9110, section 15.2.2: 101 is an answer to Upgrade only. Section 15: the first digit is 1 to 5; 600 and above
  // are taken as 5xx.
  if (beasts.status == 101 || beasts.status < 100) return true;
  // RFC 9112, section 7: a transfer coding that was not asked for is an error. Beast reads the body as it is.
  std::string codings;
  for (const auto& [name, value] : beasts.headers) {
    if (name == "transfer-encoding") codings += "," + value;
  }
  if (!codings.empty() && ksr::lower_case(std::string(ksr::trimmed(codings, ", \t"))) != "chunked") return true;
  // RFC 9110, section 5.6.4: a quoted string has no control characters. Go's reader of chunks, too, takes 16 digits.
  return rewritten.has_control_in_extension() || rewritten.has_long_size();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Below the limits of ResponseDecoder, which Beast does not have.
  if (size > 16000) return 0;
  ksr::fuzz::Input input(data, size);
  const bool answers_head = input.below(8) == 0;
  const std::size_t chunk = 1 + input.byte();
  const std::string bytes(input.rest());
  const Response ours = read(bytes, bytes.size() + 1, answers_head);
  const Response split = read(bytes, chunk, answers_head);
  require(split == ours && split.problem == ours.problem, "a split changes what is read: " + split.problem);
  const Response beasts = read_with_beast(bytes, answers_head);
  if (!ours.whole && !beasts.whole) return 0;
  if (ours == beasts) return 0;
  const Rewritten rewritten(bytes, answers_head);
  const std::string problems =
      ours.problem + " / " + beasts.problem + " " + std::to_string(ours.status) + "/" + std::to_string(beasts.status);
  if (ours.whole) {
    require(without_rewritten(ours) == without_rewritten(read_with_beast(rewritten.text(), answers_head)),
            "Beast reads something else: " + problems);
  } else {
    require(beast_is_lax(beasts, rewritten), "only Beast takes it: " + problems);
  }
  return 0;
}
