// Whichever allocation of a channel fails, the channel ends.
#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "channel/channel_call.hpp"
#include "support/allocation_failure.hpp"
#include "support/fixed_random.hpp"
#include "unit/channel/idle_host.hpp"
#include "unit/cluster/fakes.hpp"

using namespace ksr;
using namespace ksr::channel;
using ksr::cluster::testing::FakeTransport;
using ksr::cluster::testing::Reply;

namespace {

class EndNote final : public channel::testing::IdleHost {
 public:
  void on_end(Ending) override { ++ends; }

  int ends = 0;
};

constexpr const char* kRunningPod =
    R"({"metadata":{"uid":"u"},"spec":{"containers":[{"name":"main"}]},"status":{"phase":"Running",)"
    R"("containerStatuses":[{"name":"main","containerID":"containerd://1","restartCount":0,"state":{"running":{}}}]}})";

Reply reply_to(const std::string& target, bool refuses) {
  if (target.find("/exec") != std::string::npos) {
    if (refuses) return {403, R"({"kind":"Status","message":"not allowed","reason":"Forbidden","code":403})"};
    Reply opened{101, ""};
    opened.headers = {{"sec-websocket-protocol", "v4.channel.k8s.io"}};
    return opened;
  }
  if (target.find("/log") == std::string::npos) return {200, kRunningPod};
  if (refuses) return {403, R"({"kind":"Status","message":"not allowed","reason":"Forbidden","code":403})"};
  return {200, "2026-01-01T00:00:00.000000001Z a line of the log\n", "text/plain"};
}

// False: nothing failed, since there are not as many allocations.
bool ends_without_memory(ChannelKind kind, bool refuses, std::size_t left) {
  cluster::testing::World world;
  world.transport.serve = [&](const transport::Request& request, transport::ExchangeObserver& observer,
                              const std::shared_ptr<const bool>& alive) {
    world.executor.post([reply = reply_to(request.target, refuses), &observer, alive] {
      if (*alive) FakeTransport::deliver(reply, observer, alive);
    });
  };
  cluster::ConnectionOptions connection;
  connection.server = "https://h";
  connection.token = "t";
  const auto access = world.open(connection);
  REQUIRE(access.has_value());
  ChannelOptions options;
  options.kind = kind;
  options.command = {"a command"};
  options.wants_stdout = true;
  ChannelTarget target;
  target.name_space = "default";
  target.name = "web";
  const auto host = std::make_shared<EndNote>();
  auto call = make_channel_call({world.executor, std::make_shared<ksr::testing::FixedRandom>(), *access,
                                 std::make_shared<ChannelCounts>(), std::make_shared<ServerProtocols>(), host},
                                std::move(options), std::move(target));
  world.executor.post([&] { call->start(); });
  bool failed = false;
  {
    const ksr::testing::FailingAllocation failing(left);
    for (int i = 0; i < 200 && host->ends == 0; ++i) {
      world.executor.run_despite_exceptions();
      world.executor.pass(Milliseconds(1000));
    }
    failed = failing.has_failed();
  }
  CHECK_MESSAGE(host->ends == 1, "after " << left << " allocations");
  world.executor.post([&] { call.reset(); });
  world.executor.run_despite_exceptions();
  return failed;
}

}  // namespace

TEST_CASE("whichever allocation of an exec or a log fails, it ends, and so it does where it is refused") {
  for (const ChannelKind kind : {ChannelKind::exec, ChannelKind::log}) {
    for (const bool refuses : {false, true}) {
      CAPTURE(kind == ChannelKind::exec);
      CAPTURE(refuses);
      std::size_t left = 0;
      while (ends_without_memory(kind, refuses, left)) ++left;
      // Otherwise nothing was tried.
      CHECK(left > 50);
    }
  }
}
