// Which kind of objects a stream is about: learned from a list, held against what comes after it.
#pragma once

#include <optional>
#include <string>

#include "base/error.hpp"
#include "json/item.hpp"

namespace ksr::sync {

class ExpectedType {
 public:
  // The first item after forget() decides. Empty when `item` is of the same kind and version, else what it is instead.
  std::optional<Error> check(const json::Item& item);
  void forget();

 private:
  std::string kind_;
  std::string api_version_;
};

}  // namespace ksr::sync
