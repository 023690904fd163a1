#include "commands/pages.hpp"

#include "commands/json_text.hpp"

namespace ksr::commands {

namespace json = boost::json;

const json::array& items_of(const json::value& list) {
  return array_at(list, {text_at(list, {"kind"}) == "Table" ? "rows" : "items"});
}

Expected<std::string> Pages::token_after(const json::value& page) {
  std::string token = text_at(page, {"metadata", "continue"});
  const json::array& items = items_of(page);
  std::string first_uid;
  if (!items.empty()) {
    const json::value* object = value_at(items.front(), {"object"});
    first_uid = text_at(object == nullptr ? items.front() : *object, {"metadata", "uid"});
  }
  const Expected<void> checked = check_.add(token, items.empty(), first_uid);
  if (const Error* error = checked.if_error()) return error->within(resource_);
  return token;
}

}  // namespace ksr::commands
