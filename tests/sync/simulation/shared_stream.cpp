#include "simulation/shared_stream.hpp"

#include <utility>

namespace ksr::sync::testing {

SharedStream::SharedStream(World& world, std::string name, const std::shared_ptr<delivery::SharedView>& view,
                           Milliseconds slowest)
    : name_(std::move(name)), slowest_(slowest), publisher_(view), told_(world.etcd, name_) {}

void SharedStream::deliver() {
  if (const delivery::SnapshotRef snapshot = publisher_.next()) told_.deliver(*snapshot);
}

void SharedStream::deliver_all() {
  do {
    deliver();
  } while (has_news());
  show_latest();
  told_.check_complete();
}

void SharedStream::end() {
  publisher_.freeze();
  show_latest();
  last_ = ToldView::shown(publisher_.latest());
}

void SharedStream::check_end() {
  const ToldView::Shown now = ToldView::shown(publisher_.latest());
  if (now.sequence == last_->sequence && now.held == last_->held) return;
  throw InvariantViolation(name_ + ": what is shown changed after the end");
}

}  // namespace ksr::sync::testing
