#include "channel/exec_end.hpp"

#include <doctest/doctest.h>

using namespace ksr;
using namespace ksr::channel;

namespace {

constexpr const char* kSuccess = R"({"metadata":{},"status":"Success"})";
constexpr const char* kSeven =
    R"({"metadata":{},"status":"Failure","message":"command terminated with non-zero exit code: exit status 7",)"
    R"("reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"7"}]}})";
constexpr const char* kNoSuchBinary =
    R"({"metadata":{},"status":"Failure","message":"exec: \"nope\": not\nfound","reason":"InternalError","code":500})";

ExecOutcome ended(ChannelProtocol protocol, const std::string& status, const std::optional<Error>& error = {}) {
  ExecEnd end(protocol);
  end.add_status(status);
  return end.finish(error);
}

}  // namespace

TEST_CASE("success and exit codes, and whose word they are") {
  const ExecOutcome zero = ended(ChannelProtocol::v4, kSuccess);
  CHECK(zero.exit_code == 0);
  CHECK(zero.verified);
  CHECK_FALSE(zero.error);
  CHECK_FALSE(ended(ChannelProtocol::v5, kSuccess).verified);
  CHECK(ended(ChannelProtocol::v5, kSuccess).exit_code == 0);
  for (const ChannelProtocol protocol : {ChannelProtocol::v4, ChannelProtocol::v5}) {
    const ExecOutcome seven = ended(protocol, kSeven);
    CHECK(seven.exit_code == 7);
    CHECK(seven.verified);
    CHECK_FALSE(seven.error);
  }
  const ExecOutcome missing = ended(ChannelProtocol::v4, kNoSuchBinary);
  CHECK_FALSE(missing.exit_code);
  REQUIRE(missing.error);
  CHECK(missing.error->status == Status::server);
  CHECK(missing.error->http_status == 500);
  CHECK(missing.error->reason == "InternalError");
  CHECK(missing.error->message == "exec: \"nope\": not found");
  CHECK(missing.error->details == kNoSuchBinary);
}

TEST_CASE("a Status in any number of messages; without a whole one the end is lost, whatever the close says") {
  const std::string status = kSeven;
  for (std::size_t cut = 0; cut <= status.size(); ++cut) {
    ExecEnd end(ChannelProtocol::v4);
    end.add_status(status.substr(0, cut));
    CHECK(end.has_status() == (cut == status.size()));
    CHECK(end.may_end() == (cut == status.size()));
    if (cut < status.size()) {
      const ExecOutcome lost = end.finish(std::nullopt);
      CHECK_FALSE(lost.exit_code);
      REQUIRE(lost.error);
      CHECK(lost.error->status == Status::lost);
    }
    end.add_status(status.substr(cut));
    CHECK(end.finish(std::nullopt).exit_code == 7);
  }
  const ExecOutcome broken = ended(ChannelProtocol::v5, "", Error{Status::transport, "connection reset"});
  REQUIRE(broken.error);
  CHECK(broken.error->status == Status::lost);
  CHECK(broken.error->message.find("connection reset") != std::string::npos);
  // A Status counts though the connection broke after it.
  CHECK(ended(ChannelProtocol::v4, kSuccess, Error{Status::transport, "reset"}).exit_code == 0);
}

TEST_CASE("Statuses that are none") {
  for (const char* status : {"[]", "null", "{\"status\":\"Success\"", "Success", "{\"status\":\"Success\"} x"}) {
    CAPTURE(status);
    const ExecOutcome lost = ended(ChannelProtocol::v4, status);
    CHECK_FALSE(lost.exit_code);
    REQUIRE(lost.error);
    CHECK(lost.error->status == Status::lost);
  }
  for (const char* status :
       {"{}", R"({"status":"success"})", R"({"status":"Failure","reason":"NonZeroExitCode"})",
        R"({"reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"x"}]}})",
        R"({"reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":7}]}})",
        R"({"reason":"NonZeroExitCode","details":{"causes":"ExitCode"}})"}) {
    CAPTURE(status);
    const ExecOutcome unknown = ended(ChannelProtocol::v4, status);
    CHECK_FALSE(unknown.exit_code);
    CHECK(unknown.error);
  }
}

TEST_CASE("a Status is taken up to 4 MiB, in any number of messages; beyond that the error says so") {
  const std::string begin = R"({"status":"Failure","reason":"NonZeroExitCode","message":")";
  const std::string end_of_status = R"(","details":{"causes":[{"reason":"ExitCode","message":"7"}]}})";
  constexpr std::size_t kMost = std::size_t{4} << 20;
  for (const std::size_t size : {std::size_t{100'000}, kMost, kMost + 1}) {
    const std::string status = begin + std::string(size - begin.size() - end_of_status.size(), 'x') + end_of_status;
    for (const std::size_t piece : {size, std::size_t{1'000}}) {
      CAPTURE(size);
      CAPTURE(piece);
      ExecEnd end(ChannelProtocol::v4);
      for (std::size_t at = 0; at < size; at += piece) end.add_status(std::string_view(status).substr(at, piece));
      const ExecOutcome outcome = end.finish(std::nullopt);
      if (size <= kMost) {
        CHECK(outcome.exit_code == 7);
        CHECK_FALSE(outcome.error);
        if (piece == size) CHECK(end.may_end());
      } else {
        CHECK_FALSE(outcome.exit_code);
        CHECK_FALSE(end.may_end());
        REQUIRE(outcome.error);
        CHECK(outcome.error->status == Status::lost);
        CHECK(outcome.error->message ==
              "the Status of the command is larger than 4194304 bytes: it is not known how the command ended");
      }
    }
  }
}

TEST_CASE("v1 says nothing of a success, and the code in words") {
  CHECK(ended(ChannelProtocol::v1, "command terminated with non-zero exit code: 3").exit_code == 3);
  CHECK(ended(ChannelProtocol::v1, "").error->status == Status::lost);
  CHECK(ended(ChannelProtocol::v1, "no such container").error->message == "no such container");
  ExecEnd text(ChannelProtocol::v1);
  text.add_status("command terminated with non-zero exit code: 3");
  CHECK_FALSE(text.may_end());
}

TEST_CASE("a Status over a protocol that has none is not repeated as text") {
  for (const char* status : {kSuccess, kSeven, kNoSuchBinary}) {
    ExecEnd end(ChannelProtocol::v1);
    end.add_status(status);
    // No more is waited for than a close.
    CHECK(end.may_end());
    const ExecOutcome unknown = ended(ChannelProtocol::v1, status);
    CHECK_FALSE(unknown.exit_code);
    CHECK_FALSE(unknown.verified);
    REQUIRE(unknown.error);
    CAPTURE(unknown.error->message);
    CHECK(unknown.error->status == Status::lost);
    CHECK(unknown.error->message.find("a Status came over channel.k8s.io, which has none") == 0);
    CHECK(unknown.error->message.find('{') == std::string::npos);
  }
}
