// The runner of ksr.hpp, see README.md of the scenario. `scenario manual` has its callbacks made by its own thread.
#include <ksr.hpp>

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

constexpr std::uint64_t kFlowing = 3;

using Words = std::vector<std::string>;

// Writes one line, whole.
void say(const std::string& line) {
  static std::mutex mutex;
  const std::lock_guard<std::mutex> lock(mutex);
  std::fputs((line + "\n").c_str(), stdout);
  std::fflush(stdout);
}

std::string key_of(ksr::object_view object) {
  return std::string(object.ns()) + "/" + std::string(object.name());
}

std::string keys_of(const ksr::snapshot& view) {
  std::string keys;
  for (const ksr::object_view object : view) keys += (keys.empty() ? "" : ",") + key_of(object);
  return keys;
}

std::string mark_of(ksr::delta_kind kind) {
  switch (kind) {
    case ksr::delta_kind::added:
      return "+";
    case ksr::delta_kind::modified:
      return "~";
    case ksr::delta_kind::deleted:
      return "-";
  }
  return "?";
}

std::string deltas_of(const ksr::snapshot& view) {
  std::string deltas;
  for (const auto& [kind, object, before, left] : view.deltas()) {
    deltas += (deltas.empty() ? "" : ",") + mark_of(kind) + key_of(object) +
              std::string(object.json("/metadata/labels").value_or(""));
  }
  return deltas;
}

std::string name_of(ksr::status code) {
  return std::string(to_string(code));
}

std::string failed(const ksr::error& error) {
  return name_of(error.code()) + " http=" + std::to_string(error.http_status()) +
         " reason=" + std::string(error.reason()) + " maybe_done=" + (error.maybe_done() ? "1" : "0") +
         " details=" + std::string(error.details());
}

std::string came(const ksr::result<ksr::response>& answer) {
  if (!answer) return failed(answer.failure());
  const ksr::object_view object = answer->object();
  const std::vector<std::string_view> warnings = answer->warnings();
  return std::to_string(answer->http_status()) + " " + (object ? std::string(object.kind()) : "-") + " " +
         (object ? std::string(object.name()) : "-") + " data=" + std::string(object.json("/data").value_or("")) +
         " type=" + std::string(answer->header("CONTENT-type").value_or("-")) +
         " warnings=" + std::to_string(warnings.size()) + " " + (warnings.empty() ? "-" : std::string(warnings[0]));
}

std::pair<std::string, std::string> pair_of(const std::string& word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string::npos) std::abort();
  return {word.substr(0, equals), word.substr(equals + 1)};
}

// Until `condition`, which the library does not tell of.
template <class Condition>
void wait_until(Condition&& condition) {
  while (!condition()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

// A stream of the scenario, which reports what it does.
class Watched {
 public:
  Watched(std::string name, bool pours) : name_(std::move(name)), pours_(pours) {}

  void configure(ksr::config& config) {
    config.on_update([this](ksr::stream_ref named, const ksr::snapshot& view) { update(named, view); })
        .on_error([this](ksr::stream_ref, const ksr::error& error) {
          report("error", " " + name_of(error.code()) + " http=" + std::to_string(error.http_status()) +
                              " reason=" + std::string(error.reason()) + (error.is_fatal() ? " fatal" : " retry"));
        })
        .on_state([this](ksr::stream_ref, ksr::state now) { report("state", " " + std::string(to_string(now))); })
        .on_destroy([this] {
          if (destroyed_.exchange(true)) say("broken " + name_ + " destroyed twice");
        });
  }

  void arm() { armed_ = true; }
  void close() {
    stream.close();
    closed_ = true;
    if (!destroyed_) say("broken " + name_ + " not destroyed by close");
  }
  bool is_destroyed() const { return destroyed_; }
  bool is_closed() const { return closed_; }

  ksr::stream stream;

 private:
  void report(const std::string& kind, const std::string& rest) {
    if (closed_) say("broken " + name_ + " " + kind + " after close");
    if (destroyed_) say("broken " + name_ + " " + kind + " after destroy");
    say(kind + " " + name_ + rest);
  }

  void update(ksr::stream_ref named, const ksr::snapshot& view) {
    // Before the report, which may be answered with the next step.
    const bool armed = armed_;
    const std::uint64_t sequence = view.sequence();
    if (sequence != last_ + 1) {
      say("broken " + name_ + " sequence " + std::to_string(sequence) + " after " + std::to_string(last_));
    }
    last_ = sequence;
    if (pours_) {
      if (sequence == kFlowing) report("flowing", "");
      return;
    }
    report("update", " " + std::to_string(sequence) + " count=" + std::to_string(view.size()) +
                         " keys=" + keys_of(view) + " deltas=" + deltas_of(view));
    if (armed) named.cancel();
  }

  const std::string name_;
  const bool pours_;
  std::uint64_t last_ = 0;  // only callbacks touch it, and they never overlap
  std::atomic<bool> armed_{false};
  std::atomic<bool> closed_{false};
  std::atomic<bool> destroyed_{false};
};

// A request of the scenario, which reports how it has ended, also with its client.
class Asked {
 public:
  explicit Asked(std::string name) : name_(std::move(name)) {}

  void open(const ksr::client& client, ksr::params params) {
    params.on_response([this](ksr::request_ref, const ksr::result<ksr::response>& answer) { tell(answer); })
        .on_destroy([this] {
          if (!answered_ && !given_up_ && request_) tell(request_.try_wait(std::chrono::milliseconds(0)));
          if (destroyed_.exchange(true)) say("broken " + name_ + " destroyed twice");
        });
    request_ = client.open_request(params);
  }

  void give_up() {
    given_up_ = true;
    request_.close();
    if (!destroyed_) say("broken " + name_ + " not destroyed by close");
  }

  // The answer is reported before its callback has returned, which close waits for.
  void close_answered() {
    if (answered_) request_.close();
  }

 private:
  void tell(const ksr::result<ksr::response>& answer) {
    if (answered_.exchange(true) || given_up_ || destroyed_) say("broken " + name_ + " answered");
    say("answer " + name_ + " " + came(answer));
  }

  const std::string name_;
  ksr::request request_;
  std::atomic<bool> answered_{false};
  std::atomic<bool> given_up_{false};
  std::atomic<bool> destroyed_{false};
};

class Runner {
 public:
  explicit Runner(bool manual) : manual_(manual) {}

  // Answers one step.
  void step(const std::string& line) {
    std::istringstream split(line);
    Words words;
    for (std::string word; split >> word;) words.push_back(word);
    try {
      say("= " + answer(words));
    } catch (const ksr::error& error) {
      say("= " + name_of(error.code()));
    }
  }

  std::vector<pollfd> descriptors() const {
    std::vector<pollfd> waits{{STDIN_FILENO, POLLIN, 0}};
    for (const auto& [name, watched] : streams_) {
      waits.push_back({watched->is_closed() ? -1 : watched->stream.fd(), POLLIN, 0});
    }
    for (const auto& [name, client] : clients_) waits.push_back({client.fd(), POLLIN, 0});
    return waits;
  }

  void dispatch_all() {
    if (!manual_) return;
    for (const auto& [name, watched] : streams_) {
      // Below zero for one that its client has closed.
      if (!watched->is_closed() && watched->stream.fd() >= 0) watched->stream.dispatch();
    }
    for (const auto& [name, client] : clients_) {
      if (client.fd() >= 0) client.dispatch();
    }
  }

 private:
  std::string answer(const Words& words) {
    if (words.size() < 2) return "unknown step";
    const std::string& verb = words[0];
    const std::string& name = words[1];
    const Words rest(words.begin() + 2, words.end());
    if (verb == "open" || verb == "pour") return open(name, verb == "pour", rest);
    if (verb == "client") {
      ksr::config config;
      if (manual_) config.set("delivery", "manual");
      for (const std::string& word : rest) std::apply([&](auto&&... both) { config.set(both...); }, pair_of(word));
      clients_.emplace(name, ksr::client(config));
      return "ok";
    }
    if (verb == "give-up") return requests_.at(name)->give_up(), "ok";
    if (const auto client = clients_.find(name); client != clients_.end()) return ask(verb, client->second, rest);
    if (const auto stream = streams_.find(name); stream != streams_.end()) return ask(verb, *stream->second, rest);
    return "no such stream";
  }

  std::string open(const std::string& name, bool pours, const Words& words) {
    auto watched = std::make_unique<Watched>(name, pours);
    const ksr::client* client = nullptr;
    ksr::config config;
    for (const std::string& word : words) {
      const auto [key, value] = pair_of(word);
      // No key of the library's.
      if (key == "client") {
        client = &clients_.at(value);
      } else {
        config.set(key, value);
      }
    }
    if (manual_ && client == nullptr) config.set("delivery", "manual");
    watched->configure(config);
    ksr::result<ksr::stream> opened =
        client != nullptr ? client->try_open_stream(config) : ksr::stream::try_open(config);
    if (!opened) {
      if (!watched->is_destroyed()) say("broken " + name + " not destroyed");
      return name_of(opened.code());
    }
    watched->stream = *std::move(opened);
    streams_.emplace(name, std::move(watched));
    return "ok";
  }

  static std::string ask(const std::string& verb, Watched& watched, const Words& words) {
    const ksr::stream& stream = watched.stream;
    if (verb == "latest") {
      const ksr::snapshot view = stream.latest();
      return view ? std::to_string(view.sequence()) + " " + keys_of(view) : "none";
    }
    if (verb == "stat") return std::to_string(stream.stat(words.at(0)));
    if (verb == "synced") stream.wait_synced();
    if (verb == "close") watched.close();
    if (verb == "arm") watched.arm();
    if (verb == "cancel") stream.cancel();
    if (verb == "until") wait_until([&] { return stream.stat(words.at(0)) >= std::stoull(words.at(1)); });
    return "ok";
  }

  std::string ask(const std::string& verb, ksr::client& client, const Words& words) {
    if (verb == "ask") return ask(client, words);
    if (verb == "run") return run(client, words);
    if (verb == "stat") return std::to_string(client.stat(words.at(0)));
    if (verb == "begin") {
      const auto asked = requests_.emplace(words.at(0), std::make_unique<Asked>(words[0])).first;
      asked->second->open(client, params_of({words.begin() + 1, words.end()}));
    } else if (verb == "drained") {
      wait_until([&] {
        for (const auto& [name, asked] : requests_) asked->close_answered();
        return client.stat("open_requests") == 0;
      });
    } else if (verb == "close") {
      client.close();
    } else if (verb == "until") {
      wait_until([&] { return client.stat(words.at(0)) >= std::stoull(words.at(1)); });
    } else {
      return "unknown step";
    }
    return "ok";
  }

  static ksr::params params_of(const Words& words) {
    ksr::params params;
    for (const std::string& word : words) {
      const auto [key, value] = pair_of(word);
      key == "body" ? params.body(value) : params.set(key, value);
    }
    return params;
  }

  static std::string ask(const ksr::client& client, const Words& words) {
    try {
      return came(client.try_call(params_of(words)));
    } catch (const ksr::error& error) {
      return failed(error);
    }
  }

  // All there is of a part, as one word, and whether it has ended in order.
  static std::pair<std::string, bool> read_all(const ksr::channel& channel, ksr::part part) {
    std::string word;
    char piece[512];
    ksr::io_result done{};
    while ((done = channel.try_read(part, piece, sizeof piece)) && !done.is_end()) word.append(piece, done.size);
    std::replace(word.begin(), word.end(), '\n', '|');
    return {word, done.is_end()};
  }

  static std::string run(const ksr::client& client, const Words& words) {
    std::string kind;
    std::string written;
    std::optional<bool> has_stderr;
    Words keys;
    for (const std::string& word : words) {
      const auto [key, value] = pair_of(word);
      if (key == "kind") kind = value;
      if (key == "stderr") has_stderr = value == "true";
      if (key == "in") written = value;
      if (key != "in") keys.push_back(word);
    }
    ksr::channel channel;
    try {
      channel = client.open_channel(params_of(keys));
    } catch (const ksr::error& error) {
      return failed(error) + " out= err=";
    }
    if (!written.empty()) static_cast<void>(channel.try_write(ksr::part::data, written));
    if (!written.empty() && kind == "exec") static_cast<void>(channel.try_finish(ksr::part::std_in));
    const auto [out, in_order] = read_all(channel, kind == "portforward" ? ksr::part::data : ksr::part::std_out);
    const std::string err =
        has_stderr.value_or(kind == "exec") ? read_all(channel, ksr::part::std_err).first : std::string();
    const ksr::result<std::optional<std::int32_t>> ended = channel.try_wait();
    if (in_order != ended.has_value()) say("broken " + kind + " ended in two ways");
    channel.close();
    const std::string told =
        ended ? "code=" + (*ended ? std::to_string(**ended) : std::string("-")) : failed(ended.failure());
    return told + " out=" + out + " err=" + err;
  }

  const bool manual_;
  // What callbacks refer to outlives what is closed.
  std::map<std::string, std::unique_ptr<Asked>> requests_;
  std::map<std::string, std::unique_ptr<Watched>> streams_;
  std::map<std::string, ksr::client> clients_;
};

// Whole lines only, and not through a stream, whose buffer poll does not know of. False at the end.
bool read_steps(Runner& runner) {
  static std::string lines;
  char piece[4096];
  const ssize_t got = read(STDIN_FILENO, piece, sizeof piece);
  if (got <= 0) return false;
  lines.append(piece, static_cast<std::size_t>(got));
  for (std::size_t end = lines.find('\n'); end != std::string::npos; end = lines.find('\n')) {
    const std::string line = lines.substr(0, end);
    lines.erase(0, end + 1);
    runner.step(line);
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Runner runner(argc == 2 && std::string_view(argv[1]) == "manual");
  for (;;) {
    std::vector<pollfd> waits = runner.descriptors();
    if (poll(waits.data(), waits.size(), -1) < 0) return 1;
    runner.dispatch_all();
    if (waits[0].revents != 0 && !read_steps(runner)) return 0;
  }
}
