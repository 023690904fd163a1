#include "sync/server_state.hpp"

namespace ksr::sync {

bool ServerState::watchlist_refused(const std::string& resource) const {
  const auto found = resources_.find(resource);
  return found != resources_.end() && found->second.watchlist_refused;
}

void ServerState::note_watchlist_refused(const std::string& resource) {
  resources_[resource].watchlist_refused = true;
}

std::size_t ServerState::working_candidate(const std::string& resource) const {
  const auto found = resources_.find(resource);
  return found == resources_.end() ? 0 : found->second.working_candidate;
}

void ServerState::note_working_candidate(const std::string& resource, std::size_t candidate) {
  resources_[resource].working_candidate = candidate;
}

}  // namespace ksr::sync
