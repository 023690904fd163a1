// HTTP responses: ResponseDecoder makes of the bytes what Boost.Beast's parser makes of them, and the same for every
// split. Where they differ on purpose, `kDifferences` says so; each names the rule of RFC 9110 or 9112 behind it.
#include <boost/beast/http.hpp>

#include <algorithm>
#include <iterator>

#include "base/text.hpp"
#include "fuzz/fuzz.hpp"
#include "transport/header_rules.hpp"
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
    parser.body_limit(boost::none);
    parser.skip(answers_head);
    Response response;
    boost::system::error_code error;
    while (!parser.is_done() && !error) {
      const std::size_t used = parser.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
      bytes.remove_prefix(used);
      if (parser.is_header_done() && response.status == 0) {
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
      parser.put_eof(error);
      break;
    }
    response.body = parser.get().body();
    response.whole = parser.is_done() && !error;
    response.problem = error.message();
    const bool interim = response.whole && response.status >= 100 && response.status < 200 && response.status != 101;
    if (!interim) return response;
  }
}

// The last header section, which is that of the response, and all of the text.
struct Text {
  std::string_view all;
  const Response& ours;
  const Response& beasts;
  bool has(const char* what) const { return all.find(what) != std::string_view::npos; }
  bool names(const char* header) const { return ksr::lower_case(all).find(header) != std::string::npos; }
};

bool has_bare_lf(const Text& text) {
  for (std::size_t at = 0; at < text.all.size(); ++at) {
    if (text.all[at] == '\n' && (at == 0 || text.all[at - 1] != '\r')) return true;
  }
  return false;
}

bool has_status_line_like(std::string_view text, bool (*fits)(std::string_view line)) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (text.substr(0, 7) == "HTTP/1." && fits(text.substr(0, end))) return true;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return false;
}

struct Difference {
  const char* name;
  // Which of the two takes the response; both, if they read it differently.
  bool ours_takes, beast_takes;
  bool (*applies)(const Text& text);
};

constexpr Difference kDifferences[] = {
    // RFC 9112, section 2.2: a recipient may recognize a single LF as the end of a line.
    {"a line that ends with LF alone", true, false, has_bare_lf},
    // RFC 9112, section 5.2: a user agent replaces obs-fold with spaces.
    {"a header line that is continued", true, false,
     [](const Text& text) { return text.has("\n ") || text.has("\n\t"); }},
    {"a header line that is continued, with another number of spaces", true, true,
     [](const Text& text) { return text.has("\n ") || text.has("\n\t"); }},
    // RFC 9112, section 6.3, rule 3: Transfer-Encoding overrides Content-Length; the connection is closed afterwards.
    {"Content-Length next to Transfer-Encoding", true, false,
     [](const Text& text) { return text.names("content-length") && text.names("transfer-encoding"); }},
    // RFC 9110, section 8.6: a list of the same number is that number.
    {"Content-Length that is repeated", true, false, [](const Text& text) { return text.names("content-length"); }},
    // RFC 9112, section 4: the reason phrase is optional, and its space is missing in practice.
    {"a status line without a space after the code", true, false,
     [](const Text& text) {
       return has_status_line_like(text.all, [](std::string_view line) { return line.size() < 14; });
     }},
    // RFC 9112, section 7.1.1: chunk extensions are ignored.
    {"a chunk extension that is none", true, false,
     [](const Text& text) {
       return text.names("chunked") && (text.has(";") || text.has(" \r") || text.has("\t") || text.has("  "));
     }},
    // RFC 9112, section 7.1.2: trailers are discarded.
    {"a trailer that is no header line", true, false,
     [](const Text& text) { return text.names("chunked") && text.has("0"); }},
    // RFC 9112, section 7: a transfer coding that was not asked for is an error. Beast reads the body as it is.
    {"a transfer coding other than chunked", false, true,
     [](const Text& text) { return text.names("transfer-encoding"); }},
    // RFC 9110, section 15.2.2: 101 is an answer to Upgrade only.
    {"a 101 that was not asked for", false, true, [](const Text& text) { return text.beasts.status == 101; }},
    // RFC 9110, section 15: the first digit is 1 to 5; 600 and above are taken as 5xx.
    {"a status below 100", false, true, [](const Text& text) { return text.beasts.status < 100; }},
};

bool is_allowed(const Text& text) {
  return std::any_of(std::begin(kDifferences), std::end(kDifferences), [&](const Difference& difference) {
    return difference.ours_takes == text.ours.whole && difference.beast_takes == text.beasts.whole &&
           difference.applies(text);
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 60000) return 0;
  ksr::fuzz::Input input(data, size);
  const bool answers_head = input.below(8) == 0;
  const std::size_t chunk = 1 + input.byte();
  const std::string bytes(input.rest());
  const Response ours = read(bytes, bytes.size() + 1, answers_head);
  const Response split = read(bytes, chunk, answers_head);
  require(split == ours && split.problem == ours.problem, "a split changes what is read: " + split.problem);
  const Response beasts = read_with_beast(bytes, answers_head);
  if (!ours.whole && !beasts.whole) return 0;
  require(ours == beasts || is_allowed({bytes, ours, beasts}), "Beast reads something else: " + ours.problem + " / " +
                                                                   beasts.problem + " " + std::to_string(ours.status) +
                                                                   "/" + std::to_string(beasts.status));
  return 0;
}
