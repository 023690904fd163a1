// Lists and watches with every kind of content.
#pragma once

#include <string>

namespace ksr::json::testing {

inline std::string rich_list() {
  return R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"10","continue":"abc\u003d",)"
         R"("remainingItemCount":3},"items":[{"metadata":{"name":"a","namespace":"d","uid":"u1","resourceVersion":"7",)"
         R"("managedFields":[{"f:x":{"k:{\"a\":1}":{}}},true],"labels":{"z":"\u00e9\ud83d\ude00"}},"spec":{"n":[1,-2.5e3,)"
         R"(null,true,false,{"deep":[[[]]]}],"text":"long enough to pass through the wide loops \"quoted\" and on",)"
         "\"utf8\":\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"}},\n  {\"kind\" : \"Own\", \"apiVersion\":\"o/v1\","
         R"("metadata":{"managedFields":{},"uid":"u2","name":"b","resourceVersion":"8","creationTimestamp":null},)"
         R"("eventTime":"t","series":{"lastObservedTime":"s","x":{}}},{"metadata":{"uid":"u\u0033","n\u0061me":"c",)"
         R"("resourceVersion":"9","managedFields":[]}} ] }  )";
}

inline std::string rich_custom_list() {
  return R"({"apiVersion":"x.io/v1","items":[{"apiVersion":"x.io/v1","kind":"Foo","metadata":{"uid":"1","name":"n",)"
         R"("resourceVersion":"2"}},{"metadata":{"uid":"3","name":"m","resourceVersion":"4"},"kind":"Bar"},{"metadata":)"
         R"({"uid":"5","name":"o","resourceVersion":"6"}}],"kind":"FooList","metadata":{"continue":"","resourceVersion":"9"}})";
}

inline std::string rich_watch() {
  return R"({"type":"ADDED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","namespace":"d","uid":"u",)"
         R"("resourceVersion":"7","managedFields":[{"f:x":{"k:{\"a\":1}":{}}}]},"spec":{"n":[1,-2.5e3,null,true]}}})"
         "\n{\"object\":{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"managedFields\":1,\"name\":"
         "\"\xc3\xa9\","
         R"("uid":"v","resourceVersion":"8"}},"x":[{}],"type":"DEL\u0045TED"})"
         R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9","annotations":{"k8s.io/initial-events-end":)"
         R"("true"}},"spec":{"containers":null}}}{"type":"ADDED","object":{"metadata":{"name":"bad"}}})"
         R"({"type":"ERROR","object":{"kind":"Status","message":"m","reason":"Expired","code":410}} {"type":"NEW","object":1})"
         "\n";
}

}  // namespace ksr::json::testing
