// The cache and its model (unit/store/model.hpp) through the same lists, events and cuts: same answers, views, deltas.
#include "fuzz/fuzz.hpp"
#include "store/cache.hpp"
#include "unit/store/model.hpp"
#include "unit/store/sample.hpp"

#include <optional>

namespace {

using namespace ksr::store;
using namespace ksr::store::test;
using ksr::fuzz::Input;
using ksr::fuzz::require;

constexpr std::size_t kLimits[] = {0, 1, 2, 5, 12, 1000};
constexpr int kMaxSteps = 400;

class Life {
 public:
  Life(Input& input, std::size_t limit) : input_(input), cache_(limit), model_(limit) {}
  // With columns and indexes; not each version is a change, unless `sameness` says so.
  Life(Input& input, std::size_t limit, ksr::json::Sameness sameness)
      : input_(input), sameness_(sameness), limit_(limit), cache_(limit, 1, {0, 1}), model_(limit) {}

  void run() {
    list();
    cut();
    for (int step = 0; step < kMaxSteps && !input_.empty(); ++step) {
      switch (input_.below(16)) {
        case 0:
          list();
          break;
        case 1:
        case 2:
        case 3:
          cut();
          break;
        case 4:
          cache_.set_resource_version(std::to_string(++version_));
          break;
        default:
          event();
      }
      check();
    }
    cut();
    for (const auto& [view, shown] : kept_) {
      require(describe(view) == Model::describe(shown), "a view that was kept has changed");
      if (sameness_) require(index_problem(view, shown).empty(), "an index of a view that was kept has changed");
    }
  }

 private:
  // Few uids, names and times, so that they meet. Versions around the newest one.
  Sample some_sample() {
    const std::uint8_t who = input_.byte();
    const std::uint8_t when = input_.byte();
    const std::size_t uid = who % 24;
    const std::size_t name = who > 200 && !sameness_ ? when % 16 : uid % 16;
    if (when % 4 != 0) ++version_;
    Sample made = sample("n" + std::to_string(name), version_ - (when % 4 == 0 ? when / 8 : 0));
    made.uid = "uid-" + std::to_string(uid);
    made.name_space = name % 3 == 0 ? "a" : "b";
    made.recency = "2024-01-01T00:00:" + std::to_string(10 + when % 7) + "Z";
    made.ordered_by_recency = limit_ != 0;
    if (sameness_) made = with_columns(made, who, *sameness_, when >= 128);
    // A version is one state of one object.
    return known_.emplace(made.resource_version, made).first->second;
  }

  void event() {
    const auto type = static_cast<ksr::json::EventType>(input_.below(3));
    const Sample sample = some_sample();
    require(cache_.apply(type, sample.item()) == model_.apply(type, sample), "an event is answered differently");
  }

  void list() {
    const std::uint8_t choice = input_.byte();
    std::vector<Sample> listed;
    std::size_t number = 0;
    for (const auto& [uid, sample] : model_.all()) {
      if (number++ % 8 != choice % 16) listed.push_back(sample);
    }
    for (std::size_t others = input_.below(8); others > 0; --others) listed.push_back(some_sample());
    const std::uint64_t stated = version_ - (choice >= 128 ? choice % 32 : 0);
    if (choice % 5 == 0) {
      cache_.begin_list();
      if (!listed.empty()) cache_.stage(listed.front().item());
      cache_.abandon_list();
    }
    cache_.begin_list();
    for (const Sample& sample : listed) cache_.stage(sample.item());
    require(cache_.commit_list(std::to_string(stated)) == model_.commit(listed, stated), "a list changes more or less");
    first_list_ = first_list_ || !listed_once_;
    listed_once_ = true;
  }

  void check() {
    require(cache_.count() == model_.all().size(), "another number of objects");
    std::uint64_t bytes = 0;
    for (const auto& [uid, sample] : model_.all()) bytes += sample.size();
    require(cache_.stored_bytes() == bytes, "another size");
  }

  void cut() {
    const std::vector<Sample> now = model_.visible();
    const bool differs = !model_.describe_difference(last_, now).empty();
    require(cache_.changed() == (first_list_ || differs), "changed() says otherwise");
    const Cut cut = cache_.cut();
    first_list_ = false;
    require(describe(cut.view) == Model::describe(now), "another view: " + describe(cut.view));
    require(told(describe(cut)) == told(model_.describe_difference(last_, now)), "other deltas: " + describe(cut));
    if (sameness_) require(index_problem(cut.view, now).empty(), "an index: " + index_problem(cut.view, now));
    for (std::size_t i = 0; i < now.size(); ++i) {
      require(cut.view.find(now[i].name_space, now[i].name) == cut.view.at(i), "not found by name");
      require(cut.view.find_uid(now[i].uid) == cut.view.at(i), "not found by uid");
    }
    require(cut.view.at(now.size()) == nullptr && cut.view.find_uid("none") == nullptr, "found what is not there");
    last_ = now;

    merged_.append(cut.changes);
    const Deltas merged(merged_, cut.view);
    require(told(describe(merged), false) == told(model_.describe_difference(merged_from_, now), false),
            "other merged deltas");
    for (const Deltas& deltas : {Deltas(cut.changes, cut.view), merged}) {
      require(delta_problem(deltas, cut.view).empty(), delta_problem(deltas, cut.view));
    }
    if (input_.below(4) == 0) {
      merged_ = Changes();
      merged_from_ = now;
    }
    if (kept_.size() < 8) kept_.emplace_back(cut.view, now);
  }

  // Where not each version is a change, what is deleted has the last version. What was there again between two cuts
  // alone may have a later state, and so may what a limit has displaced before the last one.
  std::string told(const std::string& deltas, bool one_cut = true) const {
    if (!sameness_) return one_cut ? deltas : Model::without_states_of_deleted(deltas);
    std::string names;
    bool in_version = false;
    for (const char c : deltas) {
      in_version = c == '@' || (in_version && c != ' ');
      if (!in_version) names += c;
    }
    return names;
  }

  Input& input_;
  std::optional<ksr::json::Sameness> sameness_;
  std::size_t limit_ = 0;
  Cache cache_;
  Model model_;
  std::uint64_t version_ = 1000;
  std::map<std::string, Sample> known_;
  std::vector<Sample> last_;
  bool first_list_ = false;
  bool listed_once_ = false;
  Changes merged_;
  std::vector<Sample> merged_from_;
  std::vector<std::pair<View, std::vector<Sample>>> kept_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  const std::size_t choice = input.below(std::size(kLimits) * 4);
  const std::size_t limit = kLimits[choice % std::size(kLimits)];
  if (choice < std::size(kLimits)) {
    Life(input, limit).run();
  } else {
    Life(input, limit, static_cast<ksr::json::Sameness>(choice / std::size(kLimits) - 1)).run();
  }
  return 0;
}
