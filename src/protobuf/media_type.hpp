// `kMediaType` is what protobuf of Kubernetes is called in headers and envelopes; used wherever a request or an answer
// may be in it (k8s.io/apimachinery/pkg/runtime/types.go, ContentTypeProtobuf).
#pragma once

#include <string_view>

namespace ksr::protobuf {

inline constexpr std::string_view kMediaType = "application/vnd.kubernetes.protobuf";

}  // namespace ksr::protobuf
