#include "commands/list_pages.hpp"

#include <utility>

#include "commands/pages.hpp"

namespace ksr::commands {

Expected<std::optional<Failure>> for_each_page(Session& session, Request list, const Target& target,
                                               const std::function<void(boost::json::value&)>& take) {
  list.keys.emplace_back("query.continue", "");
  Pages pages(target.resource.display);
  do {
    Answer answer = session.client().call_for_object(list);
    if (answer.failed()) return std::optional<Failure>(answer.failure());
    Expected<std::string> more = pages.token_after(answer.object());
    if (!more) return more.error();
    take(answer.object());
    list.keys.back().second = *std::move(more);
  } while (!list.keys.back().second.empty());
  return std::optional<Failure>();
}

}  // namespace ksr::commands
