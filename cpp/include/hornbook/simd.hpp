// Which instructions the hot loops use: found out once at run time, or set by a test.
#pragma once

namespace hornbook {

enum class Simd { plain = 0, avx2 = 1, avx512 = 2 };

Simd best_simd();           // the widest that this machine and this build have
Simd active_simd();         // what is used now
bool set_simd(Simd level);  // false (and no change) where the machine lacks it

}  // namespace hornbook
