#include "base/page_check.hpp"

namespace ksr {

Expected<void> PageCheck::add(std::string_view token, bool is_empty, std::string_view first_uid) {
  ++pages_;
  if (token.empty()) return {};
  const auto broken = [this](const std::string& what) {
    return Error{Status::protocol, "page " + std::to_string(pages_) + " of the list " + what};
  };
  if (token == token_) return broken("has its own continue token");
  token_ = token;
  empty_pages_ = is_empty ? empty_pages_ + 1 : 0;
  if (empty_pages_ > kMaxEmptyPages) {
    return broken("is empty, like the " + std::to_string(kMaxEmptyPages) +
                  " pages before it, and has a continue token");
  }
  if (pages_ == 1) {
    first_uid_ = first_uid;
  } else if (!first_uid.empty() && first_uid == first_uid_) {
    return broken("begins with the same object as the first page");
  }
  return {};
}

}  // namespace ksr
