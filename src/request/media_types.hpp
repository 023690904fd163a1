// The media types of requests: `accept_header` is the Accept of a key's word, `content_type_of` the type of a body;
// used by Params and plan_call. Pure, any thread.
#pragma once

#include <string>
#include <string_view>

#include "request/params.hpp"

namespace ksr::request {

// A word of the key `accept`, or a media type with its parameters, several with commas.
bool is_accept_form(std::string_view form);
std::string accept_header(std::string_view form, Verb verb);

// Whether it begins as the protobuf of Kubernetes does (apimachinery pkg/runtime/serializer/protobuf).
bool is_protobuf(std::string_view body);
std::string content_type_of(const Params& params, Verb verb);

}  // namespace ksr::request
