# Hardening of everything that ends up in the library or in ksr, third-party archives included; checked by
# abi.hardening. Each option only where the compiler knows it: CET and branch protection are of one architecture each.
include(CheckCXXCompilerFlag)
include(CheckLinkerFlag)

# Memory checked by a sanitizer needs no other check, and _FORTIFY_SOURCE hides accesses from it.
if(KSR_SANITIZE)
  return()
endif()

function(ksr_add_option_if_known option)
  string(MAKE_C_IDENTIFIER "ksr_compiler_knows${option}" known)
  check_cxx_compiler_flag(${option} ${known})
  if(${known})
    add_compile_options(${option})
  endif()
endfunction()
ksr_add_option_if_known(-fstack-protector-strong)
ksr_add_option_if_known(-fstack-clash-protection)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|i[3-6]86)$")
  ksr_add_option_if_known(-fcf-protection)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
  ksr_add_option_if_known(-mbranch-protection=standard)
endif()

# It needs an optimizer, and warns without one. Undefined first: a compiler may define it by itself.
add_compile_options($<$<CONFIG:Release,RelWithDebInfo,MinSizeRel>:-U_FORTIFY_SOURCE>
  $<$<CONFIG:Release,RelWithDebInfo,MinSizeRel>:-D_FORTIFY_SOURCE=2>)

add_link_options(LINKER:-z,relro LINKER:-z,now LINKER:-z,noexecstack)
# A shadow stack needs nothing of the code but that it returns to where it was called from, and Debian's crti.o, which does
# not say so of itself, does. Indirect branch tracking is left to the linker: crti.o lacks the instruction for it.
check_linker_flag(CXX "LINKER:-z,shstk" ksr_linker_knows_shstk)
if(ksr_linker_knows_shstk AND ksr_compiler_knows_fcf_protection)
  add_link_options(LINKER:-z,shstk)
endif()
