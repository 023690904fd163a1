#include "delivery/news.hpp"

#include <algorithm>
#include <utility>

namespace ksr::delivery {

bool News::add_update() {
  if (update_waits_) return false;
  items_.emplace_back(UpdateMark{});
  update_waits_ = true;
  return true;
}

void News::add_state(sync::State state) {
  make_room<sync::State>(max_states);
  items_.emplace_back(state);
}

void News::add_error(ErrorReport report) {
  make_room<ErrorReport>(max_errors);
  items_.emplace_back(std::move(report));
}

void News::add_log(LogLevel level, std::string text) {
  make_room<LogLine>(max_log_lines);
  items_.emplace_back(LogLine{level, std::move(text)});
}

std::optional<NewsItem> News::take(bool updates_due) {
  auto found = items_.begin();
  if (!updates_due) {
    found = std::find_if(items_.begin(), items_.end(),
                         [](const NewsItem& item) { return !std::holds_alternative<UpdateMark>(item); });
  }
  if (found == items_.end()) return std::nullopt;
  if (std::holds_alternative<LogLine>(*found) && dropped_log_lines_ > 0) {
    std::string text =
        std::to_string(std::exchange(dropped_log_lines_, 0)) + " older log lines were dropped while the host was busy";
    return NewsItem(LogLine{LogLevel::warning, std::move(text)});
  }
  NewsItem item = std::move(*found);
  items_.erase(found);
  if (std::holds_alternative<UpdateMark>(item)) update_waits_ = false;
  return item;
}

void News::keep_only_log() {
  items_.erase(std::remove_if(items_.begin(), items_.end(),
                              [](const NewsItem& item) { return !std::holds_alternative<LogLine>(item); }),
               items_.end());
  update_waits_ = false;
}

template <class Kind>
void News::make_room(std::size_t most) {
  const auto is_kind = [](const NewsItem& item) { return std::holds_alternative<Kind>(item); };
  const auto count = std::count_if(items_.begin(), items_.end(), is_kind);
  if (static_cast<std::size_t>(count) < most) return;
  items_.erase(std::find_if(items_.begin(), items_.end(), is_kind));
  if constexpr (std::is_same_v<Kind, LogLine>) ++dropped_log_lines_;
}

}  // namespace ksr::delivery
