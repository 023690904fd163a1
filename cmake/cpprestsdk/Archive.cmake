# Only what the HTTP and WebSocket clients are made of; oauth1 comes along because the headers want it off Windows.
set(ksr_cpprest_files
  http/client/http_client.cpp http/client/http_client_msg.cpp
  http/common/http_compression.cpp http/common/http_helpers.cpp http/common/http_msg.cpp
  http/oauth/oauth1.cpp http/oauth/oauth2.cpp
  json/json.cpp json/json_parsing.cpp json/json_serialization.cpp
  uri/uri.cpp uri/uri_builder.cpp
  utilities/asyncrt_utils.cpp utilities/base64.cpp utilities/web_utilities.cpp
  websockets/client/ws_msg.cpp websockets/client/ws_client.cpp
  pplx/pplx.cpp pplx/pplxlinux.cpp pplx/threadpool.cpp)
list(TRANSFORM ksr_cpprest_files PREPEND "${ksr_cpprest_source}/src/")

# In place of http_client_asio.cpp and ws_client_wspp.cpp.
set(ksr_cpprest_backends backend/http_client_final_stage.cpp backend/websocket_client.cpp)

add_library(ksr_cpprest STATIC ${ksr_cpprest_files} ${ksr_cpprest_backends})
target_include_directories(ksr_cpprest SYSTEM PUBLIC
  "${CMAKE_CURRENT_SOURCE_DIR}/overlay" "${ksr_cpprest_source}/include" "${ksr_websocketpp_include}")
target_include_directories(ksr_cpprest SYSTEM PRIVATE "${ksr_cpprest_source}/src" "${ksr_cpprest_source}/src/pch")
target_compile_definitions(ksr_cpprest
  PUBLIC CPPREST_FORCE_HTTP_CLIENT_ASIO
  INTERFACE _TURN_OFF_PLATFORM_STRING
  PRIVATE NDEBUG CPPREST_EXCLUDE_COMPRESSION=1 CPPREST_EXCLUDE_BROTLI=1)
# A failed task whose outcome is not looked at would raise SIGTRAP and end the host. As an option: CMake passes on no
# definition of a macro with parentheses.
target_compile_options(ksr_cpprest PUBLIC "-D_REPORT_PPLTASK_UNOBSERVED_EXCEPTION()=((void)0)")
# cpprestsdk's own build compiles these files without strict aliasing, too.
list(APPEND ksr_cpprest_options ${KSR_THIRD_PARTY_OPTIONS} -fno-strict-aliasing)
set_source_files_properties(${ksr_cpprest_files} PROPERTIES COMPILE_OPTIONS "${ksr_cpprest_options}")
get_target_property(ksr_own_warnings ksr_warnings INTERFACE_COMPILE_OPTIONS)
set_source_files_properties(${ksr_cpprest_backends} PROPERTIES COMPILE_OPTIONS "${ksr_own_warnings}")
target_link_libraries(ksr_cpprest PUBLIC ksr_boost OpenSSL::SSL OpenSSL::Crypto Threads::Threads)
if(KSR_SANITIZE MATCHES thread)
  # ThreadSanitizer does not know fences; the locks that Asio takes besides are enough.
  target_compile_definitions(ksr_cpprest PUBLIC BOOST_ASIO_DISABLE_FENCED_BLOCK)
endif()
