// Prints how many pods each node has, and in which phases, whenever that changes, until Enter is pressed or standard
// input ends. Only the two columns are kept of each pod, and a change in anything else is not told.
//   c++ -std=c++17 nodes.cpp $(pkg-config --cflags --libs ksr) -o nodes
//   nodes [KEY=VALUE...]      keys of ksr-config(5), such as context=production
#include <ksr.hpp>

#include <cstdio>
#include <iostream>
#include <map>
#include <set>
#include <string>

namespace {

// The columns, as the key `columns` lists them.
enum : std::size_t { kNode, kPhase };

void print(const ksr::snapshot& view, const std::string& node) {
  std::map<std::string_view, int> phases;
  const ksr::match_range pods = view.by_index(kNode, node);
  for (const ksr::object_view pod : pods) ++phases[pod.column(kPhase).value_or("")];
  std::cout << (node.empty() ? "(no node)" : node) << ": " << pods.size() << " pods";
  for (const auto& [phase, count] : phases) std::cout << ", " << count << ' ' << phase;
  std::cout << std::endl;
}

void on_update(ksr::stream_ref, const ksr::snapshot& view) {
  std::set<std::string> changed;
  for (const auto& [kind, pod, before, left] : view.deltas()) {
    changed.emplace(pod.column(kNode).value_or(""));
    if (before) changed.emplace(before.column(kNode).value_or(""));
  }
  for (const std::string& node : changed) print(view, node);
}

void run(int argc, char** argv) {
  ksr::config config{{"resource", "v1/pods"},
                     {"columns", "/spec/nodeName /status/phase"},
                     {"index", "0"},
                     {"notify", "columns"},
                     {"keep_fields", "/spec/nodeName"}};
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) throw std::invalid_argument("expected KEY=VALUE");
    config.set(word.substr(0, equals), word.substr(equals + 1));
  }
  config.on_update(on_update);
  config.on_error(
      [](ksr::stream_ref, const ksr::error& error) { std::cerr << "nodes: " << error.what() << std::endl; });
  ksr::stream pods(config);
  std::getchar();
  pods.close();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(argc, argv);
    return 0;
  } catch (const std::exception& failure) {
    std::cerr << "nodes: " << failure.what() << std::endl;
    return 1;
  }
}
