// refused: brood: <brood/impl/src.hpp> is for programs that define BROOD_SEPARATE_COMPILATION
// flags: -UBROOD_SEPARATE_COMPILATION
#include <brood/brood.hpp>

#include <brood/impl/src.hpp>
