#include "server/script.hpp"

#include <boost/json.hpp>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "server/connection.hpp"
#include "server/object_commands.hpp"
#include "server/pod_lifecycle.hpp"
#include "server/words.hpp"

namespace ksr::testserver {
namespace {

std::string rest_of(const std::string& line, std::size_t words_to_skip) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < words_to_skip; ++i) {
    at = line.find_first_not_of(' ', at);
    at = line.find(' ', at);
  }
  return at == std::string::npos ? "" : line.substr(line.find_first_not_of(' ', at));
}

const std::string& word(const std::vector<std::string>& words, std::size_t i, const char* what) {
  if (i >= words.size()) throw std::runtime_error(words[0] + " needs " + what);
  return words[i];
}

// The plural of a resource's word, with the subresource if it names one; "*" stays.
std::string plural_of(const World& world, const std::string& word) {
  if (word == "*") return word;
  const auto slash = word.find('/');
  const ResourceType* type = world.types().find_by_word(word.substr(0, slash));
  if (type == nullptr) throw std::runtime_error("unknown resource " + word);
  return slash == std::string::npos ? type->plural : type->plural + word.substr(slash);
}

// "5/s"
std::chrono::milliseconds interval_of(const std::string& rate) {
  const auto slash = rate.find("/s");
  if (slash == std::string::npos) throw std::runtime_error("expected a rate such as 5/s: " + rate);
  const std::uint64_t count = parse_size(rate.substr(0, slash));
  if (count == 0 || count > 1'000) throw std::runtime_error("expected 1/s to 1000/s: " + rate);
  return std::chrono::milliseconds(1'000 / count);
}

// stream KIND [NS/]POD STEP…
void plan_stream(World& world, const std::vector<std::string>& words) {
  const std::string& kind = word(words, 1, "exec, attach, portforward or proxy");
  const std::string& pod = word(words, 2, "a pod");
  if (kind != "exec" && kind != "attach" && kind != "portforward" && kind != "proxy") {
    throw std::runtime_error("expected exec, attach, portforward or proxy: " + kind);
  }
  const std::string key = pod.find('/') == std::string::npos ? "default/" + pod : pod;
  world.streams().set(kind, key, StreamPlan::parse(kind, words, 3));
}

// log [NS/]POD [container=C] [previous] [stamp=T] WORD…
class LogCommand {
 public:
  LogCommand(World& world, const std::vector<std::string>& words) : world_(world) {
    const std::string& pod = word(words, 1, "a pod");
    const auto slash = pod.find('/');
    ns_ = slash == std::string::npos ? "default" : pod.substr(0, slash);
    pod_ = slash == std::string::npos ? pod : pod.substr(slash + 1);
    for (std::size_t i = 2; i < words.size(); ++i) take(words[i]);
  }

 private:
  std::string key() const { return PodLogs::key_of(ns_, pod_, container_, previous_); }

  void take(const std::string& option) {
    const auto equal = option.find('=');
    const std::string name = option.substr(0, equal);
    const std::string value = equal == std::string::npos ? "" : option.substr(equal + 1);
    if (name == "container") {
      container_ = value;
    } else if (name == "stamp") {
      stamp_ = stamp_of(value);
      if (!stamp_) throw std::runtime_error("expected a time such as 2026-11-29T10:00:00.5Z: " + value);
    } else if (name == "line" || name == "raw") {
      world_.append_log(key(), entry_of(name == "line", value));
    } else if (name == "unseen") {
      world_.logs().at(key()).entries.push_back(entry_of(true, value));
    } else if (!take_word(option)) {
      throw std::runtime_error("unknown word of log: " + option);
    }
  }

  LogEntry entry_of(bool stamped, const std::string& text) const {
    LogEntry entry;
    entry.stamp = stamp_ ? *stamp_ : *stamp_of(timestamp_now());
    entry.text = stamped ? text + "\n" : text;
    entry.stamped = stamped;
    return entry;
  }

  bool take_word(const std::string& name) {
    if (name == "previous")
      previous_ = true;
    else if (name == "end")
      world_.end_log(key());
    else if (name == "cut" || name == "reset")
      world_.cut_log(key(), name == "reset");
    else if (name == "rotate")
      world_.logs().at(key()).entries.clear();
    else if (name == "reread")
      world_.reread_log(key());
    else if (name == "restart")
      restart();
    else
      return false;
    return true;
  }

  void restart() {
    world_.end_log(key());
    PodLog& log = world_.logs().at(key());
    world_.logs().at(PodLogs::key_of(ns_, pod_, container_, true)) = log;
    log = PodLog();
  }

  World& world_;
  std::string ns_;
  std::string pod_;
  std::string container_;
  bool previous_ = false;
  std::optional<std::int64_t> stamp_;
};

void tell_headlamp(World& world, const std::string& what) {
  HeadlampProxy* const gate = world.headlamp();
  if (gate == nullptr || (what != "forget" && what != "reload")) {
    throw std::runtime_error("expected: headlamp forget, or headlamp reload, on a server behind Headlamp");
  }
  what == "forget" ? gate->forget_contexts() : gate->reload();
}

}  // namespace

void Script::run(World& world, const std::string& lines, World::ScriptDone done) {
  const std::shared_ptr<Script> script(new Script(world, lines, std::move(done)));
  script->step();
}

Script::Script(World& world, const std::string& lines, World::ScriptDone done)
    : world_(world), done_(std::move(done)), timer_(world.io()) {
  std::istringstream stream(lines);
  for (std::string line; std::getline(stream, line);) lines_.push_back(line);
}

void Script::step() {
  while (!lines_.empty()) {
    const std::string line = lines_.front();
    lines_.pop_front();
    try {
      const Words words = split_words(line);
      if (words.empty() || words[0][0] == '#') continue;
      if (words[0] == "fault") {
        world_.faults().add(Fault::parse(rest_of(line, 1)));
      } else if (words[0] == "every") {
        repeat(parse_duration(word(words, 1, "an interval")), rest_of(line, 2));
      } else if (!execute(words)) {
        return;
      }
    } catch (const std::exception& problem) {
      return done_(line + ": " + problem.what());
    }
  }
  done_("");
}

bool Script::execute(const Words& words) {
  const std::string& command = words[0];
  if (command == "sleep") {
    pause(parse_duration(word(words, 1, "a duration")), [self = shared_from_this()] { self->step(); });
    return false;
  }
  if (command == "wait") {
    if (words.size() != 4 || words[1] != "watches") throw std::runtime_error("expected: wait watches TYPE COUNT");
    wait_watches(plural_of(world_, words[2]), parse_size(words[3]), 6'000);
    return false;
  }
  if (execute_object_command(words) || execute_server_command(words)) return true;
  throw std::runtime_error("unknown command " + command);
}

bool Script::execute_object_command(const Words& words) {
  const std::string& command = words[0];
  if (command == "create") {
    create_object(world_, words);
  } else if (command == "update") {
    update_object(world_, words);
  } else if (command == "delete") {
    delete_object(world_, words);
  } else if (command == "populate") {
    populate(world_, words);
  } else if (command == "churn") {
    churn(world_, word(words, 1, "a resource"), interval_of(word(words, 2, "a rate")));
  } else if (command == "living") {
    if (plural_of(world_, word(words, 1, "a resource")) != "pods") throw std::runtime_error("living takes pods");
    PodLifecycle::start(world_, parse_size(word(words, 2, "a count")));
  } else {
    return false;
  }
  return true;
}

bool Script::execute_server_command(const Words& words) {
  const std::string& command = words[0];
  if (command == "compact") {
    world_.log().compact();
  } else if (command == "window") {
    world_.log().set_window(parse_size(word(words, 1, "a count")));
  } else if (command == "clear") {
    world_.faults().clear();
  } else if (command == "drop") {
    if (word(words, 1, "connections") != "connections") throw std::runtime_error("expected: drop connections [reset]");
    world_.drop_connections(words.size() > 2 && words[2] == "reset");
  } else if (command == "bookmark") {
    world_.send_bookmarks(words.size() > 1 ? plural_of(world_, words[1]) : "*");
  } else if (command == "token") {
    world_.access().add_token({word(words, 1, "a token"), words.size() > 2 ? words[2] : "admin"});
  } else if (command == "revoke") {
    world_.access().remove_token(word(words, 1, "a token"));
  } else if (command == "deny") {
    world_.access().deny({word(words, 1, "a user"), word(words, 2, "a verb"),
                          plural_of(world_, word(words, 3, "a resource")), words.size() > 4 ? words[4] : ""});
  } else if (command == "allow") {
    world_.access().clear_denials();
  } else if (command == "watchlist") {
    world_.options().watch_list = word(words, 1, "on or off") == "on";
  } else if (command == "shards") {
    world_.options().shards = word(words, 1, "on or off") == "on";
  } else if (command == "headlamp") {
    tell_headlamp(world_, word(words, 1, "forget or reload"));
  } else if (command == "stream") {
    plan_stream(world_, words);
  } else if (command == "log") {
    LogCommand(world_, words);
  } else if (command == "protocols") {
    world_.streams().known.assign(words.begin() + 1, words.end());
  } else if (command == "quit") {
    if (world_.on_quit) world_.on_quit();
  } else {
    return false;
  }
  return true;
}

void Script::pause(std::chrono::milliseconds length, std::function<void()> then) {
  timer_.expires_after(length);
  timer_.async_wait([self = shared_from_this(), then = std::move(then)](const auto& failure) {
    if (!failure) then();
  });
}

void Script::wait_watches(const std::string& plural, std::size_t count, int tries_left) {
  if (world_.open_watches(plural) >= count) return step();
  if (tries_left == 0) return done_("wait: the watches did not come within 30s");
  pause(std::chrono::milliseconds(5),
        [self = shared_from_this(), plural, count, tries_left] { self->wait_watches(plural, count, tries_left - 1); });
}

void Script::repeat(std::chrono::milliseconds interval, const std::string& line) {
  const auto timer = std::make_shared<boost::asio::steady_timer>(world_.io());
  timer->expires_after(interval);
  timer->async_wait([self = shared_from_this(), timer, interval, line](const auto& failure) {
    if (failure) return;
    run(self->world_, line, [](const std::string&) {});
    self->repeat(interval, line);
  });
}

}  // namespace ksr::testserver
