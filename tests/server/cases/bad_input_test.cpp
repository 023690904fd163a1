// Invalid input of every kind: an error that names what and where, no partial view, and the stream recovers.
#include <algorithm>

#include "server/cases/on_server.hpp"

using namespace ksr::testing;
using ksr::testserver::ApiServer;

namespace {

// A stream whose first list has `fault`: an error that contains `words`, no partial view, then the complete view.
void check_first_list(const std::string& fault, ksr_status code, const std::string& words, Settings more = {}) {
  CAPTURE(fault);
  ApiServer server(with_token());
  server.script("populate pods 20\nfault list pods " + fault);
  Recorder seen;
  Settings settings = on_server(server, "auto");
  settings.insert(settings.end(), more.begin(), more.end());
  REQUIRE(seen.open(settings) == KSR_OK);
  REQUIRE(seen.wait_error(code));
  const SeenError error = seen.errors().front();
  CAPTURE(error.message);
  CHECK(error.code == code);
  CHECK(error.retry_ms >= 0);
  CHECK(error.message.find("list of v1/pods at http://127.0.0.1:") == 0);
  CHECK(error.message.find(words) != std::string::npos);
  CHECK(error.message.find('\n') == std::string::npos);
  CHECK(error.message.find(kTestToken) == std::string::npos);
  check_equals_server(seen, server);
  CHECK(seen.updates() == 1);
}

// A live stream whose watch has `fault`: an error that contains `words`, and in the end the complete view.
void check_watch(const std::string& transport, const std::string& fault, ksr_status code, const std::string& words,
                 Settings more = {}) {
  CAPTURE(fault);
  ApiServer server(with_token());
  server.script("populate pods 20\nfault watch pods " + fault);
  Recorder seen;
  Settings settings = on_server(server, transport);
  settings.insert(settings.end(), more.begin(), more.end());
  REQUIRE(seen.open(settings) == KSR_OK);
  REQUIRE(seen.wait_count(20));
  REQUIRE(seen.wait_error(code));
  const SeenError error = seen.errors().front();
  CAPTURE(error.message);
  CHECK(error.code == code);
  CHECK(error.message.find("watch of v1/pods at http://127.0.0.1:") == 0);
  CHECK(error.message.find(words) != std::string::npos);
  CHECK(error.message.find('\n') == std::string::npos);
  CHECK(error.message.find(kTestToken) == std::string::npos);
  server.script("delete pods pod-0\ncreate pods new");
  CHECK(seen.wait_name("new"));
  check_equals_server(seen, server);
}

std::string item(const std::string& metadata) {
  return "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":" + metadata + "}";
}

std::string inject(const std::string& text) {
  return "inject text=" + quoted(text) + " event=0";
}

std::string event(const std::string& object) {
  return "{\"type\":\"ADDED\",\"object\":" + object + "}";
}

std::string nested(int depth) {
  return "{\"deep\":" + std::string(static_cast<std::size_t>(depth), '[') +
         std::string(static_cast<std::size_t>(depth), ']') + "}";
}

}  // namespace

TEST_CASE(
    "an invalid key or value, a missing file and contradictions are refused at once, with the key and what it "
    "expects") {
  const std::pair<Settings, const char*> bad[] = {
      {{{"colour", "red"}}, "colour"},
      {{{"limit", "many"}}, "limit"},
      {{{"resource", "v1/pods"}}, "server"},
      {{{"server", "gopher://x"}, {"resource", "v1/pods"}}, "server"},
      {{{"server", "https://x"}, {"resource", "v1/pods"}, {"ca_file", "/no/such/file"}}, "/no/such/file"},
      {{{"server", "https://x"}, {"resource", "v1/pods"}, {"token_file", "/no/such/file"}}, "/no/such/file"},
      {{{"server", "https://x"},
        {"resource", "v1/pods"},
        {"client_cert_file", "/no/such/file"},
        {"client_key_file", "/no"}},
       "/no/such/file"},
      {{{"server", "https://x"}, {"resource", "v1/pods"}, {"ca_data", "not a certificate"}}, "ca_data"},
      {{{"server", "https://x"}, {"resource", "v1/pods"}, {"client_cert_data", "x"}}, "client"},
      {{{"server", "https://x"}}, "resource"},
      {{{"server", "https://x"}, {"resource", "v1/pods"}, {"namespace", "Not A Name"}}, "namespace"},
  };
  setenv("KUBECONFIG", "/no/such/kubeconfig", 1);
  for (const auto& [settings, words] : bad) {
    CAPTURE(words);
    Recorder seen;
    const ksr_status opened = seen.open(settings);
    if (opened == KSR_OK) {  // reported before the first request instead
      CHECK(seen.wait_error(KSR_E_INVALID));
      CHECK(seen.errors().front().message.find(words) != std::string::npos);
      continue;
    }
    CHECK((opened == KSR_E_INVALID || opened == KSR_E_UNKNOWN_KEY));
    CAPTURE(seen.open_error());
    CHECK(seen.open_error().find(words) != std::string::npos);
  }
}

TEST_CASE("a refused connection is 502, a silent server 408, and both are retried") {
  on_both_transports([](const std::string& transport) {
    Recorder refused;
    REQUIRE(refused.open({{"server", "http://127.0.0.1:1"},
                          {"resource", "v1/pods"},
                          {"transport", transport},
                          {"backoff_initial", "20ms"}}) == KSR_OK);
    REQUIRE(refused.wait_error(KSR_E_TRANSPORT));
    CHECK(refused.errors().front().http_status == 502);
    CHECK(refused.errors().front().message.find("127.0.0.1:1") != std::string::npos);
    CHECK(refused.wait([](const Recorder& now) { return now.errors().size() >= 2; }));

    ApiServer server(with_token());
    server.script("populate pods 3\nfault list pods stall bytes=0");
    Recorder silent;
    REQUIRE(silent.open(with(on_server(server, transport), "request_timeout", "300ms")) == KSR_OK);
    REQUIRE(silent.wait_error(KSR_E_TIMEOUT));
    CHECK(silent.errors().front().http_status == 408);
    check_equals_server(silent, server);
  });
}

TEST_CASE("a list that is not a list") {
  check_first_list("answer 200 body=\"<html>hello</html>\" type=text/html", KSR_E_PROTOCOL,
                   "the answer is of type text/html");
  check_first_list("answer 200 body=\"\"", KSR_E_PROTOCOL, "");
  check_first_list("answer 200 body=\"{}\"", KSR_E_PROTOCOL, "kind");
  check_first_list("answer 200 body=" + quoted(R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"x"}})"),
                   KSR_E_PROTOCOL, "Pod");
  check_first_list("answer 204", KSR_E_PROTOCOL, "204");
  check_first_list("redirect to=http://127.0.0.1:1/", KSR_E_PROTOCOL, "302");
  check_first_list("garbage", KSR_E_PROTOCOL, "");
  check_first_list("bad-chunk", KSR_E_PROTOCOL, "chunk");
  check_first_list("endless-headers", KSR_E_PROTOCOL, "64 KiB");
  check_first_list("cut bytes=1000", KSR_E_TRANSPORT, "closed");
  check_first_list("stall bytes=1000", KSR_E_TIMEOUT, "nothing received for 300 ms", {{"request_timeout", "300ms"}});
}

TEST_CASE("an invalid item of a list: the error has its number and what is missing") {
  check_first_list(inject(item(R"({"name":"x","resourceVersion":"1"})")), KSR_E_PROTOCOL, "uid");
  check_first_list(inject(item(R"({"uid":"u","resourceVersion":"1"})")), KSR_E_PROTOCOL, "name");
  check_first_list(inject(R"({"kind":"Pod","apiVersion":"v1"})"), KSR_E_PROTOCOL, "metadata");
  check_first_list(inject("42"), KSR_E_PROTOCOL, "");
  check_first_list(inject(item(R"({"name":"a\u0000b","uid":"u","resourceVersion":"1"})")), KSR_E_PROTOCOL, "NUL");
  const std::string raw_nul = std::string("{\"name\":\"a") + '\0' + "b\",\"uid\":\"u\",\"resourceVersion\":\"1\"}";
  check_first_list(inject(item(raw_nul)), KSR_E_PROTOCOL, "control");
  check_first_list(inject(nested(20'000)), KSR_E_PROTOCOL, "nested");
  check_first_list("huge bytes=100Ki", KSR_E_TOO_LARGE, "", {{"max_object_size", "32Ki"}});
}

TEST_CASE("a watch that sends invalid events is reported, and the stream recovers") {
  on_both_transports([](const std::string& transport) {
    check_watch(transport, "garbage", KSR_E_PROTOCOL, "");
    check_watch(transport, inject(event(item(R"({"name":"x","resourceVersion":"1"})"))), KSR_E_PROTOCOL, "uid");
    check_watch(transport, inject(event("{}")), KSR_E_PROTOCOL, "");
    check_watch(transport, inject(event(nested(20'000))), KSR_E_PROTOCOL, "nested");
    check_watch(transport, inject(R"({"type":"ERROR","object":{"kind":"Status","message":"no code"}})"), KSR_E_SERVER,
                "no code");
  });
}

TEST_CASE(
    "an object of a watch without metadata, with a NUL or of an unknown shape is reported, and the stream recovers") {
  on_both_transports([](const std::string& transport) {
    check_watch(transport, inject(event(R"({"kind":"Pod","apiVersion":"v1"})")), KSR_E_PROTOCOL, "metadata");
    check_watch(transport, inject(event(item(R"({"name":"a\u0000b","uid":"u","resourceVersion":"1"})"))),
                KSR_E_PROTOCOL, "NUL");
    const std::string raw_nul = std::string("{\"name\":\"a") + '\0' + "b\",\"uid\":\"u\",\"resourceVersion\":\"1\"}";
    check_watch(transport, inject(event(item(raw_nul))), KSR_E_PROTOCOL, "control");
    check_watch(transport, inject("[1,2]"), KSR_E_PROTOCOL, "");
    check_watch(transport, inject(R"({"object":{"kind":"Pod"}})"), KSR_E_PROTOCOL, "type");
  });
}

TEST_CASE("a watch with an invalid head or body is reported and opened again") {
  check_watch("http", "answer 200 body=\"<html>hello</html>\" type=text/html", KSR_E_PROTOCOL,
              "expected a value, got '<'; the answer is of type text/html");
  check_watch("http", "endless-headers", KSR_E_PROTOCOL, "64 KiB");
  check_watch("websocket", "endless-headers", KSR_E_PROTOCOL, "127.0.0.1");
  on_both_transports([](const std::string& transport) {
    check_watch(transport, "redirect to=http://127.0.0.1:1/", KSR_E_PROTOCOL, "302");
    check_watch(transport, "stall bytes=0", KSR_E_TIMEOUT, "nothing received for 300 ms",
                {{"request_timeout", "300ms"}});
  });
}

TEST_CASE("a truncated event is never delivered, in whichever way the watch ends after it") {
  on_both_transports([](const std::string& transport) {
    for (const std::string fault : {"half-event event=1", "cut-event event=1", "cut-event event=1 reset=true"}) {
      CAPTURE(fault);
      ApiServer server(with_token());
      server.script("populate pods 3\nfault watch pods " + fault);
      Recorder seen;
      REQUIRE(seen.open(on_server(server, transport)) == KSR_OK);
      REQUIRE(seen.wait_state(KSR_STATE_LIVE));
      server.script("create pods halved");
      CHECK(seen.wait_name("halved"));
      CHECK(seen.wait([](const Recorder& now) { return now.stat("watches") >= 2; }));
      check_equals_server(seen, server);
    }
  });
}

TEST_CASE("the Content-Type of a list or watch is ignored: what can be parsed is used") {
  on_both_transports([](const std::string& transport) {
    ApiServer server(with_token());
    server.script(
        "populate pods 3\nfault list pods content-type text=text/html\nfault watch pods content-type text=text/html");
    Recorder seen;
    REQUIRE(seen.open(on_server(server, transport)) == KSR_OK);
    REQUIRE(seen.wait_state(KSR_STATE_LIVE));
    server.script("create pods new");
    CHECK(seen.wait_name("new"));
    check_equals_server(seen, server);
  });
}

TEST_CASE("an object that is too large for a watch is skipped and reported; the same watch continues") {
  on_both_transports([](const std::string& transport) {
    check_watch(transport, "huge bytes=200Ki event=0", KSR_E_TOO_LARGE, "", {{"max_object_size", "32Ki"}});
    ApiServer server(with_token());
    server.script("populate pods 3\nfault watch pods huge bytes=200Ki event=1");
    Recorder seen;
    REQUIRE(seen.open(with(on_server(server, transport), "max_object_size", "32Ki")) == KSR_OK);
    REQUIRE(seen.wait_state(KSR_STATE_LIVE));
    server.script("create pods one");
    REQUIRE(seen.wait_error(KSR_E_TOO_LARGE));
    server.script("create pods two");
    CHECK(seen.wait_name("two"));
    CHECK(seen.stat("watches") == 1);
    CHECK(seen.stat("relists") == 0);
    check_equals_server(seen, server);
  });
}

TEST_CASE("an object that is nested too deep is skipped and reported, in a list and in a watch; both continue") {
  const std::string deep =
      R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"deep","uid":"u","resourceVersion":"1"},"spec":)" +
      nested(600) + "}";
  const auto check_reported = [](const Recorder& seen, const std::string& where) {
    REQUIRE(seen.wait_error(KSR_E_TOO_LARGE));
    const SeenError error = seen.errors().front();
    CAPTURE(error.message);
    CHECK(error.message.find(where) == 0);
    CHECK(error.message.find("(deep)") != std::string::npos);
    CHECK(error.message.find("nested deeper than 512 levels") != std::string::npos);
  };
  on_both_transports([&](const std::string& transport) {
    for (const char* fields : {"", "/spec"}) {
      ApiServer server(with_token());
      server.script("populate pods 3\nfault list pods " + inject(deep));
      Recorder seen;
      REQUIRE(seen.open(with(on_server(server, transport), "drop_fields", fields)) == KSR_OK);
      check_reported(seen, "list of v1/pods at http://127.0.0.1:");
      check_equals_server(seen, server);
      CHECK(seen.errors().size() == 1);
      CHECK(seen.stat("lists") == 1);
      REQUIRE(seen.wait_state(KSR_STATE_LIVE));
      CHECK(ksr_last_error(seen.stream()) == nullptr);
    }
    ApiServer server(with_token());
    server.script("populate pods 3\nfault watch pods " + inject(event(deep)));
    Recorder seen;
    REQUIRE(seen.open(on_server(server, transport)) == KSR_OK);
    check_reported(seen, "watch of v1/pods at http://127.0.0.1:");
    server.script("create pods two");
    CHECK(seen.wait_name("two"));
    CHECK(seen.stat("watches") == 1);
    CHECK(seen.stat("relists") == 0);
    check_equals_server(seen, server);
  });
}

TEST_CASE("an object that is too large is deleted: it does not stay in the view") {
  on_both_transports([](const std::string& transport) {
    ApiServer server(with_token());
    server.script("populate pods 3\ncreate pods grows");
    Recorder seen;
    REQUIRE(seen.open(with(on_server(server, transport), "max_object_size", "32Ki")) == KSR_OK);
    REQUIRE(seen.wait_name("grows"));
    REQUIRE(seen.wait_state(KSR_STATE_LIVE));
    server.script(R"(update pods grows {"spec":{"x":")" + std::string(50'000, 'z') + "\"}}");
    REQUIRE(seen.wait_error(KSR_E_TOO_LARGE));
    server.script("delete pods grows");
    CHECK(seen.wait_name("grows", false));
    check_equals_server(seen, server);
  });
}

TEST_CASE("text that is no Unicode costs nothing: the object is in the view, with U+FFFD in its place") {
  on_both_transports([](const std::string& transport) {
    ApiServer server(with_token());
    server.script("populate pods 3");
    const std::string version = std::to_string(server.revision());
    const auto odd = [&](const std::string& name) {
      return R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":")" + name + R"(\udc00","uid":")" + name +
             R"(","resourceVersion":")" + version + R"(","labels":{"l)" + "\xff" + R"(":"\ud800\ud83d\ude00"}}})";
    };
    server.script("fault list pods " + inject(odd("listed\xe2\x82")) + "\nfault watch pods " +
                  inject(event(odd("watched\xfe"))));
    std::vector<std::string> labels;
    Recorder seen;
    seen.during_update = [&](ksr_stream*, const ksr_snapshot* snapshot) {
      labels.clear();
      for (std::size_t i = 0; i < ksr_snapshot_count(snapshot); ++i) {
        const std::string label = get(ksr_snapshot_at(snapshot, i), "/metadata/labels/l\xef\xbf\xbd");
        if (label != "(nothing)") labels.push_back(label);
      }
    };
    REQUIRE(seen.open(on_server(server, transport)) == KSR_OK);
    REQUIRE(seen.wait_name("listed\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"));
    REQUIRE(seen.wait_name("watched\xef\xbf\xbd\xef\xbf\xbd"));
    server.script("create pods new");
    REQUIRE(seen.wait_name("new"));
    CHECK(seen.count() == 6);
    CHECK(seen.stat("watches") == 1);
    CHECK(seen.stat("relists") == 0);
    CHECK(seen.errors().empty());
    CHECK(seen.violations() == std::vector<std::string>{});
    CHECK(seen.close() == KSR_OK);
    CHECK(labels == std::vector<std::string>(2, R"("\ufffd\ud83d\ude00")"));
  });
}

TEST_CASE("an unknown event type is logged and skipped") {
  on_both_transports([](const std::string& transport) {
    ApiServer server(with_token());
    server.script("populate pods 3\nfault watch pods " + inject(R"({"type":"FUTURE","object":{"kind":"Pod"}})"));
    Recorder seen;
    REQUIRE(seen.open(on_server(server, transport)) == KSR_OK);
    REQUIRE(seen.wait_state(KSR_STATE_LIVE));
    server.script("create pods new");
    CHECK(seen.wait_name("new"));
    CHECK(seen.errors().empty());
    bool logged = false;
    for (const std::string& line : seen.log()) logged = logged || line.find("FUTURE") != std::string::npos;
    CHECK(logged);
    CHECK(seen.stat("watches") == 1);
  });
}

TEST_CASE("endless empty pages end in an error, not in an endless list") {
  ApiServer server(with_token());
  server.script("populate pods 3\nfault list pods empty-pages times=forever");
  Recorder seen;
  REQUIRE(seen.open(on_server(server, "auto")) == KSR_OK);
  REQUIRE(seen.wait_error(KSR_E_PROTOCOL));
  CHECK(seen.updates() == 0);
  server.script("clear");
  check_equals_server(seen, server);
}

TEST_CASE("a WebSocket that is closed with an error code, binary frames, fragments, a wrong handshake") {
  for (const char* fault : {"close-code 1011", "bad-handshake", "binary", "fragment"}) {
    CAPTURE(fault);
    ApiServer server(with_token());
    server.script(std::string("populate pods 3\nfault watch pods ") + fault);
    Recorder seen;
    REQUIRE(seen.open(on_server(server, "websocket")) == KSR_OK);
    REQUIRE(seen.wait_count(3));
    server.script("create pods new");
    CHECK(seen.wait_name("new"));
    check_equals_server(seen, server);
  }
}

TEST_CASE("the server's own words are one line of bounded length in on_error and on_log") {
  const auto check_lines = [](const Recorder& seen, const std::string& words) {
    CAPTURE(words);
    const auto is_plain = [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; };
    bool found = false;
    for (const SeenError& error : seen.errors()) {
      CAPTURE(error.message);
      CHECK(std::all_of(error.message.begin(), error.message.end(), is_plain));
      CHECK(std::all_of(error.reason.begin(), error.reason.end(), is_plain));
      CHECK(error.message.size() < 700);
      found = found || error.message.find(words) != std::string::npos;
    }
    CHECK(found);
    for (const std::string& line : seen.log()) CHECK(std::all_of(line.begin(), line.end(), is_plain));
  };
  const std::string status =
      R"({"kind":"Status","code":500,"reason":"a\nb","message":"a\nb\u0000c)" + std::string(2'000, 'x') + R"("})";
  on_both_transports([&](const std::string& transport) {
    ApiServer server(with_token());
    server.script("populate pods 3\nfault watch pods " + inject(R"({"type":"ERROR","object":)" + status + "}"));
    Recorder seen;
    REQUIRE(seen.open(on_server(server, transport)) == KSR_OK);
    REQUIRE(seen.wait_error(KSR_E_SERVER));
    check_lines(seen, "a b?cx");
  });
  ApiServer server(with_token());
  server.script("populate pods 3\nfault discovery * answer 403 times=2 body=" + quoted(status));
  Recorder seen;
  REQUIRE(seen.open(on_server(server, "auto", "pods")) == KSR_OK);
  REQUIRE(seen.wait_error(KSR_E_FORBIDDEN));
  check_lines(seen, "a b?cx");
  check_equals_server(seen, server);
}
