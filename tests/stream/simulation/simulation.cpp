#include "stream/simulation/simulation.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <set>
#include <utility>

#include "base/exception_error.hpp"

namespace ksr::stream::testing {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t kActions = 150;
constexpr std::size_t kMostOpen = 9;
// More steps without time passing would never end.
constexpr std::size_t kMostStepsAtOnce = 20'000;

bool is_any(const StreamHost&) {
  return true;
}

}  // namespace

Simulation::Simulation(std::uint64_t seed, bool tracing) : world_(seed, tracing) {
  draw_queries();
  draw_rates();
  server_ = std::make_unique<ModelServer>(world_, rates_);
  runtime_ = std::make_unique<Runtime>(world_.cluster.executor, world_.cluster.transport, [this] {
    return std::make_unique<sync::testing::SeededRandom>(world_.random.next());
  });
}

Simulation::~Simulation() {
  for (const auto& host : hosts_) {
    host->in_callback = nullptr;
    if (host->has_handle()) host->phase() == StreamHost::Phase::created ? host->abandon() : host->close();
  }
  world_.cluster.executor.run();
  server_->remove_gone();
}

std::optional<std::string> Simulation::run() {
  run_with_faults();
  if (holds()) recover();
  if (holds()) join_late();
  if (holds()) replace_groups();
  if (holds()) end_all();
  if (holds()) check_nothing_left();
  return world_.violation;
}

// ---- the scenario ---------------------------------------------------------------------------------------------------

void Simulation::draw_queries() {
  auto& random = world_.random;
  for (const char* const token : {"token-of-the-first-user", "token-of-the-second-user"}) {
    tokens_.emplace_back(token);
    Config config;
    config.connection.server = "http://api:8001";
    config.connection.token = token;
    accesses_.push_back(world_.cluster.open(config.connection).value());
    access_owners_.push_back(accesses_.back().use_count());
    secret_owners_.push_back(accesses_.back()->secrets().use_count());
  }
  Query first;
  first.identity = random.below(tokens_.size());
  first.resource = random.below(ModelServer::kResources);
  first.config.delivery.mode = delivery::Mode::manual;
  first.config.sync.initial = random.chance(0.3) ? sync::Initial::watchlist : sync::Initial::list;
  first.config.sync.transport = sync::WatchTransport::http;
  first.config.sync.encoding = sync::Encoding::json;
  first.config.sync.page_size = 0;
  first.config.sync.reconnect = random.chance(0.65);
  first.config.sync.watch_timeout = std::array<Milliseconds, 3>{20s, 60s, 300s}[random.below(3)];
  queries_.push_back(std::make_unique<Query>(draw_variant(first)));
  const std::size_t count = 2 + random.below(3);
  while (queries_.size() < count) queries_.push_back(std::make_unique<Query>(draw_variant(*queries_.front())));
}

// The same, or another one that differs in one thing.
Simulation::Query Simulation::draw_variant(Query query) {
  auto& random = world_.random;
  if (!queries_.empty()) {
    switch (random.below(8)) {
      case 0:
        query.identity = 1 - query.identity;
        break;
      case 1:
        query.resource = 1 - query.resource;
        break;
      case 2:
        query.limit = query.limit + 4;
        break;
      case 3:
        query.config.sync.reconnect = !query.config.sync.reconnect;
        break;
      case 4:
        query.config.sync.backoff_max += 1s;
        break;
      case 5:
        query.config.share = false;
        break;
      default:
        break;
    }
  }
  query.config.limit = query.limit;
  query.config.query.resources = {ModelServer::resource_name(query.resource)};
  query.request_class = ModelServer::class_of(tokens_[query.identity], query.resource);
  query.key = query.request_class + " limit " + std::to_string(query.limit) +
              (query.config.sync.reconnect ? " reconnects" : " ends") + " backoff " +
              std::to_string(query.config.sync.backoff_max.count()) + (query.config.share ? "" : " alone");
  return query;
}

void Simulation::draw_rates() {
  auto& random = world_.random;
  within_callbacks_ = random.chance(0.7) ? 0.04 : 0;
  world_.runs_out_of_memory = random.chance(0.2);
  world_.may_lack = world_.runs_out_of_memory;
  // Some without any fault.
  if (random.chance(0.15)) return;
  const auto sometimes = [&](double rate) { return random.chance(0.6) ? rate * (0.2 + random.unit()) : 0.0; };
  rates_.refused = sometimes(0.25);
  rates_.hangs = sometimes(0.1);
  rates_.cut = sometimes(0.15);
  outages_ = sometimes(3);
  disturbances_ = sometimes(8);
}

// ---- the phases -----------------------------------------------------------------------------------------------------

void Simulation::run_with_faults() {
  for (std::size_t i = 0; i < kActions && holds(); ++i) {
    act();
    check_step();
    step_some();
  }
}

// No new fault occurs, and the hosts take what there is.
void Simulation::recover() {
  world_.trace("no new faults");
  world_.quiet = true;
  server_->stop_faults();
  // Twice the time after which Runtime looks for those that were not informed.
  if (world_.may_lack) pass(10s);
  world_.may_lack = false;
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    StreamHost& host = *hosts_[i];
    host.pace = 1;
    if (host.phase() == StreamHost::Phase::created) world_.random.chance(0.7) ? start(host) : abandon(host);
  }
  for (std::size_t resource = 0; resource < ModelServer::kResources; ++resource) {
    server_->write(resource, 3);
    server_->catch_up(resource);
  }
  await_convergence("after the faults");
}

// At most the longest time for which a dead watch may stay unnoticed, and the longest wait before the try that
// succeeds.
void Simulation::await_convergence(const char* when) {
  const Instant limit = world_.cluster.executor.now() + 3 * 300s + 1000s;
  for (;;) {
    run_to_idle();
    if (!holds()) return;
    StreamHost* late = nullptr;
    // A callback may open another one.
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
      StreamHost& host = *hosts_[i];
      if (!host.is_open() || host.has_failed()) continue;
      host.dispatch_all();
      if (host.is_open() && !host.has_failed() && !host.has_converged()) late = &host;
    }
    if (late == nullptr) break;
    if (world_.cluster.executor.now() > limit) {
      return world_.expect(false, late->name() + ": not the server's state " + when + ", state " +
                                      std::to_string(static_cast<int>(late->state())) +
                                      ", last error: " + late->last_error());
    }
    pass(1s);
  }
  run_to_idle();
}

// One that comes late has all at once, and asks for nothing.
void Simulation::join_late() {
  within_callbacks_ = 0;
  await_convergence("after the last callback");
  const std::vector<GroupRef> groups = groups_;
  for (const GroupRef& group : groups) {
    if (!holds()) return;
    const bool found = std::any_of(group->members.begin(), group->members.end(),
                                   [](const StreamHost* host) { return host->is_open() && !host->has_failed(); });
    if (!found || !group->query->config.share) continue;
    world_.trace("late joiner of " + group->query->key);
    const std::size_t requests = server_->requests();
    StreamHost& late = open(*group->query, false);
    late.pace = 1;
    late.show_latest();
    start(late);
    while (step()) {
    }
    world_.expect(server_->requests() == requests, late.name() + ": came late, and something was requested");
    late.known_to_engine = true;
    late.dispatch_all();
    world_.expect(!late.is_open() || late.has_converged(), late.name() + ": came late, and has not what is there");
    check_idle();
  }
}

// The last stream of each goes, and another one comes, before the network thread knows that, or after.
void Simulation::replace_groups() {
  const std::vector<GroupRef> groups = groups_;
  for (const GroupRef& group : groups) {
    if (!holds() || group->members.empty()) continue;
    const Query& query = *group->query;
    world_.trace("replacing " + query.key);
    while (!group->members.empty() && holds()) {
      StreamHost& host = *group->members.front();
      world_.random.chance(0.3) ? end_from_callback(host) : end(host);
      // What the callback has not ended.
      if (!group->members.empty() && group->members.front() == &host) end(host);
      check_step();
      if (!group->members.empty()) step_some();
    }
    if (world_.random.chance(0.5)) run_to_idle();
    const std::size_t before = server_->initial_requests(query.request_class);
    const bool alone = std::none_of(groups_.begin(), groups_.end(), [&](const GroupRef& other) {
      return !other->members.empty() && !other->failed && other->query->key == query.key;
    });
    StreamHost& fresh = open(query, true);
    fresh.pace = 1;
    if (alone || !query.config.share)
      world_.expect(fresh.stat("shared") == 1, fresh.name() + ": shares with a closed one");
    run_to_idle();
    const std::size_t asked = server_->initial_requests(query.request_class) - before;
    if (alone || !query.config.share) world_.expect(asked == 1, fresh.name() + ": has not listed again, or twice");
    await_convergence("after another one was closed");
  }
}

void Simulation::end_all() {
  world_.trace("end of all");
  while (holds()) {
    StreamHost* const host = random_host([](const StreamHost& each) { return each.has_handle(); });
    if (host == nullptr) break;
    world_.random.chance(0.2) ? end_from_callback(*host) : end(*host);
    check_step();
    if (world_.random.chance(0.5)) step_some();
  }
  run_to_idle();
}

// As an engine of the runtime, a request that is refused has a timer.
void Simulation::check_nothing_left() {
  for (const auto& host : hosts_) host->check_gone();
  world_.expect(server_->under_way() == 0, "all streams are closed, and a request is under way");
  server_->remove_gone();
  world_.expect(world_.cluster.executor.idle(), "all streams are closed, and a task waits");
  world_.expect(!world_.cluster.executor.next_timer(), "all streams are closed, and a timer is set");
  check_owners();
}

// ---- actions --------------------------------------------------------------------------------------------------------

void Simulation::act() {
  auto& random = world_.random;
  const std::size_t open_now = static_cast<std::size_t>(
      std::count_if(hosts_.begin(), hosts_.end(), [](const auto& host) { return host->has_handle(); }));
  const Query& query = *queries_[random.below(queries_.size())];
  double roll = random.unit() * (92 + outages_ + disturbances_);
  const auto is = [&](double weight) { return (roll -= weight) < 0; };
  if (is(9)) {
    if (open_now < kMostOpen) open(query, random.chance(0.8));
  } else if (is(4)) {
    StreamHost* const host = random_host([](const auto& each) { return each.phase() == StreamHost::Phase::created; });
    if (host != nullptr) random.chance(0.8) ? start(*host) : abandon(*host);
  } else if (is(6)) {
    if (StreamHost* const host = random_host(is_any)) end(*host);
  } else if (is(1)) {
    // A whole group at once; and another one may come in the same moment.
    StreamHost* const host = random_host([](const auto& each) { return each.is_member(); });
    if (host == nullptr) return;
    const GroupRef group = group_of_[host];
    while (!group->members.empty()) end(*group->members.front());
    if (random.chance(0.5)) open(*group->query, true);
  } else if (is(22)) {
    StreamHost* const host = random_host(is_any);
    if (host != nullptr && random.chance(host->pace)) random.chance(0.5) ? host->dispatch() : host->dispatch_all();
  } else if (is(12)) {
    if (StreamHost* const host = random_host(is_any)) look_at(*host);
  } else if (is(18)) {
    server_->write(query.resource, random.chance(0.05) ? 100 + random.below(200) : 1 + random.below(3));
    if (random.chance(0.7)) server_->catch_up(query.resource);
  } else if (is(4)) {
    server_->catch_up(query.resource);
  } else if (is(1)) {
    if (rates_.cut > 0) server_->compact(query.resource);
  } else if (is(15)) {
    pass(random.chance(0.15) ? random.between(10s, 120s) : random.between(0ms, 3s));
  } else if (is(outages_)) {
    server_->begin_outage();
  } else if (disturbances_ > 0) {
    server_->disturb();
  }
}

// What a host does within a callback.
void Simulation::act_within(StreamHost& host) {
  auto& random = world_.random;
  if (!random.chance(within_callbacks_)) return;
  StreamHost* const other =
      random_host([&](const auto& each) { return &each != &host && each.phase() != StreamHost::Phase::created; });
  switch (random.below(8)) {
    case 0:
      return close_async(host);
    case 1:
      return cancel(host);
    case 2:
      return host.close();
    case 3:
      if (other != nullptr && !other->is_inside()) close_async(*other);
      return;
    case 4:
      if (other != nullptr && !other->is_inside()) end(*other);
      return;
    case 5:
      if (hosts_.size() < 60) open(*queries_[random.below(queries_.size())], true);
      return;
    default:
      return look_at(other != nullptr && random.chance(0.5) ? *other : host);
  }
}

StreamHost& Simulation::open(const Query& query, bool start_at_once) {
  const std::string name = "stream " + std::to_string(hosts_.size() + 1);
  hosts_.push_back(std::make_unique<StreamHost>(world_, name, server_->etcd(query.resource), query.limit));
  StreamHost& host = *hosts_.back();
  host.pace = std::array{1.0, 0.3, 0.05, 0.0}[world_.random.below(4)];
  host.wants_log = world_.random.chance(0.3);
  host.in_callback = [this](StreamHost& inside) { act_within(inside); };
  world_.trace(name + ": opens " + query.key);
  note_failures();
  if (!host.create(query.config, *runtime_, accesses_[query.identity])) {
    // Of a group of its own, which is empty.
    group_of_[&host] = std::make_shared<Group>();
    group_of_[&host]->query = &query;
    return host;
  }
  const GroupRef group = group_to_join(query, host);
  group->members.push_back(&host);
  group_of_[&host] = group;
  if (start_at_once) start(host);
  return host;
}

// As it should be; where that cannot be known from outside, as it is.
Simulation::GroupRef Simulation::group_to_join(const Query& query, StreamHost& host) {
  for (const GroupRef& group : groups_) {
    if (!query.config.share || group->query->key != query.key || group->members.empty() || group->failed) continue;
    const std::size_t members = group->members.size() + 1;
    // Its engine may have failed without a stream that was told.
    const bool certain =
        query.config.sync.reconnect || std::any_of(group->members.begin(), group->members.end(),
                                                   [](const auto* each) { return each->known_to_engine; });
    if (!certain && members > 1 && host.stat("shared") == 1) {
      group->failed = true;
      continue;
    }
    return group;
  }
  const auto made = std::make_shared<Group>();
  made->query = &query;
  groups_.push_back(made);
  return made;
}

void Simulation::start(StreamHost& host) {
  const GroupRef group = group_of_[&host];
  if (!std::exchange(group->started, true)) ++groups_made_[group->query->request_class];
  // As open() does.
  if (!host.start()) abandon(host);
}

void Simulation::leave_group(StreamHost& host) {
  Group& group = *group_of_[&host];
  const auto member = std::find(group.members.begin(), group.members.end(), &host);
  if (member == group.members.end()) return;
  group.members.erase(member);
  if (group.members.empty()) ++groups_gone_[group.query->request_class];
}

void Simulation::cancel(StreamHost& host) {
  if (!host.is_open()) return;
  leave_group(host);
  host.cancel();
}

void Simulation::close(StreamHost& host) {
  if (host.is_inside()) return host.close();
  leave_group(host);
  host.close();
}

void Simulation::close_async(StreamHost& host) {
  if (!host.has_handle()) return;
  leave_group(host);
  host.close_async();
}

void Simulation::abandon(StreamHost& host) {
  leave_group(host);
  host.abandon();
}

void Simulation::end(StreamHost& host) {
  if (!host.has_handle()) return;
  if (host.phase() == StreamHost::Phase::created && world_.random.chance(0.7)) return abandon(host);
  switch (world_.random.below(host.is_open() ? 3 : 2)) {
    case 0:
      return close(host);
    case 1:
      return close_async(host);
    default:
      return cancel(host);
  }
}

void Simulation::end_from_callback(StreamHost& host) {
  StreamHost* const other = random_host([&](const StreamHost& each) {
    return &each != &host && each.is_open() && each.known_to_engine && !each.has_failed() && !each.is_inside();
  });
  if (other == nullptr) return end(host);
  world_.trace(host.name() + ": to be ended by a callback of " + other->name());
  const std::size_t resource = group_of_[other]->query->resource;
  other->dispatch_all();
  if (!other->is_open()) return end(host);
  other->in_callback = [&](StreamHost&) {
    if (host.has_handle()) close_async(host);
  };
  server_->write(resource, 2);
  server_->catch_up(resource);
  run_to_idle();
  other->dispatch_all();
  other->in_callback = [this](StreamHost& inside) { act_within(inside); };
}

void Simulation::look_at(StreamHost& host) {
  if (!host.has_handle()) return;
  switch (world_.random.below(4)) {
    case 0:
      return host.wait_synced();
    case 1:
      (void)host.last_error();
      for (const char* const name : {"objects", "merged", "lists", "fresh_ms", "next_retry_ms", "store_bytes"}) {
        (void)host.stat(name);
      }
      return;
    default:
      return host.show_latest();
  }
}

template <class Test>
StreamHost* Simulation::random_host(Test&& test) {
  std::vector<StreamHost*> found;
  for (const auto& host : hosts_) {
    if (host->has_handle() && test(*host)) found.push_back(host.get());
  }
  return found.empty() ? nullptr : found[world_.random.below(found.size())];
}

// ---- time -----------------------------------------------------------------------------------------------------------

void Simulation::step_some() {
  if (world_.random.chance(0.4)) return;
  if (world_.random.chance(0.5)) return run_to_idle();
  for (std::size_t left = 1 + world_.random.below(5); left > 0 && step(); --left) {
  }
}

bool Simulation::step() {
  if (!holds()) return false;
  auto& executor = world_.cluster.executor;
  const bool timer_first = world_.random.chance(0.5);
  try {
    if (!world_.risk([&] { return executor.run_one(timer_first); })) return false;
  } catch (const std::bad_alloc&) {
    // As the network thread does.
    world_.trace("a task was lost");
    lost_.push_back(executor.schedule(executor.now() + 100ms, [this, error = error_of_exception()] {
      const ksr::testing::WithMemory with_memory;
      runtime_->on_lost_task(error);
    }));
  }
  ++steps_;
  check_step();
  return holds();
}

void Simulation::run_to_idle() {
  std::size_t made = 0;
  while (step()) {
    if (++made > kMostStepsAtOnce) return world_.expect(false, "tasks are posted without an end");
  }
  if (!holds()) return;
  for (const auto& host : hosts_) {
    if (host->is_open()) host->known_to_engine = true;
  }
  groups_gone_.clear();
  check_idle();
}

// From timer to timer; or all at once, as after the thread was held up.
void Simulation::pass(Milliseconds time) {
  auto& executor = world_.cluster.executor;
  const Instant until = executor.now() + time;
  run_to_idle();
  const bool all_at_once = world_.random.chance(0.1);
  while (holds() && !all_at_once) {
    const auto next = executor.next_timer();
    if (!next || *next > until) break;
    executor.pass(std::chrono::ceil<Milliseconds>(std::max(*next - executor.now(), Instant::duration(0))));
    run_to_idle();
  }
  if (executor.now() < until) executor.pass(std::chrono::ceil<Milliseconds>(until - executor.now()));
  run_to_idle();
}

// ---- checks ---------------------------------------------------------------------------------------------------------

void Simulation::note_failures() {
  for (const GroupRef& group : groups_) {
    for (const StreamHost* const host : group->members) group->failed = group->failed || host->has_failed();
  }
}

void Simulation::check_step() {
  server_->remove_gone();
  note_failures();
  for (const auto& host : hosts_) {
    if (!host->has_handle()) continue;
    const std::size_t members = group_of_[host.get()]->members.size();
    world_.expect(host->stat("shared") == members, host->name() + ": shared is " +
                                                       std::to_string(host->stat("shared")) + ", and " +
                                                       std::to_string(members) + " streams should share");
  }
  check_bounds();
}

// Of each group one list or initial watch, or one watch and its successor; and one question. Of all of them one
// probe.
void Simulation::check_bounds() {
  std::map<RequestClass, std::size_t> most = groups_gone_;
  for (const auto& query : queries_) most.emplace(query->request_class, 0);
  for (const GroupRef& group : groups_) {
    if (!group->members.empty()) ++most[group->query->request_class];
  }
  for (const auto& [of, groups] : most) {
    const std::size_t lists = server_->lists_under_way(of);
    const std::size_t watches = server_->watches_under_way(of);
    world_.expect(lists <= groups && watches <= 2 * groups && lists + watches <= 2 * groups,
                  std::to_string(lists) + " lists and " + std::to_string(watches) + " watches under way of " + of +
                      " for " + std::to_string(groups) + " groups of streams");
    world_.expect(server_->questions_under_way(of) <= groups, "more questions than groups of streams, of " + of);
    world_.expect(server_->probes_under_way(of) <= std::min<std::size_t>(groups, 1), "several probes of " + of);
    if (!world_.runs_out_of_memory && rates_.refused + rates_.hangs + rates_.cut + outages_ + disturbances_ == 0) {
      world_.expect(server_->initial_requests(of) <= groups_made_[of], "a second list without a fault");
    }
  }
}

// Nothing is under way.
void Simulation::check_idle() {
  check_step();
  for (const GroupRef& group : groups_) {
    if (!group->members.empty()) check_group(*group);
  }
  check_owners();
  for (const auto& host : hosts_) host->check_cancelled();
  // A callback may open another one.
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    StreamHost& host = *hosts_[i];
    if (host.is_open() && world_.random.chance(0.3 * host.pace)) host.check_told();
  }
  groups_.erase(
      std::remove_if(groups_.begin(), groups_.end(), [](const GroupRef& group) { return group->members.empty(); }),
      groups_.end());
}

// Each engine has the access, each stream twice its secrets: what was closed has left nothing behind.
void Simulation::check_owners() {
  for (std::size_t i = 0; i < accesses_.size(); ++i) {
    long streams = 0;
    std::set<const Group*> engines;
    for (const auto& host : hosts_) {
      const Group* const group = group_of_[host.get()].get();
      if (!host->has_handle() || group->query->identity != i) continue;
      ++streams;
      engines.insert(group);
    }
    const long owners = accesses_[i].use_count() - access_owners_[i];
    world_.expect(owners == static_cast<long>(engines.size()),
                  std::to_string(owners) + " engines where " + std::to_string(engines.size()) + " groups are open");
    const long secrets = accesses_[i]->secrets().use_count() - secret_owners_[i];
    world_.expect(secrets == 2 * streams,
                  std::to_string(secrets) + " owners of the secrets, and " + std::to_string(streams) + " open streams");
  }
}

// All of them are told the same.
void Simulation::check_group(const Group& group) {
  const StreamHost* first = nullptr;
  for (const StreamHost* const host : group.members) {
    if (!host->is_open() || !host->known_to_engine) continue;
    if (first == nullptr) first = host;
    const std::string which = first->name() + " and " + host->name() + " share: ";
    world_.expect(host->state() == first->state(), which + "their states differ");
    // One may be informed later for lack of memory.
    if (world_.may_lack) continue;
    world_.expect(host->last_error() == first->last_error(), which + "their errors differ");
    world_.expect(host->is_synced() == first->is_synced(), which + "one is synced, the other is not");
    world_.expect(!host->is_synced() || host->last_error().empty() || host->state() != sync::State::live,
                  host->name() + ": live with an error");
  }
}

}  // namespace ksr::stream::testing
