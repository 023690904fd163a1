#include "cluster/discovery.hpp"

#include <algorithm>
#include <utility>

#include "base/exception_error.hpp"
#include "cluster/query.hpp"
#include "cluster/resolution.hpp"

namespace ksr::cluster {
namespace {

constexpr Milliseconds kDiscoveryLifetime{10 * 60'000};

}  // namespace

struct Discovery::Question {
  QueryOptions query;
  Ready ready;
  Instant asked_at;
  bool needs_mapper = false;
};

class Discovery::Wait final : public Pending {
 public:
  explicit Wait(std::shared_ptr<Question> question) : question_(std::move(question)) {}
  ~Wait() override { question_->ready = nullptr; }

 private:
  std::shared_ptr<Question> question_;
};

Discovery::Discovery(Executor& executor, const DiscoveryRun::Environment& environment)
    : executor_(executor),
      environment_(environment),
      scopes_(executor, environment, [this] { consider(); }),
      self_(std::make_shared<Discovery*>(this)) {}

Discovery::~Discovery() = default;

std::unique_ptr<Pending> Discovery::resolve(const QueryOptions& query, Ready ready) {
  auto question = std::make_shared<Question>(Question{query, std::move(ready), executor_.now()});
  // Made first: should anything throw from here on, no one answers the caller any more.
  auto wait = std::make_unique<Wait>(question);
  questions_.push_back(std::move(question));
  executor_.post([weak = std::weak_ptr<Discovery*>(self_)] {
    if (const auto self = weak.lock()) (*self)->consider();
  });
  return wait;
}

void Discovery::consider() {
  const std::weak_ptr<Discovery*> alive = self_;
  if (mapper_ && executor_.now() - learned_at_ > kDiscoveryLifetime) mapper_.reset();
  scopes_.forget_older_than(executor_.now() - kDiscoveryLifetime);
  for (const auto& question : std::vector<std::shared_ptr<Question>>(questions_)) {
    auto answer = answer_or_error(*question);
    if (!answer && question->ready) continue;
    questions_.erase(std::find(questions_.begin(), questions_.end(), question));
    if (const auto ready = std::exchange(question->ready, nullptr)) ready(*std::move(answer));
    if (alive.expired()) return;
  }
}

std::optional<Expected<std::vector<Resource>>> Discovery::answer_or_error(Question& question) {
  try {
    return answer_to(question);
  } catch (...) {
    return Expected<std::vector<Resource>>(error_of_exception());
  }
}

std::optional<Expected<std::vector<Resource>>> Discovery::answer_to(Question& question) {
  if (!question.ready) return std::nullopt;
  if (auto valid = validate_query(question.query); !valid) return Expected<std::vector<Resource>>(valid.error());
  const DiscoveryCache known{mapper_ ? &*mapper_ : nullptr, learned_at_, scopes_};
  Resolution resolution(known, question.query, question.asked_at);
  auto answer = resolution.answer();
  if (answer) return answer;
  question.needs_mapper = resolution.mapper_lacks();
  if (question.needs_mapper && !run_) run();
  for (const std::string& root : resolution.roots_lacking()) scopes_.ask(root);
  return std::nullopt;
}

void Discovery::run() {
  run_ = std::make_unique<DiscoveryRun>(environment_,
                                        [this](Expected<RestMapper> mapper) { on_mapper(std::move(mapper)); });
  try {
    run_->start();
  } catch (...) {
    // Or the next question would wait for it.
    run_.reset();
    throw;
  }
}

void Discovery::on_mapper(Expected<RestMapper> mapper) {
  run_.reset();
  if (mapper) {
    mapper_ = *std::move(mapper);
    learned_at_ = executor_.now();
    return consider();
  }
  const std::weak_ptr<Discovery*> alive = self_;
  for (const auto& question : std::vector<std::shared_ptr<Question>>(questions_)) {
    if (!question->needs_mapper) continue;
    questions_.erase(std::find(questions_.begin(), questions_.end(), question));
    if (const auto ready = std::exchange(question->ready, nullptr)) ready(mapper.error());
    if (alive.expired()) return;
  }
}

}  // namespace ksr::cluster
