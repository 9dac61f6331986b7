# SPDX-License-Identifier: Apache-2.0
# Compiler options of every target, kept in one place.
#   wattproof_warnings   warnings are errors
#   wattproof_firmware   what lib/ is compiled with: no exceptions, no RTTI, no hidden guards

# No path of the machine that builds gets into a program: two checkouts in two folders make the same bytes. Images are
# built so; while developing, absolute paths serve the debugger.
option(WATTPROOF_REPRODUCIBLE "Keep the paths of source and build folder out of what is built" OFF)
if(WATTPROOF_REPRODUCIBLE)
  add_compile_options(-ffile-prefix-map=${PROJECT_SOURCE_DIR}/= -ffile-prefix-map=${PROJECT_BINARY_DIR}/=build/)
endif()

add_library(wattproof_warnings INTERFACE)
target_compile_options(wattproof_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wcast-align -Wformat=2 -Wundef -Werror
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor -Woverloaded-virtual -Wold-style-cast>
  # At -O3 GCC 12 takes "text" + std::string for a copy onto itself (its bug 105651).
  $<$<AND:$<CONFIG:Release>,$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>,$<COMPILE_LANGUAGE:CXX>>:-Wno-restrict>)

if(CMAKE_UNITY_BUILD)
  # A name of one file is not in scope in the next; a build of single files looks for names that hide another.
  target_compile_options(wattproof_warnings INTERFACE -Wno-shadow)
endif()

add_library(wattproof_firmware INTERFACE)
target_compile_options(wattproof_firmware INTERFACE
  -ffunction-sections -fdata-sections -Wvla
  $<$<STREQUAL:${CMAKE_SYSTEM_PROCESSOR},arm>:-Wno-psabi>  # says only that GCC 6 passed some arguments differently
  $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions -fno-rtti -fno-threadsafe-statics>)

if(WATTPROOF_SANITIZE)
  # The preset compiles the rest without optimisation: instrumented code that is optimised takes twice as long to compile.
  target_compile_options(wattproof_firmware INTERFACE -O1)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()
