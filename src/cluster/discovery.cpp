#include "cluster/discovery.hpp"

#include <algorithm>
#include <utility>

#include "cluster/query.hpp"

namespace ksr::cluster {
namespace {

constexpr Milliseconds catalogue_lasts{10 * 60'000};

Error no_namespaces(const Resource& resource) {
  return {Status::invalid, "namespace: is set, but " + resource.display + " is not namespaced; expected no namespace"};
}

}  // namespace

std::optional<Expected<std::vector<Resource>>> answer_from(const Catalogue* catalogue, const QueryOptions& query) {
  std::vector<Resource> resources;
  std::optional<Error> missing;
  for (const std::string& name : query.resources) {
    auto parsed = parse_resource(name);
    if (!parsed) return Expected<std::vector<Resource>>(parsed.error());
    std::optional<Resource> resource = *std::move(parsed);
    if (resource) {
      const ApiResource* known = catalogue == nullptr ? nullptr : catalogue->find_exact(*resource);
      if (known != nullptr) resource->namespaced = known->namespaced;
    } else {
      if (catalogue == nullptr) return std::nullopt;
      auto found = catalogue->find(name);
      if (!found) {
        if (!missing) missing = found.error();
        continue;
      }
      resource = *std::move(found);
    }
    if (!query.namespaces.empty() && resource->namespaced == false) {
      return Expected<std::vector<Resource>>(no_namespaces(*resource));
    }
    resources.push_back(*std::move(resource));
  }
  // One candidate that is there is enough; the others may come with another version of the server.
  if (resources.empty()) return Expected<std::vector<Resource>>(*std::move(missing));
  return Expected<std::vector<Resource>>(std::move(resources));
}

struct Discovery::Question {
  QueryOptions query;
  Ready ready;
  Instant asked_at;
};

class Discovery::Wait final : public Pending {
 public:
  explicit Wait(std::shared_ptr<Question> question) : question_(std::move(question)) {}
  ~Wait() override { question_->ready = nullptr; }

 private:
  std::shared_ptr<Question> question_;
};

Discovery::Discovery(Executor& executor, const DiscoveryRun::Environment& environment)
    : executor_(executor), environment_(environment), self_(std::make_shared<Discovery*>(this)) {}

Discovery::~Discovery() = default;

std::unique_ptr<Pending> Discovery::resolve(const QueryOptions& query, Ready ready) {
  auto question = std::make_shared<Question>(Question{query, std::move(ready), executor_.now()});
  questions_.push_back(question);
  executor_.post([weak = std::weak_ptr<Discovery*>(self_)] {
    if (const auto self = weak.lock()) (*self)->consider();
  });
  return std::make_unique<Wait>(std::move(question));
}

// A name that is missing in what was learned before it was asked for may have come since: a CRD was installed.
bool Discovery::fresh(const Question& question) const {
  return catalogue_ && learned_at_ >= question.asked_at;
}

void Discovery::consider() {
  const std::weak_ptr<Discovery*> alive = self_;
  if (catalogue_ && executor_.now() - learned_at_ > catalogue_lasts) catalogue_.reset();
  bool unanswered = false;
  for (const auto& question : std::vector<std::shared_ptr<Question>>(questions_)) {
    std::optional<Expected<std::vector<Resource>>> answer;
    if (auto valid = validate_query(question->query); !valid) {
      answer.emplace(valid.error());
    } else {
      answer = answer_from(catalogue_ ? &*catalogue_ : nullptr, question->query);
    }
    const bool must_ask =
        question->ready && (!answer || (!*answer && answer->error().status == Status::not_found && !fresh(*question)));
    if (must_ask) {
      unanswered = true;
      continue;
    }
    questions_.erase(std::find(questions_.begin(), questions_.end(), question));
    if (const auto ready = std::exchange(question->ready, nullptr)) ready(*std::move(answer));
    if (alive.expired()) return;
  }
  if (unanswered && !run_) run();
}

void Discovery::run() {
  run_ = std::make_unique<DiscoveryRun>(environment_,
                                        [this](Expected<Catalogue> catalogue) { on_catalogue(std::move(catalogue)); });
  run_->start();
}

void Discovery::on_catalogue(Expected<Catalogue> catalogue) {
  run_.reset();
  if (catalogue) {
    catalogue_ = *std::move(catalogue);
    learned_at_ = executor_.now();
    return consider();
  }
  const std::weak_ptr<Discovery*> alive = self_;
  for (const auto& question : std::exchange(questions_, {})) {
    if (alive.expired()) return;
    if (const auto ready = std::exchange(question->ready, nullptr)) ready(catalogue.error());
  }
}

}  // namespace ksr::cluster
