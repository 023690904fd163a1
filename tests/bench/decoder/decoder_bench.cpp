// Whether the library's HTTP/1 decoder or Boost.Beast's parser should read responses: the speed of both on the same
// bytes, in one run, round by round in turn; and what each makes of the responses that the library has to take or
// refuse. A watch over HTTP is the case that counts: one chunk for each event, read in pieces of 64 KiB.
#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "transport/response_decoder.hpp"

namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using ksr::transport::ResponseDecoder;
using ksr::transport::ResponseHead;

constexpr std::size_t kChunkSize = 4352;
constexpr std::size_t kReadSize = 64 * 1024;
constexpr std::size_t kBodySize = 16 * 1024 * 1024;
constexpr int kRounds = 301;

enum class Outcome { more, complete, failed };

// What both have to do with the body: see each byte's address, and count.
struct Body {
  std::uint64_t bytes = 0;
  std::uint64_t pieces = 0;
  std::string text;
  bool keep = false;

  void take(std::string_view piece) {
    bytes += piece.size();
    ++pieces;
    if (keep) text += piece;
  }
};

class Ours final : ResponseDecoder::Sink {
 public:
  explicit Ours(Body& body) : body_(body) {}
  Outcome feed(std::string_view bytes) {
    switch (decoder_.feed(bytes)) {
      case ResponseDecoder::Progress::more:
        return Outcome::more;
      case ResponseDecoder::Progress::complete:
        return Outcome::complete;
      default:
        return Outcome::failed;
    }
  }

 private:
  bool take_head(ResponseHead) override { return true; }
  bool take_body(std::string_view piece) override {
    body_.take(piece);
    return true;
  }

  Body& body_;
  ResponseDecoder decoder_{*this, false};
};

// Beast's parser with the limits of ours. It consumes whole lines, so the caller keeps what is left of a read in front
// of the next one; here the reads are neighbours in memory, which costs nothing.
class OfBeast final : public http::basic_parser<false> {
 public:
  explicit OfBeast(Body& body) : body_(body) {
    header_limit(ResponseDecoder::kMaxHeadSize);
    body_limit(boost::none);
    eager(true);
  }
  // `bytes` begins with what was not consumed before; the consumed part is cut off.
  Outcome feed(std::string_view& bytes) {
    while (!bytes.empty()) {
      beast::error_code ec;
      const std::size_t consumed = put(boost::asio::buffer(bytes.data(), bytes.size()), ec);
      bytes.remove_prefix(consumed);
      if (ec == http::error::need_more || (!ec && consumed == 0)) return Outcome::more;
      if (ec) return Outcome::failed;
      if (is_done()) return Outcome::complete;
    }
    return Outcome::more;
  }

 private:
  using View = beast::string_view;
  using Code = beast::error_code;

  void on_request_impl(http::verb, View, View, int, Code&) override {}
  void on_response_impl(int, View, int, Code&) override {}
  void on_field_impl(http::field, View name, View value, Code&) override {
    headers_.push_back({std::string(name), std::string(value)});
  }
  void on_header_impl(Code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, Code&) override {}
  std::size_t on_body_impl(View piece, Code&) override {
    body_.take({piece.data(), piece.size()});
    return piece.size();
  }
  void on_chunk_header_impl(std::uint64_t, View, Code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, View piece, Code&) override {
    body_.take({piece.data(), piece.size()});
    return piece.size();
  }
  void on_finish_impl(Code&) override {}

  Body& body_;
  std::vector<ksr::transport::Header> headers_;
};

std::string chunked_response() {
  char size[32];
  std::snprintf(size, sizeof size, "%zx\r\n", kChunkSize);
  const std::string chunk = size + std::string(kChunkSize, 'x') + "\r\n";
  std::string response = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (std::size_t sent = 0; sent < kBodySize; sent += kChunkSize) response += chunk;
  return response + "0\r\n\r\n";
}

// Nanoseconds for each chunk.
template <class Feed>
double measured(std::string_view response, Body& body, Feed feed) {
  const auto start = std::chrono::steady_clock::now();
  feed(response);
  const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - start;
  if (body.bytes < kBodySize) std::printf("error: only %zu bytes were decoded\n", static_cast<std::size_t>(body.bytes));
  return time.count() * static_cast<double>(kChunkSize) / static_cast<double>(body.bytes);
}

double time_of_ours(std::string_view response) {
  Body body;
  return measured(response, body, [&](std::string_view bytes) {
    Ours decoder(body);
    for (; !bytes.empty(); bytes.remove_prefix(std::min(kReadSize, bytes.size()))) {
      decoder.feed(bytes.substr(0, kReadSize));
    }
  });
}

double time_of_beast(std::string_view response) {
  Body body;
  return measured(response, body, [&](std::string_view bytes) {
    OfBeast decoder(body);
    std::size_t kept = 0;
    for (std::size_t read = 0; read < bytes.size(); read += kReadSize) {
      std::string_view at_hand = bytes.substr(read - kept, kept + kReadSize);
      decoder.feed(at_hand);
      kept = at_hand.size();
    }
  });
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Case {
  const char* what;
  std::string response;
  Outcome expected;
};

std::vector<Case> cases() {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::string chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";
  const std::string sized = "Content-Length: 1\r\n\r\nx";
  std::string trailers = chunked + "0\r\n";
  for (int i = 0; i < 3000; ++i) trailers += "X: 12345678\r\n";
  return {
      {"lines that end with LF alone", "HTTP/1.1 200 OK\nContent-Length: 1\n\nx", Outcome::complete},
      {"obs-fold", ok + "A: b\r\n c\r\n" + sized, Outcome::complete},
      {"obs-fold of 8 KB", ok + "A: b\r\n " + std::string(8000, 'c') + "\r\n" + sized, Outcome::complete},
      {"100 Continue first", "HTTP/1.1 100 Continue\r\n\r\n" + ok + sized, Outcome::complete},
      {"no reason phrase and no space before it", "HTTP/1.1 200\r\n" + sized, Outcome::complete},
      {"Content-Length twice, the same", ok + "Content-Length: 1\r\n" + sized, Outcome::complete},
      {"Content-Length as a list of the same", ok + "Content-Length: 1, 1\r\n\r\nx", Outcome::complete},
      {"Transfer-Encoding and Content-Length", ok + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n",
       Outcome::complete},
      {"a header of 20 KB in 64 KB", ok + "X: " + std::string(20'000, 'x') + "\r\n" + sized, Outcome::complete},
      {"chunk extensions with white space", chunked + "1 ; a=b\r\nx\r\n0\r\n\r\n", Outcome::complete},
      {"a chunk extension without a name", chunked + "1;\r\nx\r\n0\r\n\r\n", Outcome::complete},
      {"a chunk extension that is no token", chunked + "1;a/b\r\nx\r\n0\r\n\r\n", Outcome::complete},
      {"trailers", chunked + "0\r\nX: 1\r\n\r\n", Outcome::complete},
      {"HTTP/1.2", "HTTP/1.2 200 OK\r\n" + sized, Outcome::complete},
      {"Transfer-Encoding: gzip, chunked", ok + "Transfer-Encoding: gzip, chunked\r\n\r\n", Outcome::failed},
      {"Transfer-Encoding: x", ok + "Transfer-Encoding: x\r\n\r\n", Outcome::failed},
      {"101 that was not asked for", "HTTP/1.1 101 Switching Protocols\r\n\r\n", Outcome::failed},
      {"a chunk of 8 GiB", chunked + "200000000\r\nx", Outcome::failed},
      {"a chunk size of 17 digits", chunked + "00000000000000001\r\nx\r\n0\r\n\r\n", Outcome::failed},
      {"chunk extensions of 20 KB", chunked + "1;" + std::string(20'000, 'x'), Outcome::failed},
      {"trailers of 39 KB", trailers, Outcome::failed},
      {"a control character in a header", ok + "A: \x01\r\n\r\n", Outcome::failed},
      {"a space before the colon", ok + "Name : x\r\n\r\n", Outcome::failed},
      {"two different lengths", ok + "Content-Length: 5, 6\r\n\r\n", Outcome::failed},
  };
}

const char* verdict(Outcome outcome, Outcome expected) {
  if (outcome == expected) return "as required";
  return outcome == Outcome::complete ? "taken" : outcome == Outcome::failed ? "refused" : "waits for more";
}

void compare_cases() {
  std::printf("%-42s %-10s %-16s %s\n", "response", "required", "ksr", "Boost.Beast");
  for (const Case& one : cases()) {
    Body body;
    Ours ours(body);
    const Outcome of_ours = ours.feed(one.response);
    OfBeast beast(body);
    std::string_view bytes = one.response;
    const Outcome of_beast = beast.feed(bytes);
    std::printf("%-42s %-10s %-16s %s%s\n", one.what, one.expected == Outcome::complete ? "take" : "refuse",
                verdict(of_ours, one.expected), verdict(of_beast, one.expected),
                of_beast == Outcome::complete && !bytes.empty() ? ", ends too early" : "");
  }
}

void compare_time() {
  const std::string response = chunked_response();
  std::vector<double> ours;
  std::vector<double> beast;
  std::vector<double> ratios;
  for (int round = 0; round < kRounds; ++round) {
    ours.push_back(time_of_ours(response));
    beast.push_back(time_of_beast(response));
    ratios.push_back(ours.back() / beast.back());
  }
  std::printf(
      "a chunk of %zu bytes, reads of %zu KiB, %d rounds in turn: ksr %.0f ns, Boost.Beast %.0f ns (medians); ksr / "
      "Beast: "
      "%.2f (median of the rounds)\n",
      kChunkSize, kReadSize / 1024, kRounds, median(ours), median(beast), median(ratios));
}

}  // namespace

int main() {
  compare_cases();
  compare_time();
}
