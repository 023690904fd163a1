// `StreamFixture` is everything around an Engine, a Session or a Call, without a network, a clock or threads; used by
// the tests of stream. Lives on the test's thread, on which its executor runs.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "stream/config.hpp"
#include "stream/engine.hpp"
#include "stream/runtime.hpp"
#include "support/fixed_random.hpp"
#include "unit/cluster/fakes.hpp"
#include "unit/delivery/fake_host.hpp"

namespace ksr::stream::testing {

using ksr::testing::FixedRandom;

class StreamFixture {
 public:
  StreamFixture() {
    config.connection.server = "http://api:8001";
    config.query.resources = {"v1/pods"};
    config.sync.initial = sync::Initial::list;
    config.sync.transport = sync::WatchTransport::http;
    config.sync.page_size = 0;
    access = world.open(config.connection).value();
    dispatcher = delivery::CallbackDispatcher::create({delivery::Mode::manual, Milliseconds(0)},
                                                      std::make_unique<delivery::FakeHost>(call_log), publisher)
                     .value();
  }
  ~StreamFixture() {
    dispatcher->close();
    // Calls that have ended are destroyed by tasks.
    world.executor.run();
  }
  StreamFixture(const StreamFixture&) = delete;
  StreamFixture& operator=(const StreamFixture&) = delete;

  // Runs `task` on the executor, and everything that follows without time passing.
  template <class Task>
  void run(Task task) {
    world.executor.post(task);
    world.executor.run();
  }
  // The callbacks that wait, and all before them.
  std::vector<std::string> callbacks() {
    while (dispatcher->dispatch() > 0) {
    }
    return call_log.lines();
  }
  bool has_callback(const std::string& line) {
    for (const std::string& made : callbacks()) {
      if (made.find(line) != std::string::npos) return true;
    }
    return false;
  }
  bool synced() { return dispatcher->wait_synced(Milliseconds(0)) == Status::ok; }
  // A list with one pod, whose name and uid are `name`, at resourceVersion 10.
  static cluster::testing::Reply pod_list(const std::string& name) {
    cluster::testing::Reply reply;
    reply.body = R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"10"},"items":[{"metadata":{)"
                 R"("name":")" +
                 name + R"(","namespace":"a","uid":")" + name + R"(","resourceVersion":"7"}}]})";
    return reply;
  }
  static cluster::testing::Reply refusal(int status) {
    cluster::testing::Reply reply;
    reply.status = status;
    reply.body = "refused";
    reply.content_type = "text/plain";
    return reply;
  }
  EngineParts engine_parts() {
    return {world.executor, server_states, std::make_unique<FixedRandom>(0.5), config, access, view, statistics};
  }
  // With the fixture's stream as its only subscriber.
  std::shared_ptr<Engine> engine() {
    auto made = std::make_shared<Engine>(engine_parts());
    Subscribers::List node{{dispatcher, own_statistics, last_error}};
    run([&] { made->add(node); });
    return made;
  }

  cluster::testing::World world;
  Config config;
  delivery::CallLog call_log;
  ServerStates server_states;
  std::shared_ptr<cluster::Access> access;
  std::shared_ptr<delivery::SharedView> view = std::make_shared<delivery::SharedView>(0, 2);
  std::shared_ptr<delivery::Publisher> publisher = std::make_shared<delivery::Publisher>(view);
  std::shared_ptr<delivery::CallbackDispatcher> dispatcher;
  std::shared_ptr<Statistics> statistics = std::make_shared<Statistics>();
  std::shared_ptr<OwnStatistics> own_statistics = std::make_shared<OwnStatistics>();
  std::shared_ptr<LastError> last_error = std::make_shared<LastError>();
};

}  // namespace ksr::stream::testing
