// `JsonPath` finds values as kubectl's JSONPath expressions name them; used by wait and by tables. Any thread.
#pragma once

#include <boost/json.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.hpp"

namespace ksr::commands {

// What is taken of the expressions (k8s.io/client-go/util/jsonpath): fields, also in quotes or with escaped dots,
// elements, `*`, and filters such as [?(@.type=="Ready")].
class JsonPath {
 public:
  // "{.a.b}", "{a.b}", ".a.b" or "a.b", as kubectl's relaxed expressions.
  static Expected<JsonPath> parse(std::string_view expression);
  // A JSON pointer (RFC 6901).
  static Expected<JsonPath> of_pointer(std::string_view pointer);

  // In the order of the value; none where something on the way is missing. An element beyond the end of its array is an
  // error, as it is for kubectl.
  Expected<std::vector<const boost::json::value*>> find(const boost::json::value& value) const;

 private:
  class Reader;
  enum class Kind : std::uint8_t { field, element, all, filter };

  struct Step {
    Kind kind = Kind::field;
    std::string name;           // field; filter: what is compared with
    std::int64_t element = 0;   // negative: from the end
    bool equal = true;          // filter
    bool also_element = false;  // field of a pointer: of an array its element
    std::vector<Step> path;     // filter
  };

  static Expected<std::vector<const boost::json::value*>> apply(const std::vector<Step>& steps,
                                                                const boost::json::value& value);
  static Expected<void> apply_one(const Step& step, const boost::json::value& value,
                                  std::vector<const boost::json::value*>& found);
  static bool passes(const Step& filter, const boost::json::value& value);

  std::vector<Step> steps_;
};

// A scalar as Go's fmt prints it; of anything else its JSON.
std::string scalar_text(const boost::json::value& value);

}  // namespace ksr::commands
