// `QueryString` is the query of a request's target, in the order in which it was added, so that equal requests have
// equal targets. Pure, any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/text.hpp"

namespace ksr {

class QueryString {
 public:
  void add(std::string_view name, std::string_view value) {
    if (!text_.empty()) text_ += '&';
    text_ += percent_encode(name) + '=' + percent_encode(value);
  }
  void add_if_set(std::string_view name, std::string_view value) {
    if (!value.empty()) add(name, value);
  }
  // Of names and values.
  template <class Pairs>
  void add_all(const Pairs& pairs) {
    for (const auto& [name, value] : pairs) add(name, value);
  }
  // `path` may have a query of its own.
  std::string after(std::string path) const {
    if (text_.empty()) return path;
    path += path.find('?') == std::string::npos ? '?' : '&';
    return path += text_;
  }

 private:
  std::string text_;
};

}  // namespace ksr
