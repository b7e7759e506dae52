// refused: brood: run-time type information is needed: compile without -fno-rtti
// flags: -fno-rtti
#include <brood/brood.hpp>
