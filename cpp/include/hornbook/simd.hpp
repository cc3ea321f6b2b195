// Which instructions the hot loops use: found out once at run time, or set (HORNBOOK_SIMD, tests).
#pragma once

namespace hornbook {

enum class Simd { portable = 0, avx2 = 1, avx512 = 2 };

Simd machine_simd();        // the widest that this machine and this build have
Simd active_simd();         // what is used now
bool set_simd(Simd level);  // nothing wider from now on; false (and no change) where the machine lacks it

}  // namespace hornbook
