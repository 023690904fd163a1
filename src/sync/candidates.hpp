// The names of a resource, in the order in which they are tried on 404. Lives with its reflector.
#pragma once

#include <cstddef>

namespace ksr::sync {

class Candidates {
 public:
  Candidates(std::size_t count, std::size_t first) : count_(count == 0 ? 1 : count), current_(first % count_) {}

  std::size_t current() const noexcept { return current_; }
  void note_found() noexcept { refused_ = 0; }
  // False: each was refused once; the next round begins.
  bool advance() noexcept {
    current_ = (current_ + 1) % count_;
    if (++refused_ < count_) return true;
    refused_ = 0;
    return false;
  }

 private:
  std::size_t count_;
  std::size_t current_;
  std::size_t refused_ = 0;
};

}  // namespace ksr::sync
