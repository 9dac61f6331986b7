# SPDX-License-Identifier: Apache-2.0
set(WATTPROOF_CPU cortex-m4)
include(${CMAKE_CURRENT_LIST_DIR}/ArmNoneEabi.cmake)
