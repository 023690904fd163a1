#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <set>

#include "store/cache.hpp"
#include "unit/store/model.hpp"
#include "unit/store/sample.hpp"

namespace ksr::store::test {
namespace {

struct Kept {
  View view;
  std::vector<Sample> shown;
};

// Random operations on a cache and on its model.
class Life {
 public:
  Life(std::uint32_t seed, std::size_t limit, std::size_t uids)
      : random_(seed), uids_(uids), cache_(limit), model_(limit) {}
  // With columns and indexes.
  Life(std::uint32_t seed, std::size_t limit, std::size_t uids, json::Sameness sameness)
      : random_(seed), uids_(uids), sameness_(sameness), limit_(limit), cache_(limit, 1, {0, 1}), model_(limit) {}

  void run(int steps) {
    list();
    cut();
    for (int step = 0; step < steps; ++step) {
      const std::size_t random = random_() % 1000;
      if (random < 12) {
        list();
      } else if (random < 100) {
        cut();
      } else if (random < 110) {
        cache_.set_resource_version(std::to_string(++version_));
      } else {
        event();
      }
      check();
    }
    cut();
    for (const Kept& kept : kept_) {
      REQUIRE(describe(kept.view) == Model::describe(kept.shown));
      if (sameness_) REQUIRE(index_problem(kept.view, kept.shown) == "");
    }
  }

 private:
  // A uid keeps its name nearly always; several uids share each name; times are few, so that they tie.
  Sample some_sample(std::uint64_t version) {
    const std::size_t uid = random_() % uids_;
    // Another name is a change of the text, if not of the columns.
    const bool may_move = !sameness_ || *sameness_ == json::Sameness::version;
    const std::size_t name = may_move && random_() % 50 == 0 ? random_() % uids_ : uid % (uids_ * 2 / 3);
    Sample made = sample("n" + std::to_string(name), version);
    made.uid = "uid-" + std::to_string(uid);
    made.name_space = name % 3 == 0 ? "a" : "b";
    made.recency = "2024-01-01T00:00:" + std::to_string(10 + random_() % 40) + "Z";
    made.ordered_by_recency = limit_ != 0;
    if (!sameness_) return made;
    // Mostly one of two texts, with two tags that may be one.
    const std::uint64_t columns = random_() % 4 == 0 ? version : 15 + version % 2;
    return with_columns(made, columns, *sameness_, random_() % 3 == 0);
  }

  void event() {
    // Mostly newer versions, sometimes a late one.
    const bool late = !history_.empty() && random_() % 6 == 0;
    const Sample sample = late ? history_[random_() % history_.size()] : some_sample(++version_);
    const auto type = static_cast<json::EventType>(random_() % 5 % 3);
    history_.push_back(sample);
    if (history_.size() > 400) history_.erase(history_.begin());
    const std::string expected_uid = random_() % 4 == 0 ? "uid-of-another" : sample.uid;
    cache_.expect(expected_uid);
    cache_.expect_soon(expected_uid);
    const Applied expected = model_.apply(type, sample);
    REQUIRE(cache_.apply(type, sample.item()) == expected);
  }

  // Of now or of a while ago, of most objects as they are, some older, some newer, some twice, few or all of them new.
  void list() {
    const std::uint64_t version = random_() % 3 == 0 && version_ > 30 ? version_ - 30 : version_;
    std::vector<Sample> listed;
    const std::size_t forget = random_() % 4 == 0 ? 2 : 40;
    for (const auto& [uid, sample] : model_.all()) {
      if (random_() % forget != 0) listed.push_back(sample);
    }
    const std::size_t others = random_() % (random_() % 3 == 0 ? uids_ : 5);
    for (std::size_t i = 0; i < others; ++i) {
      const bool old = !history_.empty() && random_() % 2 == 0;
      listed.push_back(old ? history_[random_() % history_.size()] : some_sample(++version_));
    }
    if (random_() % 2 == 0) std::shuffle(listed.begin(), listed.end(), random_);
    const std::uint64_t stated = random_() % 2 == 0 ? version : version_;

    cache_.begin_list();
    for (const Sample& sample : listed) cache_.stage(sample.item());
    if (random_() % 10 == 0) {
      cache_.abandon_list();
      cache_.begin_list();
      for (const Sample& sample : listed) cache_.stage(sample.item());
    }
    std::vector<Sample> deleted;
    for (std::size_t i = random_() % 4 == 0 ? random_() % 5 : 0; i > 0; --i) deleted.push_back(some_sample(++version_));
    for (const Sample& sample : deleted) cache_.stage_deletion(sample.item());
    const std::size_t changed = model_.commit(listed, stated, deleted);
    REQUIRE(cache_.commit_list(std::to_string(stated)) == changed);
    first_list_ = first_list_ || !listed_once_;
    listed_once_ = true;
  }

  void check() {
    REQUIRE(cache_.count() == model_.all().size());
    std::uint64_t bytes = 0;
    for (const auto& [uid, sample] : model_.all()) bytes += sample.size();
    REQUIRE(cache_.stored_bytes() == bytes);
    if (random_() % 8 != 0) return;
    REQUIRE(cache_.changed() == (first_list_ || !model_.describe_difference(last_, model_.visible()).empty()));
  }

  void cut() {
    const std::vector<Sample> now = model_.visible();
    const Cut cut = cache_.cut();
    first_list_ = false;
    REQUIRE(describe(cut.view) == Model::describe(now));
    REQUIRE(told(describe(cut)) == told(model_.describe_difference(last_, now)));
    REQUIRE(cut.changes.empty() == describe(cut).empty());
    check_before(Deltas(cut.changes, cut.view));
    check_lookups(cut.view, now);
    if (sameness_) REQUIRE(index_problem(cut.view, now) == "");
    check_order(Deltas(cut.changes, cut.view), now);
    last_ = now;

    merged_.append(cut.changes);
    const Deltas merged(merged_, cut.view);
    REQUIRE(told(describe(merged), false) == told(model_.describe_difference(merged_from_, now), false));
    REQUIRE(delta_problem(Deltas(cut.changes, cut.view), cut.view) == "");
    REQUIRE(delta_problem(merged, cut.view) == "");
    if (random_() % 4 == 0) {
      merged_ = Changes();
      merged_from_ = now;
    }
    if (random_() % 4 == 0) kept_.push_back({cut.view, now});
    if (kept_.size() > 30) kept_.erase(kept_.begin() + static_cast<std::ptrdiff_t>(random_() % 30));
  }

  // The objects of which nothing is told stand as they stood.
  void check_order(const Deltas& deltas, const std::vector<Sample>& now) const {
    std::set<std::string, std::less<>> told;
    for (std::size_t i = 0; i < deltas.count(); ++i) told.emplace(deltas.object_at(i)->uid());
    const auto others = [&told](const std::vector<Sample>& shown) {
      std::vector<std::string> uids;
      for (const Sample& sample : shown) {
        if (told.count(sample.uid) == 0) uids.push_back(sample.uid);
      }
      return uids;
    };
    REQUIRE(others(last_) == others(now));
  }

  // Where not each version is a change, what is deleted has the last version. What was there again between two cuts
  // alone may have a later state, and so may what a limit has displaced before the last one.
  std::string told(const std::string& deltas, bool one_cut = true) const {
    if (!sameness_ || *sameness_ == json::Sameness::version) {
      return one_cut ? deltas : Model::without_states_of_deleted(deltas);
    }
    std::string names;
    bool in_version = false;
    for (const char c : deltas) {
      in_version = c == '@' || (in_version && c != ' ');
      if (!in_version) names += c;
    }
    return names;
  }

  void check_before(Deltas deltas) {
    deltas.mark_left(cache_);
    const auto earlier = [&](const Object& object) {
      return std::find_if(last_.begin(), last_.end(), [&](const Sample& sample) { return sample.uid == object.uid(); });
    };
    for (std::size_t i = 0; i < deltas.count(); ++i) {
      const Object* const before = deltas.before_at(i);
      const auto known = earlier(*deltas.object_at(i));
      REQUIRE((before == nullptr) == (deltas.kind_at(i) == DeltaKind::added));
      REQUIRE((before == nullptr) == (known == last_.end()));
      const bool all_told = !sameness_ || *sameness_ == json::Sameness::version;
      if (before != nullptr && all_told) REQUIRE(before->resource_version() == known->resource_version);
      if (before != nullptr && sameness_ == json::Sameness::columns) REQUIRE(before->column(0) == known->node);
      const bool exists = model_.all().count(std::string(deltas.object_at(i)->uid())) != 0;
      REQUIRE(deltas.left_at(i) == (deltas.kind_at(i) == DeltaKind::deleted && exists));
    }
  }

  void check_lookups(const View& view, const std::vector<Sample>& now) {
    REQUIRE(view.count() == now.size());
    for (std::size_t i = 0; i < now.size(); ++i) {
      REQUIRE(view.find(now[i].name_space, now[i].name) == view.at(i));
      REQUIRE(view.find_uid(now[i].uid) == view.at(i));
    }
    std::size_t found = 0;
    for (std::size_t uid = 0; uid < uids_; ++uid) {
      if (view.find_uid("uid-" + std::to_string(uid)) != nullptr) ++found;
    }
    REQUIRE(found == now.size());
  }

  std::mt19937 random_;
  std::size_t uids_;
  std::optional<json::Sameness> sameness_;
  std::size_t limit_ = 0;
  Cache cache_;
  Model model_;
  std::uint64_t version_ = 1000;
  std::vector<Sample> history_;
  std::vector<Sample> last_;
  bool first_list_ = false;
  bool listed_once_ = false;
  Changes merged_;
  std::vector<Sample> merged_from_;
  std::vector<Kept> kept_;
};

TEST_CASE("a cache agrees with its model through random operations") {
  for (const std::size_t limit : {0u, 1u, 7u, 60u, 100000u}) {
    for (std::uint32_t seed = 1; seed <= 4; ++seed) {
      CAPTURE(limit);
      CAPTURE(seed);
      Life(seed, limit, seed % 2 == 0 ? 12 : 300).run(800);
    }
  }
}

TEST_CASE("a cache with indexes agrees with its model, whatever counts as a change") {
  for (const std::size_t limit : {0u, 1u, 7u, 60u, 100000u}) {
    for (const json::Sameness sameness : {json::Sameness::version, json::Sameness::text, json::Sameness::columns}) {
      for (std::uint32_t seed = 1; seed <= 3; ++seed) {
        CAPTURE(limit);
        CAPTURE(static_cast<int>(sameness));
        CAPTURE(seed);
        Life(seed, limit, seed % 2 == 0 ? 12 : 300, sameness).run(400);
      }
    }
  }
}

}  // namespace
}  // namespace ksr::store::test
