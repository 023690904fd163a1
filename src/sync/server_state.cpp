#include "sync/server_state.hpp"

#include <utility>

namespace ksr::sync {

// On by default in 1.32, off again in 1.33, on from 1.34 (apiserver pkg/features/kube_features.go).
void ServerState::set_server_version(int major, int minor) {
  version_has_watchlist_ = std::pair(major, minor) >= std::pair(1, 34);
}

bool ServerState::watchlist_probable(const std::string& resource) const {
  return !watchlist_refused(resource) && version_has_watchlist_.value_or(true);
}

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
