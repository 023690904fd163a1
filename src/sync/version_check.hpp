// `VersionCheck` decides when a server is asked how new its state is: where a watch has failed, and the one after it
// stays silent; and where watches have sent nothing for longer than they should. Used by Reflector. Pure; lives on the
// reflector's thread.
//
// kube-apiserver takes a watch at a resourceVersion that it has not come to, as after a restore of its etcd from a
// backup, and passes on nothing until it has (apiserver pkg/storage/cacher/cacher.go, Watch). The view would stay as of
// a state that is no more.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/instant.hpp"
#include "base/random.hpp"

namespace ksr::sync {

class VersionCheck {
 public:
  void note_failure() noexcept { failed_ = true; }
  // What the server sends shows how new it is.
  void note_version() noexcept;
  // Of a watch. `streams`: how many the server has of this client.
  void note_open(std::size_t streams, Instant now, Random& random);
  // `limit`: how long watches may be silent, one after the other; empty: for ever.
  std::optional<Instant> due_at(std::optional<Milliseconds> limit) const;
  // True once it is due, with a view of `version`; without an answer it is due again later.
  bool take_due(std::string_view version, std::optional<Milliseconds> limit, Instant now, Random& random);
  // The answer. True: the server is behind that view, and has not sent anything meanwhile.
  bool finds_older(std::string_view newest) noexcept;

 private:
  bool failed_ = false;
  bool asked_ = false;
  // Of the view that it was asked for.
  std::string version_;
  std::optional<Instant> silent_since_;
  // After a failure, or where there was no answer.
  std::optional<Instant> due_at_;
};

}  // namespace ksr::sync
