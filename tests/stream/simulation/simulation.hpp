// `Simulation` runs the scenario of one seed: streams that share come and go while requests fail, then without new
// faults, and each stream must become the server's state; used by main.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "stream/runtime.hpp"
#include "stream/simulation/model_server.hpp"
#include "stream/simulation/sharing_world.hpp"
#include "stream/simulation/stream_host.hpp"

namespace ksr::stream::testing {

class Simulation {
 public:
  Simulation(std::uint64_t seed, bool tracing);
  ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  // Which invariant was violated; empty: none.
  std::optional<std::string> run();
  std::size_t steps() const { return steps_; }

 private:
  // What a stream asks for.
  struct Query {
    std::size_t identity = 0;
    std::size_t resource = 0;
    std::size_t limit = 0;
    Config config;
    // Of all that decides whether streams share.
    std::string key;
    RequestClass request_class;
  };
  // What streams share, as it should be: with a key those of the same key, until a fatal error has ended it.
  struct Group {
    const Query* query = nullptr;
    std::vector<StreamHost*> members;
    bool failed = false;
    bool started = false;
  };
  using GroupRef = std::shared_ptr<Group>;

  void draw_queries();
  void draw_rates();
  Query draw_variant(Query query);

  // The phases.
  void run_with_faults();
  void recover();
  void await_convergence(const char* when);
  void join_late();
  void replace_groups();
  void end_all();
  void check_nothing_left();

  // What happens to streams.
  void act();
  void act_within(StreamHost& host);
  StreamHost& open(const Query& query, bool start);
  void start(StreamHost& host);
  void cancel(StreamHost& host);
  void close(StreamHost& host);
  void close_async(StreamHost& host);
  void abandon(StreamHost& host);
  // In any of these ways.
  void end(StreamHost& host);
  // By a callback of another stream, where one can be had.
  void end_from_callback(StreamHost& host);
  void look_at(StreamHost& host);
  void leave_group(StreamHost& host);
  GroupRef group_to_join(const Query& query, StreamHost& host);
  template <class Test>
  StreamHost* random_host(Test&& test);

  // Time.
  void step_some();
  bool step();
  void run_to_idle();
  void pass(Milliseconds time);

  // Checks.
  void note_failures();
  void check_step();
  void check_idle();
  void check_bounds();
  void check_group(const Group& group);
  void check_owners();
  bool holds() const { return !world_.violation; }

  SharingWorld world_;
  std::size_t steps_ = 0;
  std::vector<std::string> tokens_;
  std::vector<std::shared_ptr<cluster::Access>> accesses_;
  // Without any stream.
  std::vector<long> access_owners_;
  std::vector<long> secret_owners_;
  std::vector<std::unique_ptr<Query>> queries_;
  FaultRates rates_;
  double outages_ = 0;
  double disturbances_ = 0;
  double within_callbacks_ = 0;
  std::unique_ptr<ModelServer> server_;
  std::unique_ptr<Runtime> runtime_;
  // Of tasks that have ended with an exception.
  std::vector<std::unique_ptr<Timer>> lost_;
  std::vector<std::unique_ptr<StreamHost>> hosts_;
  std::map<const StreamHost*, GroupRef> group_of_;
  std::vector<GroupRef> groups_;
  // What was open when nothing was under way last, whose requests may be there until then.
  std::map<RequestClass, std::size_t> groups_gone_;
  std::map<RequestClass, std::size_t> groups_made_;
};

}  // namespace ksr::stream::testing
