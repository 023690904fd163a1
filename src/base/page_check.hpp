// `PageCheck` finds lists that would not end, from their pages; used by sync and by the program ksr. A value, for any
// thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/expected.hpp"

namespace ksr {

class PageCheck {
 public:
  static constexpr std::size_t kMaxEmptyPages = 16;

  // The next page is complete. `token`: its continue token, empty for the last one; `first_uid`: of its first object,
  // empty where it has none. The error says why there is no end to be expected.
  Expected<void> add(std::string_view token, bool is_empty, std::string_view first_uid);

  // No page was added.
  bool is_at_first() const noexcept { return pages_ == 0; }

 private:
  std::size_t pages_ = 0;
  std::size_t empty_pages_ = 0;
  std::string token_;
  std::string first_uid_;
};

}  // namespace ksr
