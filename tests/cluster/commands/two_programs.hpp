// `TwoPrograms` runs kubectl and ksr with the same arguments, each in a namespace of its own, and compares what they
// write and how they end; used by cluster.commands. Lives on the test's thread.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cluster/harness/users.hpp"
#include "cluster/kubectl/program.hpp"
#include "support/temporary_directory.hpp"

namespace ksr::clustertest {

// What the comparison leaves out of standard output.
enum class Compare {
  // Nothing: byte by byte.
  all,
  // JSON as values, without what the server sets by itself (uid, resourceVersion, creationTimestamp, generation) and
  // the
  // name of the manager, which each program has its own of.
  json,
  // Not at all: only the exit status.
  status,
};

struct Call {
  std::vector<std::string> arguments;
  Compare compare = Compare::all;
  // Standard error is the same too.
  bool same_errors = false;
  std::string input = "";
};

class TwoPrograms {
 public:
  // Both start with the same objects: none.
  explicit TwoPrograms(const User& user = admin_user());

  // `arguments` of both; NS in them and in the input is the program's namespace. Checks with doctest.
  void run(const Call& call);
  // Of calls that only read: both in kubectl's namespace.
  void read(const std::vector<std::string>& arguments, bool same_errors = false);
  // The same, of kubectl and of ksr with arguments of its own.
  void compare_reads(const std::vector<std::string>& of_kubectl, const std::vector<std::string>& of_ksr,
                     bool same_errors = false);
  // Objects that both have, made by kubectl.
  void make(const std::string& yaml);

  const std::string& namespace_of_kubectl() const { return kubectl_.name_space; }
  const std::string& namespace_of_ksr() const { return ksr_.name_space; }
  std::filesystem::path directory() const { return directory_.root(); }
  // A file for both; its path.
  std::string file(const std::string& name, const std::string& content);

  ProgramEnd run_kubectl(std::vector<std::string> arguments, const std::string& input = "");
  ProgramEnd run_ksr(std::vector<std::string> arguments, const std::string& input = "");
  // A line of bash, which finds ksr as $ksr; a pipeline fails when one of its programs does.
  ProgramEnd run_shell(const std::string& line);

 private:
  struct Side {
    std::string program;
    std::string name_space;
    std::filesystem::path home;
  };

  Side make_side(const std::string& program, const std::string& name_space, const User& user);
  ProgramEnd run_in(const Side& side, std::vector<std::string> arguments, const std::string& input);
  void check(const std::string& what, const Call& call, ProgramEnd by_kubectl, ProgramEnd by_ksr);

  ksr::testing::TemporaryDirectory directory_;
  Side kubectl_;
  Side ksr_;
};

}  // namespace ksr::clustertest
