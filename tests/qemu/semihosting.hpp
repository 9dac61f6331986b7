// SPDX-License-Identifier: Apache-2.0
// How an image speaks to the machine that runs it: text and an exit status over Arm semihosting.
#pragma once

namespace wattproof::qemu {

void write(const char* text);
[[noreturn]] void leave(int status);

}  // namespace wattproof::qemu
