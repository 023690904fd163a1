// Records of TLS: how many come at a time, where they are cut, and how the connection ends.
#include <doctest/doctest.h>
#include <openssl/crypto.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <future>
#include <limits>
#include <new>
#include <thread>

#include "support/certificates.hpp"
#include "support/urls.hpp"
#include "support/wait_limit.hpp"
#include "transport/exit_guard.hpp"
#include "transport/pem.hpp"
#include "transport/tls_context.hpp"
#include "unit/transport/gzip.hpp"
#include "unit/transport/listener.hpp"
#include "unit/transport/raw_server.hpp"

using namespace test;
using namespace ksr::testing;

namespace {

struct Ended {
  std::string body;
  std::optional<Error> error;
};

// A server that runs `script` after the head of a response without length.
Ended answer_of(const std::function<void(Peer&)>& script, const std::string& header = {},
                Request request = request_for("/")) {
  const ServerContext context = server_context(shared_authority().issue("server", "IP:127.0.0.1"));
  RawServer server([&](Peer& peer) {
    if (!peer.start_tls(context.get())) return;
    peer.receive_head();
    peer.send("HTTP/1.1 200 OK\r\nConnection: close\r\n" + header + "\r\n");
    script(peer);
  });
  ConnectionSettings settings;
  settings.server = ksr::testing::url_of(server.tls_url());
  settings.tls.ca_pem = shared_authority().certificate_pem();
  Listener listener;
  listener.get(connect(settings), std::move(request));
  REQUIRE(listener.wait_for_end());
  return {listener.body(), listener.error()};
}

std::string letters(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i % 23);
  return text;
}

// OpenSSL's memory: how many blocks there are of the size of our read buffers, and how many there have been.
class LargeBlocks {
 public:
  static int live() { return live_; }
  static int made() { return made_; }
  // On the calling thread, after so many allocations each further one fails. Below zero: none does.
  static void fail_after(int count) { fail(count, std::numeric_limits<int>::min()); }
  // The same for one alone.
  static void fail_once_after(int count) { fail(count, 0); }
  // Whether one has failed since.
  static bool has_failed() { return countdown_ < 0; }

 private:
  static void fail(int count, int last) {
    countdown_ = count;
    last_ = last;
    failing_ = count < 0 ? std::thread::id() : std::this_thread::get_id();
  }
  static bool fails() {
    if (failing_ != std::this_thread::get_id() || countdown_ < last_) return false;
    return countdown_-- <= 0;
  }

  struct alignas(std::max_align_t) Head {
    bool large;
  };

  static void* allocate(std::size_t size, const char*, int) {
    if (fails()) return nullptr;
    auto* const head = static_cast<Head*>(std::malloc(sizeof(Head) + size));
    if (head == nullptr) return nullptr;
    head->large = size >= 60'000;
    if (head->large) {
      ++live_;
      ++made_;
    }
    return head + 1;
  }
  static void* reallocate(void* block, std::size_t size, const char* file, int line) {
    if (block == nullptr) return allocate(size, file, line);
    if (fails()) return nullptr;
    Head* const head = static_cast<Head*>(block) - 1;
    auto* const moved = static_cast<Head*>(std::realloc(head, sizeof(Head) + size));
    return moved == nullptr ? nullptr : moved + 1;
  }
  static void release(void* block, const char*, int) {
    if (block == nullptr) return;
    Head* const head = static_cast<Head*>(block) - 1;
    if (head->large) --live_;
    std::free(head);
  }

  static inline std::atomic<std::thread::id> failing_{std::thread::id()};
  static inline std::atomic<int> countdown_{0};
  static inline std::atomic<int> last_{0};
  static inline std::atomic<int> live_{0};
  static inline std::atomic<int> made_{0};
  // Before OpenSSL has any.
  static inline const bool counted_ = CRYPTO_set_mem_functions(&allocate, &reallocate, &release) == 1;

 public:
  static bool counted() { return counted_; }
};

}  // namespace

TEST_CASE("an idle connection keeps no buffer of OpenSSL; one that is read from much, or often, keeps it meanwhile") {
  REQUIRE(LargeBlocks::counted());
  struct Case {
    std::size_t size;
    int pieces;
  };
  for (const auto& [size, pieces] : {Case{32'000, 50}, Case{100, 400}}) {
    CAPTURE(size);
    const std::string piece = letters(size);
    std::promise<void> small_came;
    std::promise<void> all_came;
    std::atomic<int> came{0};
    const ServerContext context = server_context(shared_authority().issue("server", "IP:127.0.0.1"));
    RawServer server([&](Peer& peer) {
      if (!peer.start_tls(context.get())) return;
      peer.receive_head();
      peer.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nsmall");
      small_came.get_future().wait_for(kWaitLimit);
      for (int sent = 0; sent < pieces && peer.send(piece); ++sent) {
        for (int tries = 0; tries < 3'000 && came <= sent; ++tries) std::this_thread::sleep_for(Milliseconds(1));
      }
      all_came.get_future().wait_for(kWaitLimit);
    });
    ConnectionSettings settings;
    settings.server = ksr::testing::url_of(server.tls_url());
    settings.tls.ca_pem = shared_authority().certificate_pem();
    const auto released = [] {
      for (int tries = 0; tries < 10'000 && LargeBlocks::live() > 0; ++tries) {
        std::this_thread::sleep_for(Milliseconds(1));
      }
      return LargeBlocks::live() == 0;
    };
    CHECK(released());
    Listener listener;
    listener.get(connect(settings), request_for("/"));
    CHECK(listener.wait_for_body(5));
    CHECK(released());
    const int before = LargeBlocks::made();
    CHECK(before > 0);
    const auto began = std::chrono::steady_clock::now();
    small_came.set_value();
    for (int i = 1; i <= pieces; ++i) {
      CHECK(listener.wait_for_body(5 + static_cast<std::size_t>(i) * size));
      ++came;
    }
    // On a busy machine it may not have been often.
    if (std::chrono::steady_clock::now() - began < std::chrono::seconds(3)) {
      CHECK(LargeBlocks::made() - before < pieces / 2);
    }
    CHECK(released());
    all_came.set_value();
  }
}

TEST_CASE("records of all sizes come in order, in whatever pieces the network makes of them") {
  const std::string text = letters(3'000'000);
  const Ended ended = answer_of([&](Peer& peer) {
    std::size_t size = 1;
    for (std::size_t at = 0; at < text.size(); at += size, size = size % 20'000 + 1 + size / 3) {
      size = std::min(size, text.size() - at);
      if (!peer.send(text.substr(at, size))) return;
    }
    peer.shut_down();
    peer.wait_for_close();
  });
  CHECK((ended.error ? ended.error->message : "") == "");
  CHECK(ended.body == text);
}

TEST_CASE("what came before the end is delivered, and an end without close_notify differs from one with it") {
  const std::string text = letters(150'000);
  const Ended cut = answer_of([&](Peer& peer) {
    peer.send(text);
    ::shutdown(peer.fd(), SHUT_RDWR);
  });
  CHECK(cut.body == text);
  REQUIRE(cut.error);
  CHECK(cut.error->status == Status::transport);
  CHECK(cut.error->message.find("without close_notify") != std::string::npos);

  const Ended proper = answer_of([&](Peer& peer) {
    peer.send(text);
    peer.shut_down();
    peer.wait_for_close();
  });
  CHECK(proper.body == text);
  CHECK_FALSE(proper.error);
}

TEST_CASE("without close_notify a body ends in order where it shows by itself whether it is whole") {
  const auto answer = [](const std::string& header, const std::string& body, bool cut_shows = false) {
    Request request = request_for("/");
    request.cut_shows = cut_shows;
    request.accept_gzip = header.find("gzip") != std::string::npos;
    const auto script = [&](Peer& peer) {
      peer.send(body);
      ::shutdown(peer.fd(), SHUT_RDWR);
    };
    const Ended ended = answer_of(script, header, request);
    CHECK((!ended.error || ended.error->status == Status::transport));
    return std::pair(ended.body, !ended.error);
  };
  using Answer = std::pair<std::string, bool>;
  CHECK(answer("Content-Type: application/json\r\n", "{}") == Answer("{}", true));
  CHECK(answer("Content-Type: Application/JSON ;as=Table\r\n", "{}") == Answer("{}", true));
  CHECK(answer("Content-Type: application/scim+json\r\n", "{}") == Answer("{}", true));
  CHECK(answer("Content-Type: application/vnd.kubernetes.protobuf;stream=watch\r\n", "k8s") == Answer("k8s", true));
  CHECK(answer("Content-Encoding: gzip\r\n", gzip("text")) == Answer("text", true));
  CHECK(answer("Content-Type: text/plain\r\n", "a\n", true) == Answer("a\n", true));
  // Nothing shows here.
  CHECK(answer("Content-Type: text/plain\r\n", "a\n") == Answer("a\n", false));
  CHECK(answer("Content-Type: application/yaml\r\n", "a: b\n") == Answer("a: b\n", false));
  CHECK(answer("", "{}") == Answer("{}", false));
  CHECK(answer("Content-Type: application/json\r\n", "") == Answer("", false));
  // These say themselves where they end.
  CHECK(answer("Content-Type: application/json\r\nContent-Length: 3\r\n", "{}") == Answer("{}", false));
  CHECK(answer("Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n", "2\r\n{}\r\n") ==
        Answer("{}", false));
  const std::string packed = gzip("text");
  CHECK_FALSE(answer("Content-Encoding: gzip\r\n", packed.substr(0, packed.size() - 1)).second);
}

TEST_CASE("bytes that are no record are a TLS error, after what was valid") {
  const std::string text = letters(100'000);
  const Ended ended = answer_of([&](Peer& peer) {
    peer.send(text);
    const std::string noise = "this is no record of TLS, however long one looks at it";
    ::send(peer.fd(), noise.data(), noise.size(), MSG_NOSIGNAL);
    peer.wait_for_close();
  });
  CHECK(ended.body == text);
  REQUIRE(ended.error);
  CHECK(ended.error->status == Status::tls);
}

TEST_CASE("a connection that is reset says so") {
  const Ended ended = answer_of([&](Peer& peer) {
    peer.send("begun");
    peer.reset();
  });
  REQUIRE(ended.error);
  CHECK(ended.error->status == Status::transport);
}

TEST_CASE("a connection is used again, unless bytes came on it that no request was sent for") {
  const ServerContext context = server_context(shared_authority().issue("server", "IP:127.0.0.1"));
  std::promise<void> unasked_sent;
  std::atomic<int> answered{0};
  RawServer server([&](Peer& peer, int number) {
    if (!peer.start_tls(context.get())) return;
    while (!peer.receive_head().empty()) {
      const std::string body = number == 0 ? "first" : "other";
      peer.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" + body);
      if (++answered != 2) continue;
      peer.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong");
      unasked_sent.set_value();
    }
  });
  ConnectionSettings settings;
  settings.server = ksr::testing::url_of(server.tls_url());
  settings.tls.ca_pem = shared_authority().certificate_pem();
  const auto connection = connect(settings);
  for (int i = 0; i < 3; ++i) {
    Listener listener;
    listener.get(connection, request_for("/"));
    REQUIRE(listener.wait_for_end());
    CHECK(listener.body() == (i < 2 ? "first" : "other"));
    if (i == 1) REQUIRE(unasked_sent.get_future().wait_for(kWaitLimit) == std::future_status::ready);
  }
}

TEST_CASE("a handshake for which OpenSSL has no memory is no failure of the server") {
  const ServerContext context = server_context(shared_authority().issue("server", "IP:127.0.0.1"));
  RawServer server([&](Peer& peer) {
    if (!peer.start_tls(context.get())) return;
    peer.receive_head();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    peer.wait_for_close();
  });
  ConnectionSettings settings;
  settings.server = ksr::testing::url_of(server.tls_url());
  settings.tls.ca_pem = shared_authority().certificate_pem();
  bool failed = false;
  // As many allocations as succeed before all others fail: each step of the handshake is the first one at some count.
  for (int count = 0; count < 3000; count += 1 + count / 20) {
    CAPTURE(count);
    const auto connection = connect(settings);
    Listener listener;
    on_network([count] { LargeBlocks::fail_after(count); });
    listener.get(connection, request_for("/"));
    REQUIRE(listener.wait_for_end());
    on_network([] { LargeBlocks::fail_after(-1); });
    if (!listener.error()) break;
    CAPTURE(listener.error()->message);
    CHECK(listener.error()->status == Status::out_of_memory);
    failed = true;
    listener.drop();
  }
  CHECK(failed);
}

TEST_CASE("settings for which OpenSSL has no memory are not called wrong") {
  const CertificateAndKey own = self_signed("one");
  const auto check = [&]() -> Expected<void> {
    const ksr::transport::TlsUse use;
    REQUIRE(use);
    const auto certificates = ksr::transport::read_certificates("certificate", own.certificate_pem);
    if (!certificates) return certificates.error();
    const auto key = ksr::transport::read_private_key("key", own.key_pem, certificates->front().get());
    if (!key) return key.error();
    return {};
  };
  ConnectionSettings settings;
  settings.server = ksr::testing::url_of("https://server.test");
  settings.tls.ca_pem = own.certificate_pem;
  settings.tls.client_certificate_pem = own.certificate_pem;
  settings.tls.client_key_pem = own.key_pem;
  const auto make = [&]() -> Expected<void> {
    auto made = ksr::transport::TlsContext::make(settings.tls);
    if (!made) return std::move(made).error();
    return {};
  };
  for (const std::function<Expected<void>()>& operation : {std::function(check), std::function(make)}) {
    // What OpenSSL makes at its first use and keeps.
    REQUIRE(operation());
    for (const auto fail : {&LargeBlocks::fail_after, &LargeBlocks::fail_once_after}) {
      bool failed = true;
      for (int count = 0; failed; count += 1 + count / 20) {
        CAPTURE(count);
        fail(count);
        try {
          if (const auto outcome = operation(); !outcome) {
            LargeBlocks::fail_after(-1);
            CAPTURE(outcome.error().message);
            CHECK(outcome.error().status == Status::out_of_memory);
          }
        } catch (const std::bad_alloc&) {
        }
        failed = LargeBlocks::has_failed();
        LargeBlocks::fail_after(-1);
        CHECK(operation());
      }
    }
  }
}
