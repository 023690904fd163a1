#include "stream/engine.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "unit/stream/fixture.hpp"

using namespace ksr;
using namespace ksr::stream;
using namespace ksr::stream::testing;

namespace {

// What ksr_last_error answers: the message and the milliseconds until the next try; empty for none.
std::string last_error(const StreamFixture& fixture) {
  const auto report = fixture.last_error->get(fixture.world.executor.now());
  if (!report) return {};
  return report->error.text() + (report->next_try ? ", " + std::to_string(report->next_try->count()) : ", fatal");
}

// A watch of the pods of `name_space` (empty: all) that begins at `version` and goes on.
void answer_watch(StreamFixture& fixture, const std::string& name_space = "", const std::string& version = "10") {
  fixture.config.sync.watch_timeout = std::chrono::minutes(5);
  cluster::testing::Reply reply;
  reply.goes_on = true;
  fixture.world.transport
      .replies["/api/v1/" + (name_space.empty() ? "" : "namespaces/" + name_space + "/") +
               "pods?watch=true&allowWatchBookmarks=true&resourceVersion=" + version + "&timeoutSeconds=300"] = reply;
}

}  // namespace

TEST_CASE("a stream is synced once the lists of all its namespaces are complete") {
  StreamFixture fixture;
  fixture.config.query.namespaces = {"a", "b"};
  fixture.world.transport.replies["/api/v1/namespaces/a/pods"] = StreamFixture::pod_list("one");
  fixture.world.transport.replies["/api/v1/namespaces/b/pods"] = StreamFixture::refusal(503);
  const auto engine = fixture.engine();
  fixture.run([&] { engine->start(); });
  CHECK_FALSE(fixture.synced());
  CHECK(fixture.statistics->state == sync::State::waiting);
  CHECK(fixture.statistics->lists == 2);

  fixture.world.transport.replies["/api/v1/namespaces/b/pods"] = StreamFixture::pod_list("two");
  fixture.world.executor.advance(fixture.config.sync.backoff_max);
  CHECK(fixture.synced());
  CHECK(fixture.publisher->latest()->view().count() == 2);
  fixture.run([&] { engine->cancel(); });
}

TEST_CASE("a resource that cannot be resolved is tried again after the backoff") {
  StreamFixture fixture;
  fixture.config.query.resources = {"pods"};
  fixture.world.transport.failure = Error{Status::transport, "connection refused", "", 502};
  const auto engine = fixture.engine();
  fixture.run([&] { engine->start(); });
  CHECK(fixture.statistics->state == sync::State::waiting);
  CHECK(fixture.has_callback("error resolving resource pods: "));
  const std::size_t requests = fixture.world.transport.requests.size();
  CHECK(requests > 0);
  fixture.world.executor.advance(fixture.config.sync.backoff_max);
  CHECK(fixture.world.transport.requests.size() > requests);
  fixture.run([&] { engine->cancel(); });
}

TEST_CASE("401 while a resource is resolved: once at once, then after the backoff") {
  StreamFixture fixture;
  fixture.config.query.resources = {"pods"};
  fixture.world.transport.replies["/api"] = fixture.world.transport.replies["/apis"] = StreamFixture::refusal(401);
  const auto engine = fixture.engine();
  fixture.run([&] { engine->start(); });
  CHECK_FALSE(fixture.has_callback("error resolving resource pods: "));
  fixture.world.executor.advance(Milliseconds(0));
  const auto& requests = fixture.world.transport.requests;
  CHECK(std::count_if(requests.begin(), requests.end(), [](const auto& sent) { return sent.target == "/api"; }) == 2);
  CHECK(fixture.has_callback("error resolving resource pods: "));
  CHECK(fixture.statistics->state == sync::State::waiting);
  fixture.run([&] { engine->cancel(); });
}

TEST_CASE("an engine that is cancelled sends and reports nothing more") {
  StreamFixture fixture;
  fixture.world.transport.replies["/api/v1/pods"] = StreamFixture::refusal(503);
  const auto engine = fixture.engine();
  fixture.run([&] { engine->start(); });
  fixture.run([&] { engine->cancel(); });
  const std::size_t requests = fixture.world.transport.requests.size();
  const std::size_t callbacks = fixture.callbacks().size();
  fixture.world.executor.advance(std::chrono::hours(1));
  fixture.run([&] { engine->on_lost(Error{Status::internal, "lost"}); });
  fixture.run([&] { engine->on_clock_jump(); });
  CHECK(fixture.world.transport.requests.size() == requests);
  CHECK(fixture.callbacks().size() == callbacks);
}

TEST_CASE("an engine whose start was lost tells one that comes later how things stand all the same") {
  StreamFixture fixture;
  fixture.world.transport.replies["/api/v1/pods"] = StreamFixture::pod_list("one");
  answer_watch(fixture);
  const auto engine = fixture.engine();
  // As where there was no memory for what comes before it: see Subscription::add.
  fixture.run([&] { engine->on_lost(Error{Status::out_of_memory, "out of memory"}); });
  fixture.world.executor.advance(fixture.config.sync.backoff_max);
  REQUIRE(fixture.synced());

  delivery::CallLog call_log;
  const auto dispatcher = delivery::CallbackDispatcher::create({delivery::Mode::manual, Milliseconds(0)},
                                                               std::make_unique<delivery::FakeHost>(call_log),
                                                               std::make_shared<delivery::Publisher>(fixture.view))
                              .value();
  Subscribers::List late{{dispatcher, std::make_shared<OwnStatistics>(), std::make_shared<LastError>()}};
  fixture.run([&] { engine->add(late); });
  CHECK(dispatcher->wait_synced(Milliseconds(0)) == Status::ok);
  while (dispatcher->dispatch() > 0) {
  }
  CHECK(call_log.count("state 3") == 1);
  fixture.run([&] { engine->cancel(); });
  dispatcher->close();
}

TEST_CASE("what is lost in an exception is an error of the stream, and is tried again") {
  StreamFixture fixture;
  fixture.world.transport.replies["/api/v1/pods"] = StreamFixture::refusal(503);
  const auto engine = fixture.engine();
  fixture.run([&] { engine->start(); });
  fixture.run([&] { engine->on_lost(Error{Status::out_of_memory, "no memory for it"}); });
  CHECK(fixture.has_callback("no memory for it"));
  const std::size_t requests = fixture.world.transport.requests.size();
  fixture.world.executor.advance(fixture.config.sync.backoff_max);
  CHECK(fixture.world.transport.requests.size() > requests);
  fixture.run([&] { engine->cancel(); });
}

TEST_CASE("the last error is what keeps the stream from being live, and is gone once it is") {
  StreamFixture fixture;
  answer_watch(fixture);
  fixture.config.sync.backoff_initial = fixture.config.sync.backoff_max = Milliseconds(1000);
  fixture.world.transport.replies["/api/v1/pods"] = StreamFixture::refusal(503);
  const auto engine = fixture.engine();
  CHECK(last_error(fixture).empty());
  fixture.run([&] { engine->start(); });
  const std::string refused =
      "list of v1/pods at http://api:8001: the server answered 503 Service Unavailable: refused";
  CHECK(last_error(fixture) == refused + ", 1500");
  fixture.world.executor.advance(Milliseconds(400));
  CHECK(last_error(fixture) == refused + ", 1100");

  // While the next try is under way it is still what is known.
  fixture.world.transport.silent = true;
  fixture.world.executor.advance(Milliseconds(1100));
  CHECK(fixture.statistics->state == sync::State::listing);
  CHECK(last_error(fixture) == refused + ", 0");

  fixture.world.transport.silent = false;
  fixture.world.transport.replies["/api/v1/pods"] = StreamFixture::pod_list("one");
  fixture.run([&] { engine->on_clock_jump(); });
  fixture.world.executor.advance(Milliseconds(10'000));
  CHECK(fixture.statistics->state == sync::State::live);
  CHECK(last_error(fixture).empty());
  fixture.run([&] { engine->cancel(); });
}

TEST_CASE("with several namespaces the last error is that of one that is not live") {
  StreamFixture fixture;
  fixture.config.query.namespaces = {"a", "b"};
  answer_watch(fixture, "a");
  answer_watch(fixture, "b");
  fixture.world.transport.replies["/api/v1/namespaces/a/pods"] = StreamFixture::pod_list("one");
  fixture.world.transport.replies["/api/v1/namespaces/b/pods"] = StreamFixture::refusal(403);
  const auto engine = fixture.engine();
  fixture.run([&] { engine->start(); });
  CHECK(last_error(fixture).find("list of v1/pods in namespace b at http://api:8001") == 0);
  fixture.world.transport.replies["/api/v1/namespaces/b/pods"] = StreamFixture::pod_list("two");
  fixture.world.executor.advance(std::chrono::minutes(2));
  CHECK(fixture.statistics->state == sync::State::live);
  CHECK(last_error(fixture).empty());
  fixture.run([&] { engine->cancel(); });
}

TEST_CASE("a resource that cannot be resolved is the last error until it is") {
  StreamFixture fixture;
  fixture.config.query.resources = {"pods"};
  fixture.world.transport.failure = Error{Status::transport, "connection refused", "", 502};
  const auto engine = fixture.engine();
  fixture.run([&] { engine->start(); });
  CHECK(last_error(fixture).find("resolving resource pods: ") == 0);
  CHECK(last_error(fixture).find("connection refused, ") != std::string::npos);
  fixture.run([&] { engine->cancel(); });
  CHECK(last_error(fixture).find("resolving resource pods: ") == 0);
}

TEST_CASE("the wait for a resource that cannot be resolved is told as any other: first the state, then the error") {
  StreamFixture fixture;
  fixture.config.query.resources = {"pods"};
  fixture.world.transport.failure = Error{Status::transport, "connection refused", "", 502};
  const auto engine = fixture.engine();
  fixture.run([&] { engine->start(); });
  CHECK(fixture.statistics->next_try_at != Statistics::kNever);
  const std::vector<std::string> callbacks = fixture.callbacks();
  const auto position = [&](const std::string& start) {
    return std::find_if(callbacks.begin(), callbacks.end(),
                        [&](const auto& made) { return made.rfind(start, 0) == 0; });
  };
  CHECK(position("state 4") < position("error "));
  REQUIRE(position("error ") != callbacks.end());

  // A try is under way.
  fixture.world.transport.failure.reset();
  fixture.world.transport.silent = true;
  fixture.world.executor.advance(Milliseconds(1200));
  CHECK(fixture.statistics->state == sync::State::connecting);
  CHECK(last_error(fixture).find("resolving resource pods: ") == 0);
  fixture.run([&] { engine->cancel(); });
}

TEST_CASE("what kept a resource from being resolved stays the last error until the stream is live") {
  for (const bool answers : {false, true}) {
    StreamFixture fixture;
    fixture.config.query.resources = {"pods"};
    answer_watch(fixture);
    fixture.world.transport.failure = Error{Status::transport, "connection refused", "", 502};
    const auto engine = fixture.engine();
    fixture.run([&] { engine->start(); });
    fixture.world.transport.failure.reset();
    auto& replies = fixture.world.transport.replies;
    const auto json = [](const char* body) {
      cluster::testing::Reply reply;
      reply.body = body;
      return reply;
    };
    replies["/api"] = json(R"({"kind":"APIVersions","versions":["v1"]})");
    replies["/apis"] = json(R"({"kind":"APIGroupList","apiVersion":"v1","groups":[]})");
    replies["/api/v1"] =
        json(R"({"kind":"APIResourceList","groupVersion":"v1","resources":[)"
             R"({"name":"pods","singularName":"pod","namespaced":true,"kind":"Pod","verbs":["list","watch"]}]})");
    replies["/api/v1/pods"] = StreamFixture::pod_list("one");
    replies["/api/v1/pods"].goes_on = !answers;
    fixture.world.executor.advance(fixture.config.sync.backoff_max);
    CHECK(fixture.statistics->state == (answers ? sync::State::live : sync::State::listing));
    CHECK((last_error(fixture).find("resolving resource pods: ") == 0) == !answers);
    CHECK(last_error(fixture).empty() == answers);
    fixture.run([&] { engine->cancel(); });
  }
}

namespace {

// What the server serves widgets as: one object, the same in each version.
void serve_widgets(StreamFixture& fixture, const std::string& version) {
  auto& replies = fixture.world.transport.replies;
  replies.clear();
  const auto json = [](const std::string& body) {
    cluster::testing::Reply reply;
    reply.body = body;
    return reply;
  };
  replies["/apis"] = json(R"({"kind":"APIGroupDiscoveryList","items":[{"metadata":{"name":"x.io"},"versions":[)"
                          R"({"version":")" +
                          version +
                          R"(","resources":[{"resource":"widgets","scope":"Namespaced","shortNames":["wd"],)"
                          R"("responseKind":{"kind":"Widget"},"verbs":["list","watch"]}]}]}]})");
  const std::string path = "/apis/x.io/" + version + "/widgets";
  replies[path] = json(R"({"kind":"WidgetList","apiVersion":"x.io/)" + version +
                       R"(","metadata":{"resourceVersion":"10"},"items":[{"kind":"Widget","apiVersion":"x.io/)" +
                       version + R"(","metadata":{"name":"w","namespace":"a","uid":"u","resourceVersion":"7"}}]})");
  cluster::testing::Reply& watch = replies[path +
                                           "?watch=true&allowWatchBookmarks=true&resourceVersion=10&"
                                           "timeoutSeconds=300"];
  watch.goes_on = true;
}

// The stream is of a name that stands for them.
void name_widgets(StreamFixture& fixture) {
  fixture.config.query.resources = {"wd"};
  fixture.config.sync.watch_timeout = std::chrono::minutes(5);
  serve_widgets(fixture, "v1");
}

std::string version_in_view(const StreamFixture& fixture) {
  return fixture.view->write([](const store::Cache& cache) {
    if (cache.count() != 1) return std::string();
    const std::string json(cache.view().at(0)->field(store::Field::json));
    const std::size_t at = json.find("x.io/");
    return at == std::string::npos ? "" : json.substr(at + 5, json.find('"', at) - at - 5);
  });
}

std::ptrdiff_t requests_of(const StreamFixture& fixture, const std::string& target) {
  const auto& requests = fixture.world.transport.requests;
  return std::count_if(requests.begin(), requests.end(), [&](const auto& sent) { return sent.target == target; });
}

}  // namespace

TEST_CASE("a version of a resource that is served no longer: its name is looked up again, and the view follows") {
  StreamFixture fixture;
  name_widgets(fixture);
  const auto engine = fixture.engine();
  fixture.run([&] { engine->start(); });
  CHECK(fixture.statistics->state == sync::State::live);
  CHECK(version_in_view(fixture) == "v1");

  const auto stop_serving = [&](const std::string& next) {
    serve_widgets(fixture, next);
    fixture.run([&] {
      fixture.world.transport.send_to_watches(
          R"({"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure","code":404}})"
          "\n");
    });
  };
  fixture.world.executor.advance(Milliseconds(1'000));
  stop_serving("v2");
  CHECK(fixture.statistics->state == sync::State::live);
  CHECK(version_in_view(fixture) == "v2");
  CHECK_FALSE(fixture.has_callback("error "));
  CHECK(last_error(fixture).empty());
  CHECK(requests_of(fixture, "/apis") == 2);

  // Not twice without a delay.
  fixture.world.executor.advance(Milliseconds(1'000));
  stop_serving("v3");
  CHECK(fixture.statistics->state == sync::State::waiting);
  CHECK(fixture.has_callback("error "));
  CHECK(requests_of(fixture, "/apis") == 2);
  fixture.world.executor.advance(Milliseconds(45'000));
  CHECK(fixture.statistics->state == sync::State::live);
  CHECK(version_in_view(fixture) == "v3");
  CHECK(requests_of(fixture, "/apis") == 3);
  CHECK(requests_of(fixture, "/apis/x.io/v2/widgets") == 2);
  fixture.run([&] { engine->cancel(); });
}

TEST_CASE("404 of what a name stands for: it waits, and looks again with each try") {
  StreamFixture fixture;
  name_widgets(fixture);
  auto& replies = fixture.world.transport.replies;
  const auto refused = StreamFixture::refusal(404);
  const auto list = std::exchange(replies["/apis/x.io/v1/widgets"], refused);
  const auto engine = fixture.engine();
  fixture.run([&] { engine->start(); });
  // What was read just now is taken to be up to date.
  CHECK(requests_of(fixture, "/apis") == 1);
  CHECK(fixture.statistics->state == sync::State::waiting);
  CHECK(fixture.has_callback("error list of x.io/v1/widgets"));
  for (int round = 2; round < 5; ++round) {
    fixture.world.executor.advance(Milliseconds(45'000));
    CHECK(fixture.statistics->state == sync::State::waiting);
    CHECK(requests_of(fixture, "/apis") == round);
    CHECK(requests_of(fixture, "/apis/x.io/v1/widgets") == round);
  }
  // Where discovery has it no longer, or fails, the stream goes on with what it knew.
  replies.erase("/apis");
  fixture.world.executor.advance(Milliseconds(45'000));
  CHECK(fixture.statistics->state == sync::State::waiting);
  CHECK(last_error(fixture).find("list of x.io/v1/widgets") == 0);
  replies["/apis/x.io/v1/widgets"] = list;
  fixture.world.executor.advance(Milliseconds(45'000));
  CHECK(fixture.statistics->state == sync::State::live);
  fixture.run([&] { engine->cancel(); });
}

TEST_CASE("streams whose names stand for what is not served share what is read of discovery") {
  StreamFixture fixture;
  name_widgets(fixture);
  const auto engine = fixture.engine();
  fixture.run([&] { engine->start(); });
  fixture.world.executor.advance(Milliseconds(1'000));
  serve_widgets(fixture, "v2");
  std::vector<std::shared_ptr<Engine>> others;
  for (int i = 0; i < 3; ++i) {
    EngineParts parts = fixture.engine_parts();
    parts.view = std::make_shared<delivery::SharedView>(0);
    others.push_back(std::make_shared<Engine>(std::move(parts)));
  }
  fixture.run([&] {
    for (const auto& other : others) other->start();
  });
  CHECK(requests_of(fixture, "/apis") == 2);
  CHECK(requests_of(fixture, "/apis/x.io/v2/widgets") == 3);
  fixture.run([&] {
    for (const auto& other : others) other->cancel();
    engine->cancel();
  });
}

TEST_CASE("a resource that is named in full is not looked up on 404") {
  StreamFixture fixture;
  fixture.config.query.resources = {"x.io/v1/widgets", "/apis/x.io/v2/widgets"};
  const auto engine = fixture.engine();
  fixture.run([&] { engine->start(); });
  CHECK(fixture.statistics->state == sync::State::waiting);
  CHECK(requests_of(fixture, "/apis") == 0);
  fixture.run([&] { engine->cancel(); });
}

TEST_CASE("with several namespaces all of them follow a name") {
  StreamFixture fixture;
  fixture.config.query.resources = {"wd", "v1/pods"};
  fixture.config.query.namespaces = {"a", "b"};
  serve_widgets(fixture, "v1");
  auto& replies = fixture.world.transport.replies;
  for (const char* name_space : {"a", "b"}) {
    replies[std::string("/apis/x.io/v1/namespaces/") + name_space + "/widgets"] = StreamFixture::refusal(503);
  }
  const auto engine = fixture.engine();
  fixture.run([&] { engine->start(); });
  serve_widgets(fixture, "v2");
  for (const char* name_space : {"a", "b"}) {
    replies[std::string("/apis/x.io/v2/namespaces/") + name_space + "/widgets"] = StreamFixture::refusal(503);
  }
  fixture.world.executor.advance(Milliseconds(45'000));
  for (const char* name_space : {"a", "b"}) {
    CHECK(requests_of(fixture, std::string("/apis/x.io/v2/namespaces/") + name_space + "/widgets") >= 1);
  }
  fixture.run([&] { engine->cancel(); });
}

TEST_CASE("a resource without a watch: the last error has the time until the next list, each time") {
  StreamFixture fixture;
  fixture.config.sync.watch_timeout = std::chrono::minutes(5);
  fixture.world.transport.replies["/api/v1/pods"] = StreamFixture::pod_list("one");
  const std::string watch = "/api/v1/pods?watch=true&allowWatchBookmarks=true&resourceVersion=10&timeoutSeconds=300";
  fixture.world.transport.replies[watch] = StreamFixture::refusal(405);
  const auto engine = fixture.engine();
  fixture.run([&] { engine->start(); });
  const std::string first = last_error(fixture);
  CHECK(first.find("405") != std::string::npos);
  const std::uint64_t lists = fixture.statistics->lists;
  fixture.world.executor.advance(std::chrono::minutes(5) + Milliseconds(1));
  CHECK(fixture.statistics->lists == lists + 1);
  CHECK(fixture.statistics->state == sync::State::waiting);
  CHECK(last_error(fixture).find(", 0") == std::string::npos);
  fixture.run([&] { engine->cancel(); });
}

TEST_CASE("a resource without a watch: the failure of a list is the last error until a list succeeds, then the 405") {
  StreamFixture fixture;
  fixture.config.sync.watch_timeout = std::chrono::minutes(5);
  fixture.config.sync.backoff_initial = fixture.config.sync.backoff_max = Milliseconds(1000);
  auto& replies = fixture.world.transport.replies;
  replies["/api/v1/pods"] = StreamFixture::pod_list("one");
  replies["/api/v1/pods?watch=true&allowWatchBookmarks=true&resourceVersion=10&timeoutSeconds=300"] =
      StreamFixture::refusal(405);
  const auto engine = fixture.engine();
  fixture.run([&] { engine->start(); });
  const std::string no_watch = last_error(fixture);
  CHECK(no_watch.find("watch of v1/pods at http://api:8001: the server answered 405") == 0);
  for (int i = 0; i < 2; ++i) {
    replies["/api/v1/pods?resourceVersion=10&resourceVersionMatch=NotOlderThan"] = replies["/api/v1/pods"] =
        StreamFixture::refusal(503);
    fixture.world.executor.advance(std::chrono::minutes(5) + Milliseconds(1));
    CHECK(last_error(fixture).find("list of v1/pods at http://api:8001: the server answered 503") == 0);
    replies["/api/v1/pods?resourceVersion=10&resourceVersionMatch=NotOlderThan"] = replies["/api/v1/pods"] =
        StreamFixture::pod_list("one");
    fixture.world.executor.advance(Milliseconds(2000));
    CHECK(fixture.statistics->state == sync::State::waiting);
    const std::string cured = last_error(fixture);
    CHECK(cured.substr(0, cured.rfind(", ")) == no_watch.substr(0, no_watch.rfind(", ")));
    CHECK(cured.find(", 0") == std::string::npos);
  }
  CHECK(fixture.statistics->errors == 3);
  fixture.run([&] { engine->cancel(); });
}

TEST_CASE("a fatal error stays the last one, and is there before the host is told") {
  StreamFixture fixture;
  fixture.config.sync.reconnect = false;
  fixture.world.transport.replies["/api/v1/pods"] = StreamFixture::refusal(403);
  const auto engine = fixture.engine();
  fixture.run([&] { engine->start(); });
  CHECK(last_error(fixture).find("403 Forbidden: refused, fatal") != std::string::npos);
  fixture.world.executor.advance(std::chrono::hours(1));
  CHECK(last_error(fixture).find("403 Forbidden: refused, fatal") != std::string::npos);
}

TEST_CASE("an object that is skipped leaves the stream live: it is no last error") {
  StreamFixture fixture;
  answer_watch(fixture);
  fixture.config.reader.max_object_size = 2048;
  fixture.world.transport.replies["/api/v1/pods"] = StreamFixture::pod_list("one");
  const std::string watch = "/api/v1/pods?watch=true&allowWatchBookmarks=true&resourceVersion=10&timeoutSeconds=300";
  fixture.world.transport.replies[watch].body =
      R"({"type":"ADDED","object":{"metadata":{"name":"big","namespace":"a","uid":"big","resourceVersion":"11"},"x":")" +
      std::string(4096, 'x') + "\"}}\n";
  const auto engine = fixture.engine();
  fixture.run([&] { engine->start(); });
  CHECK(fixture.has_callback("larger than"));
  CHECK(fixture.statistics->state == sync::State::live);
  CHECK(last_error(fixture).empty());
  fixture.run([&] { engine->cancel(); });
}

TEST_CASE("a healthy stream says in the log what it watches, what was listed, and how its watch goes") {
  StreamFixture fixture;
  answer_watch(fixture);
  fixture.config.query.namespaces = {};
  fixture.world.transport.replies["/api/v1/pods"] = StreamFixture::pod_list("one");
  const auto engine = fixture.engine();
  fixture.run([&] { engine->start(); });
  CHECK(fixture.has_callback("log stream of v1/pods: all namespaces, transport http"));
  CHECK(fixture.has_callback("log list of v1/pods at http://api:8001: 1 objects at resourceVersion 10, " +
                             std::to_string(StreamFixture::pod_list("one").body.size()) + " bytes in 0 ms"));
  CHECK(fixture.has_callback("log watch of v1/pods at http://api:8001: opened over HTTP from resourceVersion 10"));
  fixture.world.executor.advance(std::chrono::seconds(7));
  fixture.run([&] { engine->cancel(); });
  CHECK(fixture.has_callback("log watch of v1/pods at http://api:8001: closed after 7 s"));
}

TEST_CASE("the log says of a list without a resourceVersion that it has none") {
  StreamFixture fixture;
  answer_watch(fixture);
  cluster::testing::Reply list = StreamFixture::pod_list("one");
  const std::string version = "\"resourceVersion\":\"10\"";
  const std::size_t at = list.body.find(version);
  REQUIRE(at != std::string::npos);
  list.body.erase(at, version.size());
  fixture.world.transport.replies["/api/v1/pods"] = list;
  const auto engine = fixture.engine();
  fixture.run([&] { engine->start(); });
  CHECK(fixture.has_callback("log list of v1/pods at http://api:8001: 1 objects without a resourceVersion, "));
  fixture.run([&] { engine->cancel(); });
}

TEST_CASE("the log says why a watch has ended, and what a request was refused with") {
  StreamFixture fixture;
  answer_watch(fixture);
  fixture.world.transport.replies["/api/v1/pods"] = StreamFixture::pod_list("one");
  const std::string watch = "/api/v1/pods?watch=true&allowWatchBookmarks=true&resourceVersion=10&timeoutSeconds=300";
  SUBCASE("in order") {
    fixture.world.transport.replies[watch].goes_on = false;
    const auto engine = fixture.engine();
    fixture.run([&] { engine->start(); });
    CHECK(fixture.has_callback("log watch of v1/pods at http://api:8001: ended by the server after 0 s"));
    fixture.run([&] { engine->cancel(); });
  }
  SUBCASE("an ERROR event") {
    fixture.world.transport.replies[watch].body =
        R"({"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too\nold"}})"
        "\n";
    const auto engine = fixture.engine();
    fixture.run([&] { engine->start(); });
    CHECK(fixture.has_callback("log watch of v1/pods at http://api:8001: ERROR event after 0 s: too old"));
    fixture.run([&] { engine->cancel(); });
  }
  SUBCASE("a refusal") {
    fixture.world.transport.replies["/api/v1/pods"] = StreamFixture::refusal(401);
    const auto engine = fixture.engine();
    fixture.run([&] { engine->start(); });
    CHECK(fixture.has_callback("log list of v1/pods at http://api:8001: the server answered 401 Unauthorized"));
    // There are no others.
    CHECK(fixture.has_callback("log trying once more: "));
    fixture.run([&] { engine->cancel(); });
  }
}

TEST_CASE("the last error is shown without the secrets of its connection, as on_error shows it") {
  const auto secrets = std::make_shared<Secrets>();
  secrets->add("s3cret-token-of-the-test");
  LastError last(secrets);
  const Instant now{std::chrono::hours(1)};
  last.set(current_error(Error{Status::server, "no entry for s3cret-token-of-the-test"}, Milliseconds(0), now));
  const auto report = last.get(now);
  REQUIRE(report.has_value());
  CHECK(report->error.text() == "no entry for ***");
}
