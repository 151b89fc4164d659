#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# zuk as CMake's CMAKE_CROSSCOMPILING_EMULATOR: ctest runs its tests in it, and
# what a build makes and runs itself.
# needs: cmake ctest
# timeout: 300
set -eu
. tests/tool/expect.sh
cd "$TMP"

mkdir app
cat >app/CMakeLists.txt <<'F'
cmake_minimum_required(VERSION 3.13)
project(app C)
enable_testing()
include(CheckCSourceRuns)
check_c_source_runs("int main(void) { return 0; }" RUNS)
check_c_source_runs("int main(void) { return 1; }" RUNS_BADLY)
message(STATUS "runs: ${RUNS}, badly: '${RUNS_BADLY}'")
add_executable(table table.c)
add_custom_command(OUTPUT table.h COMMAND table > table.h DEPENDS table)
add_executable(app app.c ${CMAKE_CURRENT_BINARY_DIR}/table.h)
target_include_directories(app PRIVATE ${CMAKE_CURRENT_BINARY_DIR})
add_test(NAME good COMMAND app 9)
add_test(NAME bad COMMAND app 8)
F
cat >app/table.c <<'F'
#include <stdio.h>
int main(void) {
    puts("#define SQUARE 9");
    return 0;
}
F
cat >app/app.c <<'F'
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "table.h"
int main(int argc, char **argv) {
    printf("pid %d, %d\n", (int)getpid(), SQUARE);
    return argc != 2 || atoi(argv[1]) != SQUARE;
}
F
cat >toolchain.cmake <<F
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_C_COMPILER "$ZIG" cc)
set(CMAKE_C_COMPILER_TARGET x86_64-linux-musl)
set(CMAKE_C_FLAGS_INIT -static)
set(CMAKE_CROSSCOMPILING_EMULATOR "$ZUK" exec)
F
run cmake -S app -B made -DCMAKE_TOOLCHAIN_FILE="$TMP/toolchain.cmake"
status 0
prints "runs: 1, badly: ''"
run cmake --build made
status 0
cd made
run ctest -V -R good
status 0
prints "pid 1, 9"
prints "100% tests passed"
run ctest -R bad
check [ "$status" != 0 ]
prints "1 tests failed out of 1"

done_or_fail
