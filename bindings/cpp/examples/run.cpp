// Runs a command in a pod, prints what it writes, and ends with its exit code; with 255 where that is not known.
//   c++ -std=c++17 run.cpp $(pkg-config --cflags --libs ksr) -o run
//   run NAMESPACE POD COMMAND [ARGUMENT...]
// The connection is that of the kubeconfig, or of the environment: KSR_SERVER, KSR_CA_FILE, KSR_TOKEN.
#include <ksr.hpp>

#include <cstdlib>
#include <iostream>
#include <string>

namespace {

ksr::config connection() {
  ksr::config config;
  for (const auto& [key, variable] :
       {std::pair("server", "KSR_SERVER"), std::pair("ca_file", "KSR_CA_FILE"), std::pair("token", "KSR_TOKEN")}) {
    if (const char* const value = std::getenv(variable)) config.set(key, value);
  }
  return config;
}

int run(int argc, char** argv) {
  const ksr::client client(connection());
  const ksr::params get{{"resource", "v1/pods"}, {"namespace", argv[1]}, {"name", argv[2]}};
  const ksr::result<ksr::response> pod = client.try_call(get);
  if (pod.code() == ksr::status::not_found) {
    std::cerr << "run: there is no pod " << argv[1] << '/' << argv[2] << std::endl;
    return 255;
  }
  std::cerr << "run: in a pod that is " << pod.value().object().get<std::string>("/status/phase").value_or("unknown")
            << std::endl;

  ksr::params exec{{"kind", "exec"}, {"namespace", argv[1]}, {"name", argv[2]}};
  for (int i = 3; i < argc; ++i) exec.add("command", argv[i]);
  exec.on_data([](ksr::channel_ref, ksr::part part, std::string_view bytes) {
    (part == ksr::part::std_err ? std::cerr : std::cout) << bytes << std::flush;
    return bytes.size();
  });
  const ksr::channel channel = client.open_channel(exec);
  return channel.wait().value_or(255);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::cerr << "usage: run NAMESPACE POD COMMAND [ARGUMENT...]" << std::endl;
    return 2;
  }
  try {
    return run(argc, argv);
  } catch (const ksr::error& error) {
    std::cerr << "run: " << error.what() << (error.maybe_done() ? "; the command may have run" : "") << std::endl;
    return 255;
  }
}
