// `Informer` is one list, watch and cache, and the streams that it feeds: one, or all that share it. `Subscription` is
// the part that one stream has in it; used by Stream. `Informers` finds the one that a new stream can share; owned by
// Runtime. Any thread; the engine lives on the network thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "base/mutex.hpp"
#include "delivery/shared_view.hpp"
#include "stream/statistics.hpp"
#include "stream/subscribers.hpp"

namespace ksr::stream {

class Engine;
struct EngineParts;
class Runtime;

class Informer {
 public:
  Informer(Runtime& runtime, EngineParts parts);
  ~Informer();
  Informer(const Informer&) = delete;
  Informer& operator=(const Informer&) = delete;

  const std::shared_ptr<delivery::SharedView>& view() const noexcept { return view_; }
  const Statistics& statistics() const noexcept { return *statistics_; }
  // How many streams it feeds.
  std::uint64_t streams() const noexcept { return streams_.load(std::memory_order_relaxed); }
  // A fatal error has ended it: no other stream can share it.
  bool over() const noexcept;

 private:
  friend class Informers;
  friend class Subscription;

  // The engine's last reference is dropped on the network thread. Tasks capture plain pointers, which std::function
  // stores without allocating, so that ending a stream cannot fail for lack of memory; the last of them, posted by the
  // destructor, deletes this.
  struct EngineHandle {
    std::shared_ptr<Engine> engine;
    std::list<std::shared_ptr<Engine>> list_node;  // empty once it is started
  };

  static std::unique_ptr<EngineHandle> make_engine_handle(EngineParts parts);

  Runtime& runtime_;
  const std::shared_ptr<delivery::SharedView> view_;
  const std::shared_ptr<const Statistics> statistics_;
  EngineHandle* const engine_handle_;
  // Changed under the mutex of Informers.
  std::atomic<std::uint64_t> streams_{1};
  std::string key_;
};

// All informers that can be shared, by what their streams ask for: see sharing_key.
class Informers {
 public:
  using Make = std::function<std::shared_ptr<Informer>()>;

  // The one of that key, for one stream more, or what `make` returns. Without a key it is never shared.
  std::shared_ptr<Informer> join(const std::string& key, const Make& make) KSR_EXCLUDES(informers_mutex_);
  // One stream less. True: it was the last one, and no other can join.
  bool leave(Informer& informer) noexcept KSR_EXCLUDES(informers_mutex_);

 private:
  Mutex informers_mutex_;
  std::map<std::string, std::weak_ptr<Informer>> by_key_ KSR_GUARDED_BY(informers_mutex_);
};

class Subscription {
 public:
  // As Informers::join.
  Subscription(Runtime& runtime, const std::string& key, const Informers::Make& make);
  // Leaves.
  ~Subscription();
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;

  const Informer& informer() const noexcept { return *informer_; }
  // Who is told. Before start().
  void set_subscriber(Subscriber subscriber);
  // From now on the subscriber is told; the first one of an informer starts it.
  void start();
  // Nothing is reported afterwards; the last one out ends the informer. Does not allocate.
  void leave();
  bool left() const noexcept { return left_.load(); }

 private:
  // Deleted by the last task that was posted with it.
  struct Handle {
    Runtime& runtime;
    Informer::EngineHandle* engine_handle = nullptr;
    Subscribers::List node = {};
    Subscribers::List::iterator subscriber = {};
    bool added = false;
    bool last = false;
  };
  static void add(Handle& handle);
  static void remove(Handle& handle) noexcept;

  Runtime& runtime_;
  std::unique_ptr<Handle> handle_;
  const std::shared_ptr<Informer> informer_;
  std::atomic<bool> left_{false};
};

}  // namespace ksr::stream
