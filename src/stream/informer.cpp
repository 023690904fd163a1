#include "stream/informer.hpp"

#include <utility>

#include "stream/engine.hpp"
#include "stream/runtime.hpp"

namespace ksr::stream {

Informer::Informer(Runtime& runtime, EngineParts parts)
    : runtime_(runtime),
      view_(parts.view),
      statistics_(parts.statistics),
      engine_handle_(make_engine_handle(std::move(parts)).release()) {}

std::unique_ptr<Informer::EngineHandle> Informer::make_engine_handle(EngineParts parts) {
  auto handle = std::make_unique<EngineHandle>();
  handle->engine = std::make_shared<Engine>(std::move(parts));
  handle->list_node.push_back(handle->engine);
  return handle;
}

Informer::~Informer() {
  runtime_.executor().post([handle = engine_handle_] { delete handle; });
}

bool Informer::over() const noexcept {
  return engine_handle_->engine->over();
}

// ---- finding one ----------------------------------------------------------------------------------------------------

std::shared_ptr<Informer> Informers::join(const std::string& key, const Make& make) {
  if (key.empty()) return make();
  const MutexLock lock(informers_mutex_);
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    std::shared_ptr<Informer> informer = found->second.lock();
    if (informer && !informer->over()) {
      informer->streams_.fetch_add(1, std::memory_order_relaxed);
      return informer;
    }
  }
  std::shared_ptr<Informer> made = make();
  made->key_ = key;
  by_key_.insert_or_assign(key, made);
  return made;
}

bool Informers::leave(Informer& informer) noexcept {
  const MutexLock lock(informers_mutex_);
  if (informer.streams_.fetch_sub(1, std::memory_order_relaxed) > 1) return false;
  // Another one has its place where it ended with an error.
  const auto found = by_key_.find(informer.key_);
  if (found != by_key_.end() && found->second.lock().get() == &informer) by_key_.erase(found);
  return true;
}

// ---- one stream's part ----------------------------------------------------------------------------------------------

Subscription::Subscription(Runtime& runtime, const std::string& key, const Informers::Make& make)
    : runtime_(runtime), handle_(new Handle{runtime}), informer_(runtime.informers().join(key, make)) {
  handle_->engine_handle = informer_->engine_handle_;
}

Subscription::~Subscription() {
  leave();
  runtime_.executor().post([handle = handle_.release()] { delete handle; });
}

void Subscription::set_subscriber(Subscriber subscriber) {
  handle_->node.push_back(std::move(subscriber));
  handle_->subscriber = handle_->node.begin();
}

void Subscription::start() {
  runtime_.executor().post([handle = handle_.get()] { add(*handle); });
}

void Subscription::add(Handle& handle) {
  const std::shared_ptr<Engine> engine = handle.engine_handle->engine;
  engine->add(handle.node);
  handle.added = true;
  if (handle.engine_handle->list_node.empty()) return;
  handle.runtime.add(handle.engine_handle->list_node);
  engine->start();
}

void Subscription::leave() {
  if (left_.exchange(true)) return;
  handle_->last = runtime_.informers().leave(*informer_);
  // Posted before the destructor's task, which deletes the handle.
  runtime_.executor().post([handle = handle_.get()] { remove(*handle); });
}

void Subscription::remove(Handle& handle) noexcept {
  const std::shared_ptr<Engine> engine = handle.engine_handle->engine;
  if (std::exchange(handle.added, false)) engine->remove(handle.node, handle.subscriber);
  if (!handle.last) return;
  engine->cancel();
  handle.runtime.remove(engine);
}

}  // namespace ksr::stream
