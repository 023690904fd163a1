// Responses, however their bytes are cut.
#include "transport/response_decoder.hpp"

#include <doctest/doctest.h>

#include "transport/header_rules.hpp"

using ksr::transport::Header;
using ksr::transport::ResponseDecoder;
using ksr::transport::ResponseHead;
using DecoderProgress = ResponseDecoder::Progress;

namespace {

struct Reader final : ResponseDecoder::Sink {
  explicit Reader(bool websocket = false) : decoder(*this, websocket) {}
  bool take_head(ResponseHead head_in) override {
    head = std::move(head_in);
    ++heads;
    return true;
  }
  bool take_body(std::string_view bytes) override {
    body += bytes;
    ++pieces;
    return body.size() < stop_at;
  }
  DecoderProgress feed(std::string_view bytes, std::size_t step) {
    DecoderProgress progress = DecoderProgress::more;
    while (!bytes.empty() && progress == DecoderProgress::more) {
      progress = decoder.feed(bytes.substr(0, step));
      bytes.remove_prefix(std::min(step, bytes.size()));
    }
    return progress;
  }

  ResponseHead head;
  std::string body;
  int heads = 0;
  int pieces = 0;
  std::size_t stop_at = static_cast<std::size_t>(-1);
  ResponseDecoder decoder;
};

const std::string ok = "HTTP/1.1 200 OK\r\n";
const std::string chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";

std::string problem_of(const std::string& response) {
  Reader reader;
  REQUIRE(reader.decoder.feed(response) == DecoderProgress::failed);
  return reader.decoder.problem();
}

bool keeps_alive(const std::string& response) {
  Reader reader;
  REQUIRE(reader.decoder.feed(response) == DecoderProgress::complete);
  return reader.decoder.keeps_alive();
}

}  // namespace

TEST_CASE("a chunked body is the same however its bytes arrive") {
  const std::string response =
      chunked + "5\r\nhello\r\n1;name=value\r\n \r\n00A ; x\r\n0123456789\r\n0\r\nX-Trailer: 1\r\n\r\n";
  for (std::size_t step = 1; step <= response.size(); ++step) {
    Reader reader;
    REQUIRE(reader.feed(response, step) == DecoderProgress::complete);
    CHECK(reader.heads == 1);
    CHECK(reader.body == "hello 0123456789");
    CHECK(reader.decoder.keeps_alive());
  }
  for (std::size_t cut = 1; cut < response.size(); ++cut) {
    Reader reader;
    REQUIRE(reader.decoder.feed(response.substr(0, cut)) == DecoderProgress::more);
    REQUIRE(reader.decoder.feed(response.substr(cut)) == DecoderProgress::complete);
    CHECK(reader.body == "hello 0123456789");
  }
}

TEST_CASE("a part of a chunk is delivered before the rest of it comes") {
  Reader reader;
  REQUIRE(reader.decoder.feed(chunked + "400\r\nfirst") == DecoderProgress::more);
  CHECK(reader.body == "first");
  REQUIRE(reader.decoder.feed("+more") == DecoderProgress::more);
  CHECK(reader.body == "first+more");
  CHECK(reader.pieces == 2);
}

TEST_CASE("chunk sizes that are not valid end the response") {
  for (const char* size : {"-5", "", "g", "0x5", " 5", "5 5\x01", "5 5", "5\t5", "5 x", "5 =", "100000001", "fffffffff",
                           "00000000000000005", "5\n", "+1"}) {
    Reader reader;
    CHECK_MESSAGE(reader.decoder.feed(chunked + size + "\r\nhello\r\n0\r\n\r\n") == DecoderProgress::failed, size);
  }
  CHECK(problem_of(chunked + "5\r\nhelloX\n").find("malformed") != std::string::npos);
  CHECK(problem_of(chunked + "5\r\nhello\n").find("malformed") != std::string::npos);
  CHECK(problem_of(chunked + "5;" + std::string(20'000, 'x')).find("16 KiB") != std::string::npos);
  CHECK(problem_of(chunked + "0\r\n" + std::string(20'000, 'x')).find("16 KiB") != std::string::npos);
  std::string trailers = chunked + "0\r\n";
  for (int i = 0; i < 3000; ++i) trailers += "X: 12345678\r\n";
  CHECK(problem_of(trailers).find("16 KiB") != std::string::npos);
  // 4 GiB is the most.
  Reader reader;
  CHECK(reader.decoder.feed(chunked + "100000000\r\nx") == DecoderProgress::more);
}

TEST_CASE("bodies end where their framing says") {
  Reader sized;
  CHECK(sized.feed(ok + "Content-Length: 5\r\n\r\nhello", 1) == DecoderProgress::complete);
  CHECK(sized.body == "hello");
  Reader zeros;
  CHECK(zeros.feed(ok + "Content-Length: 0000000000000000000005\r\n\r\nhello", 1) == DecoderProgress::complete);
  CHECK(zeros.body == "hello");
  Reader until_close;
  CHECK(until_close.feed(ok + "\r\nhello", 3) == DecoderProgress::more);
  CHECK(until_close.decoder.end_of_stream() == DecoderProgress::complete);
  CHECK(until_close.body == "hello");
  CHECK_FALSE(until_close.decoder.keeps_alive());
  for (const char* bodiless : {"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 304 \r\nContent-Length: 7\r\n\r\n",
                               "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"}) {
    Reader reader;
    CHECK(reader.feed(bodiless, 1) == DecoderProgress::complete);
    CHECK(reader.body.empty());
  }
}

TEST_CASE("a stream that ends early is an error") {
  for (const std::string& partial : {std::string(), ok, ok + "Content-Length: 5\r\n\r\nhell", chunked + "5\r\nhe",
                                     chunked + "5\r\nhello\r\n", chunked + "5\r\nhello\r\n0\r\n"}) {
    Reader reader;
    reader.decoder.feed(partial);
    CHECK(reader.decoder.end_of_stream() == DecoderProgress::failed);
    CHECK(reader.decoder.problem().find("closed") != std::string::npos);
  }
}

TEST_CASE("heads that break the rules are refused") {
  for (const char* head : {"HTTP/2 200 OK\r\n\r\n",
                           "HTTP/1.9 200 OK\r\n\r\n",
                           "HTTP/1.2 200 OK\r\n\r\n",
                           "HTTP/1.1 200 O\x01K\r\n\r\n",
                           "HTTP/1.1 200 OK\rX: y\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nContent-Length: ,\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nContent-Length: 5,\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nContent-Length:\r\nContent-Length: 5\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nContent-Length: 5 5\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: ,\r\nContent-Length: 5\r\n\r\n",
                           "SSH-2.0-OpenSSH\r\n\r\n",
                           "HTTP/1.1 20 OK\r\n\r\n",
                           "HTTP/1.1 2000\r\n\r\n",
                           "HTTP/1.1 099 X\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding\t: chunked\r\n\r\n",
                           "HTTP/1.1 204 OK\r\nContent-Length : 0\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nA B: x\r\n\r\n",
                           "HTTP/1.1 200 OK\r\n : x\r\n\r\n",
                           "HTTP/1.1 200 OK\r\n A: b\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nA: b\rC: d\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nA: b\r\n c\x01\r\n\r\n",
                           "HTTP/1.1 200 OK\r\n: x\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999999\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: x\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nA: \x01\r\n\r\n",
                           "\r\n\r\n",
                           "HTTP/1.1 101 Switching Protocols\r\n\r\n"}) {
    Reader reader;
    CHECK_MESSAGE(reader.decoder.feed(head) == DecoderProgress::failed, head);
    CHECK(reader.heads == 0);
  }
}

TEST_CASE("what is not HTTP ends with its first byte that shows it, and is quoted up to its line end and query") {
  const auto quoted = [](const std::string& bytes) {
    Reader reader;
    CHECK(reader.decoder.feed(bytes) == DecoderProgress::failed);
    CHECK(reader.decoder.problem() == "the status line is not that of HTTP/1.x");
    return reader.decoder.not_http();
  };
  CHECK(quoted("<html>old</html>") == "<html>old</html>");
  CHECK(quoted(std::string("\0\0\x12\4", 4)).size() == 4);
  CHECK(quoted("HTTP/2") == "HTTP/2");
  CHECK(quoted("GET /api?token=x HTTP/1.1\r\nAuthorization: y\r\n\r\n") == "GET /api");
  CHECK(quoted("HTTP/1.1 OK\r\nX: y\r\n\r\n") == "HTTP/1.1 OK\r");
  CHECK(quoted(std::string(1'000, 'x')).size() == 200);
  Reader later;
  CHECK(later.feed("HTTP/1.1 100 Continue\r\n\r\nFTP", 1) == DecoderProgress::failed);
  CHECK(later.decoder.not_http() == "F");
  Reader begun;
  CHECK(begun.feed("HTTP/1", 1) == DecoderProgress::more);
  Reader header;
  CHECK(header.decoder.feed(ok + "no colon\r\n\r\n") == DecoderProgress::failed);
  CHECK(header.decoder.not_http().empty());
}

TEST_CASE("a reason phrase is text, and may be left out") {
  Reader nul;
  CHECK(nul.decoder.feed(std::string("HTTP/1.1 200 O\0K\r\n\r\n", 21)) == DecoderProgress::failed);
  for (const char* line : {"HTTP/1.1 204 \xc3\x9c\tx", "HTTP/1.1 204", "HTTP/1.1 204 ", "HTTP/1.0 204 OK"}) {
    Reader reader;
    CHECK_MESSAGE(reader.decoder.feed(std::string(line) + "\r\n\r\n") == DecoderProgress::complete, line);
  }
}

TEST_CASE("HTTP/1.0 is not upgraded") {
  Reader reader(true);
  CHECK(reader.decoder.feed("HTTP/1.0 101 X\r\nUpgrade: x\r\n\r\n") == DecoderProgress::failed);
}

TEST_CASE("what comes after an accepted upgrade is not read, however the bytes are cut") {
  const std::string head =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nA: b\r\n\r\nHTTP/1.1 101 X\r\nUpgrade: x\r\n\r\n";
  for (std::size_t cut = 0; cut <= head.size(); ++cut) {
    Reader reader(true);
    if (cut != 0) reader.decoder.feed(head.substr(0, cut));
    if (cut != head.size()) CHECK(reader.decoder.feed(head.substr(cut) + "frames") == DecoderProgress::upgraded);
    CHECK(reader.heads == 1);
    CHECK(reader.head.status == 101);
    CHECK(reader.decoder.unread() == (cut == head.size() ? 0 : 6));
  }
}

TEST_CASE("the head of a response is bounded, interim responses included") {
  CHECK(problem_of(ok + "X: " + std::string(70'000, 'x')).find("64 KiB") != std::string::npos);
  CHECK(problem_of(ok + "X: " + std::string(70'000, 'x') + "\r\n\r\n").find("64 KiB") != std::string::npos);
  std::string endless;
  for (int i = 0; i < 4000; ++i) endless += "HTTP/1.1 100 Continue\r\n\r\n";
  CHECK(problem_of(endless).find("64 KiB") != std::string::npos);
  Reader drip;
  CHECK(drip.feed(ok + "X: " + std::string(70'000, 'x'), 100) == DecoderProgress::failed);
  Reader large;
  CHECK(large.feed(ok + "X: " + std::string(60'000, 'x') + "\r\nContent-Length: 1\r\n\r\ny", 1000) ==
        DecoderProgress::complete);
}

TEST_CASE("interim responses are passed over") {
  Reader reader;
  CHECK(reader.feed("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok +
                        "Content-Length: 2\r\n\r\nhi",
                    7) == DecoderProgress::complete);
  CHECK(reader.heads == 1);
  CHECK(reader.head.status == 200);
  CHECK(reader.body == "hi");
}

TEST_CASE("a connection is kept only when the response leaves no doubt") {
  const std::string body = "Content-Length: 1\r\n\r\nx";
  CHECK(keeps_alive(ok + body));
  CHECK_FALSE(keeps_alive(ok + "Connection: close\r\n" + body));
  CHECK_FALSE(keeps_alive(ok + "Connection: upgrade, Close\r\n" + body));
  CHECK_FALSE(keeps_alive("HTTP/1.0 200 OK\r\n" + body));
  CHECK(keeps_alive("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n" + body));
  CHECK_FALSE(keeps_alive(ok + body + "HTTP/1.1 200 OK"));
  CHECK_FALSE(keeps_alive(ok + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n"));
  CHECK_FALSE(keeps_alive("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"));
  CHECK(keeps_alive(ok + "Content-Length: 1, 1\r\n\r\nx"));
  CHECK(keeps_alive(ok + "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx"));
}

TEST_CASE("blanks between a name and its colon are removed") {
  Reader reader;
  CHECK(reader.decoder.feed(ok + "X-Foo : 1\r\nConnection\t : close\r\n more\r\nContent-Length: 0\r\n\r\n") ==
        DecoderProgress::complete);
  CHECK(reader.head.headers ==
        std::vector<Header>{{"x-foo", "1"}, {"connection", "close more"}, {"content-length", "0"}});
}

TEST_CASE("header names are passed on in lower case, repeated ones separately") {
  Reader reader;
  REQUIRE(reader.decoder.feed(ok + "Content-Type:application/json\r\nX-A: 1 \r\nx-a:\t2\r\nRetry-After: 3\r\n"
                                   "Content-Length: 0\r\n\r\n") == DecoderProgress::complete);
  CHECK(reader.head.headers == std::vector<Header>{{"content-type", "application/json"},
                                                   {"x-a", "1"},
                                                   {"x-a", "2"},
                                                   {"retry-after", "3"},
                                                   {"content-length", "0"}});
  CHECK(reader.head.content_type == "application/json");
  CHECK(reader.head.retry_after == "3");
}

TEST_CASE("of a repeated Retry-After the first counts") {
  Reader reader;
  REQUIRE(reader.decoder.feed(ok + "Retry-After: 3\r\nRetry-After: 9\r\nContent-Length: 0\r\n\r\n") ==
          DecoderProgress::complete);
  CHECK(reader.head.retry_after == "3");
}

TEST_CASE("a sink can stop the decoder") {
  Reader reader;
  reader.stop_at = 3;
  CHECK(reader.decoder.feed(chunked + "2\r\nab\r\n2\r\ncd\r\n2\r\nef\r\n") == DecoderProgress::stopped);
  CHECK(reader.body == "abcd");
}

TEST_CASE("an upgrade ends the decoder's work") {
  Reader reader(true);
  CHECK(reader.feed("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", 5) == DecoderProgress::upgraded);
  CHECK(reader.head.status == 101);
}

TEST_CASE("lines of a header section may end with LF alone, those of chunks may not") {
  for (const std::string& response : {std::string("HTTP/1.1 200 OK\nA: b\nTransfer-Encoding: chunked\n\n"),
                                      std::string("HTTP/1.1 200 OK\r\nA: b\nTransfer-Encoding: chunked\r\n\n"),
                                      std::string("HTTP/1.1 200 OK\nA: b\r\nTransfer-Encoding: chunked\n\r\n")}) {
    for (const char* trailers : {"\r\n", "\n", "X: 1\n\n", "X: 1\n\r\n", "X: 1\r\n\n"}) {
      const std::string whole = response + "5\r\nhello\r\n0\r\n" + trailers;
      for (std::size_t step = 1; step <= whole.size(); ++step) {
        Reader reader;
        REQUIRE(reader.feed(whole, step) == DecoderProgress::complete);
        REQUIRE(reader.body == "hello");
        REQUIRE(reader.head.headers == std::vector<Header>{{"a", "b"}, {"transfer-encoding", "chunked"}});
        REQUIRE(reader.decoder.keeps_alive());
      }
    }
    problem_of(response + "5\nhello\r\n");
    problem_of(response + "5\r\nhello\n");
  }
  Reader interim;
  CHECK(interim.feed("HTTP/1.1 100 Continue\n\nHTTP/1.1 200 OK\nContent-Length: 1\n\nx", 2) ==
        DecoderProgress::complete);
  CHECK(interim.body == "x");
}

TEST_CASE("a header that goes on in the next line is one header") {
  const std::string response =
      ok + "A: b\r\n c\r\n\t d \r\nB:\r\n e\r\nC: f\r\n  \r\nTransfer-Encoding:\n\tchunked\r\n\r\n" +
      "2\r\nhi\r\n0\r\n\r\n";
  for (std::size_t step = 1; step <= response.size(); ++step) {
    Reader reader;
    REQUIRE(reader.feed(response, step) == DecoderProgress::complete);
    REQUIRE(reader.head.headers ==
            std::vector<Header>{{"a", "b c d"}, {"b", "e"}, {"c", "f"}, {"transfer-encoding", "chunked"}});
    REQUIRE(reader.body == "hi");
  }
  problem_of(ok + " A: b\r\n\r\n");
}

TEST_CASE("the transfer coding is chunked, in any case and with empty list elements") {
  for (const char* coding : {"chunked", "Chunked", "CHUNKED", " chunked ", "chunked,", ", chunked"}) {
    CAPTURE(coding);
    Reader reader;
    CHECK(reader.decoder.feed(ok + "Transfer-Encoding:" + coding + "\r\n\r\n1\r\nx\r\n0\r\n\r\n") ==
          DecoderProgress::complete);
    CHECK(reader.body == "x");
  }
  for (const char* coding : {"chunked, chunked", "chunked\r\nTransfer-Encoding: Chunked"}) {
    CHECK(problem_of(ok + "Transfer-Encoding: " + coding + "\r\n\r\n") == "the transfer coding chunked is there twice");
  }
  CHECK(problem_of(ok + "Transfer-Encoding: gzip, chunked\r\n\r\n") == "it has a transfer coding other than chunked");
  // Parts of its name are not it.
  for (const char* coding : {"chunk", "chunkedx", "x-chunked", "chunked;q=1"}) {
    CHECK(problem_of(ok + "Transfer-Encoding: " + coding + "\r\n\r\n").find("chunked") != std::string::npos);
  }
}

TEST_CASE("content codings are compared without case, and identity is none") {
  using ksr::transport::content_coding;
  using ksr::transport::ContentCoding;
  const auto coding_of = [](std::initializer_list<const char*> values) {
    ResponseHead head;
    for (const char* value : values) head.headers.push_back({"content-encoding", value});
    return content_coding(head);
  };
  CHECK(coding_of({}) == ContentCoding::identity);
  for (const char* value : {"identity", "Identity", "", "identity, IDENTITY"}) {
    CHECK(coding_of({value}) == ContentCoding::identity);
  }
  for (const char* value : {"gzip", "GZIP", "x-gzip", "X-GZip", "identity, gzip", "gzip,"}) {
    CHECK(coding_of({value}) == ContentCoding::gzip);
  }
  CHECK(coding_of({"identity", "x-gzip"}) == ContentCoding::gzip);
  for (const char* value : {"br", "deflate", "gzip, gzip", "gzip, br", "br, gzip", "gzipped"}) {
    CHECK(coding_of({value}) == ContentCoding::unsupported);
  }
  CHECK(coding_of({"gzip", "gzip"}) == ContentCoding::unsupported);
}
