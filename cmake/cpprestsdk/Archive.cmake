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

# What both parts are compiled with.
add_library(ksr_cpprest_headers INTERFACE)
target_include_directories(ksr_cpprest_headers SYSTEM INTERFACE
  "${CMAKE_CURRENT_SOURCE_DIR}/overlay" "${ksr_cpprest_source}/include" "${ksr_websocketpp_include}")
target_compile_definitions(ksr_cpprest_headers INTERFACE CPPREST_FORCE_HTTP_CLIENT_ASIO)
# A failed task whose outcome is not looked at would raise SIGTRAP and end the host. As an option: CMake passes on no
# definition of a macro with parentheses.
target_compile_options(ksr_cpprest_headers INTERFACE "-D_REPORT_PPLTASK_UNOBSERVED_EXCEPTION()=((void)0)")
target_link_libraries(ksr_cpprest_headers INTERFACE ksr_boost OpenSSL::SSL OpenSSL::Crypto Threads::Threads)
if(KSR_SANITIZE MATCHES thread)
  # ThreadSanitizer does not know fences; the locks that Asio takes besides are enough.
  target_compile_definitions(ksr_cpprest_headers INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
endif()

# Its files take longer to read their headers than to compile. cpprestsdk's own build compiles them without strict
# aliasing, too.
add_library(ksr_cpprest_upstream OBJECT ${ksr_cpprest_files})
set_target_properties(ksr_cpprest_upstream PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 10)
target_compile_options(ksr_cpprest_upstream PRIVATE ${KSR_THIRD_PARTY_OPTIONS} -fno-strict-aliasing)
target_link_libraries(ksr_cpprest_upstream PRIVATE ksr_cpprest_headers)

add_library(ksr_cpprest STATIC ${ksr_cpprest_backends} $<TARGET_OBJECTS:ksr_cpprest_upstream>)
target_link_libraries(ksr_cpprest PUBLIC ksr_cpprest_headers PRIVATE ksr_warnings)
target_compile_options(ksr_cpprest PRIVATE ${KSR_TEMPLATE_OPTIONS})
target_compile_definitions(ksr_cpprest INTERFACE _TURN_OFF_PLATFORM_STRING)
foreach(target ksr_cpprest ksr_cpprest_upstream)
  target_include_directories(${target} SYSTEM PRIVATE "${ksr_cpprest_source}/src" "${ksr_cpprest_source}/src/pch")
  target_compile_definitions(${target} PRIVATE NDEBUG CPPREST_EXCLUDE_COMPRESSION=1 CPPREST_EXCLUDE_BROTLI=1)
endforeach()
