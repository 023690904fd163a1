// `Inflater` inflates a gzip body (RFC 1952) in bounded steps; used by ExchangeDriver. No I/O; any one thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace ksr::transport {

class Inflater {
 public:
  enum class Progress { more, stopped, failed };
  // Returns false to stop after this step.
  using Sink = std::function<bool(std::string_view)>;

  Inflater();
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Consumes from the front of `packed`. After `stopped`, feed() goes on behind the last step, with what is left of
  // `packed`, which may be nothing: there may still be more to pass on.
  Progress feed(std::string_view& packed, const Sink& sink);
  // Whether what was fed ends where a gzip member ends.
  bool complete() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ksr::transport
