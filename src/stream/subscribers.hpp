// `Subscribers` are the streams that one engine feeds, one or several: what it reports reaches each of them; used by
// Engine and Session. Lives on the network thread.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "base/log.hpp"
#include "delivery/callback_dispatcher.hpp"
#include "stream/last_error.hpp"
#include "stream/statistics.hpp"
#include "sync/sync_options.hpp"

namespace ksr::stream {

// What a stream has of its own.
struct Subscriber {
  std::shared_ptr<delivery::CallbackDispatcher> dispatcher;
  std::shared_ptr<OwnStatistics> statistics;
  std::shared_ptr<LastError> last_error;
  // It knows how things stand.
  bool informed = false;
};

// One without memory for a report does not keep the others from it: an exception leaves once all were told.
class Subscribers final : public Logger {
 public:
  // A node for add() is made with the stream, so that neither call can fail.
  using List = std::list<Subscriber>;

  // Takes the subscriber out of `node`, a list of one.
  void add(List& node) noexcept { list_.splice(list_.end(), node); }
  // Puts it back.
  void remove(List& node, List::iterator subscriber) noexcept { node.splice(node.end(), list_, subscriber); }
  List& list() noexcept { return list_; }

  // So many changes were made: what of them waits for the host already is merged into one.
  void post_update(std::uint64_t changes);
  void post_error(const delivery::ErrorReport& report);
  void post_state(sync::State state);
  void set_last_error(const CurrentErrorRef& current) noexcept;
  void mark_synced();
  // They end by themselves.
  void end();

  bool wants(LogLevel level) const noexcept override;
  void log(LogLevel level, std::string line) override;

 private:
  template <class Report>
  void tell_each(Report&& report);

  List list_;
};

}  // namespace ksr::stream
