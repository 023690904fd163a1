// `Script` runs the script language, one command per line, which README.md lists; used by World.
// Lives on the server's thread.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/world.hpp"

namespace ksr::testserver {

class Script : public std::enable_shared_from_this<Script> {
 public:
  // Runs the lines one after another; `done` receives the error, or "".
  static void run(World& world, const std::string& lines, World::ScriptDone done);

 private:
  using Words = std::vector<std::string>;

  Script(World& world, const std::string& lines, World::ScriptDone done);
  void step();
  // Runs one line. True: continue at once; false: a timer continues.
  bool execute(const Words& words);
  bool execute_object_command(const Words& words);
  bool execute_server_command(const Words& words);
  void pause(std::chrono::milliseconds length, std::function<void()> then);
  void wait_watches(const std::string& plural, std::size_t count, int tries_left);
  void repeat(std::chrono::milliseconds interval, const std::string& line);

  World& world_;
  std::deque<std::string> lines_;
  World::ScriptDone done_;
  boost::asio::steady_timer timer_;
};

}  // namespace ksr::testserver
