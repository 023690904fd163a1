// The cases, each in its own process with its own server; used by main. On the main thread.
#pragma once

#include <cstdint>
#include <string>

#include "control.hpp"
#include "host.hpp"
#include "report.hpp"

namespace ksr::bench {

struct Setup {
  Settings settings;  // of the stream: server, ca_file, transport…
  Control control;
  std::uint64_t events;
  std::uint64_t newest;  // events change only that many newest objects; 0: every object in turn
  double settle;         // seconds to wait before memory counts as settled
};

void run_watch(const Setup& setup, Report& report);
void run_growth(const Setup& setup, Report& report);
void run_million(const Setup& setup, Report& report);
void run_keep(const Setup& setup, Report& report);
void run_latency(const Setup& setup, Report& report);
void run_blocked(const Setup& setup, Report& report);
void run_streams(const Setup& setup, Report& report);
void run_shared(const Setup& setup, Report& report);
void run_drain(const Setup& setup, Report& report);
void run_handover(const Setup& setup, Report& report);

// Without a replay server's control; what the settings do not say is the library's own default.
void run_real(const Settings& settings);
// `count` gets of a pod, NAMESPACE/NAME.
void run_calls(const Settings& settings, const std::string& pod, std::uint64_t count, Report& report);

// Whether the newest snapshot has exactly the server's objects.
bool is_correct(const Setup& setup, const Host& host);
// Adds it as "correct".
void add_correct(const Setup& setup, const Host& host, Report& report);

// With `limit`: as many objects as configured, all of them changed by the newest events.
bool limited_is_newest(const Host& host, std::uint64_t limit);

}  // namespace ksr::bench
