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
  enum class Finding {
    none,     // no answer that says it: the question comes again
    current,  // the view is as new, or may be
    older,    // the server is behind the view
    newer,    // it is not, and watches have been silent for longer than they should: what they had was lost
  };

  void note_failure() noexcept;
  // What the server sends shows how new it is.
  void note_version() noexcept;
  // So does a list. `changed`: it had what no watch had sent.
  void note_list(bool changed) noexcept;
  // Of a watch. `streams`: how many the server has of this client.
  void note_open(std::size_t streams, Instant now, Random& random);
  // `limit`: how long watches may be silent, one after the other; empty: for ever.
  std::optional<Instant> due_at(std::optional<Milliseconds> limit) const;
  // True once it is due, with a view of `version`; without an answer it is due again later.
  bool take_due(std::string_view version, std::optional<Milliseconds> limit, std::size_t streams, Instant now,
                Random& random);
  // The answer; empty: it says no version. `current` where the server has sent something meanwhile.
  Finding judge(std::string_view newest, Instant now) noexcept;

 private:
  bool failed_ = false;
  bool asked_ = false;
  bool by_silence_ = false;
  // In a row: lists that silence has brought about, and that had nothing new.
  int vain_lists_ = 0;
  std::optional<Instant> silent_until(std::optional<Milliseconds> limit) const noexcept;

  // Of the view that it was asked for.
  std::string version_;
  std::optional<Instant> silent_since_;
  // So that the streams of a server do not ask at once.
  Milliseconds spread_{};
  // After a failure, or where there was no answer.
  std::optional<Instant> due_at_;
};

}  // namespace ksr::sync
