#include "sync/server_state.hpp"

#include <charconv>
#include <utility>

namespace ksr::sync {

bool ServerState::watchlist_refused(const std::string& resource) const {
  const auto found = resources_.find(resource);
  return found != resources_.end() && found->second.watchlist_refused;
}

void ServerState::note_watchlist_refused(const std::string& resource) {
  resources_[resource].watchlist_refused = true;
}

bool ServerState::json_only(const std::string& resource) const {
  const auto found = resources_.find(resource);
  return found != resources_.end() && found->second.json_only;
}

void ServerState::note_json_only(const std::string& resource) {
  resources_[resource].json_only = true;
}

void ServerState::note_version(std::string_view major, std::string_view minor) noexcept {
  const auto number = [](std::string_view text) {
    int value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  };
  constexpr std::pair<int, int> kStreaming{1, 33};
  streams_lists_ = std::pair(number(major), number(minor)) >= kStreaming;
}

std::size_t ServerState::working_candidate(const std::string& resource) const {
  const auto found = resources_.find(resource);
  return found == resources_.end() ? 0 : found->second.working_candidate;
}

void ServerState::note_working_candidate(const std::string& resource, std::size_t candidate) {
  resources_[resource].working_candidate = candidate;
}

}  // namespace ksr::sync
