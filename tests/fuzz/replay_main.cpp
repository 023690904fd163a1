// Runs a fuzzer on the files of its corpus, on their prefixes and with single bytes changed: a fuzzer without
// libFuzzer.
//   fuzz_NAME CORPUS_OR_FILE …
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr int kRounds = 40;

Bytes read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

void replay(const Bytes& bytes, std::mt19937& random) {
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  for (int round = 0; round < kRounds && !bytes.empty(); ++round) {
    Bytes changed = bytes;
    for (unsigned changes = random() % 4; changes > 0; --changes) {
      changed[random() % changed.size()] =
          random() % 2 == 0 ? static_cast<std::uint8_t>(random()) : changed[random() % changed.size()];
    }
    if (round % 5 == 0) changed.resize(random() % (changed.size() + 1));
    LLVMFuzzerTestOneInput(changed.data(), changed.size());
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::mt19937 random(20261124);
  std::size_t files = 0;
  for (int i = 1; i < argc; ++i) {
    std::vector<std::filesystem::path> paths;
    if (std::filesystem::is_directory(argv[i])) {
      for (const auto& entry : std::filesystem::directory_iterator(argv[i])) paths.push_back(entry.path());
    } else {
      paths.emplace_back(argv[i]);
    }
    for (const auto& path : paths) {
      // The last line of a failing test says which file it was.
      std::printf("%s\n", path.filename().c_str());
      std::fflush(stdout);
      replay(read(path), random);
      ++files;
    }
  }
  std::printf("%zu files replayed\n", files);
  return files > 0 ? 0 : 1;
}
