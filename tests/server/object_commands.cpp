#include "server/object_commands.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/json.hpp>
#include <stdexcept>

#include "server/words.hpp"

namespace ksr::testserver {
namespace {

namespace json = boost::json;

const ResourceType& type_of(World& world, const Words& words) {
  const ResourceType* type = words.size() > 1 ? world.types().find_by_word(words[1]) : nullptr;
  if (type == nullptr) throw std::runtime_error(words[0] + " needs a known resource");
  return *type;
}

struct Name {
  std::string ns;
  std::string name;
  std::string key() const { return object_key(ns, name); }
};

Name name_of(const ResourceType& type, const Words& words) {
  if (words.size() < 3) throw std::runtime_error(words[0] + " needs a name");
  const auto slash = words[2].find('/');
  if (slash != std::string::npos) return {words[2].substr(0, slash), words[2].substr(slash + 1)};
  return {type.namespaced ? "default" : "", words[2]};
}

// Labels and JSON of a command as one object.
json::object body_of(const Words& words) {
  json::value body = json::object();
  json::object labels;
  for (std::size_t i = 3; i < words.size(); ++i) {
    const auto equal = words[i].find('=');
    if (words[i].front() == '{') {
      merge_patch(body, json::parse(words[i]));
    } else if (equal != std::string::npos) {
      labels[words[i].substr(0, equal)] = words[i].substr(equal + 1);
    } else {
      throw std::runtime_error("expected label=value or {json}: " + words[i]);
    }
  }
  if (!labels.empty()) merge_patch(body, json::object{{"metadata", {{"labels", labels}}}});
  return body.get_object();
}

std::string option(const Words& words, const std::string& key, const std::string& otherwise) {
  for (const std::string& word : words) {
    if (word.rfind(key + "=", 0) == 0) return word.substr(key.size() + 1);
  }
  return otherwise;
}

struct Churn {
  World& world;
  const ResourceType& type;
  std::chrono::milliseconds interval;
  boost::asio::steady_timer timer;
  std::uint64_t round = 0;

  void step() {
    const std::string name = "churn-" + std::to_string(round / 3 % 50);
    const std::string ns = type.namespaced ? "default" : "";
    const bool there = world.log().collection(type).find(object_key(ns, name)) != nullptr;
    if (!there) {
      world.log().create(type, ns, name, {});
    } else if (round % 3 == 2) {
      world.log().remove(type, object_key(ns, name));
    } else {
      world.log().merge(type, object_key(ns, name),
                        json::object{{"metadata", {{"annotations", {{"round", std::to_string(round)}}}}}});
    }
    ++round;
  }
};

void churn_on(const std::shared_ptr<Churn>& churning) {
  churning->timer.expires_after(churning->interval);
  churning->timer.async_wait([churning](const auto& failure) {
    if (failure) return;
    churning->step();
    churn_on(churning);
  });
}

}  // namespace

void create_object(World& world, const Words& words) {
  const ResourceType& type = type_of(world, words);
  const Name name = name_of(type, words);
  world.log().create(type, name.ns, name.name, body_of(words));
}

void update_object(World& world, const Words& words) {
  const ResourceType& type = type_of(world, words);
  json::object patch = body_of(words);
  if (patch.empty()) {
    patch = {{"metadata", {{"annotations", {{"updated-at", std::to_string(world.log().revision())}}}}}};
  }
  world.log().merge(type, name_of(type, words).key(), patch);
}

void delete_object(World& world, const Words& words) {
  const ResourceType& type = type_of(world, words);
  world.log().remove(type, name_of(type, words).key());
}

void populate(World& world, const Words& words) {
  const ResourceType& type = type_of(world, words);
  if (words.size() < 3) throw std::runtime_error("populate needs a count");
  const std::uint64_t count = parse_size(words[2]);
  const std::string prefix = option(words, "prefix", type.singular);
  const std::string ns = type.namespaced ? option(words, "ns", "default") : "";
  for (std::uint64_t i = 0; i < count; ++i) world.log().create(type, ns, prefix + "-" + std::to_string(i), {});
}

void churn(World& world, const std::string& word, std::chrono::milliseconds interval) {
  const ResourceType* type = world.types().find_by_word(word);
  if (type == nullptr) throw std::runtime_error("churn needs a known resource");
  churn_on(std::make_shared<Churn>(Churn{world, *type, interval, boost::asio::steady_timer(world.io())}));
}

}  // namespace ksr::testserver
