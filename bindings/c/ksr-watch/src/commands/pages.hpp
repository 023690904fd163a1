// `Pages` follows the continue tokens of a list, and `items_of` has what is in it; used by get, delete, wait and the
// tables of ksr-watch. Any thread.
#pragma once

#include <boost/json.hpp>

#include <string>
#include <utility>

#include "base/expected.hpp"
#include "base/page_check.hpp"

namespace ksr::commands {

// Of a list or of a Table; empty where there is none, or where they are null.
const boost::json::array& items_of(const boost::json::value& list);

class Pages {
 public:
  // `resource`: for messages.
  explicit Pages(std::string resource) : resource_(std::move(resource)) {}

  // What the next page is asked for with; empty after the last one. An error where the list would not end.
  Expected<std::string> token_after(const boost::json::value& page);

 private:
  std::string resource_;
  PageCheck check_;
};

}  // namespace ksr::commands
