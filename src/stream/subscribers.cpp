#include "stream/subscribers.hpp"

#include <algorithm>

#include "base/exception_error.hpp"

namespace ksr::stream {

template <class Report>
void Subscribers::tell_each(Report&& report) {
  for_each_despite_exceptions(list_, report);
}

void Subscribers::post_update(std::uint64_t changes) {
  tell_each([changes](const Subscriber& subscriber) {
    const std::uint64_t merged = subscriber.dispatcher->post_update(changes);
    subscriber.statistics->merged.fetch_add(merged, std::memory_order_relaxed);
  });
}

void Subscribers::post_error(const delivery::ErrorReport& report) {
  tell_each([&report](const Subscriber& subscriber) { subscriber.dispatcher->post_error(report); });
}

void Subscribers::post_state(sync::State state) {
  tell_each([state](const Subscriber& subscriber) { subscriber.dispatcher->post_state(state); });
}

void Subscribers::set_last_error(const CurrentErrorRef& current) noexcept {
  for (const Subscriber& subscriber : list_) subscriber.last_error->set(current);
}

void Subscribers::mark_synced() {
  tell_each([](const Subscriber& subscriber) { subscriber.dispatcher->mark_synced(); });
}

void Subscribers::end() {
  tell_each([](const Subscriber& subscriber) { subscriber.dispatcher->end(); });
}

bool Subscribers::wants(LogLevel level) const noexcept {
  return std::any_of(list_.begin(), list_.end(),
                     [level](const Subscriber& subscriber) { return subscriber.dispatcher->wants(level); });
}

void Subscribers::log(LogLevel level, std::string line) {
  tell_each([&](const Subscriber& subscriber) {
    if (subscriber.dispatcher->wants(level)) subscriber.dispatcher->log(level, line);
  });
}

}  // namespace ksr::stream
