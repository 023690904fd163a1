// The cache written as simply as possible, at any cost in time and memory: the real one must agree with it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "store/cache.hpp"
#include "unit/store/sample.hpp"

namespace ksr::store::test {

class Model {
 public:
  using State = std::map<std::string, Sample>;  // by uid

  explicit Model(std::size_t limit) : limit_(limit) {}

  static std::uint64_t version_of(const Sample& sample) { return std::stoull(sample.resource_version); }

  Applied apply(json::EventType type, const Sample& sample) {
    const auto held = all_.find(sample.uid);
    if (type == json::EventType::deleted) {
      if (held != all_.end() && version_of(sample) < version_of(held->second)) return Applied::stale;
      bury(sample.uid, version_of(sample));
      return all_.erase(sample.uid) != 0 ? Applied::deleted : Applied::absent;
    }
    if (held != all_.end() && version_of(held->second) >= version_of(sample)) return Applied::stale;
    if (held == all_.end() && buried_.count(sample.uid) != 0 && buried_[sample.uid] >= version_of(sample)) {
      return Applied::stale;
    }
    const std::string other = uid_named(sample);
    if (!other.empty() && other != sample.uid) {
      if (version_of(all_[other]) >= version_of(sample)) return Applied::stale;
      bury(other, version_of(sample));
      all_.erase(other);
    }
    const bool known = all_.count(sample.uid) != 0;
    all_[sample.uid] = sample;
    last_known_[sample.uid] = sample;
    return known ? Applied::modified : Applied::added;
  }

  // `deleted` since they were listed.
  std::size_t commit(const std::vector<Sample>& listed, std::uint64_t version,
                     const std::vector<Sample>& deleted = {}) {
    // What the list's version has seen is as the list has it.
    State next;
    for (const auto& [uid, sample] : all_) {
      if (version_of(sample) > version) next[uid] = sample;
    }
    for (const Sample& sample : listed) {
      const auto grave = buried_.find(sample.uid);
      if (grave != buried_.end() && grave->second > version && version_of(sample) <= grave->second) continue;
      Sample& slot = next.emplace(sample.uid, sample).first->second;
      if (version_of(sample) > version_of(slot)) slot = sample;
    }
    drop_outranked(next);
    for (auto grave = buried_.begin(); grave != buried_.end();) {
      grave = grave->second <= version ? buried_.erase(grave) : std::next(grave);
    }
    for (const auto& [uid, sample] : next) last_known_[uid] = sample;
    for (const Sample& sample : deleted) {
      const auto found = next.find(sample.uid);
      if (found != next.end() && version_of(found->second) <= version_of(sample)) next.erase(found);
      bury(sample.uid, version_of(sample));
    }
    const std::size_t changed = differences(all_, next);
    all_ = next;
    return changed;
  }

  const State& all() const { return all_; }

  // As views show it.
  std::vector<Sample> visible() const {
    std::vector<Sample> shown;
    for (const auto& [uid, sample] : all_) shown.push_back(sample);
    if (limit_ == 0) {
      std::sort(shown.begin(), shown.end(), by_name);
      return shown;
    }
    // The generator writes every time in one form, so that texts order as times.
    std::sort(shown.begin(), shown.end(), [](const Sample& a, const Sample& b) {
      const auto version = [](const Sample& s) { return s.sameness == json::Sameness::version ? version_of(s) : 0; };
      return std::make_tuple(b.recency, version(b), a.uid) < std::make_tuple(a.recency, version(a), b.uid);
    });
    shown.resize(std::min(limit_, shown.size()));
    return shown;
  }

  static bool by_name(const Sample& a, const Sample& b) {
    return std::tie(a.name_space, a.name, a.uid) < std::tie(b.name_space, b.name, b.uid);
  }

  static std::string describe(const std::vector<Sample>& shown) {
    std::string text;
    for (const Sample& sample : shown) text += (text.empty() ? "" : " ") + sample.name + "@" + sample.resource_version;
    return text;
  }

  // What is deleted has the last state that was known of it.
  std::string describe_difference(std::vector<Sample> before, std::vector<Sample> now) const {
    std::sort(before.begin(), before.end(), by_name);
    std::sort(now.begin(), now.end(), by_name);
    std::string text;
    const auto tell = [&](char kind, const Sample& sample) {
      text += (text.empty() ? "" : " ") + std::string(1, kind) + sample.name + "@" + sample.resource_version;
    };
    const std::map<std::string, const Sample*> old_states = by_uid(before);
    const std::map<std::string, const Sample*> new_states = by_uid(now);
    std::vector<Sample> deleted;
    for (const Sample& sample : before) {
      if (new_states.count(sample.uid) == 0) deleted.push_back(last_known_.at(sample.uid));
    }
    std::sort(deleted.begin(), deleted.end(), by_name);
    for (const Sample& sample : deleted) tell('-', sample);
    for (const Sample& sample : now) {
      const auto earlier = old_states.find(sample.uid);
      if (earlier == old_states.end()) tell('+', sample);
      if (earlier != old_states.end() && !same(*earlier->second, sample)) tell('~', sample);
    }
    return text;
  }

  // Of "-gone@1 +new@2", which describe() writes of deltas, "- +new@2".
  static std::string without_states_of_deleted(const std::string& deltas) {
    std::string text;
    bool deleted = false;
    for (const char c : deltas) {
      if (c == ' ') deleted = false;
      if (!deleted) text += c;
      if (c == '-' && (text.size() == 1 || text[text.size() - 2] == ' ')) deleted = true;
    }
    return text;
  }

  // For the host.
  static bool same(const Sample& a, const Sample& b) {
    const bool same_columns =
        a.node == b.node && a.joined_tags() == b.joined_tags() && sorted(a.tags) == sorted(b.tags);
    if (a.ordered_by_recency && a.recency != b.recency) return false;
    switch (a.resource_version == b.resource_version ? json::Sameness::version : a.sameness) {
      case json::Sameness::columns:
        return same_columns;
      case json::Sameness::text:
        return same_columns && a.body.substr(a.body.find(',')) == b.body.substr(b.body.find(','));
      case json::Sameness::version:
        break;
    }
    return a.resource_version == b.resource_version;
  }

 private:
  static std::vector<std::string> sorted(std::vector<std::string> tags) {
    std::sort(tags.begin(), tags.end());
    return tags;
  }
  static std::map<std::string, const Sample*> by_uid(const std::vector<Sample>& samples) {
    std::map<std::string, const Sample*> states;
    for (const Sample& sample : samples) states[sample.uid] = &sample;
    return states;
  }
  std::string uid_named(const Sample& sample) const {
    for (const auto& [uid, held] : all_) {
      if (held.name == sample.name && held.name_space == sample.name_space) return uid;
    }
    return "";
  }
  void bury(const std::string& uid, std::uint64_t version) { buried_[uid] = std::max(buried_[uid], version); }
  static void drop_outranked(State& state) {
    for (auto loser = state.begin(); loser != state.end();) {
      const bool outranked = std::any_of(state.begin(), state.end(), [&](const auto& other) {
        return other.second.name == loser->second.name && other.second.name_space == loser->second.name_space &&
               version_of(other.second) > version_of(loser->second);
      });
      // Those it outranked in turn are outranked by its winner too.
      loser = outranked ? state.erase(loser) : std::next(loser);
    }
  }
  static std::size_t differences(const State& a, const State& b) {
    std::size_t count = 0;
    for (const auto& [uid, sample] : a) {
      const auto other = b.find(uid);
      if (other == b.end() || other->second.resource_version != sample.resource_version) ++count;
    }
    for (const auto& [uid, sample] : b) count += a.count(uid) == 0 ? 1 : 0;
    return count;
  }

  std::size_t limit_;
  State all_;
  State last_known_;  // of all that there ever were
  std::map<std::string, std::uint64_t> buried_;
};

}  // namespace ksr::store::test
