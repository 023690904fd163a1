// `JsonPath` finds values as kubectl's JSONPath expressions name them; used by wait and by tables. Any thread.
#pragma once

#include <boost/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.hpp"

namespace ksr::commands {

// What stands between one pair of braces in k8s.io/client-go/util/jsonpath, but for range and end: with missing keys
// allowed, the same is found, and the same are errors.
class JsonPath {
 public:
  // "{.a.b}", "{a.b}", ".a.b" or "a.b", as kubectl's relaxed expressions.
  static Expected<JsonPath> parse(std::string_view expression);
  // A JSON pointer (RFC 6901).
  static Expected<JsonPath> of_pointer(std::string_view pointer);

  // In the order of the value; none where something on the way is missing. They belong to the value or to the path. An
  // element beyond the end of its array, or one of what is no array, is an error, as it is for kubectl.
  Expected<std::vector<const boost::json::value*>> find(const boost::json::value& value) const;

 private:
  class Reader;
  enum class Kind : std::uint8_t { field, all, descent, slice, several, filter, constant, text, word };
  using Values = std::vector<const boost::json::value*>;

  struct Step {
    explicit Step(Kind its_kind) : kind(its_kind) {}

    Kind kind;
    std::string name;             // field, word; filter: its operator, none where existence is asked for
    bool also_element = false;    // field of a pointer: of an array its element
    boost::json::value constant;  // constant (one for each value), text (one in all)
    std::int64_t first = 0;       // slice; negative: from the end
    std::optional<std::int64_t> end;
    bool is_element = false;  // slice: it had no colon
    std::optional<std::int64_t> stride;
    std::vector<std::vector<Step>> paths;  // several; filter: its operands
  };
  using Steps = std::vector<Step>;

  // With an error `values` are those that the step was applied to for which there is one.
  static Expected<void> apply(const Steps& steps, Values& values);
  static Expected<void> apply_one(const Step& step, const Values& values, Values& found);
  static void add_field(const Step& step, const boost::json::value& value, Values& found);
  static Expected<void> add_slices(const Step& step, const Values& values, Values& found);
  static Expected<void> add_filtered(const Step& step, const Values& values, Values& found);
  static Expected<bool> passes(const Step& filter, const boost::json::value& value);

  Steps steps_;
};

// As Go's fmt prints it with %v.
std::string go_text(const boost::json::value& value);
// The name of the type that Go decodes it to.
const char* go_type(const boost::json::value& value);

}  // namespace ksr::commands
